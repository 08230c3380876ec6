//! The poller's loop: list the shards, read each of them, wait, and continue after what failed.

use futures_util::{StreamExt, stream};

use super::Poller;
use super::api::{Status, Stream, StreamName};
use super::checkpoint::Checkpoint;
use super::shards::{CONFIRMATIONS, Listed, PollStart, Shards};
use super::stop::Stop;
use super::summary::{PollEvent, PollSummary};
use super::worker::{Step, Worker};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::key::TYPE;
use crate::request::{Query, SortRange};
use crate::store::StoreExt;

/// The most shards that are read at once. A shard allows two readers.
const CONCURRENCY: usize = 8;
/// The most rounds before the shards are listed again: about a minute, at the usual pause between rounds.
const ROUNDS: u32 = 60;
/// The reads without a record, in a row, after which a drain takes an open shard as read. Such a shard has no visible end, and a
/// read may be empty before records: the service looks through a part of the shard each time.
const EMPTY_READS: u32 = 5;

/// What the poller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// List the shards.
    List,
    /// Read the shards, up to so many times before they are listed again.
    Read(u32),
    /// End the call.
    End,
}

/// An error, and how many times in a row the same step has failed.
type Failure = (u32, Error);

impl Poller {
    pub(super) async fn work(&mut self, stop: Stop<'_>, drain: bool) -> Result<PollSummary> {
        self.summary = PollSummary::default();
        if let Some(shards) = &mut self.shards {
            shards.begin();
        }
        // Failed lists in a row.
        let mut failed = 0_u32;
        let mut next = Next::List;
        while next != Next::End && !stop.has_come() {
            let done = match next {
                Next::List | Next::Read(0) => match self.list(&stop, drain).await {
                    Ok(next) => {
                        failed = 0;
                        Ok(next)
                    }
                    Err(error) => {
                        failed = failed.saturating_add(1);
                        Err((failed, error))
                    }
                },
                Next::Read(left) => self.read(&stop, left, drain).await,
                Next::End => break,
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

    /// Lists the shards, and decides what to do with them.
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
            None => {
                let Found { checkpoints, is_begun } = checkpoints(worker, arn).await?;
                self.shards.insert(Shards::of(checkpoints, is_begun))
            }
        };
        let Some(listed) = stop.unless(worker.api.describe(arn)).await else { return Ok(Next::List) };
        let Some(Stream { status, has_new_images, shards: listed }) = listed? else {
            return self.leave_lost_stream().await;
        };
        if !has_new_images {
            return self.leave_stream_without_images(status, listed).await;
        }
        for done in shards.update(listed, status == Status::Disabled, self.start) {
            worker.checkpoints.delete_entity::<Checkpoint>((arn, &done)).await?;
        }
        // With a checkpoint from the first, a shard that is gone before it was read is missed.
        for (id, shard) in shards.unsaved() {
            worker.save(arn, id, shard, shard.position.clone()).await?;
            shard.is_saved = true;
        }
        match shards.idle {
            0 => Ok(Next::Read(ROUNDS)),
            times => self.after_nothing(stop, status, times, drain).await,
        }
    }

    /// Chooses the stream to begin with: the newest one that has been begun, so that it is read to its end before another. If
    /// none has been, the newest.
    async fn choose(&self) -> Result<StreamName> {
        let streams = self.worker.api.streams().await?;
        for stream in streams.iter().rev() {
            if checkpoints(&self.worker, &stream.arn).await?.is_begun {
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

    /// Continues with this stream, from its oldest record: the start is for the first stream alone. Returns the shards of the
    /// stream before it.
    async fn take_stream(&mut self, next: StreamName) -> Result<Option<Shards>> {
        let shards = Shards::of(checkpoints(&self.worker, &next.arn).await?.checkpoints, true);
        self.stream = Some(next);
        Ok(self.shards.replace(shards))
    }

    /// Leaves a stream that is gone, and reports what was not read of it.
    async fn leave_lost_stream(&mut self) -> Result<Next> {
        let next = self.next_stream().await?;
        let table = &self.worker.api.table;
        let is_certain = match &mut self.shards {
            Some(shards) => shards.refuse(next.is_some()),
            None => true,
        };
        if !is_certain {
            let error = Error::new(ErrorKind::Unavailable, "the service says that there is no such stream; try again");
            return Err(error.with_operation("describe_stream").with_table(table));
        }
        let Some(next) = next else { return Err(no_stream("describe_stream").with_table(table)) };
        self.lose_stream(next).await
    }

    /// Leaves a stream whose records say too little, once it was turned off and another follows.
    async fn leave_stream_without_images(&mut self, status: Status, listed: Vec<Listed>) -> Result<Next> {
        let next = match status {
            Status::Disabled => self.next_stream().await?,
            Status::Enabled | Status::Pending => None,
        };
        let Some(next) = next else {
            let message = "the stream has no new images, which the projector needs; turn on one that has";
            let error = Error::new(ErrorKind::Misconfigured, message).with_operation("describe_stream");
            return Err(error.with_table(&self.worker.api.table));
        };
        if let Some(shards) = &mut self.shards {
            shards.update(listed, true, PollStart::Oldest);
        }
        self.lose_stream(next).await
    }

    /// Continues with the next stream, and reports what was not read of this one.
    async fn lose_stream(&mut self, next: StreamName) -> Result<Next> {
        let left = self.take_stream(next).await?;
        for id in left.iter().flat_map(Shards::lost) {
            self.summary.trimmed += 1;
            self.worker.tell_trimmed(id);
        }
        Ok(Next::List)
    }

    /// Decides what to do if a list left nothing to read: a single list may be incomplete.
    async fn after_nothing(&mut self, stop: &Stop<'_>, status: Status, times: u32, drain: bool) -> Result<Next> {
        let is_certain = times >= CONFIRMATIONS;
        if is_certain && status == Status::Disabled {
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

    /// Takes one step with each shard that may be read.
    async fn read(&mut self, stop: &Stop<'_>, left: u32, drain: bool) -> Result<Next, Failure> {
        let round = self.round(stop, drain).await;
        self.summary += round.summary;
        if let Some(failure) = round.failure {
            return Err(failure);
        }
        if round.ended {
            // Its children may be there now.
            return Ok(Next::List);
        }
        let awaits_list = self.shards.as_ref().is_some_and(Shards::awaits_list);
        if drain && round.shards == 0 && !awaits_list {
            return Ok(Next::End);
        }
        if !round.had_records && !drain {
            stop.unless(self.backoff.sleep(self.idle)).await;
        }
        Ok(if round.relist || awaits_list || round.shards == 0 {
            Next::List
        } else {
            Next::Read(left.saturating_sub(1))
        })
    }

    async fn round(&mut self, stop: &Stop<'_>, drain: bool) -> Round {
        let mut round = Round::default();
        let (Some(stream), Some(shards)) = (&self.stream, &mut self.shards) else { return round };
        let worker = &self.worker;
        let steps = shards.readable().filter(|(_, shard)| !drain || shard.is_undrained(EMPTY_READS));
        let steps = steps.map(|(id, shard)| async move {
            let step = worker.step(&stream.arn, id, shard, stop).await;
            (step, shard.failed)
        });
        let steps: Vec<_> = steps.collect();
        let mut steps = stream::iter(steps).buffer_unordered(CONCURRENCY);
        while let Some((step, failed)) = steps.next().await {
            round.add(step, failed);
        }
        round
    }

    /// Reports an error and pauses. A drain ends with an error that lasts.
    async fn recover(&mut self, stop: &Stop<'_>, (failed, error): Failure, drain: bool) -> Result<()> {
        let is_retry = error.recovery() == Recovery::Retry;
        if drain && !is_retry {
            return Err(error);
        }
        self.summary.errors += 1;
        self.worker.tell(&PollEvent::Failed { error: &error });
        tracing::warn!(table = self.worker.api.table, kind = ?error.kind(), failed, "a step failed and is tried again");
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

/// The checkpoints of a stream.
#[derive(Debug, Default)]
struct Found {
    /// Those that can be read. A shard without one is read from its oldest record.
    checkpoints: Vec<Checkpoint>,
    /// There is one, readable or not.
    is_begun: bool,
}

async fn checkpoints(worker: &Worker, stream_arn: &str) -> Result<Found> {
    let mut query = Query::table_consistent(Checkpoint::partition(stream_arn));
    query.range = SortRange::BeginsWith(Checkpoint::shards());
    let mut found = Found::default();
    loop {
        let page = worker.checkpoints.query(query.clone()).await?;
        for item in page.items {
            if item.get_s(TYPE) != Some(Checkpoint::TYPE) {
                // Another program's.
                continue;
            }
            found.is_begun = true;
            match Checkpoint::from_item(item) {
                Ok(checkpoint) => found.checkpoints.push(checkpoint),
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
    let message = "the table has no such stream; turn one on, with new images or with new and old ones";
    Error::new(ErrorKind::Misconfigured, message).with_operation(operation)
}

/// What came of a step with each shard.
#[derive(Debug, Default)]
struct Round {
    summary: PollSummary,
    shards: usize,
    had_records: bool,
    ended: bool,
    relist: bool,
    /// The gravest failure: an operator's fault, or else what failed most often in a row.
    failure: Option<Failure>,
}

impl Round {
    fn add(&mut self, step: Step, failed: u32) {
        self.summary += step.summary;
        self.shards += 1;
        self.had_records |= step.had_records;
        self.ended |= step.ended;
        self.relist |= step.relist;
        let Some(error) = step.failure else { return };
        let gravity = |(failed, error): &Failure| (error.recovery() != Recovery::Retry, *failed);
        let failure = (failed, error);
        if self.failure.as_ref().is_none_or(|gravest| gravity(gravest) < gravity(&failure)) {
            self.failure = Some(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the failure of a round whose steps failed so, in this order.
    fn gravest(failures: &[(u32, ErrorKind)]) -> Option<(u32, ErrorKind)> {
        let mut round = Round::default();
        for (failed, kind) in failures {
            let failure = Some(Error::new(*kind, "not now"));
            round.add(Step { failure, ..Step::default() }, *failed);
        }
        round.failure.map(|(failed, error)| (failed, error.kind()))
    }

    #[test]
    fn a_round_fails_with_its_gravest_failure_in_any_order() {
        let (once, often) = ((1, ErrorKind::Throttled), (3, ErrorKind::Unavailable));
        let operators = (2, ErrorKind::Misconfigured);
        assert_eq!([gravest(&[once, often]), gravest(&[often, once])], [Some(often); 2]);
        assert_eq!([gravest(&[often, operators]), gravest(&[operators, often])], [Some(operators); 2]);
        assert_eq!(gravest(&[]), None);
    }
}
