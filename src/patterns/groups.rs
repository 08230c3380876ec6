//! `groups.start_direct`, `groups.create`, `groups.import_direct`, `groups.open`.

use std::collections::HashSet;

use super::call::{Call, begin};
use super::users::{put_new, refused};
use super::{Draft, Threadline};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, MessageId, UserId};
use crate::model::{Conversation, Membership, Message, MessageGroup, Profile, read_own};
use crate::request::{TransactOutcome, Transaction, Write};
use crate::text::GroupTitle;
use crate::time::Timestamp;

/// The most members that a new group may have: they, the group and the first message go into one transaction.
pub const MAX_INITIAL_MEMBERS: usize = 97;
/// A conversation, opened by one of its members: the proof that its user may read and write it. Sending, paging and editing
/// exist only here. It was true when it was made; open the conversation again for each request of a user's.
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) chat: Threadline,
    pub(super) me: Membership,
}

/// A group with a title that is still to be created.
#[derive(Clone, Debug)]
pub struct NewGroup {
    title: GroupTitle,
    creator: Profile,
    others: Vec<Profile>,
    id: Option<GroupId>,
}

impl NewGroup {
    /// A group with this title and, for now, its creator alone.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`GroupTitle`] refuses.
    pub fn new(title: impl TryInto<GroupTitle, Error: Into<Error>>, creator: impl Into<Profile>) -> Result<Self> {
        let title = title.try_into().map_err(Into::into)?;
        Ok(Self { title, creator: creator.into(), others: Vec::new(), id: None })
    }

    /// The same with one member more.
    #[must_use]
    pub fn with_member(mut self, member: impl Into<Profile>) -> Self {
        self.others.push(member.into());
        self
    }

    /// The same with this id, which makes a repeat of the call safe.
    #[must_use]
    pub fn with_id(mut self, id: GroupId) -> Self {
        self.id = Some(id);
        self
    }
}

/// A conversation of two that comes from elsewhere and keeps its id.
#[derive(Clone, Debug)]
pub struct ImportedDirect {
    id: GroupId,
    one: Profile,
    other: Profile,
    started_at: Timestamp,
}

impl ImportedDirect {
    /// The conversation of these two, with its id and the time it was started. They are users: create those of another program
    /// by [`NewUser::with_id`](super::NewUser::with_id) first.
    pub fn new(id: GroupId, one: impl Into<Profile>, other: impl Into<Profile>, started_at: Timestamp) -> Self {
        Self { id, one: one.into(), other: other.into(), started_at }
    }
}

impl Threadline {
    /// Starts the direct conversation of two people with a first message, or sends the message into the one they have.
    ///
    /// The conversation's id follows from the two people, so that they never get two, also when both start at once. One
    /// transaction: 8 WCU and 2 of the index; when there is the conversation already, 1 RCU and 1 WCU more. Both people must be
    /// users: pass what [`create_user`](Self::create_user) or a look-up gave. A retry is safe with a [`Draft`] that has an id.
    ///
    /// In a conversation that exists, the message carries the names of the membership, as [`Thread::send`] does.
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) for a conversation with oneself, and for what [`Thread::send_draft`] refuses.
    /// * [`Unavailable`](ErrorKind::Unavailable) for a message ahead of the [send window](super::SendWindow) that is not stored.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when there is another message with the draft's id, or a group of other
    ///   people under the id that is the pair's.
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) when one of its rows, or the message, is there without the group.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again with the same draft: one without an
    ///   id is sent a second time then.
    pub async fn start_direct(
        &self,
        from: impl Into<Profile>,
        to: impl Into<Profile>,
        first: impl TryInto<Draft, Error: Into<Error>>,
    ) -> Result<Thread> {
        let call = begin!(&*self.store, "groups.start_direct");
        let (from, to, first) = (from.into(), to.into(), first.try_into().map_err(Into::into));
        call.run(async {
            check_two(&from, &to)?;
            let to_id = to.id();
            let group = GroupId::direct(from.id(), to_id);
            let now = self.clock.now();
            let message = self.compose(group, from.clone(), first?)?;
            let existing = if let Some(error) = self.out_of_window(message.created_at()) {
                // Nothing can be started with it, but perhaps it is a retry of a start that was done.
                call.read(MessageGroup::key_from(group)).await?.ok_or(error)?
            } else {
                let item = MessageGroup::new(group, None, 2, from.id(), now);
                let mine =
                    Membership::new(group, from.clone(), Conversation::Direct(to.clone()), now).showing(&message);
                let theirs = Membership::new(group, to, Conversation::Direct(from.clone()), now).showing(&message);
                let writes = [put_new(&item)?, put_new(&mine)?, put_new(&theirs)?, put_new(&message)?];
                match created_or_existing(&call, writes).await? {
                    None => return Ok(self.thread(mine)),
                    Some(existing) => existing,
                }
            };
            let group = existing.continued_in().unwrap_or(group);
            let thread = self.open_in(&call, from.id(), group).await?;
            if thread.me.other().map(|other| other.id()) != Some(to_id) {
                // Somebody made a group of another kind under the pair's id: nothing may be said into it.
                return Err(another_group());
            }
            let body = message.body().cloned().ok_or_else(|| Error::invalid("a message has a text"))?;
            // As `send` does: with the names of the membership.
            let sender = thread.me.profile();
            self.deliver(&call, Message::new(group, message.created_at(), message.id(), sender, body)).await?;
            Ok(thread)
        })
        .await
    }

    /// Creates a group with a title, its members and a first message by its creator. One transaction: 4 + 2n WCU and n of the
    /// index, for n members, the creator counted in.
    ///
    /// A repeat with the same id gives the group that was created and writes nothing, where the title, the creator and, for a draft
    /// with an id, the first message are the same. The members are not compared.
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) for more than [`MAX_INITIAL_MEMBERS`], somebody twice, an id of version 5, and for what
    ///   [`Thread::send_draft`] refuses.
    /// * [`Unavailable`](ErrorKind::Unavailable) for a message ahead of the [send window](super::SendWindow), if the group is not
    ///   stored.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when there is another group with the id, or it was started otherwise.
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) when one of its rows, or the message, is there without the group.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again with the same id and draft: without
    ///   an id, that creates a second group.
    pub async fn create_group(&self, new: NewGroup, first: impl TryInto<Draft, Error: Into<Error>>) -> Result<Thread> {
        let call = begin!(&*self.store, "groups.create");
        let first = first.try_into().map_err(Into::into);
        call.run(async {
            let now = self.clock.now();
            let group = new.id.unwrap_or_else(|| GroupId::from_uuid(self.ids.next(now)));
            if group.as_uuid().get_version_num() == 5 {
                return Err(Error::invalid("an id of version 5 is kept for a direct conversation; take one of version 7"));
            }
            let count = 1 + new.others.len();
            if count > MAX_INITIAL_MEMBERS {
                return Err(Error::invalid(format!(
                    "a new group may have at most {MAX_INITIAL_MEMBERS} members, and this has {count}; add the others afterwards"
                )));
            }
            let members: Vec<_> = std::iter::once(new.creator.clone()).chain(new.others).collect();
            if members.iter().map(|member| member.id()).collect::<HashSet<_>>().len() < count {
                return Err(Error::invalid("a new group names one member twice"));
            }
            let first = first?;
            let has_own_id = first.has_id();
            let message = self.compose(group, new.creator.clone(), first)?;
            let existing = if let Some(error) = self.out_of_window(message.created_at()) {
                call.read::<MessageGroup>(MessageGroup::key_from(group)).await?.ok_or(error)?
            } else {
                let row = |member: &Profile| {
                    Membership::new(group, member.clone(), Conversation::Group(new.title.clone()), now)
                        .showing(&message)
                };
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let item = MessageGroup::new(group, Some(new.title.clone()), count, new.creator.id(), now);
                let mut writes = vec![put_new(&item)?, put_new(&message)?];
                for member in &members {
                    writes.push(put_new(&row(member))?);
                }
                match created_or_existing(&call, writes).await? {
                    None => return Ok(self.thread(row(&new.creator))),
                    Some(existing) => existing,
                }
            };
            if existing.created_by() != new.creator.id() || existing.title() != Some(&new.title) {
                return Err(another_group());
            }
            if has_own_id {
                self.find(&call, &message).await?;
            }
            self.open_in(&call, new.creator.id(), group).await
        })
        .await
    }

    /// Takes over a conversation of two with the id that it has, and makes [`start_direct`](Self::start_direct) of the two lead
    /// to it. One transaction: 8 WCU and 2 of the index. Its messages follow by [`Thread::send_draft`], with their ids and
    /// times, on a `Threadline` whose [send window](super::SendWindow) takes their age. A repeat is safe.
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) for a conversation with oneself, and for an id of version 5 that is not the pair's own.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when the two have another conversation, or the id is another's.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again.
    pub async fn import_direct(&self, imported: ImportedDirect) -> Result<Thread> {
        let call = begin!(&*self.store, "groups.import_direct");
        call.run(async {
            let ImportedDirect { id, one, other, started_at } = imported;
            check_two(&one, &other)?;
            let other_id = other.id();
            let pair = GroupId::direct(one.id(), other_id);
            if id != pair && id.as_uuid().get_version_num() == 5 {
                // It may be another pair's own, who could never start a conversation then.
                return Err(Error::invalid(
                    "an id of version 5 is kept for another pair; import with the id it had before",
                ));
            }
            let item = MessageGroup::new(id, None, 2, one.id(), started_at);
            let mine = Membership::new(id, one.clone(), Conversation::Direct(other.clone()), started_at);
            let theirs = Membership::new(id, other, Conversation::Direct(one.clone()), started_at);
            let mut writes = vec![put_new(&item)?, put_new(&mine)?, put_new(&theirs)?];
            if pair != id {
                writes.push(put_new(&MessageGroup::pointer(pair, id, one.id(), started_at))?);
            }
            let outcome = call.transact(Transaction::new(writes)).await?;
            let TransactOutcome::Cancelled { reasons, .. } = &outcome else { return Ok(self.thread(mine)) };
            if !(0..reasons.len()).any(|place| refused(reasons, place)) {
                return outcome.done().map(|()| self.thread(mine));
            }
            let stored = |place: usize| read_own(reasons.get(place).and_then(|reason| reason.current.clone()));
            let leads_here =
                pair == id || stored(3)?.is_some_and(|pointer: MessageGroup| pointer.continued_in() == Some(id));
            let is_direct = |group: MessageGroup| group.continued_in().is_none() && group.title().is_none();
            if leads_here && stored(0)?.is_some_and(is_direct) {
                let thread = self.open_in(&call, one.id(), id).await?;
                if thread.me.other().map(|other| other.id()) == Some(other_id) {
                    return Ok(thread);
                }
            }
            Err(Error::new(ErrorKind::AlreadyExists, "the two have another conversation, or the id is another's")
                .with_entity(MessageGroup::TYPE))
        })
        .await
    }

    /// Opens a conversation for one of its members: the proof that every call on a thread needs. One consistent read: 1 RCU, and
    /// 1 RCU more if the message that the membership shows has expired.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for somebody who is no member, the same as for a conversation that does not exist; as
    /// [`Store::get`](crate::Store::get).
    pub async fn open(&self, user: UserId, group: GroupId) -> Result<Thread> {
        let call = begin!(&*self.store, "groups.open");
        call.run(self.open_in(&call, user, group)).await
    }

    pub(super) async fn open_in(&self, call: &Call<'_>, user: UserId, group: GroupId) -> Result<Thread> {
        let membership = call.read(Membership::key_from((group, user))).await?.ok_or_else(not_a_member)?;
        Ok(self.thread(self.without_expired(call, membership).await?))
    }

    fn thread(&self, me: Membership) -> Thread {
        Thread { chat: self.clone(), me }
    }

    /// The message that a draft becomes.
    pub(super) fn compose(&self, group: GroupId, sender: Profile, draft: Draft) -> Result<Message> {
        let (body, id, created_at) = draft.settle(|| self.new_message_id())?;
        Ok(Message::new(group, created_at, id, sender, body))
    }
}

impl Thread {
    /// The conversation.
    pub fn group_id(&self) -> GroupId {
        self.me.group_id()
    }

    /// The membership that opened it, as it was then.
    pub fn membership(&self) -> &Membership {
        &self.me
    }

    /// Returns a new message id of now, as [`Threadline::new_message_id`] does. Make it on the server, and keep it until the send is
    /// acknowledged: a send repeated with the same id is done once.
    pub fn new_message_id(&self) -> MessageId {
        self.chat.new_message_id()
    }
}

fn check_two(one: &Profile, other: &Profile) -> Result<()> {
    if one.id() == other.id() {
        return Err(Error::invalid("a direct conversation is one of two people"));
    }
    Ok(())
}

/// Creates a group, whose item is the first of these writes, and finds the one that was there already, if there was one.
async fn created_or_existing(call: &Call<'_>, writes: impl IntoIterator<Item = Write>) -> Result<Option<MessageGroup>> {
    let outcome = call.transact(Transaction::new(writes)).await?;
    if let TransactOutcome::Cancelled { reasons, .. } = &outcome
        && let Some(item) = reasons.first().and_then(|reason| reason.current.clone())
    {
        return read_own(Some(item))?.map(Some).ok_or_else(another_group);
    }
    outcome.done().map(|()| None)
}

fn another_group() -> Error {
    Error::new(ErrorKind::AlreadyExists, "there is another group with this id").with_entity(MessageGroup::TYPE)
}

pub(super) fn not_a_member() -> Error {
    Error::not_found("there is no such conversation, or the user is no member of it")
}
