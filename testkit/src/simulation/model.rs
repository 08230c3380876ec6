//! The clients' calls and answers, and the answers that are allowed after them.

use std::collections::BTreeMap;

use threadline::entity::KnownKey;
use threadline::stream::StreamRecord;
use threadline::{GroupId, Message, MessageId, MessagePosition, Timestamp, User, UserId};

use super::extra_items::is_extra_item;
use super::truth::Truth;
use super::violation::Breach;

/// The calls so far, and the table after them. Time is a counter: each start and each end of a call has its own value.
#[derive(Debug, Default)]
pub(super) struct Model {
    time: u64,
    pub(super) truth: Truth,
    pub(super) breach: Option<Breach>,
    users: Vec<UserId>,
    groups: Vec<GroupId>,
    messages: BTreeMap<MessageId, History>,
    texts: u32,
    /// The names that each acknowledged version of a user has.
    versions: BTreeMap<(UserId, u32), User>,
    /// The one conversation of each pair.
    pairs: BTreeMap<GroupId, GroupId>,
}

/// The history of a message.
#[derive(Debug)]
struct History {
    number: usize,
    /// The message's group; unknown for the first message of a pair until it is acknowledged.
    group: Option<GroupId>,
    author: UserId,
    position: MessagePosition,
    /// The time of the id, by the correct clock.
    made: Timestamp,
    /// The time at which the send was acknowledged.
    sent: Option<u64>,
    changes: Vec<TextChange>,
    /// The removal by hand, if it has begun, with the time at which it was acknowledged.
    purge: Option<Option<u64>>,
}

#[derive(Debug)]
struct TextChange {
    /// The number of the text; `None` for a deletion.
    text: Option<u32>,
    start: u64,
    /// The time at which it was acknowledged. Without one, the change may happen at any later time.
    end: Option<u64>,
    /// `true` if it was refused and is not done.
    refused: bool,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    /// Done, and an earlier attempt may still take effect.
    DoneAndMore,
    NotDone,
    Unknown,
}

/// The change of a message's text that a call makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    message: MessageId,
    place: usize,
}

impl Model {
    /// Returns a time later than all before.
    pub(super) fn now(&mut self) -> u64 {
        self.time += 1;
        self.time
    }

    pub(super) fn report(&mut self, breach: Breach) {
        // The first breach is the cause.
        self.breach.get_or_insert(breach);
    }

    pub(super) fn check(&mut self, result: Result<(), Breach>) {
        if let Err(breach) = result {
            self.report(breach);
        }
    }

    /// Applies the stream's records.
    pub(super) fn follow(&mut self, records: &[StreamRecord], time: Timestamp) {
        self.truth.time = Some(time);
        for record in records {
            let now = self.now();
            let followed = self.truth.follow(record, now);
            self.check(followed);
            if record.new.is_none()
                && !record.old.as_ref().is_some_and(is_extra_item)
                && let Some(KnownKey::Message(key)) = record.key().ok().as_ref().and_then(KnownKey::parse)
                && !key.position.message_id().is_some_and(|id| self.may_be_purged(id))
            {
                self.report(Breach::new(Breach::STORED, "a message was deleted"));
            }
        }
        if !records.is_empty() {
            let checked = self.truth.check();
            self.check(checked);
        }
    }

    /// Returns the number that identifies the user in a trace.
    pub(super) fn user_number(&mut self, user: UserId) -> usize {
        number(&mut self.users, user)
    }

    pub(super) fn group_number(&mut self, group: GroupId) -> usize {
        number(&mut self.groups, group)
    }

    pub(super) fn message_number(&self, message: MessageId) -> usize {
        self.messages.get(&message).map_or(usize::MAX, |history| history.number)
    }

    pub(super) fn groups(&self) -> &[GroupId] {
        &self.groups
    }

    /// Returns the number of a new text.
    pub(super) fn new_text(&mut self) -> u32 {
        self.texts += 1;
        self.texts
    }

    /// Records that a message will be sent.
    pub(super) fn sending(
        &mut self,
        group: Option<GroupId>,
        author: UserId,
        position: MessagePosition,
        text: u32,
        made: Timestamp,
    ) -> Option<Pending> {
        let message = position.message_id()?;
        let start = self.now();
        let number = self.messages.len();
        let changes = vec![TextChange { text: Some(text), start, end: None, refused: false }];
        let history = History { number, group, author, position, made, sent: None, changes, purge: None };
        self.messages.insert(message, history);
        Some(Pending { message, place: 0 })
    }

    /// Records that a message will be edited or deleted.
    pub(super) fn changing(&mut self, message: MessageId, text: Option<u32>) -> Option<Pending> {
        let start = self.now();
        let changes = &mut self.messages.get_mut(&message)?.changes;
        changes.push(TextChange { text, start, end: None, refused: false });
        Some(Pending { message, place: changes.len().saturating_sub(1) })
    }

    /// Records that a message will be removed by hand, and returns its group. The message must be acknowledged, and no
    /// attempt may be left that could put it.
    pub(super) fn purging(&mut self, message: MessageId) -> Option<GroupId> {
        let history = self.messages.get_mut(&message)?;
        let (group, _) = (history.group?, history.changes.first()?.end?);
        history.purge.get_or_insert(None);
        Some(group)
    }

    /// Records that the message was removed.
    pub(super) fn purged(&mut self, message: MessageId) {
        let now = self.now();
        if let Some(history) = self.messages.get_mut(&message) {
            history.purge = Some(history.purge.flatten().or(Some(now)));
        }
    }

    /// Returns `true` if a removal of any message in the group has begun.
    pub(super) fn has_purges(&self, group: GroupId) -> bool {
        self.messages.values().any(|history| history.group == Some(group) && history.purge.is_some())
    }

    /// Records the end of the call that sent or changed a message.
    pub(super) fn ended(&mut self, pending: Pending, ended: Ended) {
        let now = self.now();
        let Some(history) = self.messages.get_mut(&pending.message) else { return };
        if let Some(change) = history.changes.get_mut(pending.place) {
            match ended {
                Ended::Done => change.end = Some(now),
                Ended::NotDone => change.refused = true,
                Ended::DoneAndMore | Ended::Unknown => {}
            }
        }
        if pending.place == 0 && matches!(ended, Ended::Done | Ended::DoneAndMore) {
            history.sent = Some(now);
            let stored = history
                .group
                .and_then(|group| self.truth.groups.get(&group))
                .and_then(|group| group.messages.get(&history.position));
            if stored.is_none_or(|stored| stored.id() != pending.message) {
                let what = format!("message {} was acknowledged and is not in the table", history.number);
                self.report(Breach::new(Breach::STORED, what));
            }
        }
    }

    /// Records the group that the message went to.
    pub(super) fn sent_to(&mut self, pending: Pending, group: GroupId) {
        if let Some(history) = self.messages.get_mut(&pending.message) {
            history.group = Some(group);
        }
    }

    /// Returns `true` if the send was acknowledged before `time`.
    pub(super) fn was_sent_before(&self, message: MessageId, time: u64) -> bool {
        self.messages.get(&message).is_some_and(|history| history.sent.is_some_and(|sent| sent < time))
    }

    /// Returns `true` if a deletion or a removal of the message has begun.
    pub(super) fn may_be_deleted(&self, message: MessageId) -> bool {
        self.messages.get(&message).is_some_and(|history| {
            let is_deletion = |change: &TextChange| change.text.is_none() && !change.refused;
            history.purge.is_some() || history.changes.iter().any(is_deletion)
        })
    }

    /// Returns `true` if a removal of the message has begun.
    pub(super) fn may_be_purged(&self, message: MessageId) -> bool {
        self.messages.get(&message).is_some_and(|history| history.purge.is_some())
    }

    /// Returns `true` if a change of the message has begun, besides its send.
    pub(super) fn may_be_changed(&self, message: MessageId) -> bool {
        self.messages.get(&message).is_some_and(|history| history.changes.len() > 1)
    }

    /// Returns `true` if a deletion was acknowledged before `time`.
    pub(super) fn was_deleted_before(&self, message: MessageId, time: u64) -> bool {
        self.messages.get(&message).is_some_and(|history| {
            history.changes.iter().any(|change| change.text.is_none() && change.end.is_some_and(|end| end < time))
        })
    }

    /// Checks a message that a call read between `from` and `to`.
    pub(super) fn saw(&self, message: &Message, from: u64, to: u64) -> Result<(), Breach> {
        let Some(history) = self.messages.get(&message.id()) else {
            return Err(Breach::new(Breach::ONCE, "a message was read that was never sent"));
        };
        let number = history.number;
        if history.author != message.sender_id()
            || history.group.is_some_and(|group| group != message.group_id())
            || history.position != message.position()
        {
            return Err(Breach::new(
                Breach::ONCE,
                format!("message {number} has another group, position or author than it was sent with"),
            ));
        }
        if history.purge.flatten().is_some_and(|end| end < from) {
            return Err(Breach::new(Breach::STORED, format!("message {number} is read after its removal")));
        }
        let text = message.body().and_then(|body| number_of_text(body.as_str()));
        let is_one = |change: &&TextChange| {
            // If there are several deletions, any of them may be the one that was read.
            change.text == text
                && message.is_deleted() == change.text.is_none()
                && !change.refused
                && change.start <= to
        };
        let overwritten = |seen: &TextChange| {
            let after = |change: &TextChange| seen.end.is_some_and(|end| change.start > end);
            seen.text.is_some()
                && history.changes.iter().any(|change| after(change) && change.end.is_some_and(|end| end < from))
        };
        if history.changes.iter().filter(is_one).any(|seen| !overwritten(seen)) {
            Ok(())
        } else {
            let what = if message.is_deleted() { "a tombstone".to_owned() } else { format!("text {text:?}") };
            Err(Breach::new(Breach::TEXT, format!("message {number} is read as {what}; {:?}", history.changes)))
        }
    }

    /// Returns the group's messages that were acknowledged before `time` and are not being removed.
    pub(super) fn sent_before(&self, group: GroupId, time: u64) -> impl Iterator<Item = (usize, MessagePosition)> {
        let sent =
            move |history: &&History| history.group == Some(group) && history.sent.is_some_and(|sent| sent < time);
        let stays = |history: &&History| history.purge.is_none();
        self.messages.values().filter(sent).filter(stays).map(|history| (history.number, history.position))
    }

    /// Returns the group's messages by others whose ids were created after this time, by the correct clock.
    pub(super) fn made_after(
        &self,
        group: GroupId,
        but: UserId,
        time: Timestamp,
    ) -> impl Iterator<Item = (usize, MessagePosition)> {
        let later = move |history: &&History| {
            history.group == Some(group) && history.author != but && history.made > time && history.sent.is_some()
        };
        self.messages.values().filter(later).map(|history| (history.number, history.position))
    }

    /// Returns the user's messages that the user's devices may know.
    pub(super) fn messages_of(&self, author: UserId) -> Vec<(GroupId, MessagePosition)> {
        let own = |history: &&History| history.author == author;
        self.messages.values().filter(own).filter_map(|history| Some((history.group?, history.position))).collect()
    }

    /// Returns all messages.
    pub(super) fn all_messages(&self) -> Vec<(GroupId, UserId, MessagePosition)> {
        let known = |history: &History| Some((history.group?, history.author, history.position));
        self.messages.values().filter_map(known).collect()
    }

    /// Records an acknowledged user, new or renamed.
    pub(super) fn acknowledged(&mut self, user: &User) {
        let number = self.user_number(user.id());
        let known = self.versions.entry((user.id(), user.version())).or_insert_with(|| user.clone());
        if known.profile() != user.profile() {
            let what = format!("user {number}: two changes were acknowledged with version {}", user.version());
            self.report(Breach::new(Breach::VERSION, what));
        }
    }

    /// Records an acknowledged direct conversation.
    pub(super) fn acknowledged_pair(&mut self, pair: GroupId, group: GroupId) {
        if *self.pairs.entry(pair).or_insert(group) != group {
            self.report(Breach::new(Breach::PAIR, "two calls for the same two people returned two conversations"));
        }
    }

    /// Checks the users at rest: no acknowledged change is lost.
    pub(super) fn check_users(&self) -> Result<(), Breach> {
        for ((id, version), acknowledged) in &self.versions {
            let Some(stored) = self.truth.users.get(id) else {
                return Err(Breach::new(Breach::VERSION, "a user was acknowledged and is not in the table"));
            };
            let is_same = stored.version() != *version || stored.profile() == acknowledged.profile();
            if stored.version() < *version || !is_same {
                return Err(Breach::new(
                    Breach::VERSION,
                    format!("version {version} of a user was acknowledged and is lost"),
                ));
            }
        }
        Ok(())
    }
}

/// Returns the text with this number. Some texts exceed a preview in characters, some in bytes beside long names.
pub(super) fn text(number: u32) -> String {
    let tail = match number % 4 {
        0 => " and so on".repeat(20),
        1 => "\u{1f9f5}".repeat(90),
        _ => String::new(),
    };
    format!("m{number}{tail}")
}

/// Returns the number of a complete text.
fn number_of_text(read: &str) -> Option<u32> {
    let digits: String = read.strip_prefix('m')?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|number| text(*number) == read)
}

fn number<T: PartialEq>(of: &mut Vec<T>, one: T) -> usize {
    match of.iter().position(|other| *other == one) {
        Some(number) => number,
        None => {
            of.push(one);
            of.len().saturating_sub(1)
        }
    }
}
