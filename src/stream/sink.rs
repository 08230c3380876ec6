//! Where records go that can never succeed.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_dynamo::AttributeValue;

use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{RawRecord, StreamRecord};

/// Takes the records that can never succeed, whole, so that they block nothing and are not lost: what Lambda sends to a
/// destination of its own names such a record and leaves out what was in it.
#[async_trait]
pub trait DeadLetterSink: Debug + Send + Sync {
    /// Keeps a record, and why it cannot succeed.
    ///
    /// # Errors
    /// When it could not be kept. The projector then reports the record as failed, to be tried again.
    async fn keep(&self, record: &StreamRecord, error: &Error) -> Result<()>;
}

/// Writes each record as a line of JSON: its kind, sequence number, key and images in DynamoDB's own JSON, and the error. Of a
/// record that could not be read whole, `raw` is all of it, as text.
///
/// The lines hold content. Keep them as safe as the table.
#[derive(Debug)]
pub struct JsonLinesSink<W> {
    to: Mutex<W>,
}

impl<W: Write> JsonLinesSink<W> {
    /// Writes to this.
    pub fn new(to: W) -> Self {
        Self { to: Mutex::new(to) }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to.into_inner().unwrap_or_else(PoisonError::into_inner)
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
            .map_err(|_| Error::new(ErrorKind::Unavailable, "the record could not be written as JSON"))?;
        bytes.push(b'\n');
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        // One call, so that a line is not cut by another.
        to.write_all(&bytes).and_then(|()| to.flush()).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the record could not be written to the sink").with_source(error)
        })
    }
}
