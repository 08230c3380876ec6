//! Pages, and the cursors between them.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::key::PartitionKey;
use crate::request::Order;

/// A page of a list, such as an inbox or the messages of a conversation. The page is full unless it is the last one.
/// Neither DynamoDB's limit of 1 MB per answer nor an expired item shortens it.
///
/// An unreadable item does not end the list. The page omits the item, and [`unreadable`](Self::unreadable) counts it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items on the page, in the requested order.
    pub items: Vec<T>,
    /// The cursor of the next page, or `None` on the last page.
    pub next: Option<Cursor>,
    /// The cursor of the page before this one, for a request in the opposite order. Only a page
    /// [`around`](crate::MessagesRequest::around) a message can have this cursor.
    pub previous: Option<Cursor>,
    /// The number of unreadable items in the page's range. The [audit](crate::stream::Auditor) finds them.
    pub unreadable: u32,
}

/// The limit of items in a page.
pub(super) const MAX_LIMIT: u32 = 1000;

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None, previous: None, unreadable: 0 }
    }
}

/// The start of another page of a list: an opaque text, safe in a URL. The clients of an application may keep it and
/// send it back.
///
/// A cursor is bound to its list: the access pattern, the conversation or inbox, the order and the bounds. A request
/// with an altered cursor, or with the cursor of another list, fails as [`Invalid`](crate::ErrorKind::Invalid). A
/// cursor grants no access: the request still needs the user's own permission.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(…)")
    }
}

/// Accepts any text. The request that uses the cursor validates it.
impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Accepts any text, as the conversion from a `String` does.
impl From<&str> for Cursor {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The items read so far for a page: up to its limit, and one more, which shows that another page exists.
pub(super) struct Listed<T> {
    items: Vec<T>,
    limit: usize,
    /// The limit of the last request.
    last_limit: usize,
    /// The number of items before the last request.
    last_len: usize,
    /// The numbers of unreadable items: before each item, and after the last one.
    unreadable: Vec<u32>,
}

/// The items of one page.
pub(super) struct Part<T> {
    pub(super) items: Vec<T>,
    /// `true` if there are more.
    pub(super) more: bool,
    /// The number of unreadable items before the last item, and after it if there are no more.
    pub(super) unreadable: u32,
}

impl<T> Listed<T> {
    pub(super) fn new(limit: NonZeroU32) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self { items: Vec::new(), limit, last_limit: 0, last_len: 0, unreadable: vec![0] }
    }

    /// Returns the limit of the next request: the number of missing items.
    ///
    /// After a request without a fitting item, it is twice the last limit. So a page needs few requests to pass many
    /// items of other entities.
    pub(super) fn next_limit(&mut self) -> Option<NonZeroU32> {
        let missing = self.limit.saturating_add(1).saturating_sub(self.items.len());
        let max_limit = usize::try_from(MAX_LIMIT).unwrap_or(usize::MAX);
        let found_nothing = self.items.len() == self.last_len;
        let doubled = self.last_limit.saturating_mul(2).min(max_limit);
        self.last_limit = if found_nothing { missing.max(doubled) } else { missing };
        self.last_len = self.items.len();
        u32::try_from(self.last_limit).ok().and_then(NonZeroU32::new)
    }

    pub(super) fn extend(&mut self, items: impl Iterator<Item = Result<T>>) {
        for item in items {
            match (item, self.unreadable.last_mut()) {
                (Ok(item), _) => {
                    self.items.push(item);
                    self.unreadable.push(0);
                }
                (Err(_), Some(count)) => *count = count.saturating_add(1),
                (Err(_), None) => self.unreadable.push(1),
            }
        }
    }

    /// Returns `true` if there are more items than the page holds.
    pub(super) fn has_more(&self) -> bool {
        self.items.len() > self.limit
    }

    /// Returns the number of items that the page can have.
    pub(super) fn len(&self) -> usize {
        self.items.len().min(self.limit)
    }

    /// Returns all items that the page can have.
    pub(super) fn finish(self) -> Part<T> {
        let limit = self.limit;
        self.first(limit)
    }

    /// Returns the first items, at most this many. The next page, if any, counts the unreadable items after them.
    pub(super) fn first(mut self, limit: usize) -> Part<T> {
        let more = self.items.len() > limit;
        let counted = if more { limit } else { self.unreadable.len() };
        let unreadable = self.unreadable.iter().take(counted).sum();
        self.items.truncate(limit);
        Part { items: self.items, more, unreadable }
    }
}

/// The version of the encoding, its first byte.
const VERSION: u8 = 1;
/// The bytes that bind a cursor to its list.
const BINDING_BYTES: usize = 8;
/// The limit of a cursor's text. A longer text is refused before it is decoded.
const MAX_CURSOR_BYTES: usize = 512;
/// The namespace of the bindings: a random UUID that never changes.
const BINDING: Uuid = Uuid::from_u128(0x2c54_9b1e_77d3_4f0a_9d28_6e13_05ba_c4f7);

/// The list that a cursor is bound to.
#[derive(Clone)]
pub(super) struct List {
    pub(super) pattern: &'static str,
    pub(super) partition: PartitionKey,
    pub(super) order: Order,
    pub(super) bounds: String,
}

impl List {
    pub(super) fn cursor(&self, position: &str) -> Cursor {
        let mut bytes = vec![VERSION];
        bytes.extend(self.binding(position));
        bytes.extend(position.as_bytes());
        Cursor(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the position in the cursor.
    pub(super) fn position(&self, cursor: &Cursor) -> Result<String> {
        let decode = || {
            let bytes =
                (cursor.0.len() <= MAX_CURSOR_BYTES).then(|| URL_SAFE_NO_PAD.decode(&cursor.0).ok()).flatten()?;
            let (version, rest) = bytes.split_first()?;
            let (binding, position) = rest.split_at_checked(BINDING_BYTES)?;
            let position = std::str::from_utf8(position).ok()?;
            (*version == VERSION && binding == self.binding(position)).then(|| position.to_owned())
        };
        decode().ok_or_else(|| {
            Error::invalid(
                "cursor belongs to another list: use it with the request that returned it, or start without one",
            )
        })
    }

    fn binding(&self, position: &str) -> [u8; BINDING_BYTES] {
        let order = match self.order {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        };
        // No part contains a line break, so the text is unambiguous.
        let parts = [self.pattern, self.partition.as_str(), order, &self.bounds, position].join("\n");
        let [a, b, c, d, e, f, _, g, _, h, ..] = Uuid::new_v5(&BINDING, parts.as_bytes()).into_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// Checks the requested size of a page.
pub(super) fn check_limit(limit: u32) -> Result<NonZeroU32> {
    NonZeroU32::new(limit)
        .filter(|limit| limit.get() <= MAX_LIMIT)
        .ok_or_else(|| Error::invalid(format!("page limit is {limit}; it must be from 1 to {MAX_LIMIT}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::tag;

    fn list(thread: u128) -> List {
        let partition = PartitionKey::new((tag!("MSG"), Uuid::from_u128(thread)));
        List { pattern: "messages.page", partition, order: Order::Descending, bounds: String::new() }
    }

    #[test]
    fn cursor_contains_its_position() {
        let cursor = list(1).cursor("somewhere");
        assert_eq!(list(1).position(&cursor).unwrap(), "somewhere");
    }

    #[test]
    fn cursor_of_another_list_is_refused() {
        let cursor = list(1).cursor("somewhere");
        for list in [
            List { pattern: "inbox.page", ..list(1) },
            List { order: Order::Ascending, ..list(1) },
            List { bounds: "before".to_owned(), ..list(1) },
            list(2),
        ] {
            assert!(list.position(&cursor).is_err());
        }
    }

    #[test]
    fn cursor_over_512_bytes_is_refused_by_its_own_list() {
        for (bytes, is_accepted) in [(375, true), (376, false), (100_000, false)] {
            let cursor = list(1).cursor(&"x".repeat(bytes));
            assert_eq!(cursor.to_string().len() <= 512, is_accepted);
            assert_eq!(list(1).position(&cursor).is_ok(), is_accepted, "{bytes} bytes");
        }
    }

    #[test]
    fn cursor_with_a_changed_character_is_refused() {
        let cursor = list(1).cursor("somewhere").to_string();
        for index in 0..cursor.len() {
            let mut altered = cursor.clone();
            let replacement = if &altered[index..=index] == "A" { "B" } else { "A" };
            altered.replace_range(index..=index, replacement);
            assert!(list(1).position(&altered.into()).is_err(), "character {index}");
        }
        for garbage in ["", "A", "no cursor at all", &"A".repeat(100_000)] {
            assert!(list(1).position(&garbage.to_owned().into()).is_err());
        }
    }
}
