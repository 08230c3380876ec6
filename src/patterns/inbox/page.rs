//! `inbox.page`

use std::collections::HashSet;

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::item::Item;
use crate::key::{GSI1SK, IndexKey};
use crate::model::{Membership, Message, read_listed};
use crate::patterns::Threadline;
use crate::patterns::call::{Call, begin};
use crate::patterns::page::{Cursor, List, Listed, Page, Part, check_limit};
use crate::request::{Order, Position, Query, SortRange};
use crate::stored::Entity;
use crate::time::Timestamp;

pub(crate) const CARD: Card = Card::new("inbox.page", "Threadline::inbox", Caller::Anyone)
    .cases(&[
        Case::new(&[QUERY], Cost::of(&[Term::half_index_reads(1).per(Per::ReadBlock)])),
        Case::named(
            "shown messages have expired",
            &[QUERY, RequestCard::query(&Message::CARD).consistent().times(Times::Each("expired message"))],
            Cost::of(&[Term::half_index_reads(1).per(Per::ReadBlock), Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("reads again");

const QUERY: RequestCard = RequestCard::query(&Membership::CARD).on_index().range("begins with GRP#");

impl Threadline {
    /// A user's inbox: the user's conversations, the one with the newest message first.
    ///
    /// It is read from the index, and ordered by a projector, so it follows the messages by a moment.
    pub fn inbox(&self, user: UserId) -> InboxRequest<'_> {
        InboxRequest { threadline: self, user, limit: 20, cursor: None }
    }
}

/// A page of an inbox that is still to be read. See [`Threadline::inbox`].
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `fetch`"]
pub struct InboxRequest<'a> {
    threadline: &'a Threadline,
    user: UserId,
    limit: u32,
    cursor: Option<Cursor>,
}

impl InboxRequest<'_> {
    /// The largest limit of a page.
    pub const MAX_LIMIT: u32 = crate::patterns::page::MAX_LIMIT;

    /// Sets the most entries, 1 to [`MAX_LIMIT`](Self::MAX_LIMIT). Default: 20.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on from a page before, of the same inbox. A conversation that moved to the top in between is not on later pages.
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Reads the page: 0.5 RCU per 4 KB of rows, which is four rows at least, and 1 RCU for each whose newest message has expired. One row more than the page holds is read, to know
    /// whether there is more.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a limit out of range, and a cursor of another list.
    /// * As [`StoreExt::query`](crate::store::StoreExt::query).
    pub async fn fetch(self) -> Result<Page<Membership>> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(self.read(&call)).await
    }

    async fn read(&self, call: &Call<'_>) -> Result<Page<Membership>> {
        let limit = check_limit(self.limit)?;
        let list = List {
            pattern: CARD.name,
            partition: Membership::inbox(self.user),
            order: Order::Descending,
            bounds: String::new(),
        };
        let start = match &self.cursor {
            Some(cursor) => Some(self.start(&list.position(cursor)?)?),
            None => None,
        };
        let query = Query::index(list.partition.clone())
            .range(SortRange::BeginsWith(Membership::inbox_entries()))
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
            items.push(self.threadline.without_expired(call, row).await?);
        }
        Ok(Page { items, next, previous: None, unreadable })
    }

    /// The position in the index that a cursor stands for.
    fn start(&self, place: &str) -> Result<Position> {
        let (time, group) = placed_at(place).ok_or_else(|| Error::invalid("the cursor is not one of an inbox"))?;
        Ok(Position {
            key: Membership::key_from((group, self.user)),
            index_key: Some(IndexKey::new(Membership::inbox(self.user), Membership::recency(time, group))),
        })
    }
}

/// Reads an entry and its place in the index, from which the list continues, also if the entry does not belong there.
fn read_entry(item: Item) -> Option<Result<(Membership, String)>> {
    let place = item.get_s(GSI1SK).filter(|sk| placed_at(sk).is_some()).map(str::to_owned);
    let no_place = || Error::new(ErrorKind::Corrupt, "the item's place in the index is none of an inbox entry");
    let membership = read_listed::<Membership>(item)?;
    Some(membership.and_then(|membership| Ok((membership, place.ok_or_else(no_place)?))))
}

/// Reads the sort key of an entry in the index, which is the text of a cursor after it. In another spelling it is another
/// place, and the list would not continue after it.
fn placed_at(sk: &str) -> Option<(Timestamp, GroupId)> {
    let (time, group) = sk.split_once('#')?.1.split_once('#')?;
    let (time, group) = (time.parse().ok()?, group.parse().ok()?);
    (Membership::recency(time, group).as_str() == sk).then_some((time, group))
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
        assert!(inbox.start(&format!("GRP#{time}#{group}")).is_ok());
        for other in [
            format!("GRP#2026-11-22T12:00:00Z#{group}"),
            format!("GRP#2026-11-22T13:00:00.000000+01:00#{group}"),
            format!("GRP#{time}#{}", group.to_uppercase()),
            format!("GRP#{time}#{}", group.replace('-', "")),
            format!("GRP#{time}##{group}"),
            format!("USER#{time}#{group}"),
            time.to_owned(),
            String::new(),
        ] {
            assert_eq!(inbox.start(&other).unwrap_err().kind(), ErrorKind::Invalid, "{other}");
        }
    }
}
