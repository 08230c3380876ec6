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
    /// Returns a request for a page of a user's inbox: the user's memberships, the one with the newest message first.
    /// [`InboxRequest::fetch`] reads the page.
    ///
    /// A new conversation appears in the inbox with its first message, even without a
    /// [projector](crate::stream::Projector). A later message changes the order and the preview once a projector has
    /// processed the message's stream record. Without a projector, later messages never change the inbox.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let page = chat.inbox(bayko.id()).fetch().await?;
    /// assert_eq!(page.items[0].preview().map(|preview| preview.as_str()), Some("Hello"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn inbox(&self, user: UserId) -> InboxRequest<'_> {
        InboxRequest { threadline: self, user, limit: 20, cursor: None }
    }
}

/// A request for a page of a user's inbox. [`Threadline::inbox`] creates the request, and [`fetch`](Self::fetch) reads
/// the page.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `fetch`"]
pub struct InboxRequest<'a> {
    threadline: &'a Threadline,
    user: UserId,
    limit: u32,
    cursor: Option<Cursor>,
}

impl InboxRequest<'_> {
    /// The largest number of entries that [`limit`](Self::limit) accepts.
    pub const MAX_LIMIT: u32 = crate::patterns::page::MAX_LIMIT;

    /// Sets the maximum number of entries on the page, from 1 to [`MAX_LIMIT`](Self::MAX_LIMIT). Default: 20.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// chat.create_group(NewGroup::new("Babylon 5 fans", &andrew)?, "Welcome!").await?;
    /// let page = chat.inbox(andrew.id()).limit(1).fetch().await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert!(page.next.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the cursor at which the page begins: [`Page::next`] of an earlier page of the same inbox. Default: the
    /// first page.
    ///
    /// If a conversation has moved to the top since the earlier page, it is not on later pages.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// chat.create_group(NewGroup::new("Babylon 5 fans", &andrew)?, "Welcome!").await?;
    /// let page = chat.inbox(andrew.id()).limit(1).fetch().await?;
    /// let rest = chat.inbox(andrew.id()).limit(1).cursor(page.next).fetch().await?;
    /// assert_eq!((rest.items.len(), rest.next), (1, None));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Reads the page that was requested.
    ///
    /// The call costs 0.5 [RCU](crate::guide::costs) per 4 KB of entries. An entry has at most 1 KB, so 4 KB are at
    /// least four entries. If the newest message of an entry has expired, the call also reads the conversation's newest
    /// remaining messages. Each such read usually costs 1 RCU, and more if the messages are long.
    ///
    /// The call reads one entry more than the page contains, to see if there is another page.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let page = chat.inbox(andrew.id()).fetch().await?;
    /// assert_eq!((page.items.len(), page.next), (1, None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the limit is out of range, or if the cursor is from another list.
    /// * The errors of [`StoreExt::query`](crate::store::StoreExt::query) if a request itself fails.
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
        let (mut entries, mut seen) = (Listed::new(limit), HashSet::new());
        while !entries.has_more() {
            pages.query.limit = entries.next_limit();
            let Some(items) = pages.next().await? else { break };
            // If a message is removed while the page is read, its conversation moves back and appears twice.
            let found = items.into_iter().filter_map(read_entry);
            let is_new = |found: &Result<(Membership, String)>| {
                found.as_ref().map_or(true, |(entry, _)| seen.insert(entry.group_id()))
            };
            entries.extend(found.filter(is_new));
        }
        let Part { items: entries, more, unreadable } = entries.finish();
        let next = more.then(|| entries.last().map(|(_, index_sk)| list.cursor(index_sk))).flatten();
        let mut items = Vec::with_capacity(entries.len());
        for (entry, _) in entries {
            items.push(self.threadline.without_expired(call, entry).await?);
        }
        Ok(Page { items, next, previous: None, unreadable })
    }

    /// Returns the position in the index after which the page starts.
    fn start(&self, index_sk: &str) -> Result<Position> {
        let (time, group) = parse_index_key(index_sk).ok_or_else(|| {
            Error::invalid(
                "cursor belongs to another list: use it with the request that returned it, or start without one",
            )
        })?;
        Ok(Position {
            key: Membership::key_from((group, self.user)),
            index_key: Some(IndexKey::new(Membership::inbox(self.user), Membership::recency(time, group))),
        })
    }
}

/// Reads an entry and its sort key in the index. The list continues after that key, even if the entry does not belong
/// there.
fn read_entry(item: Item) -> Option<Result<(Membership, String)>> {
    let index_sk = item.get_s(GSI1SK).filter(|sk| parse_index_key(sk).is_some()).map(str::to_owned);
    let no_key = || Error::new(ErrorKind::Corrupt, "index key is not that of an inbox entry");
    let membership = read_listed::<Membership>(item)?;
    Some(membership.and_then(|membership| Ok((membership, index_sk.ok_or_else(no_key)?))))
}

/// Parses the sort key of an entry in the index, which is also the text of a cursor. Only the stored spelling is valid,
/// because the list would continue elsewhere after another one.
fn parse_index_key(sk: &str) -> Option<(Timestamp, GroupId)> {
    let (time, group) = sk.split_once('#')?.1.split_once('#')?;
    let (time, group) = (time.parse().ok()?, group.parse().ok()?);
    (Membership::recency(time, group).as_str() == sk).then_some((time, group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn inbox_start_accepts_only_the_stored_spelling() {
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
