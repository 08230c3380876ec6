//! The span of a request to any store, with OpenTelemetry's attributes of a call of DynamoDB.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use tracing::{Span, field, info_span};

use crate::capacity::Consistency::Strong;
use crate::error::{ErrorKind, Result};
use crate::key::{GSI1, Key};
use crate::request::{
    Answer, BatchAction, Order, QuerySource, Request, TransactAction, TransactOutcome, WriteAction, WriteOutcome,
};
use crate::telemetry::*;

/// Starts the span of an operation. It is a macro, because the names of a span and of its fields must be constants.
macro_rules! span {
    ($operation:literal, $table:expr, $pattern:expr, $({ $name:ident } = $value:expr),*) => {
        info_span!(
            concat!("DynamoDB.", $operation),
            { OTEL_KIND } = "client",
            { DB_SYSTEM_NAME } = AWS_DYNAMODB,
            { DB_COLLECTION_NAME } = $table,
            { DB_OPERATION_NAME } = $operation,
            { DB_QUERY_SUMMARY } = $pattern,
            $({ $name } = $value,)*
            { DB_RESPONSE_RETURNED_ROWS } = field::Empty,
            { DB_RESPONSE_STATUS_CODE } = field::Empty,
            { ERROR_TYPE } = field::Empty,
            { OTEL_STATUS_CODE } = field::Empty,
            { TABLE_READ_UNITS } = field::Empty,
            { TABLE_WRITE_UNITS } = field::Empty,
            { INDEX_READ_UNITS } = field::Empty,
            { INDEX_WRITE_UNITS } = field::Empty,
            // The DynamoDB store records these two.
            { AWS_REQUEST_ID } = field::Empty,
            { THROTTLING_REASON } = field::Empty,
        )
    };
}

/// Starts the span of a request. `pattern` is the access pattern that sends the request, if any. `Debug` of a key shows
/// the key's shape.
pub(super) fn start(request: &Request, table: &str, pattern: Option<&str>) -> Span {
    match request {
        Request::Get(get) => span!(
            "GetItem",
            table,
            pattern,
            { KEY_SHAPE } = field::debug(&get.key.pk),
            { CONSISTENT_READ } = get.consistency == Strong
        ),
        Request::Write(write) => {
            let shape = || write.key().ok().map(|key| field::debug(&key.pk));
            match write.action {
                WriteAction::Put(_) => span!("PutItem", table, pattern, { KEY_SHAPE } = shape()),
                WriteAction::Update(_) => span!("UpdateItem", table, pattern, { KEY_SHAPE } = shape()),
                WriteAction::Delete => span!("DeleteItem", table, pattern, { KEY_SHAPE } = shape()),
            }
        }
        Request::Query(query) => {
            let (partition, index, is_strong) = match &query.source {
                QuerySource::Table { partition, consistency } => (partition, None, *consistency == Strong),
                QuerySource::Index { partition } => (partition, Some(GSI1), false),
            };
            span!(
                "Query",
                table,
                pattern,
                { KEY_SHAPE } = field::debug(partition),
                { INDEX_NAME } = index,
                { CONSISTENT_READ } = is_strong,
                { SCAN_FORWARD } = query.order == Order::Ascending,
                { LIMIT } = query.limit.map(|limit| i64::from(limit.get()))
            )
        }
        Request::Scan(scan) => {
            span!("Scan", table, pattern, { LIMIT } = scan.limit.map(|limit| i64::from(limit.get())))
        }
        Request::Transact(transaction) => span!(
            "TransactWriteItems",
            table,
            pattern,
            { KEY_SHAPE } = shapes(transaction.actions.iter().flat_map(TransactAction::key)).as_str(),
            { DB_OPERATION_BATCH_SIZE } = batch_size(transaction.actions.len())
        ),
        Request::BatchGet(batch) => span!(
            "BatchGetItem",
            table,
            pattern,
            { KEY_SHAPE } = shapes(batch.keys.iter()).as_str(),
            { DB_OPERATION_BATCH_SIZE } = batch_size(batch.keys.len())
        ),
        Request::BatchWrite(batch) => span!(
            "BatchWriteItem",
            table,
            pattern,
            { KEY_SHAPE } = shapes(batch.writes.iter().flat_map(BatchAction::key)).as_str(),
            { DB_OPERATION_BATCH_SIZE } = batch_size(batch.writes.len())
        ),
    }
}

/// Records the outcome of a request. An unmet condition is no error, also in a transaction, but it has a status code.
pub(super) fn record(span: &Span, outcome: &Result<Answer>) {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return record_error(span, error),
    };
    record_capacity(span, answer.capacity());
    let rows = match answer {
        Answer::Get(answer) => answer.item.iter().len(),
        Answer::Query(page) | Answer::Scan(page) => page.items.len(),
        Answer::BatchGet(answer) => answer.items.len(),
        Answer::Write(WriteOutcome::Refused { .. }) => {
            span.record(DB_RESPONSE_STATUS_CODE, "ConditionalCheckFailedException");
            return;
        }
        Answer::Transact(outcome @ TransactOutcome::Canceled { .. }) => {
            span.record(DB_RESPONSE_STATUS_CODE, "TransactionCanceledException");
            if let Some(error) = outcome.error().filter(|error| error.kind() != ErrorKind::ConditionFailed) {
                record_error(span, &error);
            }
            return;
        }
        Answer::Write(_) | Answer::Transact(_) | Answer::BatchWrite(_) => return,
    };
    span.record(DB_RESPONSE_RETURNED_ROWS, signed(rows));
}

/// Returns the different shapes of the partition keys, such as `GRP#…, MSG#…`.
fn shapes(keys: impl Iterator<Item = impl Borrow<Key>>) -> String {
    let shapes: BTreeSet<_> = keys.map(|key| format!("{:?}", key.borrow().pk)).collect();
    Vec::from_iter(shapes).join(", ")
}

/// Returns the number of parts. The conventions have no batch of one.
fn batch_size(parts: usize) -> Option<i64> {
    (parts > 1).then(|| signed(parts))
}
