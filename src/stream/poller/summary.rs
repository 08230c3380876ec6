//! The poller's summary and events.

use std::ops::AddAssign;

use crate::error::Error;
use crate::stream::{Projection, RecordOutcome, StreamRecord};

use super::checkpoint::Checkpoint;

/// The numbers of records that were read and projected. A record that is read again counts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollSummary {
    /// The number of records read. Records of the poller's own checkpoints do not count.
    pub records: u64,
    /// The number of records whose state, or a newer one, the entries show now.
    pub projected: u64,
    /// The number of records that failed. They are read again.
    pub failed: u64,
    /// The number of dead letters. The projector's sink has them. Without a sink, only a log entry remains.
    pub dead_letters: u64,
    /// The number of times that records were gone before they were read, because the poller had not run for 24 hours.
    ///
    /// Inbox entries may now lag until the next message of their thread: run `check` on the table.
    pub trimmed: u64,
    /// The number of failed steps, including operator errors: see [`PollEvent::Failed`].
    pub errors: u64,
    /// `true` if the stream is disabled and read to its end, and the table has no newer stream.
    pub stream_ended: bool,
}

/// An event of a running poller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PollEvent<'a> {
    /// A batch with records was projected. The records before the first failed one will not be read again.
    #[non_exhaustive]
    Batch {
        /// The shard's id.
        shard: &'a str,
        /// The numbers of the batch.
        summary: PollSummary,
    },
    /// Records of this shard were gone before they were read, because the poller had not run for 24 hours.
    ///
    /// The poller continues from the oldest available record. Run `check` on the table. The service does not report
    /// the number of lost records: it may be zero.
    #[non_exhaustive]
    Trimmed {
        /// The shard's id.
        shard: &'a str,
    },
    /// A step failed and is retried after a pause.
    ///
    /// If the error's [`recovery`](crate::Error::recovery) is [`Operator`](crate::Recovery::Operator), somebody must
    /// change the deployment first.
    #[non_exhaustive]
    Failed {
        /// The error.
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
