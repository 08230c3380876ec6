//! A group's rows against its messages and its members' users.

use std::collections::BTreeMap;

use serde_dynamo::AttributeValue;

use super::drift::{Drift, Finding};
use super::{Call, Mode};
use crate::entity::Entity;
use crate::error::{ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::key::{GSI1PK, GSI1SK};
use crate::model::{Conversation, Membership, Message, MessageGroup, User};
use crate::request::{Condition, Get, Query, SortRange, Update, Write};
use crate::stream::rows;

pub(super) async fn exists(call: &Call<'_>, group: GroupId) -> Result<bool> {
    Ok(call.get(Get::new(MessageGroup::key_from(group)).consistent()).await?.item.is_some())
}

/// Audits a group. Everything is read anew and consistently: the scan that led here may be behind.
pub(super) async fn audit(call: &Call<'_>, group: GroupId, mode: Mode, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(item) = call.get(Get::new(MessageGroup::key_from(group)).consistent()).await?.item else { return Ok(()) };
    let item = MessageGroup::from_item(item)?;
    if let Some(other) = item.continued_in() {
        if !exists(call, other).await? {
            findings.push(Finding::found(Drift::OrphanThread { group: other }));
        }
        return Ok(());
    }
    let found_before = findings.len();
    let members = members(call, group, findings).await?;
    let all_readable = findings.len() == found_before;
    let newest = rows::newest_message(call, group).await?;
    let users = users(call, &members).await?;

    for (row, is_placed) in &members {
        let mut now = Some(row.clone());
        if row.shows(newest.as_ref()) && !is_placed {
            let drift = Drift::WrongRecency { group, user: row.user_id() };
            mend(call, mode, drift, rows::place(row)?, findings).await?;
        } else if !row.shows(newest.as_ref()) {
            let user = row.user_id();
            let is_at = row.last_message() == newest.as_ref().map(Message::position);
            let drift = if is_at { Drift::StalePreview { group, user } } else { Drift::WrongRecency { group, user } };
            if mode == Mode::Mend {
                now = rows::settle(call, row.clone(), newest.clone()).await?;
            }
            findings.push(Finding { drift, mended: mode == Mode::Mend });
        }
        if let Some(row) = now {
            audit_names(call, &row, &users, mode, findings).await?;
        }
    }
    if !all_readable {
        // A row that cannot be read is a row all the same: what is missing cannot be told before it is mended.
        return Ok(());
    }
    if let [(only, _)] = members.as_slice()
        && let Some(other) = only.other()
    {
        let drift = Drift::MissingRow { group, user: other.id };
        let mut row = Membership::new(group, other, Conversation::Direct(only.profile()), only.joined_at());
        if let Some(newest) = &newest {
            row = row.showing(newest);
        }
        mend(call, mode, drift, Write::put(row.to_item()?)?.when(Condition::item_absent())?, findings).await?;
        return Ok(());
    }
    let rows = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let drift = Drift::WrongMemberCount { group, counted: item.member_count(), rows };
    if rows == 0 && item.title().is_none() {
        // Nothing tells any more who the two are.
        findings.push(Finding::found(drift));
    } else if rows != item.member_count() {
        let number = |count: u32| AttributeValue::N(count.to_string());
        let update = Update::new().set(MessageGroup::MEMBER_COUNT, number(rows));
        // Whoever joins or leaves meanwhile changes the count in the same transaction, and this write gives way.
        let unchanged = Condition::eq(MessageGroup::MEMBER_COUNT, number(item.member_count()));
        let write = Write::update(MessageGroup::key_from(group), update)?.when(unchanged)?;
        mend(call, mode, drift, write, findings).await?;
    }
    Ok(())
}

/// Reports, or mends by a conditional write. One that is refused met something that changed meanwhile, and mended nothing.
pub(super) async fn mend(
    call: &Call<'_>,
    mode: Mode,
    drift: Drift,
    write: Write,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    match mode {
        Mode::Report => findings.push(Finding::found(drift)),
        Mode::Mend => {
            let mended = call.write(write).await?.done().is_ok();
            findings.push(if mended { Finding::mended(drift) } else { Finding::found(drift) });
        }
    }
    Ok(())
}

/// The rows, and whether each stands where the index should have it.
async fn members(call: &Call<'_>, group: GroupId, findings: &mut Vec<Finding>) -> Result<Vec<(Membership, bool)>> {
    let mut query =
        Query::table_consistent(Membership::partition(group)).range(SortRange::BeginsWith(Membership::members()));
    let mut members = Vec::new();
    loop {
        let page = call.query(query.clone()).await?;
        for item in page.items.into_iter().filter(Membership::is_in) {
            let place = (item.get_s(GSI1PK).map(str::to_owned), item.get_s(GSI1SK).map(str::to_owned));
            match Membership::from_item(item) {
                Ok(row) => {
                    let right = row.index_key().map(|key| (key.pk.as_str().to_owned(), key.sk.as_str().to_owned()));
                    let is_placed = right.unzip() == place;
                    members.push((row, is_placed));
                }
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    findings.push(Finding::found(Drift::Unreadable { what: error.to_string() }));
                }
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => query.start = Some(next),
            None => return Ok(members),
        }
    }
}

/// The users whose names stand in the rows.
async fn users(call: &Call<'_>, members: &[(Membership, bool)]) -> Result<BTreeMap<UserId, User>> {
    let mut users = BTreeMap::new();
    for (row, _) in members {
        let item = call.get(Get::new(User::key_from(row.user_id())).consistent()).await?.item;
        if let Some(user) = item.map(User::from_item).transpose()? {
            users.insert(user.id(), user);
        }
    }
    Ok(users)
}

async fn audit_names(
    call: &Call<'_>,
    row: &Membership,
    users: &BTreeMap<UserId, User>,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let mut right = row.clone();
    for id in [Some(row.user_id()), row.other_id()].into_iter().flatten() {
        if let Some(user) = users.get(&id).filter(|user| row.has_other_names_of(user)) {
            right = rows::renamed(call, &right, user).await?;
        }
    }
    if right == *row {
        return Ok(());
    }
    let drift = Drift::StaleNames { group: row.group_id(), user: row.user_id() };
    let mended = mode == Mode::Mend && {
        // Whatever version the row says it has. A row that changed meanwhile is left to the next audit.
        let names_are_right = |now: &Membership| now.profile() == right.profile() && now.other() == right.other();
        rows::replace(call, row, right.clone()).await?.is_none_or(|now| names_are_right(&now))
    };
    findings.push(Finding { drift, mended });
    Ok(())
}
