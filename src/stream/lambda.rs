//! The events that AWS Lambda brings from the table's stream, and what a function answers.
//!
//! A function reads its event with [`records_from_event`], projects the records, and answers with [`DynamoDbEventResponse`]:
//!
//! ```
//! # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap() }
//! # async fn run() -> threadline::Result<()> {
//! # use threadline::MemoryStore;
//! use threadline::stream::Projector;
//! use threadline::stream::lambda::{DynamoDbEventResponse, records_from_event};
//!
//! # let store = MemoryStore::new();
//! # let event = serde_json::json!({ "Records": [] });
//! let projector = Projector::new(store);
//! let records = records_from_event(&event)?;
//! let projection = projector.project(&records).await;
//! let response = DynamoDbEventResponse::from(&projection);
//! assert!(response.batch_item_failures.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! The event source mapping must have `ReportBatchItemFailures` among its function response types: without it Lambda takes
//! every answer for a success, and what failed is lost
//! ([partial batch responses](https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html)).
//! `examples/lambda` is a whole function.

use aws_lambda_events::event::dynamodb::{EventRecord, UserIdentity};
use aws_lambda_events::event::streams::DynamoDbBatchItemFailure;
use serde::Deserialize;
use serde_json::Value;

use super::projector::Projection;
use super::record::{RawRecord, RecordKind, SequenceNumber, StreamRecord};
use crate::error::{Error, Result};
use crate::item::Item;

pub use aws_lambda_events::event::streams::DynamoDbEventResponse;

/// The deepest that a record's JSON may be nested: what `serde_json` reads, and twice what DynamoDB's 32 levels make of it.
const MAX_DEPTH: usize = 128;

/// The records of an event, one for each, in their order.
///
/// Unlike the types of `aws_lambda_events`, of which one bad record makes the whole event unreadable, this reads what there is:
/// a record of which a part cannot be read has that part missing, and its JSON in [`StreamRecord::raw`]. Where the projector
/// needs that part, the record goes to its sink, and blocks nothing.
///
/// A record that is nested more than 128 deep, as neither DynamoDB nor `serde_json`'s parser brings it, keeps no more than its
/// number.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) for an event without a list of `Records`, which is none of a stream. Let the
/// invocation fail then.
pub fn records_from_event(event: &Value) -> Result<Vec<StreamRecord>> {
    let records = part(event, "Records").as_array().ok_or_else(|| {
        Error::invalid(
            "the event has no list of `Records`: a function of a DynamoDB stream was called with something else",
        )
    })?;
    Ok(records.iter().map(read).collect())
}

fn read(event_record: &Value) -> StreamRecord {
    let change = part(event_record, "dynamodb");
    let name = part(event_record, "eventName").as_str().unwrap_or_default();
    let sequence = part(change, "SequenceNumber").as_str().and_then(|number| number.parse().ok());
    let mut record = StreamRecord::new(RecordKind::from(name), Item::new(), sequence);
    if !is_shallow(event_record) {
        return record;
    }

    let images = ["Keys", "OldImage", "NewImage"].map(|name| image(part(change, name)));
    let is_whole = images.iter().all(Result::is_ok) && record.kind != RecordKind::Unknown && record.sequence.is_some();
    let [keys, old, new] = images.map(Result::unwrap_or_default);
    if !is_whole || keys.is_none() {
        record.raw = Some(RawRecord::new(event_record.to_string()));
    }
    record.keys = keys.unwrap_or_default();
    record.old = old;
    record.new = new;
    let identity = part(event_record, "userIdentity");
    record.expired = by_time_to_live(part(identity, "type").as_str(), part(identity, "principalId").as_str());
    record
}

/// The part of this name; null where there is none.
fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn image(value: &Value) -> Result<Option<Item>> {
    let item = Option::<serde_dynamo::Item>::deserialize(value)
        // The cause is left out: it may hold the value that did not fit.
        .map_err(|_| Error::invalid("the record has an image that cannot be read"))?;
    Ok(item.map(Item::from).and_then(unless_empty))
}

/// Whether the value is nested no deeper than it may be, found without nesting calls that deep.
fn is_shallow(value: &Value) -> bool {
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return false;
        }
        match value {
            Value::Array(values) => open.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    true
}

/// The record of an event that was read into the types of `aws_lambda_events`.
///
/// ```
/// use aws_lambda_events::event::dynamodb::Event;
/// use threadline::stream::StreamRecord;
///
/// fn records(event: Event) -> Vec<StreamRecord> {
///     event.records.into_iter().map(StreamRecord::from).collect()
/// }
/// ```
impl From<EventRecord> for StreamRecord {
    fn from(record: EventRecord) -> Self {
        let change = record.change;
        let sequence = change.sequence_number.and_then(|number| number.parse::<SequenceNumber>().ok());
        let by = record.user_identity.unwrap_or_default();
        let UserIdentity { type_, principal_id, .. } = &by;
        Self {
            // There an image that is missing is an empty one, which no item has.
            old: unless_empty(change.old_image.into()),
            new: unless_empty(change.new_image.into()),
            expired: by_time_to_live(Some(type_), Some(principal_id)),
            ..Self::new(RecordKind::from(record.event_name.as_str()), change.keys.into(), sequence)
        }
    }
}

fn unless_empty(image: Item) -> Option<Item> {
    (!image.is_empty()).then_some(image)
}

/// Whether it was DynamoDB itself that deleted the item, because it had expired
/// ([how it is told](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html)).
fn by_time_to_live(identity_type: Option<&str>, principal: Option<&str>) -> bool {
    identity_type == Some("Service") && principal == Some("dynamodb.amazonaws.com")
}

/// The partial batch response: the lowest sequence number that failed, from which Lambda brings the records again, or nothing
/// where all went well.
///
/// Where a record failed that has no number, the one number is empty, and Lambda brings the whole batch again. Whatever comes
/// again does no harm: the projector's writes are idempotent.
impl From<&Projection> for DynamoDbEventResponse {
    fn from(projection: &Projection) -> Self {
        let mut response = Self::default();
        if projection.has_failed() {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier =
                Some(projection.lowest_failed.as_ref().map_or("", SequenceNumber::as_str).to_owned());
            response.batch_item_failures.push(failure);
        }
        response
    }
}
