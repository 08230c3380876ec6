//! The poller: reads the table's stream by the DynamoDB Streams API, and projects it.

mod api;
mod checkpoint;
mod local;
mod record;
mod shards;
mod stop;
mod summary;
mod worker;

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use futures_util::{StreamExt, stream};

use crate::error::{Error, Recovery, Result};
use crate::request::{Query, SortRange};
use crate::store::dynamodb::RetryPolicy;
use crate::store::dynamodb::retry::Backoff;
use crate::store::{Store, StoreExt};
use crate::stream::Projector;
use api::Api;
use checkpoint::Checkpoint;
use shards::Shards;
use stop::Stop;
use worker::{Step, Worker};

pub use local::local_streams_client;
pub use shards::PollStart;
pub use summary::{PollEvent, PollSummary};

/// How many shards are read at once. A shard allows two readers.
const CONCURRENCY: usize = 8;
/// After how many rounds the shards are listed again, when none has ended: every minute, at the usual pause between rounds.
const ROUNDS: u32 = 60;
/// After how many reads without a record, in a row, a drain takes an open shard for read. Such a shard has no end that could be
/// seen, and a read may be empty before records that are there: the service looks through a part of the shard each time.
const EMPTY_READS: u32 = 5;

/// Reads the table's stream by the [DynamoDB Streams
/// API](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html), where no Lambda does, and projects it.
///
/// * **One future**: it does all its work in the call of [`run_until`](Self::run_until) or [`drain`](Self::drain), and nothing in
///   the background. Dropped at any moment, or killed, it goes on from its last checkpoint.
/// * **At least once**: it reads a shard's parent before the shard, and writes a checkpoint to the table after each batch, so
///   that a restart repeats one batch of each shard at most, which changes nothing, and misses none.
/// * A batch of which records failed is read again from the first of them on, after a pause; meanwhile the whole poller waits.
///   When a step has failed as often in a row as the policy allows (10 times in a minute or so, unless told otherwise), the call
///   ends with the error. It can be called again.
/// * **Records are lost after 24 hours**: what was not read by then is gone from the stream. The poller says so, by
///   [`PollEvent::Trimmed`] and [`PollSummary::trimmed`], and goes on from the oldest record that is left.
/// * Run one poller for a table: two do no harm, and the same work twice.
///
/// It costs a request a second for each open shard, 1 WCU for a checkpoint after each batch, and what the [`Projector`] costs. The
/// credentials of its client need `dynamodb:ListStreams`, `DescribeStream`, `GetShardIterator` and `GetRecords`.
///
/// ```no_run
/// use threadline::DynamoDbStore;
/// use threadline::store::dynamodb::local_client;
/// use threadline::stream::{Poller, Projector, local_streams_client};
///
/// # async fn example(ctrl_c: impl Future<Output = ()> + Send) -> Result<(), threadline::Error> {
/// let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
/// let streams = local_streams_client("http://localhost:8000");
/// let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
///
/// let summary = poller.run_until(ctrl_c).await?;
/// println!("{} records", summary.records);
/// # Ok(())
/// # }
/// ```
pub struct Poller {
    worker: Worker,
    start: PollStart,
    idle: Duration,
    backoff: Backoff,
    stream: Option<String>,
    shards: Option<Shards>,
    summary: PollSummary,
}

impl Poller {
    /// A poller of the newest stream of the store's table. The store also holds the checkpoints.
    pub fn new(client: Client, projector: Projector, store: impl Store + 'static) -> Self {
        let mut backoff = Backoff::sleeping_with(client.config().sleep_impl());
        backoff.policy =
            RetryPolicy::default().max_attempts(10).base(Duration::from_millis(100)).max_delay(Duration::from_secs(20));
        let table = store.table_name().to_owned();
        Self {
            worker: Worker {
                api: Api { client, table },
                projector,
                checkpoints: Arc::new(store),
                batch_size: 1000,
                observer: None,
            },
            start: PollStart::default(),
            idle: Duration::from_secs(1),
            backoff,
            stream: None,
            shards: None,
            summary: PollSummary::default(),
        }
    }

    /// Reads the stream with this ARN, which need not be the newest, or the stream of the table that holds the checkpoints.
    #[must_use]
    pub fn with_stream(mut self, arn: impl Into<String>) -> Self {
        self.stream = Some(arn.into());
        self
    }

    /// Begins here in a stream that has no checkpoint yet; at the oldest record unless told otherwise.
    #[must_use]
    pub fn with_start(mut self, start: PollStart) -> Self {
        self.start = start;
        self
    }

    /// Reads at most so many records at once, from 1 to 1000; 1000 unless told otherwise. The service cuts a batch at 1 MB.
    #[must_use]
    pub fn with_batch_size(mut self, records: u16) -> Self {
        self.worker.batch_size = i32::from(records.clamp(1, 1000));
        self
    }

    /// Waits so long when no shard had a record; 1 s unless told otherwise.
    #[must_use]
    pub fn with_idle_pause(mut self, pause: Duration) -> Self {
        self.idle = pause;
        self
    }

    /// Tries again so, what has failed; 10 times in a row, after 100 ms to 20 s, unless told otherwise.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Picks the pause before a retry with this function, from zero to the ceiling that it is given; at random unless told
    /// otherwise.
    #[must_use]
    pub fn with_jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
    }

    /// Tells this function what happens, while it happens. It must not block.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&PollEvent<'_>) + Send + Sync + 'static) -> Self {
        self.worker.observer = Some(Arc::new(observer));
        self
    }

    /// Reads and projects what comes, until `stop` is done or the stream was turned off and has been read to its end. The batches
    /// in hand are projected and checkpointed before it returns.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the table has no stream, [`Invalid`](crate::ErrorKind::Invalid) for a stream
    /// without new images, and what has failed as often as the policy allows. What was done before is not lost, and
    /// [`summary`](Self::summary) tells of it: call it again.
    pub async fn run_until(&mut self, stop: impl Future<Output = ()> + Send) -> Result<PollSummary> {
        self.work(Stop::when(stop), false).await
    }

    /// Reads and projects what the stream holds now, and returns. A record that is written meanwhile, or a moment before, may be
    /// left for the next time.
    ///
    /// # Errors
    /// As [`run_until`](Self::run_until).
    pub async fn drain(&mut self) -> Result<PollSummary> {
        self.work(Stop::when(pending()), true).await
    }

    /// What the last call of [`run_until`](Self::run_until) or [`drain`](Self::drain) has read and projected: also where it ended with
    /// an error, or was dropped, which may leave out its last round.
    pub fn summary(&self) -> PollSummary {
        self.summary
    }

    async fn work(&mut self, stop: Stop<'_>, drain: bool) -> Result<PollSummary> {
        self.summary = PollSummary::default();
        let (mut rounds, mut failed, mut is_disabled) = (0, 0, false);
        if let Some(shards) = &mut self.shards {
            shards.begin();
        }
        while !stop.has_come() {
            if rounds == 0 {
                match self.discover(&stop).await {
                    Ok(disabled) => is_disabled = disabled,
                    Err(error) => {
                        failed += 1;
                        self.pause_or_fail(&stop, error, failed).await?;
                        continue;
                    }
                }
                (rounds, failed) = (ROUNDS, 0);
            }
            rounds -= 1;
            let round = self.round(&stop, drain).await;
            self.summary += round.summary;
            if let Some(error) = round.fatal {
                return Err(error);
            } else if let Some((times, error)) = round.failure {
                rounds = 0;
                self.pause_or_fail(&stop, error, times).await?;
            } else if round.ended {
                // Its children may be there now.
                rounds = 0;
            } else if round.shards == 0 {
                if is_disabled && self.shards.as_mut().is_none_or(|shards| shards.readable().next().is_none()) {
                    self.summary.stream_ended = true;
                    break;
                }
                if drain {
                    break;
                }
                rounds = 0;
                self.wait(&stop).await?;
            } else if !round.had_records && !drain {
                self.wait(&stop).await?;
            }
        }
        Ok(self.summary)
    }

    /// Lists the shards, and says whether the stream was turned off.
    async fn discover(&mut self, stop: &Stop<'_>) -> Result<bool> {
        let Self { worker, stream, shards, start, summary, .. } = self;
        let stream = match stream {
            Some(arn) => &*arn,
            None => &*stream.insert(worker.api.latest_stream().await?),
        };
        let shards = match shards {
            Some(shards) => shards,
            None => {
                let query = Query::table_consistent(Checkpoint::partition(stream))
                    .range(SortRange::BeginsWith(Checkpoint::shards()));
                shards.insert(Shards::of(worker.checkpoints.query_entities(query).await?))
            }
        };
        let Some(listed) = stop.unless(worker.api.describe(stream)).await else { return Ok(false) };
        let listed = listed?;
        for gone in shards.update(listed.shards, *start) {
            if gone.lost_records {
                summary.trimmed += 1;
                worker.tell_trimmed(&gone.id);
            }
            worker.checkpoints.delete_entity::<Checkpoint>((stream, &gone.id)).await?;
        }
        // With a checkpoint from the first, a shard that is gone before it was read is missed.
        for (id, shard) in shards.unsaved() {
            worker.save(stream, id, shard.position.clone()).await?;
            shard.is_saved = true;
        }
        Ok(listed.is_disabled)
    }

    /// One step with each shard that may be read.
    async fn round(&mut self, stop: &Stop<'_>, drain: bool) -> Round {
        let mut round = Round::default();
        let (Some(stream), Some(shards)) = (&self.stream, &mut self.shards) else { return round };
        let worker = &self.worker;
        let steps = shards.readable().filter(|(_, shard)| !drain || shard.is_undrained(EMPTY_READS));
        let steps = steps.map(|(id, shard)| async move {
            let step = worker.step(stream, id, shard, stop).await;
            (step, shard.failed)
        });
        let steps: Vec<_> = steps.collect();
        let mut steps = stream::iter(steps).buffer_unordered(CONCURRENCY);
        while let Some((step, failed)) = steps.next().await {
            round.add(step, failed);
        }
        round
    }

    async fn pause_or_fail(&self, stop: &Stop<'_>, error: Error, failed: u32) -> Result<()> {
        if error.recovery() != Recovery::Retry {
            return Err(error);
        }
        match stop.unless(self.backoff.pause("poller", failed)).await {
            Some(false) => Err(error),
            Some(true) | None => Ok(()),
        }
    }

    async fn wait(&self, stop: &Stop<'_>) -> Result<()> {
        match stop.unless(self.backoff.sleep(self.idle)).await {
            Some(false) => Err(Error::invalid("the client has nothing to sleep with")),
            Some(true) | None => Ok(()),
        }
    }
}

/// What came of a step with each shard.
#[derive(Debug, Default)]
struct Round {
    summary: PollSummary,
    shards: usize,
    had_records: bool,
    ended: bool,
    /// What failed most often in a row, and how often.
    failure: Option<(u32, Error)>,
    /// What trying again does not help.
    fatal: Option<Error>,
}

impl Round {
    fn add(&mut self, step: Step, failed: u32) {
        self.summary += step.summary;
        self.shards += 1;
        self.had_records |= step.had_records;
        self.ended |= step.ended;
        match step.failure {
            Some(error) if error.recovery() != Recovery::Retry => self.fatal = Some(error),
            Some(error) if self.failure.as_ref().is_none_or(|(most, _)| *most < failed) => {
                self.failure = Some((failed, error));
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("table", &self.worker.api.table)
            .field("stream", &self.stream)
            .field("start", &self.start)
            .field("retry", &self.backoff)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}
