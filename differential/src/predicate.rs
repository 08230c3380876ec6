//! Predicates on a difference, for the rules of tolerated differences.

use threadline::entity::{AttributeValue, GSI1PK, GSI1SK, Item, Key, SortKey};
use threadline::store::{
    AttributeChange, Capacity, Order, Position, Query, SortRange, TransactAction, Units, WriteAction,
};
use threadline::stream::RecordKind;

use crate::answer::{Answer, Page};
use crate::compare::{Aspect, Record, any_within, compare_items};
use crate::operation::Operation;
use crate::tolerated::Seen;

/// The reason for a difference in the units of a page.
#[derive(PartialEq)]
enum Because {
    /// The page is empty, and the other store charges nothing for that.
    Empty,
    /// An item of the page has a number that the other store counts as one byte more or less.
    Number,
    /// The reason is unknown.
    Unknown,
}

/// Returns the reason for each page whose units differ.
fn pages_differ(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> Vec<Because> {
    let Seen::Answers { memory: Answer::Pages(memory), other: Answer::Pages(other), read, .. } = seen else {
        return Vec::new();
    };
    let pages = memory.iter().zip(other).zip(*read);
    let pages = pages.map(|((memory, other), read)| (read, units(&memory.capacity), units(&other.capacity)));
    let differing = pages.filter(|(_, memory, other)| memory != other);
    differing
        .map(|(read, memory, other)| {
            if read.is_empty() && memory <= 1.0 && other == 0.0 {
                Because::Empty
            } else if read.iter().any(if other > memory { has_unpaired_number } else { has_longest_number }) {
                Because::Number
            } else {
                Because::Unknown
            }
        })
        .collect()
}

/// Returns `true` if all pages whose units differ are empty, and free in the other store.
pub(crate) fn empty_pages_are_free(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> bool {
    let pages = pages_differ(seen, units);
    !pages.is_empty() && pages.iter().all(|because| *because == Because::Empty)
}

/// Returns `true` if the other's units are more or less because of a number, and for no unknown reason.
pub(crate) fn numbers_count_otherwise(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> bool {
    let pages = pages_differ(seen, units);
    match seen {
        Seen::Answers { memory: Answer::Pages(_), .. } => {
            !pages.contains(&Because::Unknown) && pages.contains(&Because::Number)
        }
        _ if excess(seen, units) > 0.0 => involves(seen, has_unpaired_number),
        _ => involves(seen, has_longest_number),
    }
}

/// Returns `true` if the difference is a multiple of `one`, at most `most` times.
pub(crate) fn is_some_of(difference: f64, one: f64, most: usize) -> bool {
    (1..=most).any(|count| difference == one * count as f64)
}

/// Returns the last sort key of the query, if its range names it.
pub(crate) fn end_of_range(query: &Query) -> Option<&SortKey> {
    match (query.get_range(), query.get_order()) {
        (SortRange::Between(_, high), Order::Ascending) => Some(high),
        (SortRange::Between(low, _), Order::Descending) => Some(low),
        _ => None,
    }
}

/// Returns the position's sort key in the table or index that is read.
pub(crate) fn sort_key(position: &Position) -> &SortKey {
    position.index_key.as_ref().map_or(&position.key.sk, |place| &place.sk)
}

/// Returns `true` if the action adds to an attribute.
pub(crate) fn adds(action: &TransactAction) -> bool {
    let TransactAction::Write(write) = action else { return false };
    let WriteAction::Update(update) = write.action() else { return false };
    update.changes().iter().any(|(_, change)| matches!(change, AttributeChange::Add(_)))
}

/// The maximum size of an item, in bytes.
pub(crate) const MAX_ITEM: usize = 409_600;
/// The maximum bytes that an update's changes count besides the item: 19 bytes each, and the new values.
pub(crate) const MAX_UPDATE_OVERHEAD: usize = 8_192;

/// The maximum bytes of a partition that one request reads.
pub(crate) const MAX_PAGE: usize = 1_048_576;

/// Returns the total size of the items in the key's partition.
pub(crate) fn bytes_of_partition(items: &[Option<Item>], key: &Key) -> usize {
    let partition = items.iter().flatten().filter(|item| item.key().is_ok_and(|other| other.pk == key.pk));
    partition.map(Item::size).sum()
}

/// Returns `true` if the page has read 1 MB, which costs 128 units if eventually consistent.
pub(crate) fn has_read_1_mb(page: &Page) -> bool {
    page.capacity.read() >= Units::whole(128) && page.next.is_some()
}

/// Returns `true` if a record reports no change.
pub(crate) fn changes_nothing(record: &Record) -> bool {
    let Record { kind: RecordKind::Modify, old: Some(old), new: Some(new) } = record else { return false };
    let mut aspects = Vec::new();
    compare_items([old].into_iter(), [new].into_iter(), &mut aspects);
    !aspects.contains(&Aspect::Items)
}

/// Returns the actions of a transaction that both stores have done.
pub(crate) fn actions_done<'a>(seen: &Seen<'a>) -> Option<&'a [TransactAction]> {
    match seen {
        Seen::Answers {
            operation: Operation::Transact(transaction, _),
            memory: Answer::Transacted { .. },
            other: Answer::Transacted { .. },
            ..
        } => Some(transaction.actions()),
        _ => None,
    }
}

pub(crate) fn table(capacity: &Capacity) -> f64 {
    (capacity.table_read + capacity.table_write).as_f64()
}

pub(crate) fn index(capacity: &Capacity) -> f64 {
    (capacity.index_read + capacity.index_write).as_f64()
}

/// Returns the additional consumption of the other store.
pub(crate) fn excess(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> f64 {
    let Seen::Answers { memory, other, .. } = seen else { return 0.0 };
    let consumed = |answer: &Answer| match answer {
        Answer::Found { capacity, .. }
        | Answer::Written { capacity, .. }
        | Answer::Transacted { capacity }
        | Answer::Batch { capacity, .. } => units(capacity),
        Answer::Pages(pages) => pages.iter().map(|page| units(&page.capacity)).sum(),
        Answer::Refused { .. } | Answer::Canceled { .. } | Answer::Failed { .. } => 0.0,
    };
    consumed(other) - consumed(memory)
}

/// Returns `true` if the predicate holds for one of the items read or written.
pub(crate) fn involves(seen: &Seen<'_>, is_such: fn(&Item) -> bool) -> bool {
    let Seen::Answers { memory, images, .. } = seen else { return false };
    let read: Vec<&Item> = match memory {
        Answer::Found { item, .. } => item.iter().collect(),
        Answer::Pages(pages) => pages.iter().flat_map(|page| &page.items).collect(),
        Answer::Batch { items, .. } => items.iter().collect(),
        _ => Vec::new(),
    };
    read.into_iter().chain(images.before.iter().chain(&images.after).flatten()).any(is_such)
}

pub(crate) fn has_half_an_index_key(item: &Item) -> bool {
    item.get(GSI1PK).is_some() != item.get(GSI1SK).is_some()
}

fn has_unpaired_number(item: &Item) -> bool {
    has_number(item, is_unpaired)
}

fn has_longest_number(item: &Item) -> bool {
    has_number(item, is_longest)
}

fn has_number(item: &Item, is_such: fn(&str) -> bool) -> bool {
    item.iter().any(|(_, value)| {
        any_within(value, |value| match value {
            AttributeValue::N(number) => is_such(number),
            AttributeValue::Ns(numbers) => numbers.iter().any(|number| is_such(number)),
            _ => false,
        })
    })
}

/// Returns `true` if the number counts as 22 bytes. Such a number is negative, and has 38 digits with an odd count on
/// each side of the point. The number is in plain digits.
fn is_longest(number: &str) -> bool {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let Some(whole) = whole.strip_prefix('-').filter(|whole| *whole != "0") else { return false };
    whole.len() + fraction.len() == 38 && whole.len() % 2 == 1
}

/// Returns `true` if an odd count of zeros separates an even count of significant digits from the point: `120`,
/// `0.012`. The number is in plain digits.
fn is_unpaired(number: &str) -> bool {
    let number = number.trim_start_matches('-');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let unpaired = |digits: &str, before: usize| {
        let (from_point, significant) = (before, digits.len());
        (from_point % 2 + significant).div_ceil(2) != significant.div_ceil(2)
    };
    let significant = whole.trim_end_matches('0');
    let whole_is = fraction.is_empty() && unpaired(significant, whole.len() - significant.len());
    let significant = fraction.trim_start_matches('0');
    let fraction_is = whole == "0" && unpaired(significant, fraction.len() - significant.len());
    whole_is || fraction_is
}

#[cfg(test)]
mod tests {
    use threadline::entity::PartitionKey;
    use threadline::store::{Query, Units};

    use super::*;
    use crate::tolerated::Images;

    #[test]
    fn a_number_in_an_item_that_has_expired_is_a_reason_too() {
        let page = |units| Page { items: vec![], next: None, capacity: Capacity::index_reads(Units::halves(units)) };
        let operation = Operation::Query(Query::index(PartitionKey::parse("A").expect("a key")));
        let (memory, other) = (Answer::Pages(vec![page(1)]), Answer::Pages(vec![page(2)]));
        let images = Images { before: vec![], after: vec![] };
        let reason = |number: &str| {
            let mut item = Item::new();
            item.insert("list", AttributeValue::L(vec![AttributeValue::N(number.to_owned())]));
            let read = [vec![item]];
            let seen =
                Seen::Answers { operation: &operation, memory: &memory, other: &other, images: &images, read: &read };
            numbers_count_otherwise(&seen, index)
        };
        assert!(reason("120"));
        assert!(!reason("12"));
    }
}
