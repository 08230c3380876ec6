//! The attributes of spans, by the names of OpenTelemetry's semantic conventions.
//!
//! The guide's page [Telemetry](crate::guide::telemetry) lists the attributes. A span records each attribute at most
//! once. If it recorded two values, an exporter would send both.

use tracing::{Span, field};

use crate::capacity::Capacity;
use crate::error::Error;

pub(crate) const DB_SYSTEM_NAME: &str = "db.system.name";
pub(crate) const DB_COLLECTION_NAME: &str = "db.collection.name";
pub(crate) const DB_OPERATION_NAME: &str = "db.operation.name";
pub(crate) const DB_OPERATION_BATCH_SIZE: &str = "db.operation.batch.size";
pub(crate) const DB_QUERY_SUMMARY: &str = "db.query.summary";
pub(crate) const DB_RESPONSE_RETURNED_ROWS: &str = "db.response.returned_rows";
pub(crate) const DB_RESPONSE_STATUS_CODE: &str = "db.response.status_code";
pub(crate) const ERROR_TYPE: &str = "error.type";
pub(crate) const AWS_REQUEST_ID: &str = "aws.request_id";
pub(crate) const CONSISTENT_READ: &str = "aws.dynamodb.consistent_read";
pub(crate) const INDEX_NAME: &str = "aws.dynamodb.index_name";
pub(crate) const LIMIT: &str = "aws.dynamodb.limit";
pub(crate) const SCAN_FORWARD: &str = "aws.dynamodb.scan_forward";

/// The value of [`DB_SYSTEM_NAME`].
pub(crate) const AWS_DYNAMODB: &str = "aws.dynamodb";

/// The kind of a span. The layer of the crate `tracing-opentelemetry` reads this attribute.
pub(crate) const OTEL_KIND: &str = "otel.kind";
/// The status of a span. The layer of the crate `tracing-opentelemetry` reads this attribute.
pub(crate) const OTEL_STATUS_CODE: &str = "otel.status_code";

// The conventions have consumed capacity only as an array of JSON texts, which no span of `tracing` can hold.
pub(crate) const TABLE_READ_UNITS: &str = "threadline.table.read_units";
pub(crate) const TABLE_WRITE_UNITS: &str = "threadline.table.write_units";
pub(crate) const INDEX_READ_UNITS: &str = "threadline.index.read_units";
pub(crate) const INDEX_WRITE_UNITS: &str = "threadline.index.write_units";
/// The shapes of the partition keys, such as `MSG#…`. A shape never contains an id or a name.
pub(crate) const KEY_SHAPE: &str = "threadline.key_shape";
pub(crate) const THROTTLING_REASON: &str = "threadline.throttling_reason";

/// The names of the attributes of the poller's span.
#[cfg(feature = "streams")]
pub(crate) mod poller {
    pub(crate) const SHARD: &str = "threadline.poller.shard";
    pub(crate) const RECORDS: &str = "threadline.poller.records";
    pub(crate) const PROJECTED: &str = "threadline.poller.projected";
    pub(crate) const FAILED: &str = "threadline.poller.failed";
    pub(crate) const DEAD_LETTERS: &str = "threadline.poller.dead_letters";
}

/// Converts a number to `i64`. The crate `tracing-opentelemetry` sends an `i64` as a number, but an unsigned integer as
/// text.
pub(crate) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Records the capacity that the table consumed, and separately the capacity that the index consumed.
pub(crate) fn record_capacity(span: &Span, consumed: Capacity) {
    span.record(TABLE_READ_UNITS, consumed.table_read.as_f64());
    span.record(TABLE_WRITE_UNITS, consumed.table_write.as_f64());
    span.record(INDEX_READ_UNITS, consumed.index_read.as_f64());
    span.record(INDEX_WRITE_UNITS, consumed.index_write.as_f64());
}

/// Records the kind of an error, and the code that the service returned, if any.
pub(crate) fn record_error(span: &Span, error: &Error) {
    span.record(OTEL_STATUS_CODE, "ERROR");
    span.record(ERROR_TYPE, field::debug(error.kind()));
    if let Some(code) = error.service().and_then(|service| service.code.as_deref()) {
        span.record(DB_RESPONSE_STATUS_CODE, code);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_semantic_conventions::attribute as standard;

    use super::*;

    #[test]
    fn names_are_those_of_the_semantic_conventions() {
        let names = [
            (DB_SYSTEM_NAME, standard::DB_SYSTEM_NAME),
            (DB_COLLECTION_NAME, standard::DB_COLLECTION_NAME),
            (DB_OPERATION_NAME, standard::DB_OPERATION_NAME),
            (DB_OPERATION_BATCH_SIZE, standard::DB_OPERATION_BATCH_SIZE),
            (DB_QUERY_SUMMARY, standard::DB_QUERY_SUMMARY),
            (DB_RESPONSE_RETURNED_ROWS, standard::DB_RESPONSE_RETURNED_ROWS),
            (DB_RESPONSE_STATUS_CODE, standard::DB_RESPONSE_STATUS_CODE),
            (ERROR_TYPE, standard::ERROR_TYPE),
            (AWS_REQUEST_ID, standard::AWS_REQUEST_ID),
            (CONSISTENT_READ, standard::AWS_DYNAMODB_CONSISTENT_READ),
            (INDEX_NAME, standard::AWS_DYNAMODB_INDEX_NAME),
            (LIMIT, standard::AWS_DYNAMODB_LIMIT),
            (SCAN_FORWARD, standard::AWS_DYNAMODB_SCAN_FORWARD),
            (OTEL_STATUS_CODE, standard::OTEL_STATUS_CODE),
        ];
        for (ours, theirs) in names {
            assert_eq!(ours, theirs);
        }
        // The rest: the value, the kind, and the names in this crate's own namespace.
        let source = include_str!("telemetry.rs");
        let constants = source.lines().filter(|line| line.starts_with("pub(crate) const "));
        let own = constants.clone().filter(|line| line.contains("\"threadline."));
        assert_eq!(constants.count(), names.len() + own.count() + 2, "a name is not compared");
    }
}
