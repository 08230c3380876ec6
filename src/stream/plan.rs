//! What a batch of records asks for: at most one piece of work for each group and each user.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record::{RecordKind, StreamRecord};
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::id::{GroupId, UserId};
use crate::model::{KnownKey, Membership, Message, MessagePosition, User};

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
    /// It cannot be read, and never will.
    Impossible(Arc<Error>),
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
            let subject = plan.add(record).unwrap_or_else(|error| Subject::Impossible(Arc::new(error)));
            plan.subjects.push(subject);
        }
        plan
    }

    fn add(&mut self, record: &StreamRecord) -> Result<Subject> {
        match KnownKey::parse(&record.key()?) {
            // An application's own entity may stand in a thread, also where its key looks like a message's.
            Some(KnownKey::Message(_)) if record.image().is_some_and(|image| !Message::is_in(image)) => {
                Ok(Subject::Nothing)
            }
            Some(KnownKey::Message(key)) => {
                let work = match record.kind {
                    RecordKind::Insert => Some(read::<Message>(record)?),
                    RecordKind::Modify => {
                        let new = read::<Message>(record)?;
                        // An application may keep attributes of its own in a message; they concern no row.
                        let same = record.old.as_ref().is_some_and(|old| {
                            Message::from_item(old.clone()).is_ok_and(|old| old.revision() == new.revision())
                        });
                        if same {
                            return Ok(Subject::Nothing);
                        }
                        Some(new)
                    }
                    RecordKind::Remove => None,
                    RecordKind::Unknown => return Err(unknown_kind()),
                };
                let group = self.groups.entry(key.group).or_default();
                match work {
                    Some(message) => group.show(message),
                    None => {
                        group.removed.insert(key.position);
                    }
                }
                Ok(Subject::Group(key.group))
            }
            Some(KnownKey::User(id)) => match record.kind {
                // A new user stands in no row, and the rows of one who is gone are the application's to decide on.
                RecordKind::Insert | RecordKind::Remove => Ok(Subject::Nothing),
                RecordKind::Modify => {
                    let user = read::<User>(record)?;
                    // An application may keep attributes of its own in a user; they stand in no row.
                    let same = record.old.as_ref().is_some_and(|old| {
                        User::from_item(old.clone()).is_ok_and(|old| old.profile() == user.profile())
                    });
                    if same {
                        return Ok(Subject::Nothing);
                    }
                    let newest = self.users.entry(id).or_insert_with(|| user.clone());
                    if newest.version() < user.version() {
                        *newest = user;
                    }
                    Ok(Subject::User(id))
                }
                RecordKind::Unknown => Err(unknown_kind()),
            },
            Some(KnownKey::Membership(..)) if record.image().is_some_and(|image| !Membership::is_in(image)) => {
                Ok(Subject::Nothing)
            }
            // A new row says what its writer knew, and what was projected meanwhile did not reach it.
            Some(KnownKey::Membership(id, user)) if record.kind == RecordKind::Insert => {
                let row = read::<Membership>(record)?;
                self.groups.entry(id).or_default().joined.insert(user, row);
                Ok(Subject::Group(id))
            }
            // The projector's own writes are among these: it only ever changes rows, so it never feeds itself.
            _ => Ok(Subject::Nothing),
        }
    }
}

impl GroupWork {
    fn show(&mut self, message: Message) {
        let order = |message: &Message| (message.position(), message.revision());
        if self.newest.as_ref().is_none_or(|newest| order(newest) < order(&message)) {
            self.newest = Some(message);
        }
    }
}

fn read<E: Entity>(record: &StreamRecord) -> Result<E> {
    let Some(image) = &record.new else {
        let why = match record.raw {
            Some(_) => "the record has no new image that can be read",
            None => "the record has no new image: the table's stream must be NEW_IMAGE or NEW_AND_OLD_IMAGES",
        };
        return Err(Error::invalid(why).with_entity(E::TYPE));
    };
    E::from_item(image.clone())
}

fn unknown_kind() -> Error {
    Error::invalid("the record is none of INSERT, MODIFY and REMOVE")
}
