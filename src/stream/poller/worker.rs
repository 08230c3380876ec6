//! One step of one shard: reads a batch, projects it, and saves a checkpoint.

use std::sync::Arc;

use tracing::{Instrument, field};

use super::api::{Api, Page, Refusal};
use super::checkpoint::{Checkpoint, Position};
use super::shards::{CONFIRMATIONS, Shard};
use super::stop::Stop;
use super::summary::{PollEvent, PollSummary};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::store::{Store, StoreExt};
use crate::stream::{Projection, Projector, RecordOutcome, StreamRecord};
use crate::telemetry::{
    DB_COLLECTION_NAME, DB_RESPONSE_STATUS_CODE, ERROR_TYPE, OTEL_STATUS_CODE, poller, record_error, signed,
};
use crate::text::KeySegment;

/// The number of reads in a step if the service refuses its own iterators.
const READS: u32 = 3;
/// The number of empty reads in a row after which a closed shard without an end is an error.
///
/// Some empty reads are usual, because each covers only a part of the shard.
const MAX_EMPTY_READS: u32 = 1000;

pub(super) type Observer = Arc<dyn Fn(&PollEvent<'_>) + Send + Sync>;

/// The parts that a step of a shard uses.
pub(super) struct Worker {
    pub(super) api: Api,
    pub(super) projector: Projector,
    pub(super) checkpoints: Arc<dyn Store>,
    pub(super) batch_size: i32,
    pub(super) observer: Option<Observer>,
}

/// An error, and the number of failures of the same step in a row.
pub(super) type Failure = (u32, Error);

/// The result of a step of a shard, or of a round of such steps.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) summary: PollSummary,
    pub(super) had_records: bool,
    pub(super) ended: bool,
    /// `true` if the shards must be listed again.
    pub(super) relist: bool,
    /// The gravest failure: an operator error, or else the one with the most failures in a row.
    pub(super) failure: Option<Failure>,
}

impl Step {
    /// Adds the result of another step.
    pub(super) fn add(&mut self, step: Self) {
        self.summary += step.summary;
        self.had_records |= step.had_records;
        self.ended |= step.ended;
        self.relist |= step.relist;
        let gravity = |(failed, error): &Failure| (error.recovery() != Recovery::Retry, *failed);
        if self.failure.as_ref().map(gravity) < step.failure.as_ref().map(gravity) {
            self.failure = step.failure;
        }
    }
}

impl Worker {
    /// Reads the shard's next batch and projects it. The stop signal only ends a read, which leaves the shard
    /// unchanged.
    pub(super) async fn step(&self, stream_arn: &str, shard: &mut Shard, stop: &Stop<'_>) -> Step {
        let mut step = Step::default();
        let done = match self.read(stream_arn, shard, stop, &mut step).await {
            Ok(None) => {
                step.ended = shard.position == Position::End;
                return step;
            }
            Ok(Some(page)) if page.records.is_empty() && (page.next.is_some() || !shard.is_closed) => {
                // Only a closed shard ends. An open one without an iterator may be listed as closed by now.
                step.relist = page.next.is_none();
                shard.iterator = page.next;
                shard.empty_reads = shard.empty_reads.saturating_add(1);
                let is_endless = shard.is_closed && shard.empty_reads > MAX_EMPTY_READS;
                let message = "a closed shard returns neither records nor an end; try again";
                if is_endless { Err(self.api.unavailable("get_records", message)) } else { Ok(()) }
            }
            Ok(Some(page)) => self.take(stream_arn, shard, page, &mut step).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => shard.failed = 0,
            Err(error) => {
                shard.failed = shard.failed.saturating_add(1);
                if error.recovery() != Recovery::Retry {
                    shard.iterator = None;
                }
                step.failure = Some((shard.failed, error));
            }
        }
        step
    }

    async fn read(
        &self,
        stream_arn: &str,
        shard: &mut Shard,
        stop: &Stop<'_>,
        step: &mut Step,
    ) -> Result<Option<Page>> {
        for _ in 0..READS {
            match self.try_read(stream_arn, shard, stop).await {
                Ok(page) => {
                    if page.is_some() {
                        (shard.is_listed, shard.refused) = (true, 0);
                    }
                    return Ok(page);
                }
                Err(Refusal::Expired) => {}
                Err(Refusal::Trimmed) => {
                    if !std::mem::replace(&mut shard.is_trimmed, true) {
                        step.summary.trimmed = 1;
                        self.report_trimmed(&shard.id);
                    }
                }
                Err(Refusal::Gone) => {
                    shard.iterator = None;
                    shard.refused = shard.refused.saturating_add(1);
                    if shard.refused < CONFIRMATIONS {
                        let message = "the service reports that the shard does not exist; try again";
                        return Err(self.api.unavailable("get_records", message));
                    }
                    if shard.loses_records() {
                        self.save(stream_arn, shard, Position::End).await?;
                        step.summary.trimmed += 1;
                        self.report_trimmed(&shard.id);
                    }
                    shard.position = Position::End;
                    return Ok(None);
                }
                Err(Refusal::Other(error)) => return Err(error),
            }
            shard.iterator = None;
        }
        Err(self.api.unavailable("get_records", "the service refuses its own shard iterators; try again"))
    }

    async fn try_read(&self, stream_arn: &str, shard: &mut Shard, stop: &Stop<'_>) -> Result<Option<Page>, Refusal> {
        let iterator = match shard.iterator.clone() {
            Some(iterator) => iterator,
            None => {
                let from = match &shard.position {
                    _ if shard.is_trimmed => Some(&Position::TrimHorizon),
                    _ if shard.from_latest => None,
                    position => Some(position),
                };
                let Some(iterator) = stop.unless(self.api.iterator(stream_arn, &shard.id, from)).await else {
                    return Ok(None);
                };
                let iterator = iterator?;
                // Only once: if this iterator is lost before the first record, a second one could skip records. The
                // shard is then read from its oldest record.
                shard.from_latest = false;
                shard.iterator = Some(iterator.clone());
                iterator
            }
        };
        stop.unless(self.api.records(&iterator, self.batch_size)).await.transpose()
    }

    /// Projects a page of records, in its own span.
    async fn take(&self, stream_arn: &str, shard: &mut Shard, page: Page, step: &mut Step) -> Result<()> {
        let span = tracing::info_span!(
            "poller.batch",
            { DB_COLLECTION_NAME } = self.api.table,
            { poller::SHARD } = shard.id.as_str(),
            { poller::RECORDS } = field::Empty,
            { poller::PROJECTED } = field::Empty,
            { poller::FAILED } = field::Empty,
            { poller::DEAD_LETTERS } = field::Empty,
            { ERROR_TYPE } = field::Empty,
            { DB_RESPONSE_STATUS_CODE } = field::Empty,
            { OTEL_STATUS_CODE } = field::Empty,
        );
        let is_last = page.next.is_none();
        let records: Vec<_> = page.records.into_iter().map(StreamRecord::from).collect();
        let projection = self.projector.project(&records).instrument(span.clone()).await;
        let batch = PollSummary::of(&records, &projection);
        let result = self.advance(stream_arn, shard, &records, &projection, page.next).instrument(span.clone()).await;

        span.record(poller::RECORDS, signed(batch.records));
        span.record(poller::PROJECTED, signed(batch.projected));
        span.record(poller::FAILED, signed(batch.failed));
        span.record(poller::DEAD_LETTERS, signed(batch.dead_letters));
        if let Err(error) = &result {
            record_error(&span, error);
        }
        if batch.records > 0 {
            self.report(&PollEvent::Batch { shard: shard.id.as_str(), summary: batch });
        }
        step.summary += batch;
        step.had_records = !records.is_empty();
        step.ended = shard.position == Position::End;
        step.relist = is_last && !step.ended;
        if step.ended {
            self.report(&PollEvent::Ended { shard: shard.id.as_str() });
        }
        result
    }

    /// Moves the shard's position after the batch, or before its first failed record.
    async fn advance(
        &self,
        stream_arn: &str,
        shard: &mut Shard,
        records: &[StreamRecord],
        projection: &Projection,
        next: Option<String>,
    ) -> Result<()> {
        // The records of a shard are ordered by number, so the first failure is the lowest, even if it has no number.
        let failed = projection.outcomes.iter().enumerate().find_map(|(index, outcome)| match outcome {
            RecordOutcome::Failed(error) => Some((index, error)),
            _ => None,
        });
        let done = failed.map_or(records.len(), |(index, _)| index);
        let done = records.get(..done).unwrap_or_default();
        let last = done.iter().rev().find_map(|record| record.sequence.clone());
        let position = match last {
            _ if failed.is_none() && next.is_none() && shard.is_closed => Some(Position::End),
            Some(sequence) => Some(Position::After(sequence)),
            None => None,
        };
        if let Some(position) = position {
            // A checkpoint is a write, so it creates a stream record. If a batch has only such records, a checkpoint
            // would create the next such batch, without end. A restart reads these few records again.
            let needs_checkpoint = position == Position::End || done.iter().any(|record| !Checkpoint::is_in(record));
            if needs_checkpoint {
                self.save(stream_arn, shard, position.clone()).await?;
            }
            (shard.position, shard.is_trimmed) = (position, false);
            shard.iterator = None;
            shard.failed = 0;
        }
        shard.empty_reads = 0;
        let Some((_, error)) = failed else {
            shard.iterator = next;
            return Ok(());
        };
        // A permanent error of the projection is no permanent error of the poller, which retries the batch.
        let kind = if error.recovery() == Recovery::Permanent { ErrorKind::Unavailable } else { error.kind() };
        Err(Error::new(kind, "records of the stream could not be projected")
            .with_operation("poller.project")
            .with_table(&self.api.table)
            .with_source(Arc::clone(error)))
    }

    pub(super) async fn save(&self, stream_arn: &str, shard: &mut Shard, position: Position) -> Result<()> {
        let mut checkpoint = Checkpoint::new(stream_arn, &shard.id, shard.parent.clone(), position);
        checkpoint.is_first = shard.is_first;
        let saved = self.checkpoints.put_entity(&checkpoint).await;
        saved.map_err(|error| error.with_operation("poller.checkpoint"))?;
        shard.is_saved = true;
        Ok(())
    }

    pub(super) fn report_trimmed(&self, id: &KeySegment) {
        tracing::warn!(table = self.api.table, shard = id.as_str(), "records were gone before they were read");
        self.report(&PollEvent::Trimmed { shard: id.as_str() });
    }

    pub(super) fn report(&self, event: &PollEvent<'_>) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}
