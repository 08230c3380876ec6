//! The tolerated differences, each with its reason and its source.

use threadline::ErrorKind;
use threadline::entity::Item;
use threadline::store::{BatchAction, CancelCode, TransactAction, Units, WriteAction, read_units};

use crate::answer::Answer;
use crate::compare::{Aspect, Record};
use crate::engine::Engine;
use crate::operation::Operation;
use crate::predicate::{
    MAX_ITEM, MAX_PAGE, MOST_ROOM, actions_done, adds, bytes_of_partition, changes_nothing, empty_pages_are_free,
    end_of_range, excess, has_half_an_index_key, has_read_1_mb, index, involves, is_some_of, numbers_count_otherwise,
    sort_key, table,
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
        twin: &'a Answer,
        other: &'a Answer,
        images: &'a Images,
        /// The items that each page of the in-memory store has read, expired or not.
        read: &'a [Vec<Item>],
    },
    /// A record of the stream. The in-memory store's is missing if it wrote none.
    Records { twin: Option<&'a Record>, other: &'a Record },
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
        what: "Writes of a transaction that cost the same count as one, the delete of a missing item counts for half, \
               and a check counts as a read.",
        why: "Each is a write, and costs twice what it does alone.",
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
        what: "What a transaction writes to the index costs twice what it does alone, and equal costs are counted \
               once.",
        why: "The index is written once, when the transaction is committed.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        is_met: |seen| actions_done(seen).is_some() && excess(seen, index) != 0.0,
    },
    Row {
        name: "more-than-1-mb-of-a-partition-in-a-batch",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Left,
        what: "A batch of reads gives more than 1 MB of one partition.",
        why: "AWS says that the result is partial where more than that is asked for.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html",
        is_met: |seen| {
            let Seen::Answers {
                operation: Operation::BatchGet(_),
                twin: Answer::Batch { left, .. },
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
            let missing = batch.keys().len() - items.len();
            let one = read_units(0, batch.get_consistency()).as_f64();
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
            let missing = batch.writes().iter().zip(&images.before).filter(is_missing).count();
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
                other: Answer::Failed { kind: ErrorKind::Misconfigured, .. },
                ..
            } = seen
            else {
                return false;
            };
            let start = query.get_start().map(sort_key);
            twin.iter().all(|page| page.items.is_empty()) && start.is_some() && start == end_of_range(query)
        },
    },
    Row {
        name: "add-to-no-number-in-a-transaction",
        engines: &[Engine::Local],
        aspect: Aspect::Outcome,
        what: "A transaction that adds to what is no number is refused as a whole, in place of canceled with a reason.",
        why: "AWS documents a reason of the code `ValidationError`.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        is_met: |seen| match seen {
            Seen::Answers {
                twin: Answer::Canceled { reasons },
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
        name: "room-of-an-update",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Outcome,
        what: "An item of 400 KB less some bytes can be updated.",
        why: "AWS documents no rule; it was measured to charge an update for more than the item, so the twin is \
              strict.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers { operation, twin, other, images, .. } = seen else { return false };
            let is_refused = match (operation, twin, other) {
                (Operation::Write(write), Answer::Failed { kind: ErrorKind::Invalid, .. }, Answer::Written { .. }) => {
                    matches!(write.action(), WriteAction::Update(_))
                }
                (_, Answer::Canceled { reasons }, Answer::Transacted { .. }) => {
                    reasons.iter().all(|reason| matches!(reason.code, CancelCode::None | CancelCode::Invalid))
                }
                _ => false,
            };
            is_refused && images.before.iter().flatten().any(|item| item.size() > MAX_ITEM - MOST_ROOM)
        },
    },
    Row {
        name: "room-of-an-update-in-a-canceled-transaction",
        engines: &[Engine::Local, Engine::Dynoxide],
        aspect: Aspect::Reasons,
        what: "The same, in a transaction that another action cancels.",
        why: "As for one that is done.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
        is_met: |seen| {
            let Seen::Answers {
                twin: Answer::Canceled { reasons: twin },
                other: Answer::Canceled { reasons: other },
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
        what: "Items of one sort key in the index come in another order, on pages and with continuations that follow \
               from it.",
        why: "Their order is not specified. All else is compared with the twin's items in that order.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        is_met: |_| true,
    },
    Row {
        name: "numbers-as-they-were-written",
        engines: &[Engine::Local],
        aspect: Aspect::NumberText,
        what: "A number within a list or map, or that an update sets, comes back as it was written: 1e3, not 1000.",
        why: "AWS normalizes all numbers.",
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
        what: "A number whose digits do not pair off from its point counts one byte more, 120 and 0.012 for 3; one of \
               22 bytes counts 21.",
        why: "AWS says no more than about a byte for two digits and one besides.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_count_otherwise(seen, table),
    },
    Row {
        name: "size-of-a-number-in-the-index",
        engines: &[Engine::Local],
        aspect: Aspect::IndexCapacity,
        what: "The same, in the index.",
        why: "As for the table.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        is_met: |seen| numbers_count_otherwise(seen, index),
    },
    Row {
        name: "page-of-1-mb",
        engines: &[Engine::Local],
        aspect: Aspect::Cuts,
        what: "A page that comes to 1 MB with the last item has no continuation.",
        why: "A continuation says that there may be more, and here there is none.",
        link: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
        is_met: |seen| match seen {
            Seen::Answers { twin: Answer::Pages(twin), other: Answer::Pages(other), read, .. } => {
                twin.len() == other.len() + 1
                    && read.last().is_some_and(Vec::is_empty)
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
                operation: Operation::Write(write),
                twin: Answer::Written { old: None, .. },
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

/// Returns the index of the rule that tolerates this difference.
pub(crate) fn row(engine: Engine, aspect: Aspect, seen: &Seen<'_>) -> Option<usize> {
    TOLERATED.iter().position(|row| row.engines.contains(&engine) && row.aspect == aspect && (row.is_met)(seen))
}
