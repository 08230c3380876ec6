//! The writes that keep inbox rows true: one conditional update of a row each.
//!
//! A row follows from the newest message of its thread and the names of its users, and does not depend on which of them came
//! first. So each write makes the row as it should be of the row as it was read, on the condition that it is still so. Where it
//! changed meanwhile, the refusal brings it as it is, and it is looked at again.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use serde_dynamo::AttributeValue;

use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::id::{GroupId, UserId};
use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::model::{Membership, Message, MessageKey, MessagePosition, User, read_listed};
use crate::patterns::call::{Call, is_own};
use crate::patterns::{members_of, newest_message};
use crate::request::{Condition, Query, SortRange, Update, Write, WriteOutcome};
use crate::stored::Entity;

/// How many things are done at once: groups of a batch, and rows of a group.
const CONCURRENCY: usize = 8;
/// How often a row is written before it is left to a later attempt.
const ATTEMPTS: usize = 8;

/// Moves the rows of a group forward to a message. Those rows in `joined` become what they are now.
pub(super) async fn advance(
    call: &Call<'_>,
    message: &Message,
    joined: &mut BTreeMap<UserId, Membership>,
) -> Result<()> {
    each_member(call, message.group_id(), Some(message), joined, |row| row.moved_to(message)).await
}

/// Sets the rows of a group right after messages went from its thread: a row that shows one of them goes back to the newest
/// that is left, the others move forward to it. Those rows in `joined` become what they are now.
pub(super) async fn refresh(
    call: &Call<'_>,
    group: GroupId,
    removed: &BTreeSet<MessagePosition>,
    joined: &mut BTreeMap<UserId, Membership>,
) -> Result<()> {
    let newest = newest_message(call, group).await?;
    each_member(call, group, newest.as_ref(), joined, |row| match (&newest, row.last_message()) {
        (newest, Some(shown)) if removed.contains(&shown) => Some(row.clone().showing(newest.as_ref())),
        (Some(newest), _) => row.moved_to(newest),
        (None, _) => None,
    })
    .await
}

/// Sets new rows right, as they were put or as they were read later: their writer may have known less than what the stream had
/// brought to the other rows by then, and what was projected while they were put did not reach them.
pub(super) async fn join(call: &Call<'_>, group: GroupId, joined: BTreeMap<UserId, Membership>) -> Result<()> {
    let newest = newest_message(call, group).await?;
    let ids: BTreeSet<_> = joined.values().flat_map(|row| [Some(row.user_id()), row.other_id()]).flatten().collect();
    let mut users = BTreeMap::new();
    // A user that could not be read does not keep the rows from being set right.
    let mut done = Ok(());
    let mut reads = at_once(ids.into_iter().map(|id| stored::<User>(call, User::key_from(id)).boxed()));
    while let Some(read) = reads.next().await {
        match read {
            Ok(user) => users.extend(user.map(|user| (user.id(), user))),
            Err(error) => done = worst(done, Err(error)),
        }
    }
    let (newest, users) = (&newest, &users);
    let mut rows = at_once(joined.into_values().map(|row| join_row(call, row, newest.as_ref(), users).boxed()));
    while let Some(result) = rows.next().await {
        done = worst(done, result);
    }
    done
}

async fn join_row(
    call: &Call<'_>,
    row: Membership,
    newest: Option<&Message>,
    users: &BTreeMap<UserId, User>,
) -> Result<()> {
    let named = [Some(row.user_id()), row.other_id()].into_iter().flatten();
    let mut row = up_to_date(call, row, newest).await?;
    for user in named.filter_map(|id| users.get(&id)) {
        row = match row {
            // An older version with the names of now would take those in between, where a rename comes late.
            Some(row) if row.has_other_names_of(user) || row.has_older_version_of(user) => {
                rename_row(call, row, user).await?
            }
            row => row,
        };
    }
    Ok(())
}

/// Sets a new row right. One that differs as it was put has moved since, most often; so it is read before it is written.
async fn up_to_date(call: &Call<'_>, row: Membership, newest: Option<&Message>) -> Result<Option<Membership>> {
    if row.shows(newest) {
        return Ok(Some(row));
    }
    let Some(now) = stored(call, row.key()).await? else { return Ok(None) };
    let newest = newest_message(call, row.group_id()).await?;
    settle(call, now, newest).await
}

/// Sets a row right, whatever it shows, where it differs from the newest message: both as they were read, the row first. Gives the
/// row as it is then; `None` where it has gone.
///
/// It looks again after each write, until what it reads agrees. What changed before that it has seen then, and the record of what
/// changes later finds the row as it is. So the message is always read behind the row: a row that a newer message had reached
/// since would be taken back otherwise. And it does not run after a thread that goes on and on: a message that is newer than all
/// that the row has shown has a record which moves the row, or is refused by this write and then does.
pub(super) async fn settle(
    call: &Call<'_>,
    mut row: Membership,
    mut newest: Option<Message>,
) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        if row.shows(newest.as_ref()) {
            return Ok(Some(row));
        }
        let right = row.clone().showing(newest.as_ref());
        let Some(now) = replace(call, &row, right.clone()).await? else { return Ok(None) };
        newest = newest_message(call, row.group_id()).await?;
        let goes_on = |newest: &Message| row.moved_to(newest).is_some() && now.moved_to(newest).is_some();
        if now == right && newest.as_ref().is_some_and(goes_on) {
            return Ok(Some(now));
        }
        row = now;
    }
    Err(too_busy())
}

/// Gives a user's new names to the user's rows, and to the other side of the user's direct conversations.
pub(super) async fn rename(call: &Call<'_>, user: &User) -> Result<()> {
    // From the oldest on: a row that gets a message meanwhile moves to where this comes to later.
    let query = Query::index(Membership::inbox(user.id())).range(SortRange::BeginsWith(Membership::inbox_entries()));
    each_row(call, query, |row| rename_conversation(call, row, user).boxed(), |()| {}).await
}

async fn rename_conversation(call: &Call<'_>, row: Membership, user: &User) -> Result<()> {
    let other = row.other_id().map(|other| Membership::key_from((row.group_id(), other)));
    let own = rename_row(call, row, user).await.map(drop);
    let Some(key) = other else { return own };
    let others = match stored(call, key).await {
        Ok(Some(row)) => rename_row(call, row, user).await.map(drop),
        read => read.map(drop),
    };
    worst(own, others)
}

/// Gives a row that holds older names of a user the new ones. Gives the row as it is then; `None` where it has gone.
async fn rename_row(call: &Call<'_>, mut row: Membership, user: &User) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        if !row.has_older_names_of(user) {
            return Ok(Some(row));
        }
        let renamed = renamed(call, &row, user).await?;
        let Some(now) = replace(call, &row, renamed).await? else { return Ok(None) };
        row = now;
    }
    Err(too_busy())
}

/// The row with the names that the user has, and with the preview that has room beside them. Where that may be longer than it was,
/// the message is read: 1 RCU.
pub(super) async fn renamed(call: &Call<'_>, row: &Membership, user: &User) -> Result<Membership> {
    let renamed = row.renamed(user);
    let Some(position) = row.last_message().filter(|_| renamed.may_show_more_than(row)) else { return Ok(renamed) };
    let key = Message::key_from(MessageKey { group: row.group_id(), position });
    let message = call.item(key).await?.map(Message::from_item);
    // Where it is another revision by now, or has gone, the record of that is still to come, and finds the new names.
    match message {
        Some(Ok(message)) if row.shows_revision_of(&message) => Ok(renamed.showing(&message)),
        _ => Ok(renamed),
    }
}

/// Reads the item at a key of an `E`, if it can be read.
async fn stored<E: Entity>(call: &Call<'_>, key: Key) -> Result<Option<E>> {
    Ok(call.item(key).await?.and_then(|item| readable(call, item)))
}

/// Returns an item that can be read. Another one has a record of its own, which says so, and keeps no other record from being done.
fn readable<E: Entity>(call: &Call<'_>, item: Item) -> Option<E> {
    read_listed::<E>(item)?
        .inspect_err(|error| tracing::warn!(table = call.table_name(), %error, "an item cannot be read"))
        .ok()
}

/// Makes of each row of a group what `target` says, for this newest message. Those rows in `joined` become what they are now.
async fn each_member(
    call: &Call<'_>,
    group: GroupId,
    newest: Option<&Message>,
    joined: &mut BTreeMap<UserId, Membership>,
    target: impl Fn(&Membership) -> Option<Membership> + Send + Sync,
) -> Result<()> {
    let target = &target;
    let change = |row| change(call, row, newest, target).boxed();
    each_row(call, members_of(group), change, |row| {
        if let Some(row) = row {
            joined.entry(row.user_id()).and_modify(|joined| *joined = row);
        }
    })
    .await
}

/// Does the work for each membership that the query reads, several at once, and hands on the results.
async fn each_row<'a, T: Send>(
    call: &Call<'_>,
    query: Query,
    work: impl Fn(Membership) -> BoxFuture<'a, Result<T>> + Send,
    mut hand_on: impl FnMut(T) + Send,
) -> Result<()> {
    let mut pages = call.pages(query);
    let mut done = Ok(());
    loop {
        let items = match pages.next().await {
            Ok(Some(items)) => items,
            Ok(None) => return done,
            Err(error) => return worst(done, Err(error)),
        };
        let rows = items.into_iter().filter_map(|item| readable(call, item));
        let mut results = at_once(rows.map(&work));
        while let Some(result) = results.next().await {
            done = worst(done, result.map(&mut hand_on));
        }
    }
}

/// Makes of a row what `target` says, where that says anything. Gives the row as it is then; `None` where it has gone.
///
/// An expiry that another program changes has no order, as a revision has. So a row with another one than the message is compared
/// with the thread itself.
async fn change(
    call: &Call<'_>,
    mut row: Membership,
    newest: Option<&Message>,
    target: &(impl Fn(&Membership) -> Option<Membership> + Sync),
) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        let Some(right) = target(&row).filter(|right| *right != row) else {
            return match newest {
                Some(newest) if row.shows_other_expiry_of(newest) => {
                    let newest = newest_message(call, row.group_id()).await?;
                    settle(call, row, newest).await
                }
                _ => Ok(Some(row)),
            };
        };
        let Some(now) = replace(call, &row, right).await? else { return Ok(None) };
        row = now;
    }
    Err(too_busy())
}

/// The one write there is: puts what is projected of a row in the place of what was there, unless that changed since it was read.
/// Gives the row as it is then, written or not; `None` where it has gone.
pub(super) async fn replace(call: &Call<'_>, as_read: &Membership, right: Membership) -> Result<Option<Membership>> {
    let (old, mut new) = (as_read.to_item()?, right.to_item()?);
    let mut unchanged = Condition::item_exists().and(is_own::<Membership>());
    let mut update = Update::new();
    for name in Membership::PROJECTED {
        unchanged = unchanged.and(still(name, old.get(name).cloned()));
        update = match new.remove(name) {
            Some(value) => update.set(name, value),
            None => update.remove(name),
        };
    }
    if let Some(place) = new.remove(GSI1SK) {
        update = update.set(GSI1SK, place);
    }
    let write = Write::update(right.key(), update).when(unchanged).returning_old();
    match call.write(write).await? {
        WriteOutcome::Done { .. } => Ok(Some(right)),
        WriteOutcome::Refused { current, .. } => Ok(current.and_then(|item| readable(call, item))),
    }
}

/// The update that puts a row that is right where the index should have it, unless it moved since it was read.
pub(super) fn place(row: &Membership) -> Write {
    let recency = Membership::recency(row.last_message_at(), row.group_id());
    let update = Update::new().set(GSI1PK, Membership::inbox(row.user_id())).set(GSI1SK, recency);
    let shown = row.last_message().map(|shown| AttributeValue::S(shown.to_string()));
    let as_read = Condition::item_exists().and(is_own::<Membership>()).and(still(Membership::LAST_MESSAGE, shown));
    Write::update(row.key(), update).when(as_read)
}

/// The attribute is as it was read.
fn still(name: &'static str, value: Option<AttributeValue>) -> Condition {
    value.map_or_else(|| Condition::absent(name), |value| Condition::eq(name, value))
}

/// Does several of these at once. They are boxed, so that whoever awaits them may be sent to another thread.
pub(super) fn at_once<'a, T: Send>(work: impl Iterator<Item = BoxFuture<'a, T>>) -> impl Stream<Item = T> + Send {
    stream::iter(work.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY)
}

/// The worst of two results: an error that may pass, since all is done again for it, then one that never will.
pub(super) fn worst(one: Result<()>, other: Result<()>) -> Result<()> {
    match (one, other) {
        (Err(one), Err(other)) => Err(if one.recovery() == Recovery::Permanent { other } else { one }),
        (Ok(()), result) | (result, Ok(())) => result,
    }
}

fn too_busy() -> Error {
    Error::new(ErrorKind::Conflict, "the row changes faster than it can be set right; try again")
}
