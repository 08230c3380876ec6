//! Pages, and the cursors that lead from one to the next.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::key::PartitionKey;
use crate::request::Order;

/// A page of a list. It is full, or there is no more: neither DynamoDB's 1 MB nor an expired item ever shortens it.
///
/// An item that cannot be read hides nothing: it is counted, and the list continues after it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Where the list goes on. `None` means that this was the end.
    pub next: Option<Cursor>,
    /// Where the list goes on in the other order, from before the first item. Only a page around a message has one.
    pub previous: Option<Cursor>,
    /// The number of stored items among these that cannot be read. The [audit](crate::stream::Auditor) says what they are.
    pub unreadable: u32,
}

/// The limit of items in a page.
pub(super) const MAX_LIMIT: u32 = 1000;

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None, previous: None, unreadable: 0 }
    }
}

/// A place in a list, to go on from. Opaque text, safe in a URL, for handing to a client and taking back.
///
/// It is bound to its list: the access pattern, the conversation or inbox, the order and the bounds. With any other list, or
/// altered, it is refused as [`Invalid`](crate::ErrorKind::Invalid). It is no proof of anything: a list is read with the
/// rights of whoever asks.
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

/// Takes any text: whether it is a cursor of the list shows when the list is read.
impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The items of a list, as they are read: up to the limit of a page, and one more, which tells whether there is more.
pub(super) struct Listed<T> {
    items: Vec<T>,
    limit: usize,
    /// The limit of the last request, and how many items there were before it.
    asked: usize,
    had: usize,
    /// How many cannot be read before each item, and after the last one.
    unreadable: Vec<u32>,
}

/// The first items of a list.
pub(super) struct Part<T> {
    pub(super) items: Vec<T>,
    /// `true` if there are more.
    pub(super) more: bool,
    /// How many cannot be read before the last of the items, and after it if there are no more.
    pub(super) unreadable: u32,
}

impl<T> Listed<T> {
    pub(super) fn new(limit: NonZeroU32) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self { items: Vec::new(), limit, asked: 0, had: 0, unreadable: vec![0] }
    }

    /// Returns the limit of the next request: what is missing. After a request that brought nothing it is twice the last one, so
    /// that a page passes many items that are none of the list's in few requests.
    pub(super) fn next_limit(&mut self) -> Option<NonZeroU32> {
        let missing = self.limit.saturating_add(1).saturating_sub(self.items.len());
        let most = usize::try_from(MAX_LIMIT).unwrap_or(usize::MAX);
        let brought_nothing = self.items.len() == self.had;
        self.asked = if brought_nothing { missing.max(self.asked.saturating_mul(2).min(most)) } else { missing };
        self.had = self.items.len();
        u32::try_from(self.asked).ok().and_then(NonZeroU32::new)
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

    /// Returns `true` once there is more than the page holds.
    pub(super) fn has_more(&self) -> bool {
        self.items.len() > self.limit
    }

    /// Returns how many items the page can have.
    pub(super) fn len(&self) -> usize {
        self.items.len().min(self.limit)
    }

    /// Returns all that the page can have.
    pub(super) fn finish(self) -> Part<T> {
        let most = self.limit;
        self.first(most)
    }

    /// Returns so many of the items. What cannot be read after them is the next page's to count, if there is one.
    pub(super) fn first(mut self, most: usize) -> Part<T> {
        let more = self.items.len() > most;
        let counted = if more { most } else { self.unreadable.len() };
        let unreadable = self.unreadable.iter().take(counted).sum();
        self.items.truncate(most);
        Part { items: self.items, more, unreadable }
    }
}

/// The version of the encoding, its first byte.
const VERSION: u8 = 1;
/// The bytes that bind a cursor to its list.
const BINDING_BYTES: usize = 8;
/// No cursor of ours is longer; anything longer is refused before it is decoded.
const MAX_CURSOR_BYTES: usize = 512;
/// The namespace of the bindings: a random UUID, fixed for ever.
const BINDING: Uuid = Uuid::from_u128(0x2c54_9b1e_77d3_4f0a_9d28_6e13_05ba_c4f7);

/// What a cursor is bound to.
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

    /// The position that the cursor holds.
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
                "the cursor is not one of this list: use it with the call that gave it, or start without one",
            )
        })
    }

    fn binding(&self, position: &str) -> [u8; BINDING_BYTES] {
        let order = match self.order {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        };
        // None of the parts can hold a line break: all of them are this crate's own.
        let parts = [self.pattern, self.partition.as_str(), order, &self.bounds, position].join("\n");
        let [a, b, c, d, e, f, _, g, _, h, ..] = Uuid::new_v5(&BINDING, parts.as_bytes()).into_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// The size of a page as it was asked for.
pub(super) fn check_limit(limit: u32) -> Result<NonZeroU32> {
    NonZeroU32::new(limit)
        .filter(|limit| limit.get() <= MAX_LIMIT)
        .ok_or_else(|| Error::invalid(format!("a page has 1 to {MAX_LIMIT} items, and {limit} were asked for")))
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
    fn a_cursor_leads_back_to_its_position() {
        let cursor = list(1).cursor("somewhere");
        assert_eq!(list(1).position(&cursor).unwrap(), "somewhere");
    }

    #[test]
    fn a_cursor_is_refused_with_any_other_list() {
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
    fn a_cursor_longer_than_any_of_ours_is_refused_also_where_it_is_bound_to_its_list() {
        for (bytes, is_taken) in [(375, true), (376, false), (100_000, false)] {
            let cursor = list(1).cursor(&"x".repeat(bytes));
            assert_eq!(cursor.to_string().len() <= 512, is_taken);
            assert_eq!(list(1).position(&cursor).is_ok(), is_taken, "{bytes} bytes");
        }
    }

    #[test]
    fn a_cursor_with_any_character_changed_is_refused() {
        let cursor = list(1).cursor("somewhere").to_string();
        for place in 0..cursor.len() {
            let mut altered = cursor.clone();
            let replacement = if &altered[place..=place] == "A" { "B" } else { "A" };
            altered.replace_range(place..=place, replacement);
            assert!(list(1).position(&altered.into()).is_err(), "character {place}");
        }
        for garbage in ["", "A", "no cursor at all", &"A".repeat(100_000)] {
            assert!(list(1).position(&garbage.to_owned().into()).is_err());
        }
    }
}
