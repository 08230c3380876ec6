//! `messages.page`

use std::num::NonZeroU32;
use std::ops::Bound::{self, Excluded, Included, Unbounded};

use crate::capacity::Consistency;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::error::{Error, Result};
use crate::id::GroupId;
use crate::key::SK;
use crate::model::{Message, MessageKey, MessagePosition, read_listed};
use crate::patterns::call::{Call, begin};
use crate::patterns::page::{List, Listed, Page, Part, check_limit};
use crate::patterns::{Cursor, Thread};
use crate::request::{Order, Position, Query, SortRange};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("messages.page", "Thread::messages", Caller::Member)
    .cases(&[
        Case::new(&[QUERY], Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)])),
        Case::named("consistent", &[QUERY.consistent()], Cost::of(&[Term::reads(1).per(Per::ReadBlock)])),
        Case::named("around a message", &[QUERY, QUERY], Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)])),
        Case::named(
            "around a message, consistent",
            &[QUERY.consistent(), QUERY.consistent()],
            Cost::of(&[Term::reads(1).per(Per::ReadBlock)]),
        ),
        Case::named(
            "between two messages",
            &[
                QUERY,
                QUERY.times(Times::OnlyIf("a bound was read")),
                QUERY.times(Times::OnlyIf("the other bound was read")),
            ],
            Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("reads again");

const QUERY: RequestCard = RequestCard::query(&Message::CARD).range("within the bounds");

impl Thread {
    /// The thread's messages, newest first unless told otherwise. Deleted ones are there as tombstones.
    ///
    /// They are read eventually consistent: a page read right after a send may miss it, unless
    /// [`consistent`](MessagesRequest::consistent) asks for it at twice the cost. A message that was sent late, with an id from
    /// before, stands at the time of its id.
    pub fn messages(&self) -> MessagesRequest<'_> {
        MessagesRequest {
            thread: self,
            order: Order::Descending,
            limit: 20,
            before: None,
            after: None,
            around: None,
            cursor: None,
            consistency: Consistency::Eventual,
        }
    }
}

/// A page of a thread that is still to be read. See [`Thread::messages`].
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `fetch`"]
pub struct MessagesRequest<'a> {
    thread: &'a Thread,
    order: Order,
    limit: u32,
    before: Option<Result<MessagePosition, String>>,
    after: Option<Result<MessagePosition, String>>,
    around: Option<Result<MessagePosition, String>>,
    cursor: Option<Cursor>,
    consistency: Consistency,
}

impl MessagesRequest<'_> {
    /// The largest limit of a page.
    pub const MAX_LIMIT: u32 = crate::patterns::page::MAX_LIMIT;

    /// Newest first: the page starts with the newest message within the bounds.
    pub fn newest_first(mut self) -> Self {
        self.order = Order::Descending;
        self
    }

    /// Oldest first: the page starts with the oldest message within the bounds.
    pub fn oldest_first(mut self) -> Self {
        self.order = Order::Ascending;
        self
    }

    /// Sets the most messages, 1 to [`MAX_LIMIT`](Self::MAX_LIMIT). Default: 20.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Only messages before this one, which is a message, a position, or an id that is a UUIDv7.
    pub fn before(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.before = Some(bound(message));
        self
    }

    /// Only messages after this one.
    pub fn after(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.after = Some(bound(message));
        self
    }

    /// The page with this message in its middle: half of the others come before it in the order asked for, half after. It costs two
    /// queries, see [`fetch`](Self::fetch).
    pub fn around(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.around = Some(bound(message));
        self
    }

    /// Goes on from a page before, of the same thread, order and bounds.
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Sees every message that was acknowledged before, at twice the cost.
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Reads the page: 0.5 RCU per 4 KB of messages, twice that where it is [`consistent`](Self::consistent). One message more than
    /// the page holds is read, to know whether there is more.
    ///
    /// A page around a message costs a query on each side of it, each of the whole page and one message more, since a side that is
    /// short leaves its room to the other: about twice as much as another page, and 1 RCU at least. A page both `before` one message
    /// and `after` another may cost two queries more, of one message each at most: what is read counts the two in.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a limit out of range, a bound that holds no time, an `after` that lies behind `before`, a message both bounded and
    ///   around, and a cursor of another list.
    /// * As [`StoreExt::query`](crate::store::StoreExt::query).
    pub async fn fetch(self) -> Result<Page<Message>> {
        let call = begin!(&*self.thread.threadline.store, CARD);
        call.run(self.read(&call)).await
    }

    async fn read(&self, call: &Call<'_>) -> Result<Page<Message>> {
        let limit = check_limit(self.limit)?;
        let range = Range { before: position(&self.before)?, after: position(&self.after)? };
        if let Some(around) = position(&self.around)? {
            if self.cursor.is_some() || range != Range::default() {
                return Err(Error::invalid("a page around a message has no other bound and no cursor"));
            }
            return self.read_around(call, around, limit).await;
        }
        let mut walk = self.walk(self.order, range, Unbounded);
        if let Some(cursor) = &self.cursor {
            walk.start = Excluded(walk.list().position(cursor)?.parse()?);
        }
        let Part { items, more, unreadable } = walk.read(call, limit).await?.finish();
        let next = more.then(|| items.last()).flatten().map(|last| walk.cursor_behind(last));
        Ok(Page { items, next, previous: None, unreadable })
    }

    async fn read_around(&self, call: &Call<'_>, around: MessagePosition, limit: NonZeroU32) -> Result<Page<Message>> {
        let reversed = match self.order {
            Order::Ascending => Order::Descending,
            Order::Descending => Order::Ascending,
        };
        // The side before the message is read backwards. The message itself belongs to the side behind it; a side that is
        // short leaves its room to the other, so each is read for the whole page.
        let forwards = self.walk(self.order, Range::default(), Included(around));
        let backwards = self.walk(reversed, Range::default(), Excluded(around));
        let after = forwards.read(call, limit).await?;
        let before = backwards.read(call, limit).await?;
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let wanted_before = ((limit - 1) / 2).max(limit.saturating_sub(after.len())).min(before.len());
        let (before, mut after) = (before.first(wanted_before), after.first(limit - wanted_before));
        let mut items = before.items;
        items.reverse();
        items.append(&mut after.items);
        let next = after.more.then(|| items.last()).flatten().map(|last| forwards.cursor_behind(last));
        let previous = before.more.then(|| items.first()).flatten().map(|first| backwards.cursor_behind(first));
        Ok(Page { items, next, previous, unreadable: before.unreadable.saturating_add(after.unreadable) })
    }

    fn walk(&self, order: Order, range: Range, start: Bound<MessagePosition>) -> Walk {
        Walk { group: self.thread.group_id(), consistency: self.consistency, order, range, start }
    }
}

/// One way through a thread.
struct Walk {
    group: GroupId,
    consistency: Consistency,
    order: Order,
    range: Range,
    /// Where it starts, if not at the end of the range. A walk that includes its start has no other bounds.
    start: Bound<MessagePosition>,
}

impl Walk {
    /// Reads a page and one message more, which tells whether there is more.
    async fn read(&self, call: &Call<'_>, limit: NonZeroU32) -> Result<Listed<Message>> {
        let between = |low: MessagePosition, high: MessagePosition| SortRange::Between(low.sort_key(), high.sort_key());
        let (keys, start) = match (self.start, self.order) {
            (Unbounded, _) => (self.range.sort_keys(), None),
            (Excluded(start), _) => (self.range.sort_keys(), Some(start)),
            (Included(from), Order::Ascending) => (between(from, MessagePosition::LAST), None),
            (Included(from), Order::Descending) => (between(MessagePosition::FIRST, from), None),
        };
        let key = |position| Message::key_from(MessageKey { group: self.group, position });
        let query = match self.consistency {
            Consistency::Eventual => Query::table(Message::partition(self.group)),
            Consistency::Strong => Query::table_consistent(Message::partition(self.group)),
        };
        let start = start.map(|start| Position { key: key(start), index_key: None });
        let mut pages = call.pages(query.range(keys).order(self.order).start(start));
        let mut messages = Listed::new(limit);
        while !messages.has_more() {
            pages.query.limit = messages.next_limit();
            let Some(items) = pages.next().await? else { break };
            let found = items.into_iter().filter(|item| item.get_s(SK).is_some_and(|sk| self.range.contains(sk)));
            messages.extend(found.filter_map(read_listed::<Message>));
        }
        Ok(messages)
    }

    fn cursor_behind(&self, message: &Message) -> Cursor {
        self.list().cursor(&message.position().to_string())
    }

    /// What the cursors of the walk are bound to.
    fn list(&self) -> List {
        let partition = Message::partition(self.group);
        List { pattern: CARD.name, partition, order: self.order, bounds: self.range.text() }
    }
}

/// The bounds of a read, neither of them counted in.
#[derive(Clone, Copy, Default, PartialEq)]
struct Range {
    before: Option<MessagePosition>,
    after: Option<MessagePosition>,
}

impl Range {
    /// Returns `true` for a sort key within the bounds, also one of an item that cannot be read.
    fn contains(&self, sk: &str) -> bool {
        self.before.is_none_or(|before| sk < before.sort_key().as_str())
            && self.after.is_none_or(|after| sk > after.sort_key().as_str())
    }

    /// The bounds as the cursors hold them.
    fn text(&self) -> String {
        let text = |bound: Option<MessagePosition>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        format!("{} {}", text(self.after), text(self.before))
    }

    /// The narrowest range that DynamoDB has for the bounds. One of two bounds counts both in.
    fn sort_keys(&self) -> SortRange {
        match (self.after, self.before) {
            (None, None) => SortRange::All,
            (None, Some(before)) => SortRange::Before(before.sort_key()),
            (Some(after), None) => SortRange::After(after.sort_key()),
            (Some(after), Some(before)) => SortRange::Between(after.sort_key(), before.sort_key()),
        }
    }
}

/// A bound as it was given: an error waits for `fetch`, so that the builder's calls stay plain.
fn bound(message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<MessagePosition, String> {
    message.try_into().map_err(|error| error.into().to_string())
}

fn position(bound: &Option<Result<MessagePosition, String>>) -> Result<Option<MessagePosition>> {
    bound.clone().transpose().map_err(Error::invalid)
}
