//! The poller's loop: lists the shards, reads each of them, waits, and continues after errors.

use futures_util::{StreamExt, stream};

use super::Poller;
use super::api::{Stream, StreamName};
use super::checkpoint::Checkpoint;
use super::shards::{CONFIRMATIONS, Listed, PollStart, Shards};
use super::stop::Stop;
use super::summary::{PollEvent, PollSummary};
use super::worker::{Failure, Step, Worker};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::key::TYPE;
use crate::request::{Query, SortRange};
use crate::store::StoreExt;
use crate::stored::Entity;

/// The maximum number of shards that are read at once. A shard allows two readers.
const CONCURRENCY: usize = 8;
/// The maximum number of rounds between two lists: about a minute at the default pause.
const ROUNDS: u32 = 60;
/// The number of empty reads in a row after which a drain considers an open shard as read.
///
/// An open shard has no visible end. A read may be empty before further records, because each covers only a part of
/// the shard.
const EMPTY_READS: u32 = 5;

/// The next step of the poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// List the shards.
    List,
    /// Read the shards, up to this many times before the next list.
    Read(u32),
    /// End the call.
    End,
}

impl Poller {
    pub(super) async fn work(&mut self, stop: Stop<'_>, drain: bool) -> Result<PollSummary> {
        self.summary = PollSummary::default();
        if let Some(shards) = &mut self.shards {
            shards.begin();
        }
        // The number of failed lists in a row.
        let mut failed = 0_u32;
        let mut next = Next::List;
        while next != Next::End && !stop.has_come() {
            let done = match next {
                Next::Read(left @ 1..) => self.read(&stop, left, drain).await,
                Next::List | Next::Read(0) | Next::End => {
                    failed = failed.saturating_add(1);
                    self.list(&stop, drain).await.map_err(|error| (failed, error)).inspect(|_| failed = 0)
                }
            };
            next = match done {
                Ok(next) => next,
                Err(failure) => {
                    self.recover(&stop, failure, drain).await?;
                    Next::List
                }
            };
        }
        Ok(self.summary)
    }

    /// Lists the shards, and decides on the next step.
    async fn list(&mut self, stop: &Stop<'_>, drain: bool) -> Result<Next> {
        let stream = match (&self.stream, &self.named) {
            (Some(stream), _) => stream.clone(),
            (None, Some(arn)) => StreamName { label: String::new(), arn: arn.clone() },
            (None, None) => self.choose().await?,
        };
        let arn = &*self.stream.insert(stream).arn;
        let worker = &self.worker;
        let shards = match &mut self.shards {
            Some(shards) => shards,
            None => self.shards.insert(Shards::of(checkpoints(worker, arn).await?)),
        };
        let Some(listed) = stop.unless(worker.api.describe(arn)).await else { return Ok(Next::List) };
        let Some(Stream { is_disabled, has_new_images, shards: listed }) = listed? else {
            return self.leave_lost_stream().await;
        };
        if !has_new_images {
            return self.leave_stream_without_images(is_disabled, listed).await;
        }
        for done in shards.update(listed, is_disabled, self.start) {
            worker.checkpoints.delete_entity::<Checkpoint>((arn, &done)).await?;
        }
        // A checkpoint before the first read shows later that a shard was lost before it was read.
        for shard in shards.unsaved() {
            let position = shard.position.clone();
            worker.save(arn, shard, position).await?;
        }
        match shards.idle {
            0 => Ok(Next::Read(ROUNDS)),
            times => self.after_idle_list(stop, is_disabled, times, drain).await,
        }
    }

    /// Chooses the first stream: the newest one with checkpoints, or else the newest one.
    ///
    /// A stream with checkpoints is read to its end before the next.
    async fn choose(&self) -> Result<StreamName> {
        let streams = self.worker.api.streams().await?;
        for stream in streams.iter().rev() {
            if checkpoints(&self.worker, &stream.arn).await?.is_some() {
                return Ok(stream.clone());
            }
        }
        streams.into_iter().next_back().ok_or_else(|| no_stream("list_streams"))
    }

    /// Returns the table's next stream, if there is one.
    async fn next_stream(&self) -> Result<Option<StreamName>> {
        if self.named.is_some() {
            return Ok(None);
        }
        let streams = self.worker.api.streams().await?;
        Ok(streams.into_iter().find(|stream| self.stream.as_ref() < Some(stream)))
    }

    /// Continues with this stream, from its oldest record, and returns the shards of the previous stream.
    ///
    /// The configured start applies to the first stream only.
    async fn take_stream(&mut self, next: StreamName) -> Result<Option<Shards>> {
        let checkpoints = checkpoints(&self.worker, &next.arn).await?;
        self.stream = Some(next);
        Ok(self.shards.replace(Shards::of(Some(checkpoints.unwrap_or_default()))))
    }

    /// Leaves a stream that is gone, and reports its unread shards.
    async fn leave_lost_stream(&mut self) -> Result<Next> {
        let next = self.next_stream().await?;
        let is_certain = match &mut self.shards {
            Some(shards) => shards.refuse(next.is_some()),
            None => true,
        };
        if !is_certain {
            let message = "the service reports that the stream does not exist; try again";
            return Err(self.worker.api.unavailable("describe_stream", message));
        }
        let Some(next) = next else {
            return Err(no_stream("describe_stream").with_table(&self.worker.api.table));
        };
        self.lose_stream(next).await
    }

    /// Leaves a stream without new images, once it is disabled and another follows.
    async fn leave_stream_without_images(&mut self, is_disabled: bool, listed: Vec<Listed>) -> Result<Next> {
        let next = if is_disabled { self.next_stream().await? } else { None };
        let Some(next) = next else {
            let message = "the stream has no new images; enable a stream with NEW_IMAGE or NEW_AND_OLD_IMAGES";
            let error = Error::new(ErrorKind::Misconfigured, message).with_operation("describe_stream");
            return Err(error.with_table(&self.worker.api.table));
        };
        if let Some(shards) = &mut self.shards {
            shards.update(listed, true, PollStart::Oldest);
        }
        self.lose_stream(next).await
    }

    /// Continues with the next stream, and reports the unread shards of this one.
    async fn lose_stream(&mut self, next: StreamName) -> Result<Next> {
        let previous = self.take_stream(next).await?;
        for shard in previous.iter().flat_map(Shards::lost) {
            self.summary.trimmed += 1;
            self.worker.report_trimmed(&shard.id);
        }
        Ok(Next::List)
    }

    /// Decides on the next step if a list left nothing to read. A single list may be incomplete.
    async fn after_idle_list(&mut self, stop: &Stop<'_>, is_disabled: bool, times: u32, drain: bool) -> Result<Next> {
        let is_certain = times >= CONFIRMATIONS;
        if is_certain && is_disabled {
            if let Some(next) = self.next_stream().await? {
                self.take_stream(next).await?;
                return Ok(Next::List);
            }
            self.summary.stream_ended = true;
            return Ok(Next::End);
        }
        if is_certain && drain {
            return Ok(Next::End);
        }
        if !drain {
            stop.unless(self.backoff.sleep(self.idle)).await;
        }
        Ok(Next::List)
    }

    /// Runs one step of each shard that may be read.
    async fn read(&mut self, stop: &Stop<'_>, left: u32, drain: bool) -> Result<Next, Failure> {
        let mut round = Step::default();
        let (Some(stream), Some(shards)) = (&self.stream, &mut self.shards) else { return Ok(Next::List) };
        let worker = &self.worker;
        let steps = shards.readable().filter(|shard| !drain || shard.is_undrained(EMPTY_READS));
        let steps: Vec<_> = steps.map(|shard| worker.step(&stream.arn, shard, stop)).collect();
        let is_idle = steps.is_empty();
        let mut steps = stream::iter(steps).buffer_unordered(CONCURRENCY);
        while let Some(step) = steps.next().await {
            round.add(step);
        }
        drop(steps);
        self.summary += round.summary;
        if let Some(failure) = round.failure {
            return Err(failure);
        }
        if round.ended {
            // Its children may be listed now.
            return Ok(Next::List);
        }
        let awaits_list = shards.awaits_list();
        if drain && is_idle && !awaits_list {
            return Ok(Next::End);
        }
        if !round.had_records && !drain {
            stop.unless(self.backoff.sleep(self.idle)).await;
        }
        let is_list_due = round.relist || awaits_list || is_idle;
        Ok(if is_list_due { Next::List } else { Next::Read(left.saturating_sub(1)) })
    }

    /// Reports an error and pauses. A drain ends with an operator error, or with one that lasts.
    async fn recover(&mut self, stop: &Stop<'_>, (failed, error): Failure, drain: bool) -> Result<()> {
        let is_retry = error.recovery() == Recovery::Retry;
        if drain && !is_retry {
            return Err(error);
        }
        self.summary.errors += 1;
        self.worker.report(&PollEvent::Failed { error: &error });
        tracing::warn!(table = self.worker.api.table, kind = ?error.kind(), failed, "a step failed and is retried");
        if drain && !self.backoff.allows_another(failed) {
            return Err(error);
        }
        let pause = async {
            if is_retry {
                self.backoff.pause_again("poller", failed).await;
            } else {
                self.backoff.longest_pause().await;
            }
        };
        stop.unless(pause).await;
        Ok(())
    }
}

/// Returns the readable checkpoints of a stream, or `None` if it has no checkpoints at all.
///
/// A shard without a checkpoint is read from its oldest record.
async fn checkpoints(worker: &Worker, stream_arn: &str) -> Result<Option<Vec<Checkpoint>>> {
    let mut query = Query::table_consistent(Checkpoint::partition(stream_arn));
    query.range = SortRange::BeginsWith(Checkpoint::shards());
    let mut found = None::<Vec<_>>;
    loop {
        let page = worker.checkpoints.query(query.clone()).await?;
        for item in page.items {
            if item.get_s(TYPE) != Some(Checkpoint::TYPE) {
                // Another program's item.
                continue;
            }
            let checkpoints = found.get_or_insert_default();
            match Checkpoint::from_item(item) {
                Ok(checkpoint) => checkpoints.push(checkpoint),
                Err(error) => {
                    tracing::warn!(table = worker.api.table, kind = ?error.kind(), "a checkpoint cannot be read");
                }
            }
        }
        if page.next.is_none() {
            return Ok(found);
        }
        query.start = page.next;
    }
}

fn no_stream(operation: &'static str) -> Error {
    let message = "the table has no such stream; enable one with NEW_IMAGE or NEW_AND_OLD_IMAGES";
    Error::new(ErrorKind::Misconfigured, message).with_operation(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the failure of a round whose steps failed in this order.
    fn gravest(failures: &[(u32, ErrorKind)]) -> Option<(u32, ErrorKind)> {
        let mut round = Step::default();
        for (failed, kind) in failures {
            let failure = Some((*failed, Error::new(*kind, "not now")));
            round.add(Step { failure, ..Step::default() });
        }
        round.failure.map(|(failed, error)| (failed, error.kind()))
    }

    #[test]
    fn round_fails_with_its_gravest_failure_in_any_order() {
        let (once, often) = ((1, ErrorKind::Throttled), (3, ErrorKind::Unavailable));
        let operators = (2, ErrorKind::Misconfigured);
        assert_eq!([gravest(&[once, often]), gravest(&[often, once])], [Some(often); 2]);
        assert_eq!([gravest(&[often, operators]), gravest(&[operators, often])], [Some(operators); 2]);
        assert_eq!(gravest(&[]), None);
    }
}
