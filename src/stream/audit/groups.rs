//! A group's rows against its messages and its members' users.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::discrepancy::{Discrepancy, Finding};
use super::{CONCURRENCY, Call, Mode, possible, readable};
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::key::{GSI1PK, GSI1SK};
use crate::model::{Conversation, KnownKey, Membership, Message, MessageGroup, Ownership, Profile, User, read_listed};
use crate::patterns::call::is_own;
use crate::patterns::{members_of, newest_message};
use crate::request::{Condition, Get, Update, Write};
use crate::stored::Entity;
use crate::stream::rows;

pub(super) async fn exists(call: &Call<'_>, group: GroupId) -> Result<bool> {
    let item = call.get(Get::new(MessageGroup::key_from(group)).consistent()).await?.item;
    // One that cannot be read is there, too.
    Ok(item.is_some_and(|item| read_listed::<MessageGroup>(item).is_some()))
}

/// Audits a group. Everything is read anew and consistently: the scan that led here may be behind. What cannot be read is a
/// finding, or has one where it stands itself, and all that does not depend on it is audited.
pub(super) async fn audit(call: &Call<'_>, id: GroupId, mode: Mode, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(item) = call.get(Get::new(MessageGroup::key_from(id)).consistent()).await?.item else { return Ok(()) };
    let group = readable(MessageGroup::from_item(item), findings)?;
    if let Some(other) = group.as_ref().and_then(MessageGroup::continued_in) {
        if !exists(call, other).await? {
            findings.push(Finding::found(Discrepancy::OrphanThread { group: other }));
        }
        return Ok(());
    }
    let members = members(call, id).await?;
    let newest = newest_message(call, id).await?;
    let users = users(call, &members.rows).await?;
    audit_rows(call, &members.rows, newest.as_ref(), &users, mode, findings).await?;
    let Some(group) = group else { return Ok(()) };
    if members.users.len() == 1
        && let [(only, _)] = members.rows.as_slice()
        && let Some(other) = only.other()
    {
        let discrepancy = Discrepancy::MissingRow { group: id, user: other.id() };
        let (other, only_one) = (as_it_is(call, other).await?, as_it_is(call, only.profile()).await?);
        let row = Membership::new(id, other, Conversation::Direct(only_one), only.joined_at());
        let row = row.showing(newest.as_ref());
        return repair(call, mode, discrepancy, Write::put(row.to_item()?).when(Condition::item_absent()), findings)
            .await;
    }
    audit_count(call, &group, &members, mode, findings).await
}

/// Audits the memberships, several at once. After an error no others are begun, and all that was found by then is told.
async fn audit_rows(
    call: &Call<'_>,
    rows: &[(Membership, bool)],
    newest: Option<&Message>,
    users: &BTreeMap<UserId, User>,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    for rows in rows.chunks(CONCURRENCY) {
        let mut audits = Vec::with_capacity(rows.len());
        for (row, is_placed) in rows {
            audits.push(async move {
                let mut findings = Vec::new();
                let audited = audit_row(call, row, *is_placed, newest, users, mode, &mut findings).await;
                (findings, audited)
            });
        }
        let mut done = Ok(());
        for (found, audited) in join_all(audits).await {
            findings.extend(found);
            done = done.and(readable(audited, findings).map(drop));
        }
        done?;
    }
    Ok(())
}

/// A row against the newest message and the users.
async fn audit_row(
    call: &Call<'_>,
    row: &Membership,
    is_placed: bool,
    newest: Option<&Message>,
    users: &BTreeMap<UserId, User>,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let (group, user) = (row.group_id(), row.user_id());
    let mut now = Some(row.clone());
    if row.shows(newest) {
        if !is_placed {
            repair(call, mode, Discrepancy::WrongRecency { group, user }, rows::place(row), findings).await?;
        }
    } else {
        let is_at = row.last_message() == newest.map(Message::position);
        let discrepancy =
            if is_at { Discrepancy::StalePreview { group, user } } else { Discrepancy::WrongRecency { group, user } };
        let settled = match mode {
            Mode::Report => None,
            Mode::Repair => possible(rows::settle(call, row.clone(), newest.cloned()).await)?,
        };
        findings.push(Finding { discrepancy, repaired: settled.is_some() });
        now = settled.unwrap_or(now);
    }
    match now {
        Some(row) => audit_names(call, &row, users, mode, findings).await,
        None => Ok(()),
    }
}

/// The names in a row against the users.
async fn audit_names(
    call: &Call<'_>,
    row: &Membership,
    users: &BTreeMap<UserId, User>,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let named = [Some(row.user_id()), row.other_id()].into_iter().flatten();
    let renamed: Vec<_> = named.filter_map(|id| users.get(&id)).filter(|user| row.has_other_names_of(user)).collect();
    if renamed.is_empty() {
        return Ok(());
    }
    let repaired = mode == Mode::Repair && {
        let mut right = row.clone();
        for user in renamed {
            right = rows::renamed(call, &right, user).await?;
        }
        // Whatever version the row says it has. A row that changed meanwhile is left to the next audit.
        let names_are_right = |now: Membership| now.profile() == right.profile() && now.other() == right.other();
        let replaced = possible(rows::replace(call, row, right.clone()).await)?;
        replaced.is_some_and(|now| now.is_none_or(names_are_right))
    };
    findings.push(Finding {
        discrepancy: Discrepancy::StaleNames { group: row.group_id(), user: row.user_id() },
        repaired,
    });
    Ok(())
}

/// The group's count of its members against its rows.
async fn audit_count(
    call: &Call<'_>,
    group: &MessageGroup,
    members: &Members,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let rows = u32::try_from(members.users.len()).unwrap_or(u32::MAX);
    if rows == group.member_count() {
        return Ok(());
    }
    let discrepancy = Discrepancy::WrongMemberCount { group: group.id(), counted: group.member_count(), rows };
    if rows == 0 && group.title().is_none() {
        // Nothing tells any more who the two are.
        findings.push(Finding::found(discrepancy));
        return Ok(());
    }
    let update = Update::new().set(MessageGroup::MEMBER_COUNT, rows);
    // Whoever joined or left since the group was read, which was before its rows were, has changed the second of these in the same
    // transaction, and this write gives way. The first may be the same again.
    let count_is_same = Condition::eq(MessageGroup::MEMBER_COUNT, group.member_count());
    let members_are_same = match group.member_changes() {
        Some(changes) => Condition::eq(MessageGroup::MEMBER_CHANGES, changes),
        None => Condition::absent(MessageGroup::MEMBER_CHANGES),
    };
    let write =
        Write::update(group.key(), update).when(count_is_same.and(members_are_same).and(is_own::<MessageGroup>()));
    repair(call, mode, discrepancy, write, findings).await
}

/// Reports, or repairs by a conditional write. One that is refused met something that changed meanwhile, and repaired nothing.
async fn repair(
    call: &Call<'_>,
    mode: Mode,
    discrepancy: Discrepancy,
    write: Write,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let repaired =
        mode == Mode::Repair && possible(call.write(write).await)?.is_some_and(|outcome| outcome.done().is_ok());
    findings.push(Finding { discrepancy, repaired });
    Ok(())
}

/// The rows of a group.
#[derive(Debug, Default)]
struct Members {
    /// Those that can be read, and whether each stands where the index should have it.
    rows: Vec<(Membership, bool)>,
    /// Whose rows there are, also where one cannot be read: its key tells.
    users: BTreeSet<UserId>,
}

async fn members(call: &Call<'_>, group: GroupId) -> Result<Members> {
    let mut pages = call.pages(members_of(group));
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

/// The profile that the user has now. Where none can be read it is as it was, and says no version: nothing tells that it is right.
async fn as_it_is(call: &Call<'_>, profile: Profile) -> Result<Profile> {
    let item = call.get(Get::new(User::key_from(profile.id())).consistent()).await?.item;
    Ok(match item.map(User::from_item) {
        Some(Ok(user)) => user.profile(),
        _ => Profile::new(profile.id(), profile.handle().clone(), profile.display_name().clone()),
    })
}

/// Returns the users whose names stand in the rows, but for those that cannot be read: each is a finding at its own place. They
/// are read 100 at a time.
async fn users(call: &Call<'_>, rows: &[(Membership, bool)]) -> Result<BTreeMap<UserId, User>> {
    let keys = rows.iter().map(|(row, _)| User::key_from(row.user_id())).collect();
    let users = call.get_all(keys).await?.into_iter().filter_map(|item| User::from_item(item).ok());
    Ok(users.map(|user| (user.id(), user)).collect())
}
