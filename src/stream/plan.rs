//! What a batch of records asks for: at most one piece of work for each group and each user.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::key::{Key, PK, SK};
use crate::model::{
    HandleClaim, IdentityClaim, KnownKey, Membership, Message, MessageGroup, MessageKey, MessagePosition, Ownership,
    User,
};
use crate::store::record::{RecordKind, StreamRecord};
use crate::stored::Entity;

/// What a batch asks for. The maps are ordered, so that a run is the same each time.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What each record is about, in their order.
    pub(super) subjects: Vec<Subject>,
    pub(super) groups: BTreeMap<GroupId, GroupWork>,
    pub(super) users: BTreeMap<UserId, User>,
}

/// What a record is about.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// None of the projector's business.
    Nothing,
    /// The rows of this group.
    Group(GroupId),
    /// The rows that this user's names stand in.
    User(UserId),
    /// It cannot be read.
    Refused(Arc<Error>),
}

/// What is to be done for a group.
#[derive(Debug, Default)]
pub(super) struct GroupWork {
    /// The newest message of the batch, in its newest revision, also where it has gone since. It is asked for only where none has.
    pub(super) newest: Option<Message>,
    /// The messages that went from the table. One of them may be there again: the thread itself will tell.
    pub(super) removed: BTreeSet<MessagePosition>,
    /// The rows of those who joined, as they were put.
    pub(super) joined: BTreeMap<UserId, Membership>,
}

impl Plan {
    pub(super) fn of(records: &[StreamRecord]) -> Self {
        let mut plan = Self::default();
        for record in records {
            let subject = plan.add(record).unwrap_or_else(|error| Subject::Refused(Arc::new(error)));
            plan.subjects.push(subject);
        }
        plan
    }

    fn add(&mut self, record: &StreamRecord) -> Result<Subject> {
        let known = match Ownership::of(&key_of(record)?, record.image()) {
            Ownership::Foreign => return Ok(Subject::Nothing),
            Ownership::Unreadable(_) if record.kind == RecordKind::Remove => return Ok(Subject::Nothing),
            Ownership::Unreadable(error) => return Err(error),
            Ownership::Ours(known) => known,
        };
        if record.kind == RecordKind::Unknown {
            return Err(Error::invalid("the record is none of INSERT, MODIFY and REMOVE"));
        }
        match known {
            KnownKey::Message(key) => self.add_message(key, record),
            KnownKey::User(id) => self.add_user(id, record),
            KnownKey::Membership(group, user) => self.add_membership(group, user, record),
            KnownKey::MessageGroup(_) => readable::<MessageGroup>(record),
            KnownKey::HandleClaim(_) => readable::<HandleClaim>(record),
            KnownKey::IdentityClaim(_) => readable::<IdentityClaim>(record),
        }
    }

    fn add_message(&mut self, key: MessageKey, record: &StreamRecord) -> Result<Subject> {
        let group = key.group;
        if record.kind == RecordKind::Remove {
            self.groups.entry(group).or_default().removed.insert(key.position);
            return Ok(Subject::Group(group));
        }
        let new = read::<Message>(record)?;
        // An application may keep attributes of its own in a message; they concern no inbox entry.
        let is_same = |old: Message| old.revision() == new.revision() && old.expires_at() == new.expires_at();
        if record.kind == RecordKind::Modify && read_old(record).is_some_and(is_same) {
            return Ok(Subject::Nothing);
        }
        self.groups.entry(group).or_default().show(new);
        Ok(Subject::Group(group))
    }

    fn add_user(&mut self, id: UserId, record: &StreamRecord) -> Result<Subject> {
        // A new user is in no membership, and the memberships of one who is gone are the application's to decide on.
        if record.kind != RecordKind::Modify {
            return readable::<User>(record);
        }
        let user = read::<User>(record)?;
        // An application may keep attributes of its own in a user; they are in no membership.
        if read_old(record).is_some_and(|old: User| old.profile() == user.profile()) {
            return Ok(Subject::Nothing);
        }
        let newest = self.users.entry(id).or_insert_with(|| user.clone());
        if newest.version() < user.version() {
            *newest = user;
        }
        Ok(Subject::User(id))
    }

    fn add_membership(&mut self, group: GroupId, user: UserId, record: &StreamRecord) -> Result<Subject> {
        // The projector's own writes are among the others: it only ever changes memberships, so it never feeds itself.
        if record.kind != RecordKind::Insert {
            return readable::<Membership>(record);
        }
        // A new membership says what its writer knew, and what was projected meanwhile did not reach it.
        let membership = read::<Membership>(record)?;
        self.groups.entry(group).or_default().joined.insert(user, membership);
        Ok(Subject::Group(group))
    }
}

impl GroupWork {
    fn show(&mut self, message: Message) {
        let order = |message: &Message| (message.position(), message.revision());
        // Of two records of one revision, the later one has the expiry of now.
        if self.newest.as_ref().is_none_or(|newest| order(newest) <= order(&message)) {
            self.newest = Some(message);
        }
    }
}

/// Returns the key of the record's item.
///
/// # Errors
/// `Misconfigured` for the record of a table with other keys; `Invalid` for one that came without keys that can be read, or with
/// a text that no item's key can be.
fn key_of(record: &StreamRecord) -> Result<Key> {
    let has_our_keys = || [PK, SK].iter().all(|name| record.keys.get_s(name).is_some());
    record.key().map_err(|error| match record.keys.is_empty() || has_our_keys() {
        true => error,
        false => Error::new(ErrorKind::Misconfigured, format!("the record is of a table with other keys: {error}")),
    })
}

fn read<E: Entity>(record: &StreamRecord) -> Result<E> {
    let Some(image) = &record.new else {
        return Err(match record.raw {
            Some(_) => Error::invalid("the record has no new image that can be read"),
            None => {
                let message = "the record has no new image: the table's stream must be NEW_IMAGE or NEW_AND_OLD_IMAGES";
                Error::new(ErrorKind::Misconfigured, message)
            }
        }
        .with_entity(E::TYPE));
    };
    E::from_item(image.clone())
}

fn read_old<E: Entity>(record: &StreamRecord) -> Option<E> {
    record.old.clone().and_then(|old| E::from_item(old).ok())
}

/// Returns that there is nothing to do, if the item as it is now can be read.
fn readable<E: Entity>(record: &StreamRecord) -> Result<Subject> {
    match &record.new {
        Some(image) => E::from_item(image.clone()).map(|_| Subject::Nothing),
        None => Ok(Subject::Nothing),
    }
}
