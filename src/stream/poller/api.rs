//! The four operations of the DynamoDB Streams API.

use std::collections::HashSet;
use std::error::Error as StdError;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::http::HttpResponse;
use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{Record, Shard, ShardIteratorType, StreamStatus, StreamViewType};

use super::checkpoint::Position;
use super::shards::Listed;
use crate::aws::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::text::KeySegment;

/// The API client, with the table name for errors.
pub(super) struct Api {
    pub(super) client: Client,
    pub(super) table: String,
}

/// The error code for a missing table, stream or shard.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// A stream of the table. Streams sort by label, which is the time at which the stream was enabled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamName {
    pub(super) label: String,
    pub(super) arn: String,
}

/// A stream as the service describes it.
#[derive(Debug)]
pub(super) struct Stream {
    /// `true` if the stream gets no new records and no new shards.
    pub(super) is_disabled: bool,
    /// `true` if the records have new images, which the projector needs.
    pub(super) has_new_images: bool,
    pub(super) shards: Vec<Listed>,
}

/// A page of records of a shard.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    /// The iterator of the next page, or `None` at the end of the shard.
    pub(super) next: Option<String>,
}

/// The reason why a shard could not be read.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The iterator is older than 15 minutes.
    Expired,
    /// The records at this position are older than 24 hours and were removed.
    Trimmed,
    /// The shard does not exist any more.
    Gone,
    /// Any other error.
    Other(Error),
}

impl Api {
    /// Returns the table's streams, the oldest first.
    ///
    /// # Errors
    /// `Misconfigured` if there is none.
    pub(super) async fn streams(&self) -> Result<Vec<StreamName>> {
        let call = Call::read("list_streams", &self.table);
        let mut streams = Vec::new();
        let (mut start, mut starts) = (None::<String>, HashSet::new());
        loop {
            let request =
                self.client.list_streams().table_name(&self.table).set_exclusive_start_stream_arn(start.clone());
            let sent = request.customize().interceptor(call.attempts.clone()).send().await;
            let answer = sent.map_err(|error| call.error(&error))?;
            for stream in answer.streams.unwrap_or_default() {
                if let (Some(label), Some(arn)) = (non_empty(stream.stream_label), non_empty(stream.stream_arn)) {
                    streams.push(StreamName { label, arn });
                }
            }
            start = self.next_page(call.operation, &mut starts, answer.last_evaluated_stream_arn)?;
            if start.is_none() {
                break;
            }
        }
        if streams.is_empty() {
            let message = "the table does not exist or has no stream; enable one with NEW_IMAGE or NEW_AND_OLD_IMAGES";
            return Err(call.named(Error::new(ErrorKind::Misconfigured, message)));
        }
        streams.sort();
        streams.dedup();
        Ok(streams)
    }

    /// Returns the stream with its listed shards, or `None` if there is no such stream.
    pub(super) async fn describe(&self, stream_arn: &str) -> Result<Option<Stream>> {
        let call = Call::read("describe_stream", &self.table);
        let mut stream = Stream { is_disabled: false, has_new_images: true, shards: Vec::new() };
        let (mut start, mut starts) = (None::<String>, HashSet::new());
        loop {
            let request =
                self.client.describe_stream().stream_arn(stream_arn).set_exclusive_start_shard_id(start.clone());
            let answer = match request.customize().interceptor(call.attempts.clone()).send().await {
                Ok(answer) => answer,
                Err(error) if error.code() == Some(NOT_FOUND) => return Ok(None),
                Err(error) => return Err(call.error(&error)),
            };
            let no_stream = || self.unavailable(call.operation, "the service's answer contains no stream");
            let description = answer.stream_description.ok_or_else(no_stream)?;
            if let Some(StreamViewType::KeysOnly | StreamViewType::OldImage) = description.stream_view_type {
                stream.has_new_images = false;
            }
            stream.is_disabled = description.stream_status == Some(StreamStatus::Disabled);
            for shard in description.shards.unwrap_or_default() {
                let unusable = |_| self.unavailable(call.operation, "the service listed a shard without a valid id");
                stream.shards.push(listed(shard).map_err(unusable)?);
            }
            start = self.next_page(call.operation, &mut starts, description.last_evaluated_shard_id)?;
            if start.is_none() {
                return Ok(Some(stream));
            }
        }
    }

    /// Returns the start of the next page of a listing. Refuses an earlier start, because the listing would never end.
    fn next_page(
        &self,
        operation: &'static str,
        starts: &mut HashSet<String>,
        next: Option<String>,
    ) -> Result<Option<String>> {
        let next = non_empty(next);
        if next.as_ref().is_some_and(|next| !starts.insert(next.clone())) {
            let message = "the service returned a page that starts at an earlier position; try again later";
            return Err(self.unavailable(operation, message));
        }
        Ok(next)
    }

    /// Returns an iterator of a shard, from a position or, without one, after the newest record.
    pub(super) async fn iterator(
        &self,
        stream_arn: &str,
        shard: &KeySegment,
        from: Option<&Position>,
    ) -> Result<String, Refusal> {
        let call = Call::read("get_shard_iterator", &self.table);
        let (kind, sequence) = match from {
            None => (ShardIteratorType::Latest, None),
            Some(Position::After(sequence)) => {
                (ShardIteratorType::AfterSequenceNumber, Some(sequence.as_str().to_owned()))
            }
            Some(Position::TrimHorizon | Position::End) => (ShardIteratorType::TrimHorizon, None),
        };
        let request = self.client.get_shard_iterator().stream_arn(stream_arn).shard_id(shard.as_str());
        let request = request.shard_iterator_type(kind).set_sequence_number(sequence);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        let answer = sent.map_err(|error| refusal(&call, &error))?;
        let no_iterator =
            || Refusal::Other(self.unavailable(call.operation, "the service's answer contains no iterator"));
        non_empty(answer.shard_iterator).ok_or_else(no_iterator)
    }

    /// Returns the records from an iterator on, up to `limit`.
    pub(super) async fn records(&self, iterator: &str, limit: i32) -> Result<Page, Refusal> {
        let call = Call::read("get_records", &self.table);
        let request = self.client.get_records().shard_iterator(iterator).limit(limit);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        let answer = sent.map_err(|error| refusal(&call, &error))?;
        Ok(Page { records: answer.records.unwrap_or_default(), next: non_empty(answer.next_shard_iterator) })
    }

    pub(super) fn unavailable(&self, operation: &'static str, message: &'static str) -> Error {
        Error::new(ErrorKind::Unavailable, message).with_operation(operation).with_table(&self.table)
    }
}

/// Returns the reason why a shard could not be read.
fn refusal<E>(call: &Call<'_>, error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    match error.code() {
        Some("ExpiredIteratorException") => Refusal::Expired,
        Some("TrimmedDataAccessException") => Refusal::Trimmed,
        Some(NOT_FOUND) => Refusal::Gone,
        _ => Refusal::Other(call.error(error)),
    }
}

/// Returns the text unless it is empty: an empty text means the same as a missing one.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn listed(shard: Shard) -> Result<Listed> {
    let range = shard.sequence_number_range;
    Ok(Listed {
        id: KeySegment::new(shard.shard_id.unwrap_or_default())?,
        parent: non_empty(shard.parent_shard_id).map(KeySegment::new).transpose()?,
        is_closed: range.is_some_and(|range| non_empty(range.ending_sequence_number).is_some()),
    })
}
