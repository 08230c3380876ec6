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

/// Reads the table's stream with the [DynamoDB Streams API] and projects its records. A poller in your own process
/// replaces a Lambda function.
///
/// * **One future**: all work happens within the call of [`run_until`](Self::run_until) or [`drain`](Self::drain), and
///   nothing in the background. If the future is dropped or the process killed, the next call continues from the last
///   checkpoint.
/// * **At least once**: the poller reads a parent shard before its children, and writes a checkpoint to the table after
///   each batch. So a restart misses no record. It repeats at most one batch per shard, and a repeated batch changes
///   nothing.
/// * **Endless retries**: after a temporary error, [`run_until`](Self::run_until) pauses for 100 ms to 20 s and
///   continues. After an operator error, such as a missing table or a denied permission, it continues with the longest
///   pause until somebody repairs the deployment. It reports each error by [`PollEvent::Failed`],
///   [`PollSummary::errors`] and a warning in the log.
/// * **Failed records**: the poller reads the batch again from the first failed record. All its shards wait meanwhile.
/// * **Records are lost after 24 hours**, because the stream does not keep them longer. The poller reports the loss by
///   [`PollEvent::Trimmed`] and [`PollSummary::trimmed`], and continues from the oldest available record.
/// * **Confirmation**: a list of shards may be incomplete, and an answer may be late. The poller treats a shard or
///   stream as gone only after three refusals in a row. It still reads a shard that a list leaves out. A shard ends if
///   it has no further iterator and is listed as closed or has a child. A stream ends after three lists in a row show
///   it as disabled and completely read.
/// * **A stream that was disabled and enabled again** is a new stream to DynamoDB. The poller reads the old stream to
///   its end, then the next one from its oldest record. If the old stream is gone (after 24 hours) before the poller
///   starts, run [`check`](super::Auditor::check).
/// * **A stream without new images** is left once it is disabled and another stream follows. The poller then reports
///   the shards of the left stream as trimmed.
/// * **An unreadable checkpoint** causes a warning in the log, and the poller reads the shard from its oldest record.
///   It skips other programs' items among the checkpoints.
/// * **One poller per table** is enough. Two pollers do no harm, but do the same work twice.
///
/// The cost is one request per second for each open shard, 1 [WCU](crate::guide::costs) for a checkpoint after each
/// batch, and the cost of the [`Projector`]. The client's credentials need the permissions `dynamodb:ListStreams`,
/// `DescribeStream`, `GetShardIterator` and `GetRecords`.
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
    /// Creates a poller of the newest stream of the store's table. The poller also stores its checkpoints in this
    /// table.
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

    /// Sets the ARN of the stream that the poller reads. Default: the newest stream of the table.
    ///
    /// The ARN may be that of an older stream, or of another table than the one with the checkpoints.
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
    #[must_use]
    pub fn stream(mut self, arn: impl Into<String>) -> Self {
        self.named = Some(arn.into());
        self
    }

    /// Sets the start in a stream for which the table has no checkpoint. Default: [`PollStart::Oldest`].
    ///
    /// If the poller continues with the table's next stream, it always reads that one from its oldest record.
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
    #[must_use]
    pub fn start_at(mut self, start: PollStart) -> Self {
        self.start = start;
        self
    }

    /// Sets the maximum number of records in a batch, from 1 to 1,000. Default: 1,000. The service limits a batch to
    /// 1 MB.
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
    #[must_use]
    pub fn batch_size(mut self, records: u16) -> Self {
        self.worker.batch_size = i32::from(records.clamp(1, 1000));
        self
    }

    /// Sets the pause after all open shards were read without a record. Default: 1 s.
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
    #[must_use]
    pub fn idle_pause(mut self, pause: Duration) -> Self {
        self.idle = pause;
        self
    }

    /// Sets the retry policy for temporary errors. Default: 10 attempts, 100 ms to 20 s apart.
    ///
    /// The number of attempts limits only [`drain`](Self::drain), because [`run_until`](Self::run_until) never stops
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
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.backoff.policy = policy;
        self
    }

    /// Sets the function that chooses the pause before a retry, from zero to the maximum that it receives. Default:
    /// random.
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
    #[must_use]
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
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&PollEvent<'_>) + Send + Sync + 'static) -> Self {
        self.worker.observer = Some(Arc::new(observer));
        self
    }

    /// Reads and projects records until `stop` completes, or until the table's last stream is disabled and read to
    /// its end.
    ///
    /// The poller projects and checkpoints the current batches before the call returns. After an error, it pauses and
    /// continues, without a limit of attempts.
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
    /// A record that is written during the call, or just before it, may remain for the next call. The call returns
    /// after five reads in a row of each open shard without a record. If the table is written to all the time, use
    /// [`run_until`](Self::run_until) with a deadline.
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
    /// * An operator error at once. For example, [`Misconfigured`](crate::ErrorKind::Misconfigured) if the table has no
    ///   stream, or if the stream has no new images.
    /// * Any other error if it lasts for all attempts of the [retry policy](Self::retry).
    ///
    /// Finished work is not lost: call `drain` again.
    pub async fn drain(&mut self) -> Result<PollSummary> {
        self.work(Stop::when(pending()), true).await
    }

    /// Returns the summary of the last call of [`run_until`](Self::run_until) or [`drain`](Self::drain).
    ///
    /// The summary is also available after an error. After a dropped call, it may lack the last round of reads.
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
