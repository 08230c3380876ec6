//! The projector's writes to inbox entries: one conditional update per entry.
//!
//! An entry depends only on the newest message and the names of its users, so the order of their records does not
//! matter. Each write computes the entry from the entry as read, on the condition that it is unchanged. A refused
//! write returns the current entry, and the projector compares that one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};

use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::id::{GroupId, UserId};
use crate::item::{Item, Value};
use crate::key::{GSI1PK, GSI1SK, Key};
use crate::model::{Membership, Message, MessageKey, MessagePosition, User, read_listed};
use crate::patterns::call::{Call, is_own};
use crate::patterns::{members_of, newest_message};
use crate::request::{Condition, Query, SortRange, Update, Write, WriteOutcome};
use crate::stored::Entity;

/// The number of groups in a batch, or of entries in a group, that are processed at once.
const CONCURRENCY: usize = 8;
/// The number of attempts to write an entry before the projector returns an error.
const ATTEMPTS: usize = 8;

/// Moves the entries of a group forward to a message. Updates the entries in `joined` to their current state.
pub(super) async fn advance(
    call: &Call<'_>,
    message: &Message,
    joined: &mut BTreeMap<UserId, Membership>,
) -> Result<()> {
    each_member(call, message.group_id(), Some(message), joined, |entry| entry.moved_to(message)).await
}

/// Updates the entries of a group after messages were removed from its thread.
///
/// An entry that shows a removed message goes back to the newest remaining one. The others move forward to it.
/// Updates the entries in `joined` to their current state.
pub(super) async fn refresh(
    call: &Call<'_>,
    group: GroupId,
    removed: &BTreeSet<MessagePosition>,
    joined: &mut BTreeMap<UserId, Membership>,
) -> Result<()> {
    let newest = newest_message(call, group).await?;
    each_member(call, group, newest.as_ref(), joined, |entry| match (&newest, entry.last_message()) {
        (newest, Some(shown)) if removed.contains(&shown) => Some(entry.clone().showing(newest.as_ref())),
        (Some(newest), _) => entry.moved_to(newest),
        (None, _) => None,
    })
    .await
}

/// Compares new entries with the thread and their users, and updates those that are outdated.
///
/// The writer of a new entry may have known an older message or older names than the other entries already show. A
/// projection that ran while the entry was put did not reach it.
pub(super) async fn join(call: &Call<'_>, group: GroupId, joined: BTreeMap<UserId, Membership>) -> Result<()> {
    let newest = newest_message(call, group).await?;
    let ids: BTreeSet<_> =
        joined.values().flat_map(|entry| [Some(entry.user_id()), entry.other_id()]).flatten().collect();
    let mut users = BTreeMap::new();
    // If a user cannot be read, the entries are updated nevertheless.
    let mut done = Ok(());
    let mut reads = concurrently(ids.into_iter().map(|id| stored::<User>(call, User::key_from(id)).boxed()));
    while let Some(read) = reads.next().await {
        match read {
            Ok(user) => users.extend(user.map(|user| (user.id(), user))),
            Err(error) => done = merge(done, Err(error)),
        }
    }
    let (newest, users) = (&newest, &users);
    let mut entries =
        concurrently(joined.into_values().map(|entry| join_entry(call, entry, newest.as_ref(), users).boxed()));
    while let Some(result) = entries.next().await {
        done = merge(done, result);
    }
    done
}

async fn join_entry(
    call: &Call<'_>,
    entry: Membership,
    newest: Option<&Message>,
    users: &BTreeMap<UserId, User>,
) -> Result<()> {
    let named = [Some(entry.user_id()), entry.other_id()].into_iter().flatten();
    let mut entry = up_to_date(call, entry, newest).await?;
    for user in named.filter_map(|id| users.get(&id)) {
        entry = match entry {
            // Current names with an older version are written too. Otherwise a late rename could overwrite them with
            // old names.
            Some(entry) if entry.has_other_names_of(user) || entry.has_older_version_of(user) => {
                rename_entry(call, entry, user).await?
            }
            entry => entry,
        };
    }
    Ok(())
}

/// Updates a new entry that does not show the newest message.
///
/// Such an entry has usually moved since it was put, so this reads it before it writes.
async fn up_to_date(call: &Call<'_>, entry: Membership, newest: Option<&Message>) -> Result<Option<Membership>> {
    if entry.shows(newest) {
        return Ok(Some(entry));
    }
    let Some(now) = stored(call, entry.key()).await? else { return Ok(None) };
    let newest = newest_message(call, entry.group_id()).await?;
    reconcile(call, now, newest).await
}

/// Makes an entry show the newest message, forward or back. Returns the entry as stored, or `None` if it is gone.
///
/// Read the entry before `newest`: otherwise this could replace a newer message. Reads the newest message again after
/// each write, until entry and thread agree. Stops once a message is newer than all that the entry has shown, because
/// that message's own stream record moves the entry.
pub(super) async fn reconcile(
    call: &Call<'_>,
    mut entry: Membership,
    mut newest: Option<Message>,
) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        if entry.shows(newest.as_ref()) {
            return Ok(Some(entry));
        }
        let right = entry.clone().showing(newest.as_ref());
        let Some(now) = replace(call, &entry, right.clone()).await? else { return Ok(None) };
        newest = newest_message(call, entry.group_id()).await?;
        let is_newer = |newest: &Message| entry.moved_to(newest).is_some() && now.moved_to(newest).is_some();
        if now == right && newest.as_ref().is_some_and(is_newer) {
            return Ok(Some(now));
        }
        entry = now;
    }
    Err(too_busy())
}

/// Copies a user's new names into their entries and into the other member's side of direct conversations.
pub(super) async fn rename(call: &Call<'_>, user: &User) -> Result<()> {
    // Oldest first: an entry that a message moves during the query moves to a part that is still to be read.
    let query = Query::index(Membership::inbox(user.id())).range(SortRange::BeginsWith(Membership::inbox_entries()));
    each_entry(call, query, |entry| rename_conversation(call, entry, user).boxed(), |()| {}).await
}

async fn rename_conversation(call: &Call<'_>, entry: Membership, user: &User) -> Result<()> {
    let other = entry.other_id().map(|other| Membership::key_from((entry.group_id(), other)));
    let own = rename_entry(call, entry, user).await.map(drop);
    let Some(key) = other else { return own };
    let others = match stored(call, key).await {
        Ok(Some(entry)) => rename_entry(call, entry, user).await.map(drop),
        read => read.map(drop),
    };
    merge(own, others)
}

/// Writes a user's new names into an entry with older ones. Returns the entry as stored, or `None` if it is gone.
async fn rename_entry(call: &Call<'_>, mut entry: Membership, user: &User) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        if !entry.has_older_names_of(user) {
            return Ok(Some(entry));
        }
        let renamed = renamed(call, &entry, user).await?;
        let Some(now) = replace(call, &entry, renamed).await? else { return Ok(None) };
        entry = now;
    }
    Err(too_busy())
}

/// Returns the entry with the user's names, and with a preview that fits beside them.
///
/// Reads the message, for 1 RCU, if the preview may be longer than before.
pub(super) async fn renamed(call: &Call<'_>, entry: &Membership, user: &User) -> Result<Membership> {
    let renamed = entry.renamed(user);
    let Some(position) = entry.last_message().filter(|_| renamed.may_show_more_than(entry)) else { return Ok(renamed) };
    let key = Message::key_from(MessageKey { group: entry.group_id(), position });
    let message = call.item(key).await?.map(Message::from_item);
    // If the message is gone or has another revision, its own record is still to come and finds the new names.
    match message {
        Some(Ok(message)) if entry.shows_revision_of(&message) => Ok(renamed.showing(&message)),
        _ => Ok(renamed),
    }
}

/// Reads the entity at a key. Returns `None` if there is none, or if it is unreadable.
async fn stored<E: Entity>(call: &Call<'_>, key: Key) -> Result<Option<E>> {
    Ok(call.item(key).await?.and_then(|item| readable(call, item)))
}

/// Returns the entity of an item, or `None` and a warning in the log if the item is unreadable.
///
/// The record of the unreadable item itself reports it. Other records do not fail because of it.
fn readable<E: Entity>(call: &Call<'_>, item: Item) -> Option<E> {
    read_listed::<E>(item)?
        .inspect_err(|error| tracing::warn!(table = call.table_name(), %error, "an item cannot be read"))
        .ok()
}

/// Replaces each entry of a group with its `target`, given the newest message. Updates the entries in `joined` to their
/// current state.
async fn each_member(
    call: &Call<'_>,
    group: GroupId,
    newest: Option<&Message>,
    joined: &mut BTreeMap<UserId, Membership>,
    target: impl Fn(&Membership) -> Option<Membership> + Send + Sync,
) -> Result<()> {
    let target = &target;
    let change = |entry| change(call, entry, newest, target).boxed();
    each_entry(call, members_of(group), change, |entry| {
        if let Some(entry) = entry {
            joined.entry(entry.user_id()).and_modify(|joined| *joined = entry);
        }
    })
    .await
}

/// Runs `work` for each membership that the query reads, several at once, and passes the results to `accept`.
async fn each_entry<'a, T: Send>(
    call: &Call<'_>,
    query: Query,
    work: impl Fn(Membership) -> BoxFuture<'a, Result<T>> + Send,
    mut accept: impl FnMut(T) + Send,
) -> Result<()> {
    let mut pages = call.pages(query);
    let mut done = Ok(());
    loop {
        let items = match pages.next().await {
            Ok(Some(items)) => items,
            Ok(None) => return done,
            Err(error) => return merge(done, Err(error)),
        };
        let entries = items.into_iter().filter_map(|item| readable(call, item));
        let mut results = concurrently(entries.map(&work));
        while let Some(result) = results.next().await {
            done = merge(done, result.map(&mut accept));
        }
    }
}

/// Replaces an entry with its `target`, if that differs. Returns the entry as stored, or `None` if it is gone.
///
/// An expiry that another program sets has no order, unlike a revision. So an entry with another expiry than the
/// message is compared with the thread itself.
async fn change(
    call: &Call<'_>,
    mut entry: Membership,
    newest: Option<&Message>,
    target: &(impl Fn(&Membership) -> Option<Membership> + Sync),
) -> Result<Option<Membership>> {
    for _ in 0..ATTEMPTS {
        let Some(right) = target(&entry).filter(|right| *right != entry) else {
            return match newest {
                Some(newest) if entry.shows_other_expiry_of(newest) => {
                    let newest = newest_message(call, entry.group_id()).await?;
                    reconcile(call, entry, newest).await
                }
                _ => Ok(Some(entry)),
            };
        };
        let Some(now) = replace(call, &entry, right).await? else { return Ok(None) };
        entry = now;
    }
    Err(too_busy())
}

/// Writes the projected attributes of an entry, unless one of them changed since it was read.
///
/// Returns the entry as stored, written or not, or `None` if it is gone. All other functions here write through this
/// one.
pub(super) async fn replace(call: &Call<'_>, as_read: &Membership, right: Membership) -> Result<Option<Membership>> {
    let (old, mut new) = (as_read.to_item()?, right.to_item()?);
    let mut unchanged = Condition::item_exists().and(is_own::<Membership>());
    let mut update = Update::new();
    for name in Membership::PROJECTED {
        unchanged = unchanged.and(is_same(name, old.get(name).cloned()));
        update = match new.remove(name) {
            Some(value) => update.set(name, value),
            None => update.remove(name),
        };
    }
    if let Some(recency) = new.remove(GSI1SK) {
        update = update.set(GSI1SK, recency);
    }
    let write = Write::update(right.key(), update).when(unchanged).returning_old();
    match call.write(write).await? {
        WriteOutcome::Done { .. } => Ok(Some(right)),
        WriteOutcome::Refused { current, .. } => Ok(current.and_then(|item| readable(call, item))),
    }
}

/// Returns the update that corrects the index key of an entry, unless the entry moved since it was read.
pub(super) fn index_correction(entry: &Membership) -> Write {
    let recency = Membership::recency(entry.last_message_at(), entry.group_id());
    let update = Update::new().set(GSI1PK, Membership::inbox(entry.user_id())).set(GSI1SK, recency);
    let is_unmoved = is_same(Membership::LAST_MESSAGE, entry.last_message());
    let as_read = Condition::item_exists().and(is_own::<Membership>()).and(is_unmoved);
    Write::update(entry.key(), update).when(as_read)
}

/// Returns the condition that the attribute has this value, or is absent.
fn is_same(name: &'static str, value: Option<impl Into<Value>>) -> Condition {
    value.map_or_else(|| Condition::absent(name), |value| Condition::eq(name, value))
}

/// Runs several futures at once. They are boxed so that the stream is [`Send`].
pub(super) fn concurrently<'a, T: Send>(work: impl Iterator<Item = BoxFuture<'a, T>>) -> impl Stream<Item = T> + Send {
    stream::iter(work.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY)
}

/// Merges two results. Of two errors, it keeps one that is not permanent: then a retry runs all of the work again.
pub(super) fn merge(one: Result<()>, other: Result<()>) -> Result<()> {
    match (one, other) {
        (Err(one), Err(other)) => Err(if one.recovery() == Recovery::Permanent { other } else { one }),
        (Ok(()), result) | (result, Ok(())) => result,
    }
}

fn too_busy() -> Error {
    Error::new(ErrorKind::Conflict, "the inbox entry changed during each attempt to update it; try again")
}
