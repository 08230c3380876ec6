//! The work of a batch of records: at most one task for each group and each user.

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

/// The work of a batch. The maps are ordered, so that each run is the same.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The subject of each record, in the order of the records.
    pub(super) subjects: Vec<Subject>,
    pub(super) groups: BTreeMap<GroupId, GroupWork>,
    pub(super) users: BTreeMap<UserId, User>,
}

/// The subject of a record.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// Nothing that the projector handles.
    Nothing,
    /// The entries of this group.
    Group(GroupId),
    /// The entries that contain this user's names.
    User(UserId),
    /// An unreadable record.
    Refused(Arc<Error>),
}

/// The work for a group.
#[derive(Debug, Default)]
pub(super) struct GroupWork {
    /// The newest message of the batch, in its newest revision. It is used only if `removed` is empty.
    pub(super) newest: Option<Message>,
    /// The messages that were removed. One of them may be stored again, so the projector reads the thread.
    pub(super) removed: BTreeSet<MessagePosition>,
    /// The entries of new members, as they were put.
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
            return Err(Error::invalid("record has an unknown event name; expected INSERT, MODIFY or REMOVE"));
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
        // An application may store its own attributes in a message. No inbox entry shows them.
        let is_same = |old: Message| old.revision() == new.revision() && old.expires_at() == new.expires_at();
        if record.kind == RecordKind::Modify && read_old(record).is_some_and(is_same) {
            return Ok(Subject::Nothing);
        }
        self.groups.entry(group).or_default().show(new);
        Ok(Subject::Group(group))
    }

    fn add_user(&mut self, id: UserId, record: &StreamRecord) -> Result<Subject> {
        // A new user has no membership yet. The application decides about the memberships of a deleted user.
        if record.kind != RecordKind::Modify {
            return readable::<User>(record);
        }
        let user = read::<User>(record)?;
        // An application may store its own attributes in a user. No membership contains them.
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
        // The projector only updates memberships, so skipping updates also skips its own writes.
        if record.kind != RecordKind::Insert {
            return readable::<Membership>(record);
        }
        // A new membership shows what its writer knew. A projection since then did not reach it.
        let membership = read::<Membership>(record)?;
        self.groups.entry(group).or_default().joined.insert(user, membership);
        Ok(Subject::Group(group))
    }
}

impl GroupWork {
    fn show(&mut self, message: Message) {
        let order = |message: &Message| (message.position(), message.revision());
        // Of two records with the same revision, the later one has the current expiry.
        if self.newest.as_ref().is_none_or(|newest| order(newest) <= order(&message)) {
            self.newest = Some(message);
        }
    }
}

/// Returns the key of the record's item.
///
/// # Errors
/// `Misconfigured` for a record of a table with other keys. `Invalid` for a record without readable keys, or with an
/// invalid key.
fn key_of(record: &StreamRecord) -> Result<Key> {
    let has_our_keys = || [PK, SK].iter().all(|name| record.keys.get_s(name).is_some());
    record.key().map_err(|error| match record.keys.is_empty() || has_our_keys() {
        true => error,
        false => Error::new(ErrorKind::Misconfigured, format!("record belongs to a table with other keys: {error}")),
    })
}

fn read<E: Entity>(record: &StreamRecord) -> Result<E> {
    let Some(image) = &record.new else {
        return Err(match record.raw {
            Some(_) => Error::invalid("record has no readable new image"),
            None => {
                let message = "record has no new image; set the table's stream to NEW_IMAGE or NEW_AND_OLD_IMAGES";
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

/// Returns [`Subject::Nothing`], or an error if the new image is unreadable.
fn readable<E: Entity>(record: &StreamRecord) -> Result<Subject> {
    match &record.new {
        Some(image) => E::from_item(image.clone()).map(|_| Subject::Nothing),
        None => Ok(Subject::Nothing),
    }
}
