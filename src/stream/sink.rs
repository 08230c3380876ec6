//! The sink for records that will always fail.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_dynamo::AttributeValue;

use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{RawRecord, StreamRecord};

/// A destination for dead letters: stream records that the [projector](super::Projector) can never project.
///
/// The sink receives the complete record, so the record is not lost. The projector continues with the later records.
/// AWS Lambda can send failed batches to a queue or topic, but it sends only their positions in the stream.
#[async_trait]
pub trait DeadLetterSink: Debug + Send + Sync {
    /// Stores a record together with the error that made the record a dead letter.
    ///
    /// # Errors
    /// Any error if the sink could not store the record. The projector then reports the record as failed, so the record
    /// is retried.
    async fn keep(&self, record: &StreamRecord, error: &Error) -> Result<()>;
}

/// A [`DeadLetterSink`] that writes each record as one line of JSON.
///
/// A line contains the record's kind and sequence number, its keys and images in DynamoDB JSON, and the error. The
/// images are the item before and after the change. The field `raw` contains [`StreamRecord::raw`], if present.
///
/// The lines contain the content of messages. Protect them like the table.
#[derive(Debug)]
pub struct JsonLinesSink<W> {
    writer: Mutex<W>,
}

impl<W: Write> JsonLinesSink<W> {
    /// Creates a sink that writes its lines to this writer.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::stream::{JsonLinesSink, Projector};
    ///
    /// let sink = JsonLinesSink::new(std::io::stderr());
    /// let projector = Projector::new(MemoryStore::new()).dead_letters(sink);
    /// ```
    pub fn new(writer: W) -> Self {
        Self { writer: Mutex::new(writer) }
    }

    /// Returns the sink's writer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::entity::Item;
    /// use threadline::stream::{DeadLetterSink, JsonLinesSink, RecordKind, StreamRecord};
    /// use threadline::{Error, ErrorKind};
    ///
    /// let sink = JsonLinesSink::new(Vec::new());
    /// let record = StreamRecord::new(RecordKind::Insert, Item::new(), Some("7".parse()?));
    /// sink.keep(&record, &Error::new(ErrorKind::Invalid, "record has no key")).await?;
    ///
    /// let lines = String::from_utf8(sink.into_inner()).expect("JSON is UTF-8");
    /// assert!(lines.starts_with(r#"{"eventName":"INSERT","sequenceNumber":"7""#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> W {
        self.writer.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<&'a str>,
    expired: bool,
    keys: BTreeMap<&'a str, &'a AttributeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<BTreeMap<&'a str, &'a AttributeValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<BTreeMap<&'a str, &'a AttributeValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    error: String,
}

#[async_trait]
impl<W: Write + Debug + Send> DeadLetterSink for JsonLinesSink<W> {
    async fn keep(&self, record: &StreamRecord, error: &Error) -> Result<()> {
        let line = Line {
            event_name: record.kind.as_str(),
            sequence_number: record.sequence.as_ref().map(super::SequenceNumber::as_str),
            expired: record.expired,
            keys: record.keys.iter().collect(),
            old_image: record.old.as_ref().map(|image| image.iter().collect()),
            new_image: record.new.as_ref().map(|image| image.iter().collect()),
            raw: record.raw.as_ref().map(RawRecord::as_str),
            error: error.to_string(),
        };
        let mut bytes = serde_json::to_vec(&line)
            .map_err(|_| Error::new(ErrorKind::Unavailable, "record could not be serialized as JSON"))?;
        bytes.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // A single call, so that another writer of the same file does not split the line.
        writer.write_all(&bytes).and_then(|()| writer.flush()).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "record could not be written to the sink").with_source(error)
        })
    }
}
