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
    /// Returns a request for a page of the conversation's messages. Default: the newest 20. [`MessagesRequest::fetch`]
    /// reads the page. A deleted message is on the page as a tombstone: the message without its text.
    ///
    /// By default, the read is eventually consistent, so it may miss a message that was just sent. A
    /// [`consistent`](MessagesRequest::consistent) read costs twice as much.
    ///
    /// The time in a message's id determines the message's [position](MessagePosition). So a message with an older id
    /// is among the older messages, even if it was sent just now.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().limit(1).fetch().await?;
    /// assert_eq!(page.items[0].body().map(|body| body.as_str()), Some("Are you there?"));
    ///
    /// let rest = thread.messages().limit(1).cursor(page.next).fetch().await?;
    /// assert_eq!(rest.items[0].body().map(|body| body.as_str()), Some("Hello"));
    /// # Ok(())
    /// # }
    /// ```
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

/// A request for a page of a conversation's messages. [`Thread::messages`] creates the request, and
/// [`fetch`](Self::fetch) reads the page.
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
    /// The largest number of messages that [`limit`](Self::limit) accepts.
    pub const MAX_LIMIT: u32 = crate::patterns::page::MAX_LIMIT;

    /// Sets the order to newest first, which is the default. The page starts with the newest message that
    /// [`before`](Self::before) and [`after`](Self::after) allow.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().newest_first().fetch().await?;
    /// assert_eq!(page.items[0], second);
    /// # Ok(())
    /// # }
    /// ```
    pub fn newest_first(mut self) -> Self {
        self.order = Order::Descending;
        self
    }

    /// Sets the order to oldest first. Default: newest first. The page starts with the oldest message that
    /// [`before`](Self::before) and [`after`](Self::after) allow.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().oldest_first().fetch().await?;
    /// assert_eq!(page.items[1], second);
    /// # Ok(())
    /// # }
    /// ```
    pub fn oldest_first(mut self) -> Self {
        self.order = Order::Ascending;
        self
    }

    /// Sets the maximum number of messages on the page, from 1 to [`MAX_LIMIT`](Self::MAX_LIMIT). Default: 20.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().limit(1).fetch().await?;
    /// assert_eq!(page.items, [second]);
    /// assert!(page.next.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Limits the page to messages before this one. Default: no limit. Accepts a message, a
    /// [position](MessagePosition), or a UUIDv7 message id.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().before(&second).fetch().await?;
    /// assert_eq!(page.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn before(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.before = Some(bound(message));
        self
    }

    /// Limits the page to messages after this one. Default: no limit. Accepts a message, a [position](MessagePosition),
    /// or a UUIDv7 message id.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let first = thread.messages().fetch().await?.items.remove(0);
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().after(&first).fetch().await?;
    /// assert_eq!(page.items, [second]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.after = Some(bound(message));
        self
    }

    /// Sets the message in the middle of the page. Default: none. Accepts a message, a [position](MessagePosition), or
    /// a UUIDv7 message id.
    ///
    /// Half of the other messages on the page come before this message in the requested order, and half after it. The
    /// page costs two queries; see [`fetch`](Self::fetch).
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// thread.send(chat.new_message_id(), "Andrew?").await?;
    /// let page = thread.messages().around(&second).limit(3).fetch().await?;
    /// assert_eq!(page.items[1], second);
    /// # Ok(())
    /// # }
    /// ```
    pub fn around(mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Self {
        self.around = Some(bound(message));
        self
    }

    /// Sets the cursor at which the page begins: [`Page::next`] or [`Page::previous`] of an earlier page. Default: the
    /// first page.
    ///
    /// The request must be for the same conversation, with the same [`before`](Self::before) and
    /// [`after`](Self::after). With `next`, set the order of the earlier page. With `previous`, set the other order:
    /// newest first if the earlier page was oldest first.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().limit(1).fetch().await?;
    /// let rest = thread.messages().limit(1).cursor(page.next).fetch().await?;
    /// assert_eq!((rest.items.len(), rest.next), (1, None));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Makes the read strongly consistent, at twice the cost. Then the page cannot miss a message that was just sent.
    /// Default: eventually consistent.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let second = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// let page = thread.messages().consistent().fetch().await?;
    /// assert_eq!(page.items[0], second);
    /// # Ok(())
    /// # }
    /// ```
    pub fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Reads the page that was requested. The call costs 0.5 [RCU](crate::guide::costs) per 4 KB of messages, or 1 RCU
    /// if the read is [`consistent`](Self::consistent).
    ///
    /// The call reads one message more than the page contains, to see if there is another page. Two kinds of pages cost
    /// more:
    ///
    /// * A page [`around`](Self::around) a message needs two queries, one on each side of the message. Each query reads
    ///   enough messages for the whole page, because the other side may have too few. So such a page costs about twice
    ///   as much, and at least 1 RCU.
    /// * A page with both [`before`](Self::before) and [`after`](Self::after) may need up to two more queries,
    ///   because DynamoDB also reads the two messages at the bounds. Each further query reads at most one message.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let page = thread.messages().fetch().await?;
    /// assert_eq!((page.items.len(), page.next), (1, None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the limit is out of range, or if the cursor is from another list.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if a message id is not a UUIDv7, or if `after` is later than `before`.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if a page [`around`](Self::around) a message also has `before`, `after`
    ///   or a cursor.
    /// * The errors of [`StoreExt::query`](crate::store::StoreExt::query) if a request itself fails.
    pub async fn fetch(self) -> Result<Page<Message>> {
        let call = begin!(&*self.thread.threadline.store, CARD);
        call.run(self.read(&call)).await
    }

    async fn read(&self, call: &Call<'_>) -> Result<Page<Message>> {
        let limit = check_limit(self.limit)?;
        let range = Range { before: position(&self.before)?, after: position(&self.after)? };
        if let Some(around) = position(&self.around)? {
            if self.cursor.is_some() || range != Range::default() {
                return Err(Error::invalid("page around a message has another bound or a cursor: remove it"));
            }
            return self.read_around(call, around, limit).await;
        }
        let mut walk = self.walk(self.order, range, Unbounded);
        if let Some(cursor) = &self.cursor {
            walk.start = Excluded(walk.list().position(cursor)?.parse()?);
        }
        let Part { items, more, unreadable } = walk.read(call, limit).await?.finish();
        let next = more.then(|| items.last()).flatten().map(|last| walk.cursor_after(last));
        Ok(Page { items, next, previous: None, unreadable })
    }

    async fn read_around(&self, call: &Call<'_>, around: MessagePosition, limit: NonZeroU32) -> Result<Page<Message>> {
        let reversed = match self.order {
            Order::Ascending => Order::Descending,
            Order::Descending => Order::Ascending,
        };
        // The side before the message is read backwards; the other side includes the message. If one side is short, the
        // other fills the page, so each is read for the whole page.
        let forwards = self.walk(self.order, Range::default(), Included(around));
        let backwards = self.walk(reversed, Range::default(), Excluded(around));
        let after = forwards.read(call, limit).await?;
        let before = backwards.read(call, limit).await?;
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let before_len = ((limit - 1) / 2).max(limit.saturating_sub(after.len())).min(before.len());
        let (before, mut after) = (before.first(before_len), after.first(limit - before_len));
        let mut items = before.items;
        items.reverse();
        items.append(&mut after.items);
        let next = after.more.then(|| items.last()).flatten().map(|last| forwards.cursor_after(last));
        let previous = before.more.then(|| items.first()).flatten().map(|first| backwards.cursor_after(first));
        Ok(Page { items, next, previous, unreadable: before.unreadable.saturating_add(after.unreadable) })
    }

    fn walk(&self, order: Order, range: Range, start: Bound<MessagePosition>) -> Walk {
        Walk { group: self.thread.group_id(), consistency: self.consistency, order, range, start }
    }
}

/// A read of a thread in one order.
struct Walk {
    group: GroupId,
    consistency: Consistency,
    order: Order,
    range: Range,
    /// The start, if it is not the end of the range. A walk that includes its start has no other bounds.
    start: Bound<MessagePosition>,
}

impl Walk {
    /// Reads a page and one message more, which shows if there is another page.
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

    fn cursor_after(&self, message: &Message) -> Cursor {
        self.list().cursor(&message.position().to_string())
    }

    /// Returns the list that the cursors are bound to.
    fn list(&self) -> List {
        let partition = Message::partition(self.group);
        List { pattern: CARD.name, partition, order: self.order, bounds: self.range.text() }
    }
}

/// The exclusive bounds of a read.
#[derive(Clone, Copy, Default, PartialEq)]
struct Range {
    before: Option<MessagePosition>,
    after: Option<MessagePosition>,
}

impl Range {
    /// Returns `true` for a sort key within the bounds, even if the item cannot be read.
    fn contains(&self, sk: &str) -> bool {
        self.before.is_none_or(|before| sk < before.sort_key().as_str())
            && self.after.is_none_or(|after| sk > after.sort_key().as_str())
    }

    /// Returns the bounds as text, for the cursors.
    fn text(&self) -> String {
        let text = |bound: Option<MessagePosition>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        format!("{} {}", text(self.after), text(self.before))
    }

    /// Returns DynamoDB's narrowest range for the bounds. With two bounds, the range includes both.
    fn sort_keys(&self) -> SortRange {
        match (self.after, self.before) {
            (None, None) => SortRange::All,
            (None, Some(before)) => SortRange::Before(before.sort_key()),
            (Some(after), None) => SortRange::After(after.sort_key()),
            (Some(after), Some(before)) => SortRange::Between(after.sort_key(), before.sort_key()),
        }
    }
}

/// Converts a bound. `fetch` returns the error, so that the setters need no `?`.
fn bound(message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<MessagePosition, String> {
    message.try_into().map_err(|error| error.into().to_string())
}

fn position(bound: &Option<Result<MessagePosition, String>>) -> Result<Option<MessagePosition>> {
    bound.clone().transpose().map_err(Error::invalid)
}
