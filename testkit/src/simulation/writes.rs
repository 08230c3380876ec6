//! The writes of a device.

use threadline::entity::{Entity, MessageKey};
use threadline::store::{StoreExt, Write};
use threadline::{
    Clock, Draft, Error, ErrorKind, GroupId, ImportedDirect, Message, MessageBody, MessageId, MessagePosition,
    NewGroup, Profile, Result, Thread, Threadline, UserChange, UserId,
};

use super::client::{Answer, Client};
use super::model::{Pending, text};
use super::violation::Breach;

fn body(number: u32) -> Result<MessageBody> {
    MessageBody::new(text(number))
}

impl Client {
    /// Creates a new message, and records it in the model before it is sent.
    fn new_message(&self, group: Option<GroupId>, me: UserId) -> Option<(MessageId, u32, Pending)> {
        let id = MessageId::from_uuid(self.new_message_id());
        let position = MessagePosition::try_from(id).ok()?;
        let made = self.world.clock.now();
        let mut model = self.world.model.borrow_mut();
        let text = model.new_text();
        let pending = model.sending(group, me, position, text, made)?;
        Some((id, text, pending))
    }

    fn number(&self, group: GroupId) -> usize {
        self.world.model.borrow_mut().group_number(group)
    }

    fn message_number(&self, position: MessagePosition) -> usize {
        position.message_id().map_or(usize::MAX, |id| self.world.model.borrow().message_number(id))
    }

    pub(super) async fn send(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some(group) = self.some_group(me, false) else { return };
        let Some((id, text, pending)) = self.new_message(Some(group), me) else { return };
        let number = self.message_number_of(id);
        self.trace(|| format!("sends message {number} to group {}", self.number(group)));
        let from = self.world.now();
        let answer = self.in_thread(me, group, async |thread: Thread| thread.send(id, body(text)?).await).await;
        let ended = self.ended_in_thread(&answer);
        self.world.model.borrow_mut().ended(pending, ended);
        match answer {
            Answer::Done(Some(message)) => self.saw(&message, from),
            Answer::Refused { error, .. } => self.check_taken("send", &error, id),
            Answer::Done(None) | Answer::GivenUp { .. } => {}
        }
        self.trace(|| format!("sent message {number}: {ended:?}"));
    }

    fn message_number_of(&self, id: MessageId) -> usize {
        self.world.model.borrow().message_number(id)
    }

    /// Checks a refused send: it is allowed only if the message was changed after an attempt that was done.
    fn check_taken(&self, call: &'static str, error: &Error, id: MessageId) {
        let may_be_changed = self.world.model.borrow().may_be_changed(id);
        if error.kind() != ErrorKind::AlreadyExists || !may_be_changed {
            self.unexpected(call, error);
        }
    }

    /// Checks a message that a call since `from` returned.
    pub(super) fn saw(&self, message: &Message, from: u64) {
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        let seen = model.saw(message, from, to);
        model.check(seen);
    }

    fn own_message(&self, me: UserId) -> Option<(GroupId, MessagePosition)> {
        let own = self.world.model.borrow().messages_of(me);
        self.pick(&own)
    }

    pub(super) async fn edit(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some((group, position)) = self.own_message(me) else { return };
        let Some(id) = position.message_id() else { return };
        let text = self.world.model.borrow_mut().new_text();
        let Some(pending) = self.world.model.borrow_mut().changing(id, Some(text)) else { return };
        let number = self.message_number(position);
        self.trace(|| format!("edits message {number}"));
        let from = self.world.now();
        let answer = self.in_thread(me, group, async |thread: Thread| thread.edit(position, body(text)?).await).await;
        let ended = self.ended_in_thread(&answer);
        let (was_sent, was_deleted, may_be_deleted) = {
            let mut model = self.world.model.borrow_mut();
            model.ended(pending, ended);
            (model.was_sent_before(id, from), model.was_deleted_before(id, from), model.may_be_deleted(id))
        };
        match answer {
            Answer::Done(Some(message)) => {
                if was_deleted {
                    self.report(Breach::TEXT, format!("message {number} was edited after its deletion"));
                }
                self.saw(&message, from);
            }
            Answer::Refused { error, .. } if error.kind() == ErrorKind::NotFound => {
                if was_sent && !may_be_deleted {
                    self.report(Breach::STORED, format!("message {number} was not found for an edit"));
                }
            }
            Answer::Refused { error, .. } => self.unexpected("edit", &error),
            Answer::Done(None) | Answer::GivenUp { .. } => {}
        }
        self.trace(|| format!("edited message {number}: {ended:?}"));
    }

    pub(super) async fn delete(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some((group, position)) = self.own_message(me) else { return };
        let Some(id) = position.message_id() else { return };
        let Some(pending) = self.world.model.borrow_mut().changing(id, None) else { return };
        let number = self.message_number(position);
        self.trace(|| format!("deletes message {number}"));
        let from = self.world.now();
        let answer = self.in_thread(me, group, async |thread: Thread| thread.delete(position).await).await;
        let ended = self.ended_in_thread(&answer);
        let (was_sent, may_be_purged) = {
            let mut model = self.world.model.borrow_mut();
            model.ended(pending, ended);
            (model.was_sent_before(id, from), model.may_be_purged(id))
        };
        match answer {
            Answer::Done(Some(message)) => self.saw(&message, from),
            Answer::Refused { error, .. } if error.kind() == ErrorKind::NotFound => {
                if was_sent && !may_be_purged {
                    self.report(Breach::STORED, format!("message {number} was not found for its deletion"));
                }
            }
            Answer::Refused { error, .. } => self.unexpected("delete", &error),
            Answer::Done(None) | Answer::GivenUp { .. } => {}
        }
        self.trace(|| format!("deleted message {number}: {ended:?}"));
    }

    /// Removes a message's item by hand, as an application with a retention period does.
    pub(super) async fn purge(&self) {
        if !self.world.parameters.may_purge() {
            return;
        }
        let messages = self.world.model.borrow().all_messages();
        let Some((_, _, position)) = self.pick(&messages) else { return };
        let Some(id) = position.message_id() else { return };
        let Some(group) = self.world.model.borrow_mut().purging(id) else { return };
        let number = self.message_number(position);
        self.trace(|| format!("removes message {number} by hand"));
        let key = Message::key_from(MessageKey { group, position });
        let answer = self
            .call(async |chat: Threadline| chat.store().write(Write::delete(key.clone())).await?.done().map(drop))
            .await;
        match &answer {
            Answer::Done(()) => self.world.model.borrow_mut().purged(id),
            Answer::Refused { error, .. } => self.unexpected("a delete", error),
            Answer::GivenUp { .. } => {}
        }
        self.trace(|| format!("removed message {number} by hand: {:?}", self.ended(&answer)));
    }

    /// Tries to change another user's message.
    pub(super) async fn edit_others(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let mut others = self.world.model.borrow().all_messages();
        others.retain(|(_, author, _)| *author != me);
        let Some((group, _, position)) = self.pick(&others) else { return };
        let deletes = self.draw(2) == 0;
        self.trace(|| format!("tries to change message {}", self.message_number(position)));
        let answer = self
            .in_thread(me, group, async |thread: Thread| match deletes {
                true => thread.delete(position).await,
                false => thread.edit(position, "changed by another user").await,
            })
            .await;
        match answer {
            Answer::Done(Some(_)) => self.report(Breach::AUTHOR, "a user changed another user's message"),
            Answer::Refused { error, .. } if !matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound) => {
                self.unexpected("edit or delete", &error);
            }
            _ => {}
        }
    }

    pub(super) async fn mark_read(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let mut messages = self.world.model.borrow().all_messages();
        let Some(group) = self.some_group(me, false) else { return };
        messages.retain(|(of, _, _)| *of == group);
        // Mostly up to the newest message, which may be later than the server's clock.
        let newest = messages.iter().max_by_key(|(_, _, position)| *position).copied();
        let read = if self.draw(3) == 0 { self.pick(&messages) } else { newest };
        let Some((_, _, position)) = read else { return };
        self.trace(|| format!("reads up to message {}", self.message_number(position)));
        let from = self.world.now();
        let started = self.world.clock.now();
        let answer = self.in_thread(me, group, async |mut thread: Thread| thread.mark_read(position).await).await;
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        let was_stranger = model.truth.was_stranger(group, me, from, to);
        match answer {
            Answer::Done(Some(())) if !was_stranger => {
                let entry = model.truth.groups.get(&group).and_then(|group| group.entries.get(&me));
                // A mark later than the server's clock moves up to that clock only.
                let is_ahead = position.created_at() > started;
                if !is_ahead && entry.is_none_or(|entry| entry.last_read() < Some(position)) {
                    model.report(Breach::new(Breach::UNREAD, "a read marker is not as it was set"));
                }
            }
            Answer::Refused { error, .. } if error.kind() != ErrorKind::NotFound || !was_stranger => {
                drop(model);
                self.unexpected("mark_read", &error);
            }
            _ => {}
        }
    }

    pub(super) async fn start_direct(&self) {
        let Some(me) = self.me() else { return };
        let Some(other) = self.somebody(Some(me.id())) else { return };
        let pair = GroupId::direct(me.id(), other.id());
        let number = self.number(pair);
        let Some((id, text, pending)) = self.new_message(None, me.id()) else { return };
        self.trace(|| format!("starts group {number} with message {}", self.message_number_of(id)));
        let from = self.world.now();
        let (mine, others) = (me.profile(), other.profile());
        let answer = self
            .call(async |chat: Threadline| {
                let draft = Draft::from(body(text)?).id(id);
                chat.start_direct(mine.clone(), others.clone(), draft).await
            })
            .await;
        if let Answer::Done(thread) = &answer {
            let group = thread.group_id();
            self.number(group);
            let mut model = self.world.model.borrow_mut();
            model.sent_to(pending, group);
            model.acknowledged_pair(pair, group);
            let to = model.now();
            if !model.truth.was_member(group, other.id(), from, to) {
                model.report(Breach::new(Breach::PAIR, "a conversation of two has no entry for the other member"));
            }
        }
        let ended = self.ended(&answer);
        self.world.model.borrow_mut().ended(pending, ended);
        if let Answer::Refused { error, .. } = answer {
            self.check_taken("start_direct", &error, id);
        }
        self.trace(|| format!("started group {number}: {ended:?}"));
    }

    pub(super) async fn import_direct(&self) {
        let Some(me) = self.me() else { return };
        let Some(other) = self.somebody(Some(me.id())) else { return };
        let (pair, id) = (GroupId::direct(me.id(), other.id()), GroupId::from_uuid(self.new_id()));
        let number = self.number(id);
        self.trace(|| format!("imports group {number}"));
        let (mine, others) = (me.profile(), other.profile());
        let at = self.world.clock.now();
        let answer = self
            .call(async |chat: Threadline| {
                chat.import_direct(ImportedDirect::new(id, mine.clone(), others.clone(), at)).await
            })
            .await;
        self.trace(|| format!("imported group {number}: {:?}", self.ended(&answer)));
        let mut model = self.world.model.borrow_mut();
        match answer {
            Answer::Done(thread) => model.acknowledged_pair(pair, thread.group_id()),
            Answer::Refused { error, .. } => {
                let has_one = model.truth.groups.get(&pair).is_some_and(|group| group.item.is_some());
                if error.kind() != ErrorKind::AlreadyExists || !has_one {
                    drop(model);
                    self.unexpected("import_direct", &error);
                }
            }
            Answer::GivenUp { .. } => {}
        }
    }

    pub(super) async fn create_group(&self) {
        let Some(me) = self.me() else { return };
        let group = GroupId::from_uuid(self.new_id());
        let number = self.number(group);
        let mut members: Vec<Profile> = Vec::new();
        for _ in 0..self.draw(4) {
            if let Some(user) = self.somebody(Some(me.id()))
                && !members.iter().any(|member| member.id() == user.id())
            {
                members.push(user.profile());
            }
        }
        let Some((id, text, pending)) = self.new_message(Some(group), me.id()) else { return };
        self.trace(|| {
            format!("creates group {number} of {} with message {}", members.len() + 1, self.message_number_of(id))
        });
        let from = self.world.now();
        let answer = self
            .call(async |chat: Threadline| {
                let new = NewGroup::new(format!("Group {number}"), &me)?.id(group);
                let new = members.iter().fold(new, |new, member| new.member(member));
                chat.create_group(new, Draft::from(body(text)?).id(id)).await
            })
            .await;
        let ended = self.ended(&answer);
        self.world.model.borrow_mut().ended(pending, ended);
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        match answer {
            Answer::Done(_) => {
                let ids = members.iter().map(|member| member.id()).chain([me.id()]);
                if ids.into_iter().any(|member| !model.truth.was_member(group, member, from, to)) {
                    model.report(Breach::new(Breach::MEMBERS, "a new group lacks a member"));
                }
            }
            // A retry, after somebody removed the creator.
            Answer::Refused { error, .. }
                if error.kind() == ErrorKind::NotFound && model.truth.was_ever_member(group, me.id()) => {}
            Answer::Refused { error, .. } => {
                drop(model);
                self.check_taken("create_group", &error, id);
            }
            Answer::GivenUp { .. } => {}
        }
        self.trace(|| format!("created group {number}: {ended:?}"));
    }

    pub(super) async fn add_member(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some(group) = self.some_group(me, true) else { return };
        let Some(member) = self.somebody(None) else { return };
        let number = self.world.model.borrow_mut().user_number(member.id());
        self.trace(|| format!("adds user {number} to group {}", self.number(group)));
        let from = self.world.now();
        let answer = self.in_thread(me, group, async |thread: Thread| thread.add_member(&member).await).await;
        self.trace(|| format!("added user {number}: {:?}", self.ended(&answer)));
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        match answer {
            Answer::Done(Some(())) => {
                if !model.truth.was_member(group, member.id(), from, to) {
                    model.report(Breach::new(Breach::MEMBERS, "an added user is no member"));
                }
                if !model.truth.was_member(group, me, from, to) {
                    model.report(Breach::new(Breach::MEMBERS, "a stranger added a member"));
                }
            }
            Answer::Refused { error, .. }
                if error.kind() != ErrorKind::NotFound || !model.truth.was_stranger(group, me, from, to) =>
            {
                drop(model);
                self.unexpected("add_member", &error);
            }
            _ => {}
        }
    }

    pub(super) async fn remove_member(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some(group) = self.some_group(me, true) else { return };
        let Some(member) = self.somebody(None).map(|member| member.id()) else { return };
        let number = self.world.model.borrow_mut().user_number(member);
        self.trace(|| format!("removes user {number} from group {}", self.number(group)));
        let from = self.world.now();
        let answer = self.in_thread(me, group, async |thread: Thread| thread.remove_member(member).await).await;
        self.trace(|| format!("removed user {number}: {:?}", self.ended(&answer)));
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        match answer {
            Answer::Done(Some(())) if !model.truth.was_stranger(group, member, from, to) => {
                model.report(Breach::new(Breach::MEMBERS, "a removed user is still a member"));
            }
            // A member who leaves may have been removed meanwhile.
            Answer::Done(Some(())) if member != me && !model.truth.was_member(group, me, from, to) => {
                model.report(Breach::new(Breach::MEMBERS, "a stranger removed a member"));
            }
            Answer::Refused { error, .. }
                if error.kind() != ErrorKind::NotFound || !model.truth.was_stranger(group, me, from, to) =>
            {
                drop(model);
                self.unexpected("remove_member", &error);
            }
            _ => {}
        }
    }

    pub(super) async fn rename(&self) {
        let Some(me) = self.world.people.borrow().get(self.person).cloned() else { return };
        // Mostly the newest known version of the user, at times an older one.
        let known = if self.draw(5) == 0 { self.pick(&me) } else { me.last().cloned() };
        let Some(user) = known else { return };
        let mut change = UserChange::new();
        if self.draw(3) != 0 {
            let Ok(changed) = self.handle().and_then(|handle| change.handle(handle)) else { return };
            change = changed;
        }
        if self.draw(2) != 0 {
            let tail = self.long_or_not("\u{1f9d1}", 15);
            let name = format!("Person {} {}{tail}", self.person, self.draw(1000));
            let Ok(changed) = change.display_name(name) else { return };
            change = changed;
        }
        self.trace(|| format!("takes other names instead of version {}", user.version()));
        let answer = self.call(async |chat: Threadline| chat.update_user(&user, change.clone()).await).await;
        self.trace(|| format!("took other names instead of version {}: {:?}", user.version(), self.ended(&answer)));
        match answer {
            Answer::Done(renamed) => {
                self.world.model.borrow_mut().acknowledged(&renamed);
                self.learn(renamed);
            }
            Answer::Refused { error, .. } if error.kind() == ErrorKind::ConditionFailed => {
                let truth = self.world.model.borrow().truth.users.get(&user.id()).map(|stored| stored.version());
                if truth == Some(user.version()) {
                    self.unexpected("update_user", &error);
                }
                let found = self.call(async |chat: Threadline| chat.user(user.id()).await).await;
                match found {
                    Answer::Done(Some(found)) => self.learn(found),
                    Answer::Done(None) => self.report(Breach::STORED, "a user is not found"),
                    _ => {}
                }
            }
            Answer::Refused { error, .. } if error.kind() == ErrorKind::AlreadyExists => {}
            Answer::Refused { error, .. } => self.unexpected("update_user", &error),
            Answer::GivenUp { .. } => {}
        }
    }

    /// Tries to open a conversation that the person may not be in.
    pub(super) async fn probe(&self) {
        let Some(user) = self.somebody(None) else { return };
        let groups = self.world.model.borrow().groups().to_vec();
        let Some(group) = self.pick(&groups) else { return };
        if let Answer::Refused { error, .. } =
            self.call(async |chat: Threadline| self.open(&chat, user.id(), group).await).await
        {
            self.unexpected("open", &error);
        }
    }
}
