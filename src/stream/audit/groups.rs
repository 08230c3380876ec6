//! Audits a group: its memberships against its messages and its members' users.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::discrepancy::Discrepancy;
use super::{Audit, CONCURRENCY, possible};
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::key::{GSI1PK, GSI1SK};
use crate::model::{Conversation, KnownKey, Membership, Message, MessageGroup, Ownership, Profile, User, read_listed};
use crate::patterns::call::is_own;
use crate::patterns::{members_of, newest_message};
use crate::request::{Condition, Update, Write};
use crate::stored::Entity;
use crate::stream::entries;

impl Audit<'_> {
    pub(super) async fn has_group(&self, group: GroupId) -> Result<bool> {
        let item = self.call.item(MessageGroup::key_from(group)).await?;
        // An unreadable group exists, too.
        Ok(item.is_some_and(|item| read_listed::<MessageGroup>(item).is_some()))
    }

    /// Audits a group. It reads everything again, consistently, because the scan may be late.
    ///
    /// An unreadable item is a finding, here or in its own task. Everything that does not depend on it is still
    /// audited.
    pub(super) async fn group(&mut self, id: GroupId) -> Result<()> {
        let Some(item) = self.call.item(MessageGroup::key_from(id)).await? else { return Ok(()) };
        let group = self.readable(MessageGroup::from_item(item))?;
        if let Some(other) = group.as_ref().and_then(MessageGroup::continued_in) {
            if !self.has_group(other).await? {
                self.found(Discrepancy::OrphanThread { group: other }, false);
            }
            return Ok(());
        }
        let members = self.members(id).await?;
        let newest = newest_message(self.call, id).await?;
        let users = self.users(&members.entries).await?;
        self.entries(&members.entries, newest.as_ref(), &users).await?;
        let Some(group) = group else { return Ok(()) };
        if members.users.len() == 1
            && let [(only, _)] = members.entries.as_slice()
            && let Some(other) = only.other()
        {
            let discrepancy = Discrepancy::MissingEntry { group: id, user: other.id() };
            let (other, only_one) = (self.current_profile(other).await?, self.current_profile(only.profile()).await?);
            let entry = Membership::new(id, other, Conversation::Direct(only_one), only.joined_at());
            let entry = entry.showing(newest.as_ref());
            return self.repair(discrepancy, Write::put(entry.to_item()?).when(Condition::item_absent())).await;
        }
        self.count(&group, &members).await
    }

    /// Audits the memberships, several at once. An error stops the audit after the current chunk and keeps its
    /// findings.
    async fn entries(
        &mut self,
        entries: &[(Membership, bool)],
        newest: Option<&Message>,
        users: &BTreeMap<UserId, User>,
    ) -> Result<()> {
        for chunk in entries.chunks(CONCURRENCY) {
            let mut audits = Vec::with_capacity(chunk.len());
            for (entry, is_placed) in chunk {
                let mut audit = Audit { call: self.call, repairs: self.repairs, findings: Vec::new() };
                audits.push(async move {
                    let audited = audit.entry(entry, *is_placed, newest, users).await;
                    (audit.findings, audited)
                });
            }
            let mut done = Ok(());
            for (found, audited) in join_all(audits).await {
                self.findings.extend(found);
                done = done.and(self.readable(audited).map(drop));
            }
            done?;
        }
        Ok(())
    }

    /// Compares an entry with the newest message and the users.
    async fn entry(
        &mut self,
        entry: &Membership,
        is_placed: bool,
        newest: Option<&Message>,
        users: &BTreeMap<UserId, User>,
    ) -> Result<()> {
        let (group, user) = (entry.group_id(), entry.user_id());
        let mut now = Some(entry.clone());
        if entry.shows(newest) {
            if !is_placed {
                self.repair(Discrepancy::WrongRecency { group, user }, entries::index_correction(entry)).await?;
            }
        } else {
            let is_at_newest = entry.last_message() == newest.map(Message::position);
            let discrepancy = if is_at_newest {
                Discrepancy::StalePreview { group, user }
            } else {
                Discrepancy::WrongRecency { group, user }
            };
            let repaired = match self.repairs {
                false => None,
                true => possible(entries::reconcile(self.call, entry.clone(), newest.cloned()).await)?,
            };
            self.found(discrepancy, repaired.is_some());
            now = repaired.unwrap_or(now);
        }
        match now {
            Some(entry) => self.names(&entry, users).await,
            None => Ok(()),
        }
    }

    /// Compares the names in an entry with the users.
    async fn names(&mut self, entry: &Membership, users: &BTreeMap<UserId, User>) -> Result<()> {
        let named = [Some(entry.user_id()), entry.other_id()].into_iter().flatten();
        let named = named.filter_map(|id| users.get(&id));
        let renamed: Vec<_> = named.filter(|user| entry.has_other_names_of(user)).collect();
        if renamed.is_empty() {
            return Ok(());
        }
        let repaired = self.repairs && {
            let mut right = entry.clone();
            for user in renamed {
                right = entries::renamed(self.call, &right, user).await?;
            }
            // The versions do not matter here. If the entry changed in the meantime, the next audit compares it again.
            let names_are_right = |now: Membership| now.profile() == right.profile() && now.other() == right.other();
            let replaced = possible(entries::replace(self.call, entry, right.clone()).await)?;
            replaced.is_some_and(|now| now.is_none_or(names_are_right))
        };
        self.found(Discrepancy::StaleNames { group: entry.group_id(), user: entry.user_id() }, repaired);
        Ok(())
    }

    /// Compares the member count of a group with its number of memberships.
    async fn count(&mut self, group: &MessageGroup, members: &Members) -> Result<()> {
        let memberships = u32::try_from(members.users.len()).unwrap_or(u32::MAX);
        if memberships == group.member_count() {
            return Ok(());
        }
        let discrepancy =
            Discrepancy::WrongMemberCount { group: group.id(), counted: group.member_count(), memberships };
        if memberships == 0 && group.title().is_none() {
            // The two members are unknown, so there is nothing to repair from.
            self.found(discrepancy, false);
            return Ok(());
        }
        let update = Update::new().set(MessageGroup::MEMBER_COUNT, memberships);
        // Each join or leave increments `member_changes` in its transaction, so this write is refused if one happened
        // since the group was read. The count alone is not enough: it may be equal again after a join and a leave.
        let count_is_same = Condition::eq(MessageGroup::MEMBER_COUNT, group.member_count());
        let members_are_same = match group.member_changes() {
            Some(changes) => Condition::eq(MessageGroup::MEMBER_CHANGES, changes),
            None => Condition::absent(MessageGroup::MEMBER_CHANGES),
        };
        let unchanged = count_is_same.and(members_are_same).and(is_own::<MessageGroup>());
        self.repair(discrepancy, Write::update(group.key(), update).when(unchanged)).await
    }

    /// Reports a discrepancy, and repairs it by a conditional write. If data changed in the meantime, the write is
    /// refused.
    async fn repair(&mut self, discrepancy: Discrepancy, write: Write) -> Result<()> {
        let repaired =
            self.repairs && possible(self.call.write(write).await)?.is_some_and(|outcome| outcome.done().is_ok());
        self.found(discrepancy, repaired);
        Ok(())
    }

    async fn members(&self, group: GroupId) -> Result<Members> {
        let mut pages = self.call.pages(members_of(group));
        let mut members = Members::default();
        while let Some(items) = pages.next().await? {
            for item in items {
                let Ownership::Ours(KnownKey::Membership(_, user)) = Ownership::of(&item.key()?, Some(&item)) else {
                    continue;
                };
                members.users.insert(user);
                let stored = (item.get_s(GSI1PK).map(str::to_owned), item.get_s(GSI1SK).map(str::to_owned));
                // An unreadable membership is a finding of its own task.
                if let Ok(entry) = Membership::from_item(item) {
                    let expected =
                        entry.index_key().map(|key| (key.pk.as_str().to_owned(), key.sk.as_str().to_owned()));
                    let is_placed = expected.unzip() == stored;
                    members.entries.push((entry, is_placed));
                }
            }
        }
        Ok(members)
    }

    /// Returns the user's current profile, or the old one without a version if the user cannot be read.
    async fn current_profile(&self, profile: Profile) -> Result<Profile> {
        Ok(match self.call.item(User::key_from(profile.id())).await?.map(User::from_item) {
            Some(Ok(user)) => user.profile(),
            _ => Profile::new(profile.id(), profile.handle().clone(), profile.display_name().clone()),
        })
    }

    /// Returns the users of the entries, except unreadable ones: each is a finding of its own task.
    ///
    /// One request reads 100 users.
    async fn users(&self, entries: &[(Membership, bool)]) -> Result<BTreeMap<UserId, User>> {
        let keys = entries.iter().map(|(entry, _)| User::key_from(entry.user_id())).collect();
        let users = self.call.get_all(keys).await?.into_iter().filter_map(|item| User::from_item(item).ok());
        Ok(users.map(|user| (user.id(), user)).collect())
    }
}

/// The memberships of a group.
#[derive(Debug, Default)]
struct Members {
    /// The readable memberships, each with `true` if its index key is correct.
    entries: Vec<(Membership, bool)>,
    /// The members, including those of unreadable memberships: the key contains the user's id.
    users: BTreeSet<UserId>,
}
