//! Conversion of AWS Lambda events into stream records, and of projections into partial batch responses.
//!
//! A Lambda function reads its event with [`records_from_event`] and projects the records with a
//! [`Projector`](super::Projector). Then it returns a [`DynamoDbEventResponse`]:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> threadline::Result<()> {
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
//! The function response types of the event source mapping must include `ReportBatchItemFailures`. Without this
//! setting, Lambda treats every response as a success, and failed records are lost: see [partial batch responses].
//! `examples/lambda` is a complete function.
//!
//! [partial batch responses]: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

use aws_lambda_events::event::dynamodb::{EventRecord, UserIdentity};
use aws_lambda_events::event::streams::DynamoDbBatchItemFailure;
use serde::Deserialize;
use serde_dynamo::AttributeValue;
use serde_json::Value;

use super::projector::Projection;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{PK, SK};
use crate::store::record::{RawRecord, RecordKind, SequenceNumber, StreamRecord};

pub use aws_lambda_events;
pub use aws_lambda_events::event::streams::DynamoDbEventResponse;

/// The maximum nesting depth of a record's JSON: the limit of `serde_json`, and twice the depth of DynamoDB's 32
/// levels.
const MAX_DEPTH: usize = 128;

/// Reads the stream records of an AWS Lambda event, in order.
///
/// One invalid record makes an event unreadable for the types of `aws_lambda_events`. This function still reads all
/// valid parts of such an event. If a part of a record is unreadable, the returned record lacks this part, and
/// [`StreamRecord::raw`] contains the record's JSON. An image, which is the item before or after the change, omits
/// attributes of unknown types.
///
/// If the [projector](super::Projector) needs a missing part, the record becomes a dead letter: see
/// [`DeadLetterSink`](super::DeadLetterSink). A dead letter blocks no other record.
///
/// If a record's JSON is nested more than 128 levels deep, the returned record has only a kind and a sequence number.
/// DynamoDB never sends such a record.
///
/// ```
/// # fn main() -> threadline::Result<()> {
/// use threadline::stream::RecordKind;
/// use threadline::stream::lambda::records_from_event;
///
/// let keys = serde_json::json!({ "pk": { "S": "GRP#1" }, "sk": { "S": "GRP" } });
/// let event = serde_json::json!({ "Records": [{
///     "eventSource": "aws:dynamodb",
///     "eventName": "INSERT",
///     "dynamodb": { "Keys": keys, "SequenceNumber": "7" },
/// }] });
/// let records = records_from_event(&event)?;
/// assert_eq!(records[0].kind, RecordKind::Insert);
/// assert_eq!(records[0].key()?.pk.as_str(), "GRP#1");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Misconfigured`](crate::ErrorKind::Misconfigured) in each of these cases:
///
/// * The event has no list of records.
/// * A record is from another source than a DynamoDB stream, such as a queue, a topic or a Kinesis stream.
/// * A record is from a table with other keys than `pk` and `sk`.
///
/// After this error, let the invocation fail. If the function reports success, Lambda discards the event.
pub fn records_from_event(event: &Value) -> Result<Vec<StreamRecord>> {
    let records = part(event, "Records").as_array().ok_or_else(|| {
        let message = "the event has no list of `Records`; invoke the function with events of a DynamoDB stream";
        Error::new(ErrorKind::Misconfigured, message)
    })?;
    if !records.is_empty() && !records.iter().any(is_of_a_stream) {
        return Err(Error::new(ErrorKind::Misconfigured, "the event is not from a DynamoDB stream"));
    }
    records.iter().map(read).collect()
}

/// Reads the stream records of an AWS Lambda event, and checks that they are from the stream of this table.
///
/// `table` is the table's name or ARN. The function reads the records as [`records_from_event`] does.
///
/// ```
/// # fn main() -> threadline::Result<()> {
/// use threadline::ErrorKind;
/// use threadline::stream::lambda::records_of_table;
///
/// let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-02T03:04:05.678";
/// let event = serde_json::json!({ "Records": [{ "eventSource": "aws:dynamodb", "eventSourceARN": arn }] });
/// let error = records_of_table(&event, "threadline").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Misconfigured);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// * [`Misconfigured`](crate::ErrorKind::Misconfigured) if the event is from another table's stream. The name of the
///   table must match. If `table` is an ARN, the region and the account must match too.
/// * Otherwise the errors of [`records_from_event`].
pub fn records_of_table(event: &Value, table: &str) -> Result<Vec<StreamRecord>> {
    // The SDK accepts a table's ARN as its name.
    let (owner, table) = table_in(table).map_or((None, table), |(owner, table)| (Some(owner), table));
    for record in part(event, "Records").as_array().into_iter().flatten() {
        let is_other =
            |(its_owner, name): &(&str, &str)| *name != table || owner.is_some_and(|owner| owner != *its_owner);
        if let Some((_, other)) = table_of(record).filter(is_other) {
            return Err(
                Error::new(ErrorKind::Misconfigured, "the event is from another table's stream").with_table(other)
            );
        }
    }
    records_from_event(event)
}

/// Returns the owner and name of the record's table, as [`table_in`] does.
fn table_of(record: &Value) -> Option<(&str, &str)> {
    table_in(part(record, "eventSourceARN").as_str()?)
}

/// Parses the ARN of a table or stream. Returns its prefix with region and account, and the table's name.
fn table_in(arn: &str) -> Option<(&str, &str)> {
    let (owner, resource) = arn.split_once(":table/")?;
    Some((owner, resource.split('/').next()?))
}

/// Returns the name of the record's event source, if present.
fn source_of(record: &Value) -> Option<&Value> {
    // SNS capitalizes the attribute name.
    ["eventSource", "EventSource"].iter().filter_map(|name| record.get(name)).find(|source| !source.is_null())
}

/// Returns `true` if the record names its source, which is checked later, or contains a stream record.
fn is_of_a_stream(record: &Value) -> bool {
    source_of(record).is_some() || record.get("dynamodb").is_some()
}

/// Refuses a record of another source or of a table with other keys.
fn check_source(event_record: &Value) -> Result<()> {
    let source = source_of(event_record);
    // Keys that are no map of attributes show a corrupt record, not another table.
    let keys = part(part(event_record, "dynamodb"), "Keys").as_object().filter(|keys| !keys.is_empty());
    let is_another_type = |key: &Value| key.as_object().is_some_and(|key| !key.contains_key("S"));
    let has_key = |name: &&str| keys.is_none_or(|keys| keys.get(*name).is_some_and(|key| !is_another_type(key)));
    let message = match source {
        Some(source) if source.as_str() != Some("aws:dynamodb") => "the event is not from a DynamoDB stream",
        _ if [PK, SK].iter().all(has_key) => return Ok(()),
        _ => "the event is from a table with other keys than `pk` and `sk`",
    };
    let error = Error::new(ErrorKind::Misconfigured, message);
    Err(match table_of(event_record) {
        Some((_, table)) => error.with_table(table),
        None => error,
    })
}

fn read(event_record: &Value) -> Result<StreamRecord> {
    check_source(event_record)?;
    let change = part(event_record, "dynamodb");
    let name = part(event_record, "eventName").as_str().unwrap_or_default();
    let sequence = part(change, "SequenceNumber").as_str().and_then(|number| number.parse().ok());
    let mut record = StreamRecord::new(RecordKind::from(name), Item::new(), sequence);
    if !is_shallow(event_record) {
        return Ok(record);
    }

    let images = ["Keys", "OldImage", "NewImage"].map(|name| image(part(change, name)));
    let is_whole =
        images.iter().all(|(_, is_whole)| *is_whole) && record.kind != RecordKind::Unknown && record.sequence.is_some();
    let [(keys, keys_are_whole), (old, _), (new, _)] = images;
    let keys = keys.filter(|_| keys_are_whole);
    if !is_whole || keys.is_none() {
        record.raw = Some(RawRecord::new(event_record.to_string()));
    }
    record.keys = keys.unwrap_or_default();
    record.old = old;
    record.new = new;
    let identity = part(event_record, "userIdentity");
    record.expired = by_time_to_live(part(identity, "type").as_str(), part(identity, "principalId").as_str());
    Ok(record)
}

/// Returns the field with this name, or null.
fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Returns the readable attributes, if any, and `true` if these are all.
fn image(value: &Value) -> (Option<Item>, bool) {
    let Some(attributes) = value.as_object() else { return (None, value.is_null()) };
    let mut item = Item::new();
    for (name, value) in attributes {
        if let Ok(value) = AttributeValue::deserialize(value) {
            item.insert(name, value);
        }
    }
    let is_whole = item.len() == attributes.len();
    (non_empty(item), is_whole)
}

/// Returns `true` if the value is nested at most [`MAX_DEPTH`] levels deep. It does not recurse.
fn is_shallow(value: &Value) -> bool {
    let mut pending = vec![(value, 1)];
    while let Some((value, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            return false;
        }
        match value {
            Value::Array(values) => pending.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(fields) => pending.extend(fields.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    true
}

/// Converts a record of `aws_lambda_events` into a [`StreamRecord`].
///
/// ```
/// use threadline::stream::StreamRecord;
/// use threadline::stream::lambda::aws_lambda_events::event::dynamodb::Event;
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
            // In `EventRecord`, a missing image is an empty one. No item is empty.
            old: non_empty(change.old_image.into()),
            new: non_empty(change.new_image.into()),
            expired: by_time_to_live(Some(type_), Some(principal_id)),
            ..Self::new(RecordKind::from(record.event_name.as_str()), change.keys.into(), sequence)
        }
    }
}

fn non_empty(image: Item) -> Option<Item> {
    (!image.is_empty()).then_some(image)
}

/// Returns `true` if DynamoDB deleted the item because it expired. DynamoDB sets an [identity] for this.
///
/// [identity]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
fn by_time_to_live(identity_type: Option<&str>, principal: Option<&str>) -> bool {
    identity_type == Some("Service") && principal == Some("dynamodb.amazonaws.com")
}

/// Converts a [`Projection`] into the partial batch response of a Lambda function.
///
/// * If no record failed, the response is empty.
/// * If records failed and all of them have a sequence number, the response contains the lowest number. Lambda then
///   redelivers the record with this number and all later records.
/// * If a failed record has no sequence number, the response contains an empty number. Lambda then redelivers the whole
///   batch.
///
/// Redelivery does no harm, because the projector's writes are idempotent.
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
