//! The poller's summary and events.

use std::ops::AddAssign;

use crate::error::Error;
use crate::stream::{Projection, RecordOutcome, StreamRecord};

use super::checkpoint::Checkpoint;

/// The numbers of records that a [`Poller`](super::Poller) has read and projected, in one call or in one batch. A
/// record that is read again counts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollSummary {
    /// The number of records read. Records of the poller's own checkpoints do not count.
    pub records: u64,
    /// The number of records that were projected: the inbox entries now show the state in the record, or a newer one.
    pub projected: u64,
    /// The number of records that failed. The poller reads them again.
    pub failed: u64,
    /// The number of dead letters: records that will always fail. The projector has passed them to the
    /// [dead-letter sink](crate::stream::DeadLetterSink). Without a sink, only log entries remain.
    pub dead_letters: u64,
    /// The number of [`PollEvent::Trimmed`] events: the poller could not read the records of a shard in time.
    ///
    /// Inbox entries may now be outdated until the next message of their conversation. Run
    /// [`check`](crate::stream::Auditor::check) on the table.
    pub trimmed: u64,
    /// The number of [`PollEvent::Failed`] events.
    pub errors: u64,
    /// `true` if the stream is disabled and read to its end, and the table has no newer stream.
    pub stream_ended: bool,
}

/// An event of a running [`Poller`](super::Poller), for its [observer](super::Poller::observer).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PollEvent<'a> {
    /// The poller has projected a batch with records. If some of them failed, it reads the batch again from the first
    /// failed record.
    #[non_exhaustive]
    Batch {
        /// The shard's id.
        shard: &'a str,
        /// The numbers of records in this batch, such as the number of failed ones.
        summary: PollSummary,
    },
    /// Records of this shard may be lost, because the poller did not read them in time. The stream keeps records for 24
    /// hours.
    ///
    /// The poller continues from the oldest available record. Run [`check`](crate::stream::Auditor::check) on the
    /// table. The service does not report the number of lost records. It may be zero.
    #[non_exhaustive]
    Trimmed {
        /// The shard's id.
        shard: &'a str,
    },
    /// A request to DynamoDB or a projection failed. The poller retries after a pause. In
    /// [`drain`](super::Poller::drain), the number of attempts is limited: the last one ends the call.
    ///
    /// If the error's [`recovery`](crate::Error::recovery) is [`Operator`](crate::Recovery::Operator), the retry fails
    /// again until somebody changes the deployment.
    #[non_exhaustive]
    Failed {
        /// The error of the failed request or projection.
        error: &'a Error,
    },
    /// The poller read a shard to its end.
    #[non_exhaustive]
    Ended {
        /// The shard's id.
        shard: &'a str,
    },
}

impl PollSummary {
    pub(super) fn of(records: &[StreamRecord], projection: &Projection) -> Self {
        let others = records.iter().filter(|record| !Checkpoint::is_in(record)).count();
        let mut summary = Self { records: u64::try_from(others).unwrap_or(u64::MAX), ..Self::default() };
        for outcome in &projection.outcomes {
            match outcome {
                RecordOutcome::Done => summary.projected += 1,
                RecordOutcome::Failed(_) => summary.failed += 1,
                RecordOutcome::DeadLetter(_) => summary.dead_letters += 1,
                RecordOutcome::Nothing => {}
            }
        }
        summary
    }
}

impl AddAssign for PollSummary {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.projected += other.projected;
        self.failed += other.failed;
        self.dead_letters += other.dead_letters;
        self.trimmed += other.trimmed;
        self.errors += other.errors;
        self.stream_ended |= other.stream_ended;
    }
}
