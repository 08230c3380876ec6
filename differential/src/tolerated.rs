//! The differences that are tolerated: each is one row here, with what decides it.

use threadline::stream::RecordKind;
use threadline::{
    AttributeChange, AttributeValue, BatchAction, CancelCode, Capacity, ErrorKind, GSI1PK, GSI1SK, Item, Order,
    Position, Query, SortKey, SortRange, TransactAction, Units, Write, WriteAction, read_units,
};

use crate::answer::{Answer, Page};
use crate::compare::{Aspect, Record, any_within, compare_items};
use crate::engine::Engine;
use crate::operation::Operation;

/// A difference that is tolerated, as narrowly as can be told.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) engines: &'static [Engine],
    pub(crate) aspect: Aspect,
    /// What differs.
    pub(crate) what: &'static str,
    /// Why that is tolerated.
    pub(crate) why: &'static str,
    /// AWS's page that decides it.
    pub(crate) link: &'static str,
    pub(crate) is_met: fn(&Seen<'_>) -> bool,
}

/// The items that an operation may write, as the twin has them before and after it.
pub(crate) struct Images {
    pub(crate) before: Vec<Option<Item>>,
    pub(crate) after: Vec<Option<Item>>,
}

/// What differs.
pub(crate) enum Seen<'a> {
    Answers {
        operation: &'a Operation,
        twin: &'a Answer,
        other: &'a Answer,
        images: &'a Images,
    },
    /// A record of the stream; the twin's is missing where it wrote none.
    Records {
        twin: Option<&'a Record>,
        other: &'a Record,
    },
}

pub(crate) const TOLERATED: &[Row] = &[
    Row {
        name: "empty-page-of-the-table",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A page that read nothing costs 0 in place of 0.5, or of 1 when it is consistent.",
        why: "The least that a query or scan consumes is a read of one step.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| empty_pages_are_free(seen, table),
    },
    Row {
        name: "empty-page-of-the-index",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "A page of the index that read nothing costs 0 in place of 0.5.",
        why: "As for the table.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| empty_pages_are_free(seen, index),
    },
    Row {
        name: "replay-of-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A repeat of a transaction, by its token, is said to write; or it costs nothing.",
        why: "It reads its items.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers { twin: Answer::Transacted { capacity: twin }, other: Answer::Transacted { .. }, .. } => {
                twin.table_read > Units::ZERO
            }
            _ => false,
        },
    },
    Row {
        name: "units-of-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "Writes of a transaction that cost the same count as one, the delete of a missing item counts for half, and a \
               check counts as a read.",
        why: "Each is a write, and costs twice what it does alone.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        is_met: |seen| match actions_done(seen) {
            Some([TransactAction::Write(Write { action: WriteAction::Delete { .. }, .. })]) => {
                excess(seen, table) == -1.0
            }
            Some([TransactAction::Check { .. }]) => excess(seen, table) < 0.0,
            Some([_]) | None => false,
            Some(_) => true,
        },
    },
    Row {
        name: "index-in-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "What a transaction writes to the index costs twice what it does alone, and equal costs are counted once.",
        why: "The index is written once, when the transaction is committed.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        is_met: |seen| actions_done(seen).is_some() && excess(seen, index) != 0.0,
    },
    Row {
        name: "missing-item-in-a-batch-of-reads",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A missing item costs nothing in a batch of reads.",
        why: "A read of an item that is not there costs a read of one step.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::BatchGet(batch),
                twin: Answer::Batch { items, capacity, .. },
                other: Answer::Batch { capacity: other, .. },
                ..
            } = seen
            else {
                return false;
            };
            let missing = batch.keys.len() - items.len();
            let one = read_units(0, batch.consistency).as_f64();
            is_some_of(capacity.table_read.as_f64() - other.table_read.as_f64(), one, missing)
        },
    },
    Row {
        name: "delete-of-a-missing-item-in-a-batch",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "The delete of a missing item costs 2 in a batch of writes, and 1 alone.",
        why: "Each write of a batch costs what it costs alone.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| {
            let Seen::Answers { operation: Operation::BatchWrite(batch), images, .. } = seen else {
                return false;
            };
            let is_missing = |(write, before): &(&BatchAction, &Option<Item>)| {
                matches!(write, BatchAction::Delete(_)) && before.is_none()
            };
            let missing = batch.writes.iter().zip(&images.before).filter(is_missing).count();
            is_some_of(excess(seen, table), 1.0, missing)
        },
    },
    Row {
        name: "last-item-at-the-end-of-the-range",
        engines: &[Engine::Local],
        aspect: Aspect::Cuts,
        what: "A page that ends with an item at the very end of a range from one key to another has no continuation.",
        why: "A continuation says that there may be more; here there is none, and both may say so.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::Query(query),
                twin: Answer::Pages(twin),
                other: Answer::Pages(other),
                ..
            } = seen
            else {
                return false;
            };
            let [same @ .., empty] = &twin[..] else { return false };
            let last = same.last().and_then(|page| page.next.as_ref());
            empty.items.is_empty()
                && last.map(sort_key) == end_of_range(query)
                && same.len() == other.len()
                && same.iter().zip(other).all(|(twin, other)| twin.items.len() == other.items.len())
        },
    },
    Row {
        name: "start-at-the-end-of-the-range",
        engines: &[Engine::Local],
        aspect: Aspect::Outcome,
        what: "A query cannot go on behind the very end of a range from one key to another.",
        why: "The same again: there is nothing behind it, which may be said by an empty page.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::Query(query),
                twin: Answer::Pages(twin),
                other: Answer::Failed { kind: ErrorKind::Invalid, .. },
                ..
            } = seen
            else {
                return false;
            };
            let start = query.start.as_ref().map(sort_key);
            twin.iter().all(|page| page.items.is_empty()) && start.is_some() && start == end_of_range(query)
        },
    },
    Row {
        name: "add-to-no-number-in-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::Outcome,
        what: "A transaction that adds to what is no number is refused as a whole, in place of cancelled with a reason.",
        why: "AWS documents a reason of the code `ValidationError`.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                twin: Answer::Cancelled { reasons },
                other: Answer::Failed { kind: ErrorKind::Invalid, code, .. },
                operation: Operation::Transact(transaction, _),
                ..
            } => {
                code.as_deref() == Some("ValidationException")
                    && reasons
                        .iter()
                        .zip(&transaction.actions)
                        .any(|(reason, action)| reason.code == CancelCode::Invalid && adds(action))
            }
            _ => false,
        },
    },
    Row {
        name: "room-of-an-update",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Outcome,
        what: "An item of 400 KB less some bytes can be updated.",
        why: "AWS documents no rule; it was measured to charge an update for more than the item, so the twin is strict.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers { operation, twin, other, images } = seen else { return false };
            let is_refused = match (operation, twin, other) {
                (
                    Operation::Write(Write { action: WriteAction::Update { .. }, .. }),
                    Answer::Failed { kind: ErrorKind::Invalid, .. },
                    Answer::Written { .. },
                ) => true,
                (_, Answer::Cancelled { reasons }, Answer::Transacted { .. }) => {
                    reasons.iter().all(|reason| matches!(reason.code, CancelCode::None | CancelCode::Invalid))
                }
                _ => false,
            };
            is_refused && images.before.iter().flatten().any(|item| item.size() > MAX_ITEM - MOST_ROOM)
        },
    },
    Row {
        name: "room-of-an-update-in-a-cancelled-transaction",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Reasons,
        what: "The same, in a transaction that another action cancels.",
        why: "As for one that is done.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers {
                twin: Answer::Cancelled { reasons: twin },
                other: Answer::Cancelled { reasons: other },
                images,
                ..
            } = seen
            else {
                return false;
            };
            let is_large = |item: &Option<Item>| item.as_ref().is_some_and(|item| item.size() > MAX_ITEM - MOST_ROOM);
            twin.len() == other.len()
                && twin.iter().zip(other).zip(&images.before).all(|((twin, other), before)| {
                    twin.code == other.code
                        || (twin.code, other.code) == (CancelCode::Invalid, CancelCode::None) && is_large(before)
                })
        },
    },
    Row {
        name: "order-of-equal-index-keys",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::OrderOfEqualKeys,
        what: "Items of one sort key in the index come in another order.",
        why: "Their order is not specified.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        is_met: |_| true,
    },
    Row {
        name: "numbers-as-they-were-written",
        engines: &[Engine::Local],
        aspect: Aspect::NumberText,
        what: "A number within a list or map, or that an update sets, comes back as it was written: 1e3, not 1000.",
        why: "AWS normalises all numbers.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
        is_met: |_| true,
    },
    Row {
        name: "half-an-index-key",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "An item with one of the two attributes of the index's key is charged as one that is in the index.",
        why: "It is not in the index, and what is not there costs nothing.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        is_met: |seen| excess(seen, index) > 0.0 && involves(seen, has_half_an_index_key),
    },
    Row {
        name: "size-of-a-number",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A number whose digits do not pair off from its point counts one byte more: 120 and 0.012 for 3.",
        why: "AWS says no more than about a byte for two digits and one besides.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_are_larger(seen, table),
    },
    Row {
        name: "size-of-a-number-in-the-index",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "The same, in the index.",
        why: "As for the table.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_are_larger(seen, index),
    },
    Row {
        name: "page-of-1-mb",
        engines: &[Engine::Local],
        aspect: Aspect::Cuts,
        what: "A page that comes to 1 MB with the last item has no continuation, and a scan has other pages.",
        why: "A continuation says that there may be more, and here there is none; the order of a scan is not specified.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| match seen {
            // In another order, other items lie at the ends of pages.
            Seen::Answers { operation: Operation::Scan(_), twin: Answer::Pages(twin), .. } => {
                twin.iter().any(has_read_1_mb)
            }
            Seen::Answers { twin: Answer::Pages(twin), other: Answer::Pages(other), .. } => {
                twin.len() == other.len() + 1
                    && twin.last().is_some_and(|page| page.items.is_empty())
                    && twin.iter().rev().nth(1).is_some_and(has_read_1_mb)
            }
            _ => false,
        },
    },
    Row {
        name: "page-of-1-mb",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::Cuts,
        what: "A page ends before the item with which it would have more than 1 MB, not behind it.",
        why: "AWS says that a page ends at 1 MB, and not on which side of the item that lies there.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| match seen {
            Seen::Answers { twin: Answer::Pages(twin), .. } => twin.iter().any(has_read_1_mb),
            _ => false,
        },
    },
    Row {
        name: "item-before-it-was-made",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::Items,
        what: "An update that makes an item and asks for the item before is given its key.",
        why: "There was none.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html",
        is_met: |seen| match seen {
            Seen::Answers {
                operation: Operation::Write(Write { action: WriteAction::Update { .. }, .. }),
                twin: Answer::Written { old: None, .. },
                other: Answer::Written { old: Some(old), .. },
                images,
            } => images.before == [None] && old.len() == 2 && old.key().is_ok(),
            _ => false,
        },
    },
    Row {
        name: "replay-of-a-transaction",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::TableCapacity,
        what: "A repeat of a transaction costs what its items weighed when it was done, not what they weigh now.",
        why: "It reads its items; which state of them is not said.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                twin: Answer::Transacted { capacity: twin },
                other: Answer::Transacted { capacity },
                ..
            } => twin.table_read > Units::ZERO && capacity.table_read > Units::ZERO,
            _ => false,
        },
    },
    Row {
        name: "record-of-no-change",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::Records,
        what: "A write that changes nothing has a record in the stream.",
        why: "It has none.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html",
        is_met: |seen| matches!(seen, Seen::Records { twin: None, other } if changes_nothing(other)),
    },
];

/// Why the units of a page differ.
#[derive(PartialEq)]
enum Because {
    /// It read nothing, and the other charges nothing for that.
    Empty,
    /// It has a number that the other counts for one byte more.
    Number,
    /// That cannot be told.
    Unknown,
}

/// Why the units of the pages differ, for each whose units do.
fn pages_differ(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> Vec<Because> {
    let Seen::Answers { twin: Answer::Pages(twin), other: Answer::Pages(other), .. } = seen else { return Vec::new() };
    let pages = twin.iter().zip(other).map(|(twin, other)| (twin, units(&twin.capacity), units(&other.capacity)));
    let differing = pages.filter(|(_, twin, other)| twin != other);
    differing
        .map(|(page, twin, other)| {
            if page.items.is_empty() && twin <= 1.0 && other == 0.0 {
                Because::Empty
            } else if other > twin && page.items.iter().any(has_unpaired_number) {
                Because::Number
            } else {
                Because::Unknown
            }
        })
        .collect()
}

fn empty_pages_are_free(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> bool {
    let pages = pages_differ(seen, units);
    !pages.is_empty() && pages.iter().all(|because| *because == Because::Empty)
}

fn numbers_are_larger(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> bool {
    let pages = pages_differ(seen, units);
    match seen {
        Seen::Answers { twin: Answer::Pages(_), .. } => {
            !pages.contains(&Because::Unknown) && pages.contains(&Because::Number)
        }
        _ => excess(seen, units) > 0.0 && involves(seen, has_unpaired_number),
    }
}

/// Whether the difference is so much once, or several times, at most so many.
fn is_some_of(difference: f64, one: f64, most: usize) -> bool {
    (1..=most).any(|count| difference == one * count as f64)
}

/// The last sort key that the query can come to, where its range names it.
fn end_of_range(query: &Query) -> Option<&SortKey> {
    match (&query.range, query.order) {
        (SortRange::Between(_, high), Order::Ascending) => Some(high),
        (SortRange::Between(low, _), Order::Descending) => Some(low),
        _ => None,
    }
}

/// The position's sort key in what is read.
fn sort_key(position: &Position) -> &SortKey {
    position.index_key.as_ref().map_or(&position.key.sk, |place| &place.sk)
}

/// Whether the action adds to an attribute.
fn adds(action: &TransactAction) -> bool {
    let TransactAction::Write(Write { action: WriteAction::Update { update, .. }, .. }) = action else { return false };
    update.changes().iter().any(|(_, change)| matches!(change, AttributeChange::Add(_)))
}

/// The most that an item may have, in bytes.
const MAX_ITEM: usize = 409_600;
/// What the changes of an update count for, at most, beside the item: 19 bytes each, and the values that are new.
const MOST_ROOM: usize = 8_192;

/// Whether the page has read 1 MB, which costs 128 units where it is eventually consistent.
fn has_read_1_mb(page: &Page) -> bool {
    page.capacity.read() >= Units::whole(128) && page.next.is_some()
}

/// Whether a record says that nothing has changed.
fn changes_nothing(record: &Record) -> bool {
    let Record { kind: RecordKind::Modify, old: Some(old), new: Some(new) } = record else { return false };
    let mut aspects = Vec::new();
    compare_items([old].into_iter(), [new].into_iter(), &mut aspects);
    !aspects.contains(&Aspect::Items)
}

/// The actions of a transaction that both have done.
fn actions_done<'a>(seen: &Seen<'a>) -> Option<&'a [TransactAction]> {
    match seen {
        Seen::Answers {
            operation: Operation::Transact(transaction, _),
            twin: Answer::Transacted { .. },
            other: Answer::Transacted { .. },
            ..
        } => Some(&transaction.actions),
        _ => None,
    }
}

fn table(capacity: &Capacity) -> f64 {
    (capacity.table_read + capacity.table_write).as_f64()
}

fn index(capacity: &Capacity) -> f64 {
    (capacity.index_read + capacity.index_write).as_f64()
}

/// How much more the other has consumed.
fn excess(seen: &Seen<'_>, units: fn(&Capacity) -> f64) -> f64 {
    let Seen::Answers { twin, other, .. } = seen else { return 0.0 };
    let consumed = |answer: &Answer| match answer {
        Answer::Found { capacity, .. }
        | Answer::Written { capacity, .. }
        | Answer::Transacted { capacity }
        | Answer::Batch { capacity, .. } => units(capacity),
        Answer::Pages(pages) => pages.iter().map(|page| units(&page.capacity)).sum(),
        Answer::Refused { .. } | Answer::Cancelled { .. } | Answer::Failed { .. } => 0.0,
    };
    consumed(other) - consumed(twin)
}

/// Whether one of the items read or written is such.
fn involves(seen: &Seen<'_>, is_such: fn(&Item) -> bool) -> bool {
    let Seen::Answers { twin, images, .. } = seen else { return false };
    let read: Vec<&Item> = match twin {
        Answer::Found { item, .. } => item.iter().collect(),
        Answer::Pages(pages) => pages.iter().flat_map(|page| &page.items).collect(),
        Answer::Batch { items, .. } => items.iter().collect(),
        _ => Vec::new(),
    };
    read.into_iter().chain(images.before.iter().chain(&images.after).flatten()).any(is_such)
}

fn has_half_an_index_key(item: &Item) -> bool {
    item.get(GSI1PK).is_some() != item.get(GSI1SK).is_some()
}

fn has_unpaired_number(item: &Item) -> bool {
    item.iter().any(|(_, value)| {
        any_within(value, |value| match value {
            AttributeValue::N(number) => is_unpaired(number),
            AttributeValue::Ns(numbers) => numbers.iter().any(|number| is_unpaired(number)),
            _ => false,
        })
    })
}

/// Whether the significant digits on a side of the point are not pairs counted from there: `120`, `0.012`. The number is
/// one of the twin's, in plain digits.
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

/// The place of the row that this difference falls under.
pub(crate) fn row(engine: Engine, aspect: Aspect, seen: &Seen<'_>) -> Option<usize> {
    TOLERATED.iter().position(|row| row.engines.contains(&engine) && row.aspect == aspect && (row.is_met)(seen))
}
