//! The four calls of the DynamoDB Streams API.

use std::error::Error as StdError;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::http::HttpResponse;
use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{Record, Shard, ShardIteratorType, StreamStatus, StreamViewType};

use super::checkpoint::Position;
use super::shards::Listed;
use crate::error::{Error, ErrorKind, Result};
use crate::store::dynamodb::attempts::Attempts;
use crate::store::dynamodb::convert::Effect;
use crate::store::dynamodb::error::{Call, Failure};
use crate::text::KeySegment;

/// The API, with the name of the table for errors.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) client: Client,
    pub(super) table: String,
}

/// A stream as the service describes it.
#[derive(Debug)]
pub(super) struct Stream {
    /// There will be no new shards.
    pub(super) is_disabled: bool,
    pub(super) shards: Vec<Listed>,
}

/// Where an iterator begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum From<'a> {
    Latest,
    Position(&'a Position),
}

/// Some records of a shard.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    /// Where the next read begins; `None` at the shard's end.
    pub(super) next: Option<String>,
}

/// Why a shard could not be read.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The iterator is older than 15 minutes.
    Expired,
    /// The records at this place are older than 24 hours, and gone.
    Trimmed,
    /// There is no such shard any more.
    Gone,
    Other(Error),
}

impl Api {
    /// The table's newest stream, by its ARN.
    pub(super) async fn latest_stream(&self) -> Result<String> {
        let mut newest: Option<(String, String)> = None;
        let mut start = None;
        loop {
            let attempts = Attempts::new();
            let request = self.client.list_streams().table_name(&self.table).set_exclusive_start_stream_arn(start);
            let sent = request.customize().interceptor(attempts.clone()).send().await;
            let answer = sent.map_err(|error| self.error("list_streams", &error, &attempts))?;
            for stream in answer.streams.unwrap_or_default() {
                // A label is the time at which the stream was turned on, in text that sorts as time does.
                if let (Some(label), Some(arn)) = (stream.stream_label, stream.stream_arn)
                    && newest.as_ref().is_none_or(|(newest, _)| *newest < label)
                {
                    newest = Some((label, arn));
                }
            }
            start = answer.last_evaluated_stream_arn;
            if start.is_none() {
                break;
            }
        }
        newest.map(|(_, arn)| arn).ok_or_else(|| {
            let message =
                "there is no such table, or it has no stream; turn one on, with new images or with new and old ones";
            Error::new(ErrorKind::Misconfigured, message).with_operation("list_streams").with_table(&self.table)
        })
    }

    /// The stream with all its shards.
    pub(super) async fn describe(&self, stream_arn: &str) -> Result<Stream> {
        let operation = "describe_stream";
        let invalid =
            |message| Error::new(ErrorKind::Misconfigured, message).with_operation(operation).with_table(&self.table);
        let mut stream = Stream { is_disabled: false, shards: Vec::new() };
        let mut start = None;
        loop {
            let attempts = Attempts::new();
            let request = self.client.describe_stream().stream_arn(stream_arn).set_exclusive_start_shard_id(start);
            let sent = request.customize().interceptor(attempts.clone()).send().await;
            let answer = sent.map_err(|error| self.error(operation, &error, &attempts))?;
            let description = answer
                .stream_description
                .ok_or_else(|| Error::new(ErrorKind::Unavailable, "the service's answer holds no stream"))?;
            if let Some(StreamViewType::KeysOnly | StreamViewType::OldImage) = description.stream_view_type {
                return Err(invalid("the stream has no new images, which the projector needs; turn on one that has"));
            }
            stream.is_disabled = description.stream_status == Some(StreamStatus::Disabled);
            for shard in description.shards.unwrap_or_default() {
                stream
                    .shards
                    .push(listed(shard).map_err(|_| invalid("the service lists a shard without a usable id"))?);
            }
            start = description.last_evaluated_shard_id;
            if start.is_none() {
                return Ok(stream);
            }
        }
    }

    /// An iterator of a shard.
    pub(super) async fn iterator(
        &self,
        stream_arn: &str,
        shard: &KeySegment,
        from: From<'_>,
    ) -> Result<String, Refusal> {
        let operation = "get_shard_iterator";
        let attempts = Attempts::new();
        let (kind, sequence) = match from {
            From::Latest => (ShardIteratorType::Latest, None),
            From::Position(Position::After(sequence)) => {
                (ShardIteratorType::AfterSequenceNumber, Some(sequence.as_str().to_owned()))
            }
            From::Position(_) => (ShardIteratorType::TrimHorizon, None),
        };
        let request = self.client.get_shard_iterator().stream_arn(stream_arn).shard_id(shard.as_str());
        let request = request.shard_iterator_type(kind).set_sequence_number(sequence);
        let sent = request.customize().interceptor(attempts.clone()).send().await;
        let answer = sent.map_err(|error| self.refusal(operation, &error, &attempts))?;
        answer.shard_iterator.ok_or_else(|| {
            let error = Error::new(ErrorKind::Unavailable, "the service's answer holds no iterator");
            Refusal::Other(error.with_operation(operation).with_table(&self.table))
        })
    }

    /// Up to so many records, from the iterator on.
    pub(super) async fn records(&self, iterator: &str, most: i32) -> Result<Page, Refusal> {
        let attempts = Attempts::new();
        let request = self.client.get_records().shard_iterator(iterator).limit(most);
        let sent = request.customize().interceptor(attempts.clone()).send().await;
        let answer = sent.map_err(|error| self.refusal("get_records", &error, &attempts))?;
        Ok(Page { records: answer.records.unwrap_or_default(), next: answer.next_shard_iterator })
    }

    fn refusal<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>, attempts: &Attempts) -> Refusal
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        match error.code() {
            Some("ExpiredIteratorException") => Refusal::Expired,
            Some("TrimmedDataAccessException") => Refusal::Trimmed,
            Some("ResourceNotFoundException") => Refusal::Gone,
            _ => Refusal::Other(self.error(operation, error, attempts)),
        }
    }

    fn error<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>, attempts: &Attempts) -> Error
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Failure::of(error).into_error(Call { operation, table: &self.table, effect: Effect::Read, attempts })
    }
}

fn listed(shard: Shard) -> Result<Listed> {
    let range = shard.sequence_number_range;
    Ok(Listed {
        id: KeySegment::new(shard.shard_id.unwrap_or_default())?,
        parent: shard.parent_shard_id.map(KeySegment::new).transpose()?,
        is_closed: range.is_some_and(|range| range.ending_sequence_number.is_some()),
    })
}
