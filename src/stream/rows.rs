//! The writes that keep inbox rows true: one conditional update of a row each.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::num::NonZeroU32;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_dynamo::AttributeValue;

use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::model::{Membership, Message, MessagePosition, Profile, User};
use crate::request::{Condition, Get, Order, Query, SortRange, Update, Write};
use crate::store::call::Call;
use crate::time::Timestamp;

/// How many rows are written at once.
const CONCURRENCY: usize = 8;
/// How often a row is written before it is left to a later attempt.
const SETTLE_ATTEMPTS: usize = 8;

/// Moves the rows of a group forward to a message.
pub(super) async fn advance(call: &Call<'_>, message: &Message) -> Result<()> {
    each_member(call, message.group_id(), |row| forward(row, message)).await
}

/// Sets the rows of a group right after messages went from its thread: a row that shows one of them goes back to the newest
/// that is left, the others move forward to it.
pub(super) async fn refresh(call: &Call<'_>, group: GroupId, removed: &BTreeSet<MessagePosition>) -> Result<()> {
    let newest = newest_message(call, group).await?;
    each_member(call, group, |row| match (&newest, row.last_message()) {
        (newest, Some(shown)) if removed.contains(&shown) => back(row, shown, newest.as_ref()).map(Some),
        (Some(newest), _) => forward(row, newest),
        (None, _) => Ok(None),
    })
    .await
}

/// Sets new rows right: their writer may have known less than what the stream had brought to the other rows by then, and what
/// was projected while they were put did not reach them.
pub(super) async fn join(call: &Call<'_>, group: GroupId, rows: &BTreeMap<UserId, Membership>) -> Result<()> {
    let newest = newest_message(call, group).await?;
    let mut users = BTreeMap::new();
    // A user that cannot be read is told of in the end, and does not keep the other rows from being set right.
    let mut unreadable = None;
    for row in rows.values() {
        settle(call, row.clone(), newest.clone()).await?;
        match correct_new_names(call, row, &mut users).await {
            Err(error) if error.kind() == ErrorKind::Corrupt => unreadable = Some(error),
            corrected => corrected?,
        }
    }
    unreadable.map_or(Ok(()), Err)
}

/// Sets a row right, whatever it shows, where it differs from the newest message: both as they were read, the row first.
///
/// It looks again after each write, until what it reads agrees. What changed before that it has seen then, and the record of what
/// changes later finds the row as it is.
pub(super) async fn settle(call: &Call<'_>, mut row: Membership, mut newest: Option<Message>) -> Result<()> {
    for _ in 0..SETTLE_ATTEMPTS {
        if row.shows(newest.as_ref()) {
            return Ok(());
        }
        let _refused_where_changed = call.write(set_right(&row, newest.as_ref())?).await?;
        let Some(item) = call.get(Get::new(row.key()).consistent()).await?.item else { return Ok(()) };
        row = Membership::from_item(item)?;
        newest = newest_message(call, row.group_id()).await?;
    }
    Err(Error::new(ErrorKind::Conflict, "the row changes faster than it can be set right; try again"))
}

/// Gives a new row the names that its users have now, where they are others.
async fn correct_new_names(
    call: &Call<'_>,
    row: &Membership,
    users: &mut BTreeMap<UserId, Option<User>>,
) -> Result<()> {
    for profile in std::iter::once(row.profile()).chain(row.other()) {
        let user = match users.entry(profile.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let item = call.get(Get::new(User::key_from(profile.id)).consistent()).await?.item;
                unknown.insert(item.map(User::from_item).transpose()?)
            }
        };
        let Some(user) = user else { continue };
        if user.profile() != profile {
            let write = if user.id() == row.user_id() {
                rename_own(row, user)?
            } else {
                versioned(row.key(), other_names(user), Membership::OTHER_VERSION, user, about(user))?
            };
            let _refused_where_newer = call.write(write).await?;
        }
    }
    Ok(())
}

/// Gives a user's new names to the user's rows, and to the other side of the user's direct conversations.
pub(super) async fn rename(call: &Call<'_>, user: &User) -> Result<()> {
    let mut query = Query::index(Membership::inbox(user.id())).range(SortRange::BeginsWith(Membership::inbox_rows()));
    // As for the members: a row that cannot be read is told of in the end.
    let mut unreadable = None;
    loop {
        let page = call.query(query.clone()).await?;
        let mut writes = Vec::new();
        for item in page.items.into_iter().filter(Membership::is_in) {
            match Membership::from_item(item) {
                Ok(row) => {
                    writes.push(rename_own(&row, user)?);
                    if let Some(other) = row.other() {
                        writes.push(rename_other(row.group_id(), &other, user)?);
                    }
                }
                Err(error) => unreadable = Some(error),
            }
        }
        write_all(call, writes).await?;
        match page.next {
            Some(next) => query.start = Some(next),
            None => return unreadable.map_or(Ok(()), Err),
        }
    }
}

async fn each_member(
    call: &Call<'_>,
    group: GroupId,
    write: impl Fn(&Membership) -> Result<Option<Write>>,
) -> Result<()> {
    let mut query =
        Query::table_consistent(Membership::partition(group)).range(SortRange::BeginsWith(Membership::members()));
    // A row that cannot be read is told of in the end, and does not keep the others from being written.
    let mut unreadable = None;
    loop {
        let page = call.query(query.clone()).await?;
        let mut writes = Vec::new();
        for item in page.items.into_iter().filter(Membership::is_in) {
            match Membership::from_item(item) {
                Ok(row) => writes.extend(write(&row)?),
                Err(error) => unreadable = Some(error),
            }
        }
        write_all(call, writes).await?;
        match page.next {
            Some(next) => query.start = Some(next),
            None => return unreadable.map_or(Ok(()), Err),
        }
    }
}

/// Does the writes, several at once, up to the first that fails. One that is refused meets a row that is newer already, or has
/// gone since; both are as they should be.
async fn write_all(call: &Call<'_>, writes: Vec<Write>) -> Result<()> {
    stream::iter(writes)
        .map(|write| call.write(write))
        .buffer_unordered(CONCURRENCY)
        .try_for_each(|_outcome| async { Ok(()) })
        .await
}

/// The newest message of a thread that can be read. One that cannot has a record of its own, which says so.
pub(super) async fn newest_message(call: &Call<'_>, group: GroupId) -> Result<Option<Message>> {
    let mut query = Query::table_consistent(Message::partition(group)).order(Order::Descending);
    // More than one, so that expired messages and an application's own entities rarely cost another page.
    query.limit = NonZeroU32::new(4);
    loop {
        let page = call.query(query.clone()).await?;
        let mut messages =
            page.items.into_iter().filter(Message::is_in).filter_map(|item| Message::from_item(item).ok());
        if let Some(message) = messages.next() {
            return Ok(Some(message));
        }
        match page.next {
            Some(next) => query.start = Some(next),
            None => return Ok(None),
        }
    }
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The one update that moves a row forward: to a newer message, or to a newer revision of the one it shows. `None` for a row that
/// was there already when it was read.
fn forward(row: &Membership, message: &Message) -> Result<Option<Write>> {
    let shown = row.last_message().map(|shown| (shown, row.last_revision().unwrap_or(0)));
    if shown >= Some((message.position(), message.revision())) {
        return Ok(None);
    }
    let newer = Condition::absent(Membership::LAST_MESSAGE)
        .or(Condition::lt(Membership::LAST_MESSAGE, text(message.position())));
    let condition = if message.revision() == 0 {
        newer
    } else {
        let revision = number(message.revision());
        let older_revision =
            Condition::absent(Membership::LAST_REVISION).or(Condition::lt(Membership::LAST_REVISION, revision));
        newer.or(Condition::eq(Membership::LAST_MESSAGE, text(message.position())).and(older_revision))
    };
    Write::update(row.key(), show(row, message))?.when(Condition::item_exists().and(condition)).map(Some)
}

/// The update that sets a row right, whatever it shows, unless that changed since it was read.
fn set_right(row: &Membership, newest: Option<&Message>) -> Result<Write> {
    let update = newest.map_or_else(|| show_none(row), |newest| show(row, newest));
    let as_read = Condition::item_exists()
        .and(still(Membership::LAST_MESSAGE, row.last_message().map(text)))
        .and(still(Membership::LAST_REVISION, row.last_revision().map(number)));
    Write::update(row.key(), update)?.when(as_read)
}

/// The update that puts a row that is right where the index should have it, unless it moved since it was read.
pub(super) fn place(row: &Membership) -> Result<Write> {
    let update = Update::new()
        .set(GSI1PK, AttributeValue::S(Membership::inbox(row.user_id()).into()))
        .set(GSI1SK, recency(row.last_message_at(), row.group_id()));
    let as_read = Condition::item_exists().and(still(Membership::LAST_MESSAGE, row.last_message().map(text)));
    Write::update(row.key(), update)?.when(as_read)
}

/// The attribute is as it was read.
fn still(name: &'static str, value: Option<AttributeValue>) -> Condition {
    value.map_or_else(|| Condition::absent(name), |value| Condition::eq(name, value))
}

/// The update that takes a row back from a message that has gone.
fn back(row: &Membership, shown: MessagePosition, to: Option<&Message>) -> Result<Write> {
    let update = to.map_or_else(|| show_none(row), |message| show(row, message));
    let still_shown = Condition::eq(Membership::LAST_MESSAGE, text(shown));
    Write::update(row.key(), update)?.when(Condition::item_exists().and(still_shown))
}

fn show_none(row: &Membership) -> Update {
    Update::new()
        .remove(Membership::LAST_MESSAGE)
        .remove(Membership::LAST_SENDER)
        .remove(Membership::LAST_REVISION)
        .remove(Membership::PREVIEW)
        .set(GSI1SK, recency(row.joined_at(), row.group_id()))
}

fn show(row: &Membership, message: &Message) -> Update {
    let update = Update::new()
        .set(Membership::LAST_MESSAGE, text(message.position()))
        .set(Membership::LAST_SENDER, text(message.sender_id()))
        .set(Membership::LAST_REVISION, number(message.revision()))
        .set(GSI1SK, recency(message.created_at(), message.group_id()));
    match row.preview_of(message) {
        Some(preview) => update.set(Membership::PREVIEW, text(preview)),
        None => update.remove(Membership::PREVIEW),
    }
}

fn recency(time: Timestamp, group: GroupId) -> AttributeValue {
    AttributeValue::S(Membership::recency(time, group).into())
}

fn rename_own(row: &Membership, user: &User) -> Result<Write> {
    versioned(row.key(), own_names(user), Membership::VERSION, user, Condition::item_exists())
}

fn rename_other(group: GroupId, other: &Profile, user: &User) -> Result<Write> {
    let key = Membership::key_from((group, other.id));
    versioned(key, other_names(user), Membership::OTHER_VERSION, user, about(user))
}

/// There is a row, and this user is its other one.
fn about(user: &User) -> Condition {
    Condition::item_exists().and(Condition::eq(Membership::OTHER_ID, text(user.id())))
}

/// Gives a row its member's names, whatever version it says it has, unless they changed meanwhile.
pub(super) fn correct_own(row: &Membership, user: &User) -> Result<Write> {
    let profile = row.profile();
    let as_read = Condition::eq(Membership::HANDLE, text(profile.handle))
        .and(Condition::eq(Membership::DISPLAY_NAME, text(profile.display_name)))
        .and(still(Membership::VERSION, row.version().map(number)));
    Write::update(row.key(), own_names(user))?.when(as_read)
}

/// Gives a row the other one's names, whatever version it says it has, unless it changed meanwhile.
pub(super) fn correct_other(row: &Membership, user: &User) -> Result<Write> {
    let about_user = Condition::eq(Membership::OTHER_ID, text(user.id()));
    let as_read = match row.other() {
        Some(other) => about_user
            .and(Condition::eq(Membership::OTHER_HANDLE, text(other.handle)))
            .and(Condition::eq(Membership::OTHER_DISPLAY_NAME, text(other.display_name)))
            .and(still(Membership::OTHER_VERSION, row.other_version().map(number))),
        None => about_user,
    };
    Write::update(row.key(), other_names(user))?.when(as_read)
}

fn own_names(user: &User) -> Update {
    Update::new()
        .set(Membership::HANDLE, text(user.handle()))
        .set(Membership::DISPLAY_NAME, text(user.display_name()))
        .set(Membership::VERSION, number(user.version()))
}

fn other_names(user: &User) -> Update {
    Update::new()
        .set(Membership::OTHER_HANDLE, text(user.handle()))
        .set(Membership::OTHER_DISPLAY_NAME, text(user.display_name()))
        .set(Membership::OTHER_VERSION, number(user.version()))
}

/// An update of names that a later version of them does not fall behind.
fn versioned(key: Key, update: Update, attribute: &'static str, user: &User, condition: Condition) -> Result<Write> {
    let older = Condition::absent(attribute).or(Condition::lt(attribute, number(user.version())));
    Write::update(key, update)?.when(condition.and(older))
}
