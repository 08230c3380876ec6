//! The order that DynamoDB leaves undefined: the items of one sort key in the index, and the partitions of a scan.
//!
//! A store with another order has other pages, other continuations and other units, all of them correct. So the items
//! of the in-memory store are sorted in that store's order and divided into pages by the in-memory store's rules. The
//! result is the expected answer. The same procedure in the in-memory store's own order must lead to its own answer.

use std::cmp::Ordering;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use threadline::MemoryStore;
use threadline::Timestamp;
use threadline::entity::{GSI1SK, Item, Key};
use threadline::store::{Capacity, Consistency, Order, Position, Query, Scan};
use threadline::store::{MAX_PAGE_BYTES, Store, read_units};

use crate::answer::{Answer, Page, ask};
use crate::engine::Failed;
use crate::operation::Operation;

/// The items that a store reads, in its own order and its own pages.
pub(crate) struct Reading {
    /// The pages, without expired items.
    pub(crate) answer: Answer,
    /// The items that each page reads, expired or not.
    pub(crate) read: Vec<Vec<Item>>,
}

impl Reading {
    /// Returns the keys of the items, in the order of the store.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Option<Key>> {
        self.read.iter().flatten().map(|item| item.key().ok())
    }
}

/// Returns `true` if the operation reads items without a defined order.
pub(crate) fn is_open(operation: &Operation) -> bool {
    match operation {
        Operation::Query(query) => query.reads_index(),
        Operation::Scan(_) => true,
        _ => false,
    }
}

/// Returns the expected answer of the other store to this scan or query of the index, by its own order. `None` if it
/// has other items, or an order that is not allowed. For both stores, nothing has expired.
pub(crate) async fn reading(
    operation: &Operation,
    memory: &MemoryStore,
    other: &dyn Store,
    now: Timestamp,
) -> Result<Option<Reading>, Failed> {
    let (whole, limit, start, in_index) = match operation {
        Operation::Query(query) => {
            let whole =
                Query::index(query.partition().clone()).range(query.get_range().clone()).order(query.get_order());
            (Operation::Query(whole), query.get_limit(), query.get_start(), true)
        }
        Operation::Scan(scan) => (Operation::Scan(Scan::new()), scan.get_limit(), scan.get_start(), false),
        _ => return Ok(None),
    };
    let (Some(items), Some(listed)) = (read_all(memory, &whole).await, read_all(other, &whole).await) else {
        return Ok(None);
    };
    let Some(items) = in_order_of(items, &listed, in_index) else { return Ok(None) };
    let before = match start {
        None => 0..=0,
        Some(start) => match operation {
            Operation::Query(query) => items_before_in_index(&items, start, query.get_order()),
            _ => items_before_in_scan(&items, start),
        },
    };
    let from = if before.start() == before.end() {
        *before.start()
    } else {
        // A start without an item has an unknown position among those of its sort key.
        let Some(read) = read_all(other, operation).await else { return Ok(None) };
        match items.len().checked_sub(read.len()).filter(|from| before.contains(from)) {
            Some(from) => from,
            None => return Ok(None),
        }
    };
    let Some(rest) = items.get(from..) else { return Ok(None) };
    let mut pages = cut(rest, limit, in_index)?;
    let read = pages.iter().map(|page| page.items.clone()).collect();
    for page in &mut pages {
        page.items.retain(|item| !item.is_expired(now));
    }
    Ok(Some(Reading { answer: Answer::Pages(pages), read }))
}

/// Reads all pages of the operation; `None` if the store fails.
async fn read_all(store: &dyn Store, operation: &Operation) -> Option<Vec<Item>> {
    match ask(store, operation, "").await {
        Answer::Pages(pages) => Some(pages.into_iter().flat_map(|page| page.items).collect()),
        _ => None,
    }
}

/// Returns the items in the order of those listed, which must be the same; in the index, items of one sort key must be
/// adjacent.
fn in_order_of(mut items: Vec<Item>, listed: &[Item], in_index: bool) -> Option<Vec<Item>> {
    let sorts = |items: &[Item]| items.iter().map(|item| item.get_s(GSI1SK).map(str::to_owned)).collect::<Vec<_>>();
    if items.len() != listed.len() || in_index && sorts(&items) != sorts(listed) {
        return None;
    }
    let mut ordered = Vec::with_capacity(items.len());
    for listed in listed {
        let key = listed.key().ok()?;
        let place = items.iter().position(|item| item.key().is_ok_and(|other| other == key))?;
        ordered.push(items.swap_remove(place));
    }
    Some(ordered)
}

/// The possible numbers of items before the start.
type Before = RangeInclusive<usize>;

fn items_before_in_index(items: &[Item], start: &Position, order: Order) -> Before {
    let Some(sort) = start.index_key.as_ref().map(|place| place.sk.as_str()) else { return 0..=0 };
    let is_start = |item: &Item| item.get_s(GSI1SK) == Some(sort) && item.key().is_ok_and(|key| key == start.key);
    if let Some(place) = items.iter().position(is_start) {
        return place + 1..=place + 1;
    }
    let compare = |item: &Item| {
        let ascending = item.get_s(GSI1SK).unwrap_or_default().cmp(sort);
        if order == Order::Ascending { ascending } else { ascending.reverse() }
    };
    let before = items.iter().filter(|item| compare(item) == Ordering::Less).count();
    let equal = items.iter().filter(|item| compare(item) == Ordering::Equal).count();
    before..=before + equal
}

/// A scan reads partition by partition, and each in the order of its sort keys.
fn items_before_in_scan(items: &[Item], start: &Position) -> Before {
    let keys: Vec<Key> = items.iter().filter_map(|item| item.key().ok()).collect();
    let last = keys.iter().rposition(|key| key.pk == start.key.pk && key.sk <= start.key.sk);
    let first = keys.iter().position(|key| key.pk == start.key.pk);
    match (last, first) {
        (Some(last), _) => last + 1..=last + 1,
        (None, Some(first)) => first..=first,
        (None, None) => 0..=items.len(),
    }
}

/// Divides these items into pages by a limit or 1 MB, each with the item that ends it.
fn cut(mut items: &[Item], limit: Option<NonZeroU32>, in_index: bool) -> Result<Vec<Page>, Failed> {
    let limit = limit.map(|limit| usize::try_from(limit.get())).transpose()?;
    let mut pages = Vec::new();
    loop {
        let (mut count, mut bytes, mut is_cut) = (0, 0, false);
        for item in items {
            count += 1;
            bytes += item.size();
            is_cut = bytes >= MAX_PAGE_BYTES || Some(count) == limit;
            if is_cut {
                break;
            }
        }
        let (read, rest) = items.split_at(count);
        let next = match read.last().filter(|_| is_cut) {
            Some(last) => {
                Some(Position { key: last.key()?, index_key: if in_index { last.index_key()? } else { None } })
            }
            None => None,
        };
        let units = read_units(bytes, Consistency::Eventual);
        let capacity = if in_index { Capacity::index_reads(units) } else { Capacity::reads(units) };
        pages.push(Page { items: read.to_vec(), next, capacity });
        if !is_cut {
            return Ok(pages);
        }
        items = rest;
    }
}

#[cfg(test)]
mod tests {
    use threadline::entity::AttributeValue::S;
    use threadline::entity::{IndexKey, PartitionKey, SortKey};
    use threadline::store::Units;

    use super::*;

    /// Returns an item with this sort key in the index, and this one in the table.
    fn item(index_sort: &str, sort: &str) -> Item {
        let mut item = Item::new();
        for (name, text) in [("pk", "A"), ("sk", sort), ("gsi1pk", "I"), (GSI1SK, index_sort)] {
            item.insert(name, S(text.to_owned()));
        }
        item
    }

    fn at(index_sort: &str, sort: &str) -> Position {
        let sk = |text: &str| SortKey::parse(text).expect("a sort key");
        let pk = |text: &str| PartitionKey::parse(text).expect("a partition key");
        Position { key: Key::new(pk("A"), sk(sort)), index_key: Some(IndexKey::new(pk("I"), sk(index_sort))) }
    }

    #[test]
    fn order_may_differ_only_among_equal_index_keys() {
        let unordered = || vec![item("1", "a"), item("1", "b"), item("2", "c")];
        let reversed = [item("1", "b"), item("1", "a"), item("2", "c")];
        assert_eq!(in_order_of(unordered(), &reversed, true), Some(reversed.to_vec()));
        assert_eq!(in_order_of(unordered(), &[item("1", "a"), item("2", "c"), item("1", "b")], true), None);
        assert_eq!(in_order_of(unordered(), &[item("1", "a"), item("1", "a"), item("2", "c")], true), None);
        assert_eq!(in_order_of(unordered(), &[item("1", "a"), item("2", "c")], true), None);
    }

    #[test]
    fn a_start_at_an_item_has_one_position_and_a_start_between_has_several() {
        let items = [item("1", "a"), item("2", "c"), item("2", "b"), item("3", "d")];
        let before = |index_sort, sort| items_before_in_index(&items, &at(index_sort, sort), Order::Ascending);
        assert_eq!(before("2", "c"), 2..=2);
        assert_eq!(before("2", "x"), 1..=3);
        assert_eq!(before("21", "b"), 3..=3);
        let items = [item("3", "d"), item("2", "b"), item("1", "a")];
        assert_eq!(items_before_in_index(&items, &at("21", "a"), Order::Descending), 1..=1);
    }

    #[test]
    fn a_page_ends_with_the_item_that_reaches_the_limit() {
        let items = [item("1", "b"), item("1", "a")];
        let pages = cut(&items, NonZeroU32::new(1), true).expect("items have keys");
        let seen: Vec<_> = pages.iter().map(|page| (page.items.len(), page.next.clone())).collect();
        assert_eq!(seen, [(1, Some(at("1", "b"))), (1, Some(at("1", "a"))), (0, None)]);
        assert!(pages.iter().all(|page| page.capacity == Capacity::index_reads(Units::halves(1))));
    }
}
