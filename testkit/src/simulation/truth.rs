//! The contents of the table, updated by each change, with the invariants of each change and of the table after it.

use std::collections::{BTreeMap, BTreeSet};

use threadline::__private::shown;
use threadline::entity::{Entity, HandleClaim, IdentityClaim, Key, KnownKey};
use threadline::stream::StreamRecord;
use threadline::{
    GroupId, Membership, Message, MessageGroup, MessagePosition, Profile, Result, Timestamp, User, UserId,
};

use super::extra_items::{is_extra_item, is_foreign};
use super::violation::Breach;

/// The maximum size of a membership: the limit of one write capacity unit.
const ENTRY_BYTES: usize = 1024;

/// The table, as its changes describe it.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) claims: BTreeMap<Key, Profile>,
    pub(super) groups: BTreeMap<GroupId, Group>,
    /// The time of the changes, by the correct clock.
    pub(super) time: Option<Timestamp>,
    /// The number of other programs' items.
    pub(super) foreign: u64,
    pub(super) unreadable: u64,
    /// The entities that this step's changes touched.
    touched_users: BTreeSet<UserId>,
    touched_claims: BTreeSet<Key>,
    touched_groups: BTreeSet<GroupId>,
}

/// A conversation.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) item: Option<MessageGroup>,
    pub(super) entries: BTreeMap<UserId, Membership>,
    pub(super) messages: BTreeMap<MessagePosition, Message>,
    /// The time at which each member's read marker last moved, by the correct clock.
    pub(super) marked: BTreeMap<UserId, Timestamp>,
    /// `true` if an entry ever moved back in the index. A concurrent rename may miss such an entry.
    pub(super) moved_back: bool,
    /// The positions of messages that were removed by hand.
    removed: BTreeSet<MessagePosition>,
    /// The times at which each user joined and left.
    times: BTreeMap<UserId, Vec<(u64, bool)>>,
}

impl Group {
    /// Returns `true` if the user was (or was not) a member at any time from `from` to `to`.
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

    /// Returns `true` if the user ever was a member.
    pub(super) fn was_ever_member(&self, group: GroupId, user: UserId) -> bool {
        self.was_member(group, user, 0, u64::MAX)
    }

    /// Applies a record.
    pub(super) fn follow(&mut self, record: &StreamRecord, now: u64) -> Result<(), Breach> {
        if let Some(extra) = record.new.as_ref().filter(|image| is_extra_item(image)) {
            *(if is_foreign(extra) { &mut self.foreign } else { &mut self.unreadable }) +=
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
            Some(KnownKey::Membership(group, user)) => self.follow_entry(group, user, record, now),
            Some(KnownKey::Message(key)) => {
                let group = self.groups.entry(key.group).or_default();
                follow_message(group, key.position, record)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn follow_user(&mut self, id: UserId, record: &StreamRecord) -> Result<(), Breach> {
        let Some(user) = read::<User>(record)? else { return Err(Breach::unexpected("a user was deleted")) };
        let expected = self.users.get(&id).map_or(1, |before| before.version().saturating_add(1));
        if user.version() != expected {
            return Err(Breach::new(
                Breach::VERSION,
                format!("a user's version {} was written, but {expected} was expected", user.version()),
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
    ) -> Result<(), Breach> {
        match read::<E>(record)? {
            Some(claim) => self.claims.insert(key.clone(), profile(claim)),
            None => self.claims.remove(key),
        };
        Ok(())
    }

    fn follow_entry(&mut self, group: GroupId, user: UserId, record: &StreamRecord, now: u64) -> Result<(), Breach> {
        self.touched_groups.insert(group);
        let group = self.groups.entry(group).or_default();
        let entry = read::<Membership>(record)?;
        if record.new.as_ref().is_some_and(|image| image.size() > ENTRY_BYTES) {
            return Err(Breach::new(Breach::SIZE, "an entry is larger than 1 KB"));
        }
        let before = group.entries.get(&user);
        if before.is_some() != entry.is_some() {
            group.times.entry(user).or_default().push((now, entry.is_some()));
        }
        if let (Some(before), Some(entry)) = (before, &entry) {
            // Only a removal moves an entry back.
            let was_removed = before.last_message().is_some_and(|shown| group.removed.contains(&shown));
            if shown(entry) < shown(before) && !was_removed {
                return Err(Breach::new(
                    Breach::FORWARD,
                    "an entry moved back to an older message, or to an older text",
                ));
            }
            group.moved_back |= entry.last_message_at() < before.last_message_at();
            if entry.last_read() < before.last_read() {
                return Err(Breach::new(Breach::FORWARD, "a read marker moved back"));
            }
        }
        let read = |entry: Option<&Membership>| entry.and_then(Membership::last_read);
        if read(before) != read(entry.as_ref())
            && let Some(time) = self.time
        {
            group.marked.insert(user, time);
        }
        match entry {
            Some(entry) => group.entries.insert(user, entry),
            None => group.entries.remove(&user),
        };
        Ok(())
    }

    /// Checks the invariants of each step. Requests are atomic, so no reader may see any other state.
    pub(super) fn check(&mut self) -> Result<(), Breach> {
        for id in std::mem::take(&mut self.touched_users) {
            let Some(user) = self.users.get(&id) else { continue };
            let identity = user.identity().map(IdentityClaim::key_from);
            for key in std::iter::once(HandleClaim::key_from(user.handle())).chain(identity) {
                if self.claims.get(&key) != Some(&user.profile()) {
                    return Err(Breach::new(
                        Breach::CLAIM,
                        "the claim on a user's handle or identity does not match the user",
                    ));
                }
            }
        }
        for key in std::mem::take(&mut self.touched_claims) {
            let Some(profile) = self.claims.get(&key) else { continue };
            let Some(user) = self.users.get(&profile.id()) else {
                return Err(Breach::new(Breach::CLAIM, "the user of a claimed handle or identity does not exist"));
            };
            let identity = user.identity().map(IdentityClaim::key_from);
            if HandleClaim::key_from(user.handle()) != key && identity.as_ref() != Some(&key) {
                return Err(Breach::new(Breach::CLAIM, "a user has another handle or identity than the claimed one"));
            }
        }
        for id in std::mem::take(&mut self.touched_groups) {
            let Some(group) = self.groups.get(&id) else { continue };
            let Some(item) = &group.item else {
                return Err(Breach::new(Breach::COUNT, "there are entries without a group"));
            };
            let counted = usize::try_from(item.member_count()).ok();
            if item.continued_in().is_none() && counted != Some(group.entries.len()) {
                let (counted, entries) = (item.member_count(), group.entries.len());
                return Err(Breach::new(
                    Breach::COUNT,
                    format!("a group counts {counted} members and has {entries} entries"),
                ));
            }
        }
        Ok(())
    }
}

fn follow_message(group: &mut Group, position: MessagePosition, record: &StreamRecord) -> Result<(), Breach> {
    let Some(message) = read::<Message>(record)? else {
        group.removed.insert(position);
        group.messages.remove(&position);
        return Ok(());
    };
    if group.removed.contains(&position) {
        return Err(Breach::new(Breach::ONCE, "a removed message is stored again"));
    }
    if let Some(before) = group.messages.get(&position) {
        let is_next = message.revision() == before.revision().saturating_add(1);
        if !is_next || message.sender_id() != before.sender_id() {
            return Err(Breach::new(Breach::ONCE, "a message replaced another one"));
        }
        if before.is_deleted() && !message.is_deleted() {
            return Err(Breach::new(Breach::TEXT, "a deleted message has a text again"));
        }
    } else if group.messages.values().any(|other| other.id() == message.id()) {
        return Err(Breach::new(Breach::ONCE, "a message is stored at two keys"));
    }
    group.messages.insert(position, message);
    Ok(())
}

fn read<E: Entity>(record: &StreamRecord) -> Result<Option<E>, Breach> {
    match &record.new {
        Some(image) => {
            E::from_item(image.clone()).map(Some).map_err(|error| Breach::new(Breach::READABLE, error.to_string()))
        }
        None => Ok(None),
    }
}

pub(super) fn key_of(record: &StreamRecord) -> Result<Key, Breach> {
    record.key().map_err(|error| Breach::unexpected(format!("a record without a key: {error}")))
}
