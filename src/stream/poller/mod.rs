//! The poller: reads the table's stream with the DynamoDB Streams API and projects its records.

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

pub use aws_sdk_dynamodbstreams;
pub use local::local_streams_client;
pub use shards::PollStart;
pub use summary::{PollEvent, PollSummary};

/// A reader of the table's stream, which projects the records in your own process. A poller replaces a Lambda function.
/// It uses the [DynamoDB Streams API].
///
/// * **One future**: all work happens within the call of [`run_until`](Self::run_until) or [`drain`](Self::drain).
///   Nothing runs in the background. If the future is dropped or the process is killed, the next call continues from
///   the last checkpoint.
/// * **At least once**: the poller reads a parent shard before its children, and writes a checkpoint to the table after
///   each batch. So a restart misses no record. After a restart, the poller repeats at most one batch per shard. A
///   repeated batch changes nothing.
/// * **Endless retries**: after a temporary error, [`run_until`](Self::run_until) retries after a random pause. By
///   default, the pause is at most 100 ms at first, and at most 20 s after further errors. After an operator error,
///   such as a missing table or a denied permission, the pause is always 20 s. Each error causes a
///   [`PollEvent::Failed`] and a warning in the log, and [`PollSummary::errors`] counts it.
/// * **Failed records**: the poller reads the batch again from the first failed record. During the pause before this
///   retry, it reads no shard.
/// * **Lost records**: the stream keeps a record for 24 hours. If the poller does not read the record in this time, the
///   record is lost. The poller then continues from the oldest available record. It reports the loss by
///   [`PollEvent::Trimmed`] and [`PollSummary::trimmed`].
/// * **Incomplete lists**: DynamoDB's list of shards may be incomplete or late. The poller therefore also reads the
///   known shards that a list omits.
/// * **End of a shard**: a closed shard, or one with a child, ends if DynamoDB returns no further iterator. A shard
///   also ends after three answers in a row that the shard does not exist.
/// * **End of a stream**: the poller lists the shards again and again. A disabled stream ends after three successive
///   lists without an unread shard. A stream also ends after three answers in a row that it does not exist: the poller
///   then reports its unread shards as trimmed. After the end, the poller continues with the table's next stream.
/// * **A new stream**: if you disable the stream and enable it again, DynamoDB creates a new stream. The poller reads
///   the old stream to its end, then the new one from its oldest record. The old stream exists for 24 hours. If the
///   poller starts after that, run [`check`](super::Auditor::check).
/// * **A stream without new images** cannot be projected, which is an operator error. Disable such a stream, and create
///   another one. The poller then continues with the new stream, and reports the unread shards of the old one as
///   trimmed.
/// * **Unreadable checkpoints**: if a checkpoint is unreadable, the poller logs a warning, and reads the shard from its
///   oldest record. Items of other programs in the same partition are ignored.
/// * **One poller per table** is enough. Two pollers do the work twice. In rare cases, an inbox entry then shows a
///   removed message until the next message arrives.
///
/// Without new records, the poller makes one request per second for each open shard. Each batch costs 1
/// [WCU](crate::guide::costs) for its checkpoint, and the cost of the [`Projector`]. The credentials of the Streams
/// client need the permissions `dynamodb:ListStreams`, `dynamodb:DescribeStream`, `dynamodb:GetShardIterator` and
/// `dynamodb:GetRecords`.
///
/// [DynamoDB Streams API]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
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
#[must_use]
pub struct Poller {
    worker: Worker,
    start: PollStart,
    idle: Duration,
    backoff: Backoff,
    /// The ARN of the stream that the application chose.
    named: Option<String>,
    stream: Option<StreamName>,
    shards: Option<Shards>,
    summary: PollSummary,
}

impl Poller {
    /// Creates a poller of the stream of the store's table. The poller also stores its checkpoints in this table.
    ///
    /// If the table has several streams, the poller starts with the newest one that has checkpoints. If no stream has
    /// checkpoints, it starts with the newest one.
    ///
    /// ```
    /// use threadline::DynamoDbStore;
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::stream::{Poller, PollSummary, Projector, local_streams_client};
    ///
    /// let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// let streams = local_streams_client("http://localhost:8000");
    /// let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// assert_eq!(poller.summary(), PollSummary::default());
    /// ```
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

    /// Sets the ARN of the only stream that the poller reads. Default: the streams of the table, as [`new`](Self::new)
    /// describes.
    ///
    /// The stream may be an older one. It may also belong to a table other than the one that stores the checkpoints.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline/stream/2026-01-02T03:04:05.678";
    /// let poller = poller.stream(arn);
    /// ```
    pub fn stream(mut self, arn: impl Into<String>) -> Self {
        self.named = Some(arn.into());
        self
    }

    /// Sets the position at which the poller starts if there are no checkpoints. Default: [`PollStart::Oldest`].
    ///
    /// A table may have several streams, one after the other. The position is for the first one that the poller reads.
    /// It reads each later stream from the oldest record.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::stream::PollStart;
    ///
    /// let poller = poller.start_at(PollStart::Latest);
    /// ```
    pub fn start_at(mut self, start: PollStart) -> Self {
        self.start = start;
        self
    }

    /// Sets the maximum number of records in a batch, from 1 to 1,000. Default: 1,000. The service also limits a batch
    /// to 1 MB.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let poller = poller.batch_size(100);
    /// ```
    pub fn batch_size(mut self, records: u16) -> Self {
        self.worker.batch_size = i32::from(records.clamp(1, 1000));
        self
    }

    /// Sets the pause between two rounds without records. A round reads each shard once. Default: 1 s.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use std::time::Duration;
    ///
    /// let poller = poller.idle_pause(Duration::from_millis(200));
    /// ```
    pub fn idle_pause(mut self, pause: Duration) -> Self {
        self.idle = pause;
        self
    }

    /// Sets the retry policy for temporary errors. Default: 10 attempts, with a base of 100 ms and a maximum delay of
    /// 20 s.
    ///
    /// The number of attempts applies only to [`drain`](Self::drain). [`run_until`](Self::run_until) never stops
    /// retrying.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::store::dynamodb::RetryPolicy;
    ///
    /// let poller = poller.retry(RetryPolicy::default().max_attempts(3));
    /// ```
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Sets the function that chooses the pause before a retry. The function receives the maximum, and returns a pause
    /// from zero to this maximum. Default: a random pause.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// // Always pauses for the maximum.
    /// let poller = poller.jitter(|max| max);
    /// ```
    pub fn jitter(mut self, pick: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.backoff.jitter = Arc::new(pick);
        self
    }

    /// Sets a function that receives each [event](PollEvent) of the poller. Default: none. The function must not block.
    ///
    /// ```
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use threadline::stream::PollEvent;
    ///
    /// let poller = poller.observer(|event| {
    ///     if let PollEvent::Failed { error, .. } = event {
    ///         eprintln!("{error}");
    ///     }
    /// });
    /// ```
    pub fn observer(mut self, observer: impl Fn(&PollEvent<'_>) + Send + Sync + 'static) -> Self {
        self.worker.observer = Some(Arc::new(observer));
        self
    }

    /// Reads and projects records until `stop` completes. Also returns if the table's last stream is disabled and read
    /// to its end.
    ///
    /// After `stop` completes, the poller still projects the batches that it has read, and saves their checkpoints.
    /// After an error, it pauses and retries, without a limit of attempts.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// use std::time::Duration;
    ///
    /// let deadline = tokio::time::sleep(Duration::from_secs(60));
    /// let summary = poller.run_until(deadline).await?;
    /// println!("{} records", summary.records);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No errors at present, because the poller retries after every error.
    pub async fn run_until(&mut self, stop: impl Future<Output = ()> + Send) -> Result<PollSummary> {
        self.work(Stop::when(stop), false).await
    }

    /// Reads and projects the current records of the stream, then returns.
    ///
    /// The call reads a closed shard to its end. It reads an open shard until five reads in a row return no record. A
    /// record that is written during the call, or just before, may remain for the next call.
    ///
    /// If the table is written to all the time, the call may never return. Use [`run_until`](Self::run_until) with a
    /// deadline instead.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// let summary = poller.drain().await?;
    /// println!("{} records", summary.records);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * A temporary error if it persists for all attempts of the [retry policy](Self::retry).
    /// * Any other error at once. For example, [`Misconfigured`](crate::ErrorKind::Misconfigured) if the table has no
    ///   stream, or if the stream has no new images.
    ///
    /// After an error, finished work is not lost. Call `drain` again to do the rest.
    pub async fn drain(&mut self) -> Result<PollSummary> {
        self.work(Stop::when(pending()), true).await
    }

    /// Returns the summary of the last call of [`run_until`](Self::run_until) or [`drain`](Self::drain).
    ///
    /// The summary is also available after an error. If the future of the call was dropped, the summary may lack the
    /// last reads.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::DynamoDbStore;
    /// # use threadline::store::dynamodb::local_client;
    /// # use threadline::stream::{Poller, Projector, local_streams_client};
    /// # let store = DynamoDbStore::new(local_client("http://localhost:8000"), "threadline");
    /// # let streams = local_streams_client("http://localhost:8000");
    /// # let mut poller = Poller::new(streams, Projector::new(store.clone()), store);
    /// if let Err(error) = poller.drain().await {
    ///     eprintln!("{error} after {} records", poller.summary().records);
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
