//! The tolerated differences, each with its reason and its source.

use threadline::ErrorKind;
use threadline::entity::Item;
use threadline::store::{BatchAction, CancelCode, TransactAction, Units, WriteAction, read_units};

use crate::answer::Answer;
use crate::compare::{Aspect, Record};
use crate::engine::Engine;
use crate::operation::Operation;
use crate::predicate::{
    MAX_ITEM, MAX_PAGE, MAX_UPDATE_OVERHEAD, actions_done, adds, bytes_of_partition, changes_nothing,
    empty_pages_are_free, end_of_range, excess, has_half_an_index_key, has_read_1_mb, index, involves, is_some_of,
    numbers_count_otherwise, sort_key, table,
};

/// A tolerated difference, as narrow as possible.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) engines: &'static [Engine],
    pub(crate) aspect: Aspect,
    /// The difference.
    pub(crate) what: &'static str,
    /// The reason for tolerating it.
    pub(crate) why: &'static str,
    /// The AWS page that decides it.
    pub(crate) link: &'static str,
    pub(crate) is_met: fn(&Seen<'_>) -> bool,
}

/// The items that an operation names, as in the in-memory store before and after it, expired or not.
pub(crate) struct Images {
    pub(crate) before: Vec<Option<Item>>,
    pub(crate) after: Vec<Option<Item>>,
}

/// An observed difference.
pub(crate) enum Seen<'a> {
    Answers {
        operation: &'a Operation,
        memory: &'a Answer,
        other: &'a Answer,
        images: &'a Images,
        /// The items that each page of the in-memory store has read, expired or not.
        read: &'a [Vec<Item>],
    },
    /// A record of the stream. The in-memory store's is missing if it wrote none.
    Records { memory: Option<&'a Record>, other: &'a Record },
}

pub(crate) const TOLERATED: &[Row] = &[
    Row {
        name: "empty-page-of-the-table",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A page that reads nothing costs 0 instead of 0.5, or instead of 1 if it is consistent.",
        why: "A query or scan consumes at least the units of one step.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| empty_pages_are_free(seen, table),
    },
    Row {
        name: "empty-page-of-the-index",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "A page of the index that reads nothing costs 0 instead of 0.5.",
        why: "As for the table.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| empty_pages_are_free(seen, index),
    },
    Row {
        name: "replay-of-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A retry of a transaction with its token costs write units, or nothing.",
        why: "Such a retry costs read units.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                memory: Answer::Transacted { capacity: memory }, other: Answer::Transacted { .. }, ..
            } => memory.table_read > Units::ZERO,
            _ => false,
        },
    },
    Row {
        name: "units-of-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "Of a transaction's writes with equal costs, only one counts. The delete of a missing item costs half, \
               and a check costs a read.",
        why: "Each action is a write, and costs twice as much as alone.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        is_met: |seen| match actions_done(seen) {
            Some([TransactAction::Write(write)]) if *write.action() == WriteAction::Delete => {
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
        what: "A transaction's writes to the index cost twice as much as alone, and equal costs count once.",
        why: "The index is written once, after the commit.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        is_met: |seen| actions_done(seen).is_some() && excess(seen, index) != 0.0,
    },
    Row {
        name: "more-than-1-mb-of-a-partition-in-a-batch",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Left,
        what: "A batch of reads returns more than 1 MB of one partition.",
        why: "AWS documents that a request for more than 1 MB of a partition returns a partial result.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::BatchGet(_),
                memory: Answer::Batch { left, .. },
                other: Answer::Batch { left: other_left, .. },
                images,
                ..
            } = seen
            else {
                return false;
            };
            other_left.is_empty() && left.iter().all(|key| bytes_of_partition(&images.before, key) > MAX_PAGE)
        },
    },
    Row {
        name: "missing-item-in-a-batch-of-reads",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A missing item costs nothing in a batch of reads.",
        why: "A read of a missing item costs the units of one step.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::BatchGet(batch),
                memory: Answer::Batch { items, capacity, .. },
                other: Answer::Batch { capacity: other, .. },
                ..
            } = seen
            else {
                return false;
            };
            let missing = batch.keys().len() - items.len();
            let one = read_units(0, batch.get_consistency()).as_f64();
            is_some_of(capacity.table_read.as_f64() - other.table_read.as_f64(), one, missing)
        },
    },
    Row {
        name: "delete-of-a-missing-item-in-a-batch",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "The delete of a missing item costs 2 WCU in a batch of writes, but 1 WCU alone.",
        why: "Each write of a batch costs as much as alone.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html",
        is_met: |seen| {
            let Seen::Answers { operation: Operation::BatchWrite(batch), images, .. } = seen else {
                return false;
            };
            let is_missing = |(write, before): &(&BatchAction, &Option<Item>)| {
                matches!(write, BatchAction::Delete(_)) && before.is_none()
            };
            let missing = batch.writes().iter().zip(&images.before).filter(is_missing).count();
            is_some_of(excess(seen, table), 1.0, missing)
        },
    },
    Row {
        name: "last-item-at-the-end-of-the-range",
        engines: &[Engine::Local],
        aspect: Aspect::PageEnds,
        what: "A page that ends with the item at the end of a `Between` range has no next position.",
        why: "A next position means that there may be more. Nothing follows here, so both answers are correct.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::Query(query),
                memory: Answer::Pages(memory),
                other: Answer::Pages(other),
                ..
            } = seen
            else {
                return false;
            };
            let [same @ .., empty] = &memory[..] else { return false };
            let last = same.last().and_then(|page| page.next.as_ref());
            empty.items.is_empty()
                && last.map(sort_key) == end_of_range(query)
                && same.len() == other.len()
                && same.iter().zip(other).all(|(memory, other)| memory.items.len() == other.items.len())
        },
    },
    Row {
        name: "start-at-the-end-of-the-range",
        engines: &[Engine::Local],
        aspect: Aspect::Outcome,
        what: "A query that starts at the end of a `Between` range is refused.",
        why: "Nothing follows the end of the range, so an empty page and a refusal are both correct.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::Query(query),
                memory: Answer::Pages(memory),
                other: Answer::Failed { kind: ErrorKind::Misconfigured, .. },
                ..
            } = seen
            else {
                return false;
            };
            let start = query.get_start().map(sort_key);
            memory.iter().all(|page| page.items.is_empty()) && start.is_some() && start == end_of_range(query)
        },
    },
    Row {
        name: "add-to-no-number-in-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::Outcome,
        what: "A transaction that adds to an attribute of another type is refused, not canceled with a reason.",
        why: "AWS documents a reason with the code `ValidationError`.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                memory: Answer::Canceled { reasons },
                other: Answer::Failed { kind: ErrorKind::Invalid, code, .. },
                operation: Operation::Transact(transaction, _),
                ..
            } => {
                code.as_deref() == Some("ValidationException")
                    && reasons
                        .iter()
                        .zip(transaction.actions())
                        .any(|(reason, action)| reason.code == CancelCode::Invalid && adds(action))
            }
            _ => false,
        },
    },
    Row {
        name: "update-near-400-kb",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Outcome,
        what: "An update succeeds although its item is only some bytes below 400 KB.",
        why: "AWS documents no rule. In a measurement, AWS counted more bytes than the item has, so the in-memory \
              store does too.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers { operation, memory, other, images, .. } = seen else { return false };
            let is_refused = match (operation, memory, other) {
                (Operation::Write(write), Answer::Failed { kind: ErrorKind::Invalid, .. }, Answer::Written { .. }) => {
                    matches!(write.action(), WriteAction::Update(_))
                }
                (_, Answer::Canceled { reasons }, Answer::Transacted { .. }) => {
                    reasons.iter().all(|reason| matches!(reason.code, CancelCode::None | CancelCode::Invalid))
                }
                _ => false,
            };
            is_refused && images.before.iter().flatten().any(|item| item.size() > MAX_ITEM - MAX_UPDATE_OVERHEAD)
        },
    },
    Row {
        name: "update-near-400-kb-in-a-canceled-transaction",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Reasons,
        what: "An update near 400 KB is no reason for a cancellation, in a transaction that another action cancels.",
        why: "As for an update alone.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers {
                memory: Answer::Canceled { reasons: memory },
                other: Answer::Canceled { reasons: other },
                images,
                ..
            } = seen
            else {
                return false;
            };
            let is_large =
                |item: &Option<Item>| item.as_ref().is_some_and(|item| item.size() > MAX_ITEM - MAX_UPDATE_OVERHEAD);
            memory.len() == other.len()
                && memory.iter().zip(other).zip(&images.before).all(|((memory, other), before)| {
                    memory.code == other.code
                        || (memory.code, other.code) == (CancelCode::Invalid, CancelCode::None) && is_large(before)
                })
        },
    },
    Row {
        name: "order-of-equal-index-keys",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::OrderOfEqualKeys,
        what: "Items with equal sort keys in the index are in another order, so pages and next positions differ too.",
        why: "DynamoDB defines no order for them. The rest is compared with the in-memory store's items in that order.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        is_met: |_| true,
    },
    Row {
        name: "numbers-as-they-were-written",
        engines: &[Engine::Local],
        aspect: Aspect::NumberText,
        what: "A number in a list or map, or one that an update sets, is returned as it was written: 1e3, not 1000.",
        why: "AWS normalizes all numbers.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
        is_met: |_| true,
    },
    Row {
        name: "half-an-index-key",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "An item with only one of the two index keys costs index units.",
        why: "Such an item is not in the index, so it costs nothing there.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        is_met: |seen| excess(seen, index) > 0.0 && involves(seen, has_half_an_index_key),
    },
    Row {
        name: "size-of-a-number",
        engines: &[Engine::Local],
        aspect: Aspect::TableCapacity,
        what: "A number counts one byte more if an odd count of zeros separates an even count of digits from its \
               point, such as 120 and 0.012. A number of 22 bytes counts 21.",
        why: "AWS documents only an approximate size: one byte for two digits, and one more.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_count_otherwise(seen, table),
    },
    Row {
        name: "size-of-a-number-in-the-index",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "The size of a number in the index differs in the same way.",
        why: "As for the table.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_count_otherwise(seen, index),
    },
    Row {
        name: "page-of-1-mb",
        engines: &[Engine::Local],
        aspect: Aspect::PageEnds,
        what: "A page that reaches 1 MB with the last item has no next position.",
        why: "A next position means that there may be more. Nothing follows here.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| match seen {
            Seen::Answers { memory: Answer::Pages(memory), other: Answer::Pages(other), read, .. } => {
                memory.len() == other.len() + 1
                    && read.last().is_some_and(Vec::is_empty)
                    && memory.iter().rev().nth(1).is_some_and(has_read_1_mb)
            }
            _ => false,
        },
    },
    Row {
        name: "page-of-1-mb",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::PageEnds,
        what: "A page ends before the item that exceeds 1 MB, not after it.",
        why: "AWS documents that a page ends at 1 MB, but not on which side of that item.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| match seen {
            Seen::Answers { memory: Answer::Pages(memory), .. } => memory.iter().any(has_read_1_mb),
            _ => false,
        },
    },
    Row {
        name: "old-item-of-a-created-one",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::Items,
        what: "An update that creates an item and requests the old item returns one that has only the key.",
        why: "There was no old item.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html",
        is_met: |seen| match seen {
            Seen::Answers {
                operation: Operation::Write(write),
                memory: Answer::Written { old: None, .. },
                other: Answer::Written { old: Some(old), .. },
                images,
                ..
            } => {
                let is_update = matches!(write.action(), WriteAction::Update(_));
                is_update && images.before == [None] && old.len() == 2 && old.key().is_ok()
            }
            _ => false,
        },
    },
    Row {
        name: "replay-of-a-transaction",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::TableCapacity,
        what: "A retry of a transaction costs units for the former sizes of its items, not for their current sizes.",
        why: "Such a retry costs read units. AWS does not document for which state of the items.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                memory: Answer::Transacted { capacity: memory },
                other: Answer::Transacted { capacity },
                ..
            } => memory.table_read > Units::ZERO && capacity.table_read > Units::ZERO,
            _ => false,
        },
    },
    Row {
        name: "record-of-no-change",
        engines: &[Engine::Dynoxide],
        aspect: Aspect::Records,
        what: "A write that changes nothing adds a record to the stream.",
        why: "DynamoDB adds no record for it.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html",
        is_met: |seen| matches!(seen, Seen::Records { memory: None, other } if changes_nothing(other)),
    },
];

/// Returns the index of the rule that tolerates this difference.
pub(crate) fn row(engine: Engine, aspect: Aspect, seen: &Seen<'_>) -> Option<usize> {
    TOLERATED.iter().position(|row| row.engines.contains(&engine) && row.aspect == aspect && (row.is_met)(seen))
}
