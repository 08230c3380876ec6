//! The poller: reads the table's stream by the DynamoDB Streams API, and projects it.

mod api;
mod checkpoint;
mod local;
mod record;
mod run;
mod shards;
mod stop;
mod summary;
mod worker;

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;

use crate::aws::{Backoff, RetryPolicy};
use crate::error::Result;
use crate::store::Store;
use crate::stream::Projector;
use api::{Api, StreamName};
use shards::Shards;
use stop::Stop;
use worker::Worker;

pub use local::local_streams_client;
pub use shards::PollStart;
pub use summary::{PollEvent, PollSummary};

/// Reads the table's stream by the [DynamoDB Streams
/// API](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html), where no Lambda does, and projects it.
///
/// * **One future**: it does all its work in the call of [`run_until`](Self::run_until) or [`drain`](Self::drain), and nothing in
///   the background. Dropped at any moment, or killed, it goes on from its last checkpoint.
/// * **At least once**: it reads a shard's parent before the shard, and writes a checkpoint to the table after each batch, so
///   that a restart repeats one batch of each shard at most, which changes nothing, and misses none.
/// * **It does not give up**: after an error that a later attempt may not meet, it pauses for 100 ms to 20 s and continues. After an
///   operator's fault (a missing table or stream, a denied permission) it continues at its longest pause, so that a repaired
///   deployment has lost nothing. It reports each by [`PollEvent::Failed`], [`PollSummary::errors`] and a warning in the log.
/// * A batch of which records failed is read again from the first of them on; meanwhile the whole poller waits.
/// * **Records are lost after 24 hours**: what was not read by then is gone from the stream. The poller reports it, by
///   [`PollEvent::Trimmed`] and [`PollSummary::trimmed`], and continues from the oldest record that is left.
/// * **One look is not enough**: a list of shards may be incomplete, and an answer may be late. A shard or stream is gone only if the
///   service refuses it three times in a row; a shard that a list leaves out is read on. A shard ends only if it is listed as closed or
///   has a child, and gives no further iterator. A stream ends only if three lists in a row show it as turned off with nothing left.
/// * **A stream that was turned off and on** is another stream to DynamoDB. The poller reads the old one to its end, then the next from
///   its oldest record. A process that starts after the old stream is gone (24 hours) does not know of it: run `check` then. A stream
///   without new images is left once it is off and another follows; its shards are reported as trimmed.
/// * **A checkpoint that cannot be read** is a warning in the log, and its shard is read from its oldest record. Another program's item
///   among the checkpoints is passed.
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
    /// The stream that the application named.
    named: Option<String>,
    stream: Option<StreamName>,
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
            named: None,
            stream: None,
            shards: None,
            summary: PollSummary::default(),
        }
    }

    /// Reads the stream with this ARN, which need not be the newest, or the stream of the table that holds the checkpoints.
    #[must_use]
    pub fn stream(mut self, arn: impl Into<String>) -> Self {
        self.named = Some(arn.into());
        self
    }

    /// Sets where to begin in a table without a checkpoint. Default: [`PollStart::Oldest`]. A stream that follows another is read from
    /// its oldest record.
    #[must_use]
    pub fn start(mut self, start: PollStart) -> Self {
        self.start = start;
        self
    }

    /// Reads at most so many records at once, from 1 to 1000; 1000 unless told otherwise. The service cuts a batch at 1 MB.
    #[must_use]
    pub fn batch_size(mut self, records: u16) -> Self {
        self.worker.batch_size = i32::from(records.clamp(1, 1000));
        self
    }

    /// Waits so long when no shard had a record; 1 s unless told otherwise.
    #[must_use]
    pub fn idle_pause(mut self, pause: Duration) -> Self {
        self.idle = pause;
        self
    }

    /// Sets the retry policy. Default: 10 attempts, 100 ms to 20 s apart. The number of attempts limits a
    /// [`drain`](Self::drain) alone.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Picks the pause before a retry with this function, from zero to the ceiling that it is given; at random unless told
    /// otherwise.
    #[must_use]
    pub fn jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
    }

    /// Tells this function what happens, while it happens. It must not block.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&PollEvent<'_>) + Send + Sync + 'static) -> Self {
        self.worker.observer = Some(Arc::new(observer));
        self
    }

    /// Reads and projects what comes, until `stop` is done or the table's last stream was turned off and has been read to its end.
    /// The batches in hand are projected and checkpointed before it returns. After an error it pauses and continues, no matter
    /// how often.
    ///
    /// # Errors
    /// None at present: every error is tried again.
    pub async fn run_until(&mut self, stop: impl Future<Output = ()> + Send) -> Result<PollSummary> {
        self.work(Stop::when(stop), false).await
    }

    /// Reads and projects what the stream holds now, and returns. A record that is written meanwhile, or a moment before, may be
    /// left for the next time.
    ///
    /// It returns after five reads in a row of each open shard without a record. If the table is written to all the time, so that
    /// they never come, use [`run_until`](Self::run_until) with a deadline.
    ///
    /// # Errors
    /// [`Misconfigured`](crate::ErrorKind::Misconfigured) at once for an operator's fault, such as a table without a stream or a
    /// stream without new images; any other error once it lasted for as many attempts as the
    /// [retry policy](Self::retry) allows. What was done before is not lost: call it again.
    pub async fn drain(&mut self) -> Result<PollSummary> {
        self.work(Stop::when(pending()), true).await
    }

    /// What the last call of [`run_until`](Self::run_until) or [`drain`](Self::drain) has read and projected: also where it ended with
    /// an error, or was dropped, which may leave out its last round.
    pub fn summary(&self) -> PollSummary {
        self.summary
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
