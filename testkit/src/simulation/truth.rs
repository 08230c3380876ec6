//! What the table holds, followed change by change: what must hold of every change, and of the table after each.

use std::collections::{BTreeMap, BTreeSet};

use threadline::__private::shown;
use threadline::entity::{Entity, HandleClaim, IdentityClaim, Key, KnownKey};
use threadline::stream::StreamRecord;
use threadline::{
    GroupId, Membership, Message, MessageGroup, MessagePosition, Profile, Result, Timestamp, User, UserId,
};

use super::litter::{is_foreign, is_litter};
use super::violation::Broken;

/// The most that a row may weigh: what is written for one capacity unit.
const ROW_BYTES: usize = 1024;

/// The table, as its changes tell it.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) claims: BTreeMap<Key, Profile>,
    pub(super) groups: BTreeMap<GroupId, Group>,
    /// The time of the changes, by the right clock.
    pub(super) time: Option<Timestamp>,
    /// The items of other programs, and those that cannot be read.
    pub(super) foreign: u64,
    pub(super) unreadable: u64,
    /// What the changes of this step touched.
    touched_users: BTreeSet<UserId>,
    touched_claims: BTreeSet<Key>,
    touched_groups: BTreeSet<GroupId>,
}

/// A conversation.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) item: Option<MessageGroup>,
    pub(super) rows: BTreeMap<UserId, Membership>,
    pub(super) messages: BTreeMap<MessagePosition, Message>,
    /// When each member's read marker last moved, by the right clock.
    pub(super) marked: BTreeMap<UserId, Timestamp>,
    /// Whether an entry ever went back in the index, where a rename that reads them meanwhile may miss it.
    pub(super) went_back: bool,
    /// Where a message was that was removed by hand.
    gone: BTreeSet<MessagePosition>,
    /// When each became a member, and when no longer.
    times: BTreeMap<UserId, Vec<(u64, bool)>>,
}

impl Group {
    /// Whether the user was (or was not) a member at any time from `from` to `to`.
    fn was(&self, user: UserId, member: bool, from: u64, to: u64) -> bool {
        let times = self.times.get(&user).map_or(&[] as &[_], Vec::as_slice);
        let before = times.iter().rev().find(|(at, _)| *at <= from).is_some_and(|(_, is)| *is);
        before == member || times.iter().any(|(at, is)| *at > from && *at <= to && *is == member)
    }
}

impl Truth {
    pub(super) fn was_member(&self, group: GroupId, user: UserId, from: u64, to: u64) -> bool {
        self.groups.get(&group).is_some_and(|group| group.was(user, true, from, to))
    }

    pub(super) fn was_stranger(&self, group: GroupId, user: UserId, from: u64, to: u64) -> bool {
        self.groups.get(&group).is_none_or(|group| group.was(user, false, from, to))
    }

    /// Whether there ever was a member of this kind.
    pub(super) fn was_ever_member(&self, group: GroupId, user: UserId) -> bool {
        self.was_member(group, user, 0, u64::MAX)
    }

    /// Takes in a record.
    pub(super) fn follow(&mut self, record: &StreamRecord, now: u64) -> Result<(), Broken> {
        if let Some(litter) = record.new.as_ref().filter(|image| is_litter(image)) {
            *(if is_foreign(litter) { &mut self.foreign } else { &mut self.unreadable }) +=
                u64::from(record.old.is_none());
            return Ok(());
        }
        let key = &key_of(record)?;
        match KnownKey::parse(key) {
            Some(KnownKey::User(id)) => self.follow_user(id, record),
            Some(KnownKey::HandleClaim(_)) if read::<HandleClaim>(record)?.is_some_and(|claim| claim.is_reserved()) => {
                self.claims.remove(key);
                Ok(())
            }
            Some(KnownKey::HandleClaim(_)) => {
                self.follow_claim::<HandleClaim>(key, record, HandleClaim::into_profile)?;
                self.touched_claims.insert(key.clone());
                Ok(())
            }
            Some(KnownKey::IdentityClaim(_)) => {
                self.follow_claim::<IdentityClaim>(key, record, IdentityClaim::into_profile)?;
                self.touched_claims.insert(key.clone());
                Ok(())
            }
            Some(KnownKey::MessageGroup(id)) => {
                self.groups.entry(id).or_default().item = read(record)?;
                self.touched_groups.insert(id);
                Ok(())
            }
            Some(KnownKey::Membership(group, user)) => self.follow_row(group, user, record, now),
            Some(KnownKey::Message(key)) => {
                let group = self.groups.entry(key.group).or_default();
                follow_message(group, key.position, record)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn follow_user(&mut self, id: UserId, record: &StreamRecord) -> Result<(), Broken> {
        let Some(user) = read::<User>(record)? else { return Err(Broken::unexpected("a user went")) };
        let expected = self.users.get(&id).map_or(1, |before| before.version().saturating_add(1));
        if user.version() != expected {
            return Err(Broken::new(
                Broken::VERSION,
                format!("a user's version {} was written where {expected} was next", user.version()),
            ));
        }
        self.users.insert(id, user);
        self.touched_users.insert(id);
        Ok(())
    }

    fn follow_claim<E: Entity>(
        &mut self,
        key: &Key,
        record: &StreamRecord,
        profile: impl Fn(E) -> Profile,
    ) -> Result<(), Broken> {
        match read::<E>(record)? {
            Some(claim) => self.claims.insert(key.clone(), profile(claim)),
            None => self.claims.remove(key),
        };
        Ok(())
    }

    fn follow_row(&mut self, group: GroupId, user: UserId, record: &StreamRecord, now: u64) -> Result<(), Broken> {
        self.touched_groups.insert(group);
        let group = self.groups.entry(group).or_default();
        let row = read::<Membership>(record)?;
        if record.new.as_ref().is_some_and(|image| image.size() > ROW_BYTES) {
            return Err(Broken::new(Broken::SIZE, "a row is larger than 1 KB"));
        }
        let before = group.rows.get(&user);
        if before.is_some() != row.is_some() {
            group.times.entry(user).or_default().push((now, row.is_some()));
        }
        if let (Some(before), Some(row)) = (before, &row) {
            // Only what was removed takes a row back.
            let has_gone = before.last_message().is_some_and(|shown| group.gone.contains(&shown));
            if shown(row) < shown(before) && !has_gone {
                return Err(Broken::new(
                    Broken::FORWARD,
                    "a row went back to an older message, or an older text of it",
                ));
            }
            group.went_back |= row.last_message_at() < before.last_message_at();
            if row.last_read() < before.last_read() {
                return Err(Broken::new(Broken::FORWARD, "what a member has read went back"));
            }
        }
        let read = |row: Option<&Membership>| row.and_then(Membership::last_read);
        if read(before) != read(row.as_ref())
            && let Some(time) = self.time
        {
            group.marked.insert(user, time);
        }
        match row {
            Some(row) => group.rows.insert(user, row),
            None => group.rows.remove(&user),
        };
        Ok(())
    }

    /// What must hold after each step: the requests are atomic, so nobody may ever see anything else.
    pub(super) fn check(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.touched_users) {
            let Some(user) = self.users.get(&id) else { continue };
            let identity = user.identity().map(IdentityClaim::key_from);
            for key in std::iter::once(HandleClaim::key_from(user.handle())).chain(identity) {
                if self.claims.get(&key) != Some(&user.profile()) {
                    return Err(Broken::new(
                        Broken::CLAIM,
                        "a user has a handle or an identity, and another one claims it",
                    ));
                }
            }
        }
        for key in std::mem::take(&mut self.touched_claims) {
            let Some(profile) = self.claims.get(&key) else { continue };
            let Some(user) = self.users.get(&profile.id()) else {
                return Err(Broken::new(Broken::CLAIM, "a handle or an identity is claimed by nobody there is"));
            };
            let identity = user.identity().map(IdentityClaim::key_from);
            if HandleClaim::key_from(user.handle()) != key && identity.as_ref() != Some(&key) {
                return Err(Broken::new(Broken::CLAIM, "a user claims a handle or an identity and has another"));
            }
        }
        for id in std::mem::take(&mut self.touched_groups) {
            let Some(group) = self.groups.get(&id) else { continue };
            let Some(item) = &group.item else {
                return Err(Broken::new(Broken::COUNT, "there are rows, and no group"));
            };
            let counted = usize::try_from(item.member_count()).ok();
            if item.continued_in().is_none() && counted != Some(group.rows.len()) {
                let (counted, rows) = (item.member_count(), group.rows.len());
                return Err(Broken::new(
                    Broken::COUNT,
                    format!("a group counts {counted} members and has {rows} rows"),
                ));
            }
        }
        Ok(())
    }
}

fn follow_message(group: &mut Group, position: MessagePosition, record: &StreamRecord) -> Result<(), Broken> {
    let Some(message) = read::<Message>(record)? else {
        group.gone.insert(position);
        group.messages.remove(&position);
        return Ok(());
    };
    if group.gone.contains(&position) {
        return Err(Broken::new(Broken::ONCE, "a removed message is stored again"));
    }
    if let Some(before) = group.messages.get(&position) {
        let is_next = message.revision() == before.revision().saturating_add(1);
        if !is_next || message.sender_id() != before.sender_id() {
            return Err(Broken::new(Broken::ONCE, "a message was put in the place of another"));
        }
        if before.is_deleted() && !message.is_deleted() {
            return Err(Broken::new(Broken::TEXT, "a deleted message has a text again"));
        }
    } else if group.messages.values().any(|other| other.id() == message.id()) {
        return Err(Broken::new(Broken::ONCE, "a message is stored at two places"));
    }
    group.messages.insert(position, message);
    Ok(())
}

fn read<E: Entity>(record: &StreamRecord) -> Result<Option<E>, Broken> {
    match &record.new {
        Some(image) => {
            E::from_item(image.clone()).map(Some).map_err(|error| Broken::new(Broken::READABLE, error.to_string()))
        }
        None => Ok(None),
    }
}

pub(super) fn key_of(record: &StreamRecord) -> Result<Key, Broken> {
    record.key().map_err(|error| Broken::unexpected(format!("a record without a key: {error}")))
}
