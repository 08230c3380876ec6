//! A group's rows against its messages and its members' users.

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
use crate::stream::rows;

impl Audit<'_> {
    pub(super) async fn has_group(&self, group: GroupId) -> Result<bool> {
        let item = self.call.item(MessageGroup::key_from(group)).await?;
        // One that cannot be read is there, too.
        Ok(item.is_some_and(|item| read_listed::<MessageGroup>(item).is_some()))
    }

    /// Audits a group. Everything is read again and consistently: the scan that led here may be late. What cannot be read
    /// is a finding, or has one where it stands itself, and all that does not depend on it is audited.
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
        let users = self.users(&members.rows).await?;
        self.rows(&members.rows, newest.as_ref(), &users).await?;
        let Some(group) = group else { return Ok(()) };
        if members.users.len() == 1
            && let [(only, _)] = members.rows.as_slice()
            && let Some(other) = only.other()
        {
            let discrepancy = Discrepancy::MissingRow { group: id, user: other.id() };
            let (other, only_one) = (self.as_it_is(other).await?, self.as_it_is(only.profile()).await?);
            let row = Membership::new(id, other, Conversation::Direct(only_one), only.joined_at());
            let row = row.showing(newest.as_ref());
            return self.repair(discrepancy, Write::put(row.to_item()?).when(Condition::item_absent())).await;
        }
        self.count(&group, &members).await
    }

    /// Audits the memberships, several at once. After an error no others are begun, and all that was found by then is told.
    async fn rows(
        &mut self,
        rows: &[(Membership, bool)],
        newest: Option<&Message>,
        users: &BTreeMap<UserId, User>,
    ) -> Result<()> {
        for rows in rows.chunks(CONCURRENCY) {
            let mut audits = Vec::with_capacity(rows.len());
            for (row, is_placed) in rows {
                let mut audit = Audit { call: self.call, repairs: self.repairs, findings: Vec::new() };
                audits.push(async move {
                    let audited = audit.row(row, *is_placed, newest, users).await;
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

    /// A row against the newest message and the users.
    async fn row(
        &mut self,
        row: &Membership,
        is_placed: bool,
        newest: Option<&Message>,
        users: &BTreeMap<UserId, User>,
    ) -> Result<()> {
        let (group, user) = (row.group_id(), row.user_id());
        let mut now = Some(row.clone());
        if row.shows(newest) {
            if !is_placed {
                self.repair(Discrepancy::WrongRecency { group, user }, rows::place(row)).await?;
            }
        } else {
            let is_at = row.last_message() == newest.map(Message::position);
            let discrepancy = if is_at {
                Discrepancy::StalePreview { group, user }
            } else {
                Discrepancy::WrongRecency { group, user }
            };
            let settled = match self.repairs {
                false => None,
                true => possible(rows::settle(self.call, row.clone(), newest.cloned()).await)?,
            };
            self.found(discrepancy, settled.is_some());
            now = settled.unwrap_or(now);
        }
        match now {
            Some(row) => self.names(&row, users).await,
            None => Ok(()),
        }
    }

    /// The names in a row against the users.
    async fn names(&mut self, row: &Membership, users: &BTreeMap<UserId, User>) -> Result<()> {
        let named = [Some(row.user_id()), row.other_id()].into_iter().flatten();
        let named = named.filter_map(|id| users.get(&id));
        let renamed: Vec<_> = named.filter(|user| row.has_other_names_of(user)).collect();
        if renamed.is_empty() {
            return Ok(());
        }
        let repaired = self.repairs && {
            let mut right = row.clone();
            for user in renamed {
                right = rows::renamed(self.call, &right, user).await?;
            }
            // Whatever version the row says it has. A row that changed meanwhile is left to the next audit.
            let names_are_right = |now: Membership| now.profile() == right.profile() && now.other() == right.other();
            let replaced = possible(rows::replace(self.call, row, right.clone()).await)?;
            replaced.is_some_and(|now| now.is_none_or(names_are_right))
        };
        self.found(Discrepancy::StaleNames { group: row.group_id(), user: row.user_id() }, repaired);
        Ok(())
    }

    /// The group's count of its members against its rows.
    async fn count(&mut self, group: &MessageGroup, members: &Members) -> Result<()> {
        let rows = u32::try_from(members.users.len()).unwrap_or(u32::MAX);
        if rows == group.member_count() {
            return Ok(());
        }
        let discrepancy = Discrepancy::WrongMemberCount { group: group.id(), counted: group.member_count(), rows };
        if rows == 0 && group.title().is_none() {
            // Nothing tells any more who the two are.
            self.found(discrepancy, false);
            return Ok(());
        }
        let update = Update::new().set(MessageGroup::MEMBER_COUNT, rows);
        // Whoever joined or left since the group was read, which was before its rows were, has changed the second of these
        // in the same transaction, and this write gives way. The first may be the same again.
        let count_is_same = Condition::eq(MessageGroup::MEMBER_COUNT, group.member_count());
        let members_are_same = match group.member_changes() {
            Some(changes) => Condition::eq(MessageGroup::MEMBER_CHANGES, changes),
            None => Condition::absent(MessageGroup::MEMBER_CHANGES),
        };
        let unchanged = count_is_same.and(members_are_same).and(is_own::<MessageGroup>());
        self.repair(discrepancy, Write::update(group.key(), update).when(unchanged)).await
    }

    /// Reports, or repairs by a conditional write. One that is refused met something that changed meanwhile, and repaired nothing.
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
                let place = (item.get_s(GSI1PK).map(str::to_owned), item.get_s(GSI1SK).map(str::to_owned));
                // One that cannot be read is found at its own place.
                if let Ok(row) = Membership::from_item(item) {
                    let right = row.index_key().map(|key| (key.pk.as_str().to_owned(), key.sk.as_str().to_owned()));
                    let is_placed = right.unzip() == place;
                    members.rows.push((row, is_placed));
                }
            }
        }
        Ok(members)
    }

    /// The profile that the user has now. Where none can be read it is as it was, and says no version: nothing tells that
    /// it is right.
    async fn as_it_is(&self, profile: Profile) -> Result<Profile> {
        Ok(match self.call.item(User::key_from(profile.id())).await?.map(User::from_item) {
            Some(Ok(user)) => user.profile(),
            _ => Profile::new(profile.id(), profile.handle().clone(), profile.display_name().clone()),
        })
    }

    /// Returns the users whose names stand in the rows, but for those that cannot be read: each is a finding at its own
    /// place. They are read 100 at a time.
    async fn users(&self, rows: &[(Membership, bool)]) -> Result<BTreeMap<UserId, User>> {
        let keys = rows.iter().map(|(row, _)| User::key_from(row.user_id())).collect();
        let users = self.call.get_all(keys).await?.into_iter().filter_map(|item| User::from_item(item).ok());
        Ok(users.map(|user| (user.id(), user)).collect())
    }
}

/// The rows of a group.
#[derive(Debug, Default)]
struct Members {
    /// Those that can be read, and whether each stands where the index should have it.
    rows: Vec<(Membership, bool)>,
    /// Whose rows there are, also where one cannot be read: its key tells.
    users: BTreeSet<UserId>,
}
