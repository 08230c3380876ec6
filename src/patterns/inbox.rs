//! `inbox.page`, `inbox.mark_read`, `inbox.unread`.

use std::collections::HashSet;
use std::num::NonZeroU32;

use super::call::{Call, begin, is_own};
use super::groups::not_a_member;
use super::page::{Cursor, List, Listed, Page, Part, check_limit};
use super::{Thread, Threadline, newest_message};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::item::Item;
use crate::key::{GSI1SK, IndexKey};
use crate::model::{Membership, Message, MessagePosition, read_listed, read_own};
use crate::request::{Condition, Order, Position, Query, SortRange, Update, Write, WriteOutcome};
use crate::time::Timestamp;

/// The most unread messages that are counted; a screen shows more as `99+`.
pub const MAX_UNREAD: u32 = 99;

/// The unread messages of a conversation: those of others that are later than the member's read marker and than the member's own
/// newest message. A deleted message counts like any other, until it is removed from the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// The messages counted, at most [`MAX_UNREAD`].
    pub count: u32,
    /// Whether there are more.
    pub or_more: bool,
    /// The number of messages met on the way that cannot be read.
    pub unreadable: u32,
}

impl Threadline {
    /// A user's inbox: the user's conversations, the one with the newest message first.
    ///
    /// It is read from the index, and ordered by a projector, so it follows the messages by a moment.
    pub fn inbox(&self, user: UserId) -> InboxRequest<'_> {
        InboxRequest { chat: self, user, limit: 20, cursor: None }
    }

    /// Returns a read marker at this position, or at the clock's time if the position is ahead of it.
    pub(super) fn not_ahead(&self, position: MessagePosition) -> MessagePosition {
        let now = self.clock.now();
        if position.created_at() > now { MessagePosition::at(now) } else { position }
    }

    /// Returns the membership without a message that has expired: it then shows the newest that is left. 1 RCU for one that has.
    pub(super) async fn without_expired(&self, call: &Call<'_>, membership: Membership) -> Result<Membership> {
        let now = self.clock.now();
        if !membership.shows_expired(now) {
            return Ok(membership);
        }
        let newest = newest_message(call, membership.group_id()).await?;
        Ok(membership.showing(newest.as_ref().filter(|newest| newest.expires_at().is_none_or(|end| end > now))))
    }

    /// Counts unread messages: those sent by others after the member's read marker and after the member's own newest message. 0.5
    /// RCU per 4 KB of them. It is more than zero exactly if [`Membership::is_unread`] holds, once everything is projected.
    ///
    /// The row is the proof here. Read it anew, by [`inbox`](Self::inbox) or [`open`](Self::open), for each request of a user's.
    ///
    /// # Errors
    /// As [`Store::query`](crate::Store::query).
    pub async fn unread(&self, row: &Membership) -> Result<Unread> {
        let call = begin!(&*self.store, "inbox.unread");
        call.run(count_unread(&call, row)).await
    }
}

impl Thread {
    /// Notes that the member has read up to this message, which is a message, a position, or an id that is a UUIDv7. It only
    /// ever moves forward: an earlier message changes nothing. It never moves past the clock: a message that is ahead of it stays
    /// unread until it is marked after its time, within the [send window](super::SendWindow). A conditional update: 1 WCU, and 1
    /// of the index; 1 RCU more if the message that the membership shows has expired.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) when the user is no longer a member.
    /// * As [`Store::write`](crate::Store::write). After an unknown outcome, mark again.
    pub async fn mark_read(&mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<()> {
        let position = message.try_into().map_err(Into::into);
        let store = self.chat.store.clone();
        let call = begin!(&*store, "inbox.mark_read");
        call.run(async {
            let position = position?;
            // A message ahead of the clock would mark others as read that nobody has seen yet.
            let position = self.chat.not_ahead(position);
            let value = || position.to_string();
            let forward = Condition::absent(Membership::LAST_READ).or(Condition::lt(Membership::LAST_READ, value()));
            let write = Write::update(self.me.key(), Update::new().set(Membership::LAST_READ, value()))
                .when(Condition::item_exists().and(is_own::<Membership>()).and(forward))
                .returning_old();
            match call.write(write).await? {
                WriteOutcome::Done { .. } => {
                    self.me = self.me.clone().read_up_to(position);
                    self.me = self.chat.without_expired(&call, self.me.clone()).await?;
                    Ok(())
                }
                WriteOutcome::Refused { current, .. } => {
                    let current = read_own::<Membership>(current)?.ok_or_else(not_a_member)?;
                    self.me = self.chat.without_expired(&call, current).await?;
                    Ok(())
                }
            }
        })
        .await
    }

    /// Counts unread messages by the read marker of when the thread was opened, or that was set since. 0.5 RCU per 4 KB of them.
    ///
    /// # Errors
    /// As [`Threadline::unread`].
    pub async fn unread(&self) -> Result<Unread> {
        self.chat.unread(&self.me).await
    }
}

/// Counts from the newest message back, to the member's own newest message or to the last one read: sending is reading. If the
/// count is capped, the old ones are left out.
async fn count_unread(call: &Call<'_>, row: &Membership) -> Result<Unread> {
    let range = row.last_read().map_or(SortRange::All, |read| SortRange::After(read.sort_key()));
    let mut query = Query::table(Message::partition(row.group_id())).range(range).order(Order::Descending);
    query.limit = NonZeroU32::new(MAX_UNREAD + 1);
    let mut unread = Unread { count: 0, or_more: false, unreadable: 0 };
    let mut pages = call.pages(query);
    while let Some(items) = pages.next().await? {
        for message in items.into_iter().filter_map(read_listed::<Message>) {
            match message {
                Err(_) => unread.unreadable += 1,
                Ok(message) if message.sender_id() == row.user_id() => return Ok(unread),
                Ok(_) if unread.count == MAX_UNREAD => return Ok(Unread { or_more: true, ..unread }),
                Ok(_) => unread.count += 1,
            }
        }
    }
    Ok(unread)
}

/// A page of an inbox that is still to be read. See [`Threadline::inbox`].
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `fetch`"]
pub struct InboxRequest<'a> {
    chat: &'a Threadline,
    user: UserId,
    limit: u32,
    cursor: Option<Cursor>,
}

impl InboxRequest<'_> {
    /// This many rows, 1 to [`MAX_PAGE_ITEMS`](super::MAX_PAGE_ITEMS); 20 unless told otherwise.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on from a page before, of the same inbox. A conversation that moved to the top in between is not on later pages.
    pub fn cursor(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Reads the page: 0.5 RCU per 4 KB of rows, which is four rows at least, and 1 RCU for each whose newest message has expired. One row more than the page holds is read, to know
    /// whether there is more.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a limit out of range, and a cursor of another list.
    /// * As [`Store::query`](crate::Store::query).
    pub async fn fetch(self) -> Result<Page<Membership>> {
        let call = begin!(&*self.chat.store, "inbox.page");
        call.run(self.read(&call)).await
    }

    async fn read(&self, call: &Call<'_>) -> Result<Page<Membership>> {
        let limit = check_limit(self.limit)?;
        let list = List {
            pattern: "inbox.page",
            partition: Membership::inbox(self.user),
            order: Order::Descending,
            bounds: String::new(),
        };
        let start = match &self.cursor {
            Some(cursor) => Some(self.start(&list.position(cursor)?)?),
            None => None,
        };
        let query = Query::index(list.partition.clone())
            .range(SortRange::BeginsWith(Membership::inbox_rows()))
            .order(list.order)
            .start(start);
        let mut pages = call.pages(query);
        let (mut rows, mut seen) = (Listed::new(limit), HashSet::new());
        while !rows.has_more() {
            // One more than is missing tells whether there is more.
            pages.query.limit = rows.next_limit();
            let Some(items) = pages.next().await? else { break };
            // A conversation that goes back while the page is read, since its message was removed, is met twice.
            let found = items.into_iter().filter_map(read_entry);
            rows.extend(found.filter(|row| row.as_ref().map_or(true, |(row, _)| seen.insert(row.group_id()))));
        }
        let Part { items: rows, more, unreadable } = rows.finish();
        let next = more.then(|| rows.last().map(|(_, place)| list.cursor(place))).flatten();
        let mut items = Vec::with_capacity(rows.len());
        for (row, _) in rows {
            items.push(self.chat.without_expired(call, row).await?);
        }
        Ok(Page { items, next, previous: None, unreadable })
    }

    /// The position in the index that a cursor stands for.
    fn start(&self, position: &str) -> Result<Position> {
        let read = || {
            let (time, group) = position.split_once(' ')?;
            let (time, group): (Timestamp, GroupId) = (time.parse().ok()?, group.parse().ok()?);
            // Times and ids may be written in other ways, which no cursor of ours is.
            (place(time, group) == position).then_some((time, group))
        };
        let (time, group) = read().ok_or_else(|| Error::invalid("the cursor is not one of an inbox"))?;
        Ok(Position {
            key: Membership::key_from((group, self.user)),
            index_key: Some(IndexKey::new(Membership::inbox(self.user), Membership::recency(time, group))),
        })
    }
}

/// Reads an entry and its place in the index, from which the list continues, also if the entry does not belong there.
fn read_entry(item: Item) -> Option<Result<(Membership, String)>> {
    let place = placed_at(&item);
    let membership = read_listed::<Membership>(item)?;
    Some(membership.and_then(|membership| Ok((membership, place?))))
}

fn placed_at(item: &Item) -> Result<String> {
    let read = || {
        let sk = item.get_s(GSI1SK)?;
        let (time, group) = sk.split_once('#')?.1.split_once('#')?;
        let (time, group) = (time.parse().ok()?, group.parse().ok()?);
        // A place in another spelling is another place, and the list would not continue after it.
        (Membership::recency(time, group).as_str() == sk).then(|| place(time, group))
    };
    read().ok_or_else(|| Error::new(ErrorKind::Corrupt, "the item's place in the index is none of an inbox entry"))
}

/// What the cursor behind a row holds.
fn place(last_message_at: Timestamp, group: GroupId) -> String {
    format!("{last_message_at} {group}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn a_cursor_is_taken_in_the_one_spelling_that_an_inbox_gives() {
        let chat = Threadline::new(MemoryStore::new());
        let inbox = chat.inbox("6513270e-269e-4d37-b2a7-4de452e6b438".parse().unwrap());
        let (time, group) = ("2026-11-22T12:00:00.000000+00:00", "5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
        assert!(inbox.start(&format!("{time} {group}")).is_ok());
        for other in [
            format!("2026-11-22T12:00:00Z {group}"),
            format!("2026-11-22T13:00:00.000000+01:00 {group}"),
            format!("{time} {}", group.to_uppercase()),
            format!("{time} {}", group.replace('-', "")),
            format!("{time}  {group}"),
            time.to_owned(),
            String::new(),
        ] {
            assert_eq!(inbox.start(&other).unwrap_err().kind(), ErrorKind::Invalid, "{other}");
        }
    }
}
