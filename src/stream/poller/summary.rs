//! What the poller says of its work.

use std::ops::AddAssign;

use crate::error::Error;
use crate::stream::{Projection, RecordOutcome, StreamRecord};

use super::checkpoint::Checkpoint;

/// What was read and projected, in numbers. A record that was read again counts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollSummary {
    /// The records read, but for those of the poller's own checkpoints, which are in the stream as well.
    pub records: u64,
    /// Those among them that the rows show now, or something newer.
    pub projected: u64,
    /// Those that failed, and were or will be read again.
    pub failed: u64,
    /// Those that can never succeed. The projector's sink has them; where there is none, the log says that they were.
    pub dead_letters: u64,
    /// How often records were gone from the stream before they were read: the poller had not run for 24 hours. Inbox rows may
    /// lag behind their threads now, until the next message of each: run `check` on the table.
    pub trimmed: u64,
    /// How many steps failed and were tried again, an operator's fault included: see [`PollEvent::Failed`].
    pub errors: u64,
    /// The stream was turned off and has been read to its end, and the table has no newer stream.
    pub stream_ended: bool,
}

/// What happens while the poller runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PollEvent<'a> {
    /// A batch with records was projected, and what precedes the first that failed will not be read again.
    #[non_exhaustive]
    Batch {
        /// The shard's id.
        shard: &'a str,
        /// What was read.
        summary: PollSummary,
    },
    /// Records of this shard were gone before they were read, since the poller had not run for 24 hours. It continues from the
    /// oldest record that is left. Run `check` on the table. The service does not say how many records were lost: there may have
    /// been none after the last checkpoint.
    #[non_exhaustive]
    Trimmed {
        /// The shard's id.
        shard: &'a str,
    },
    /// A step failed, and is tried again after a pause. If the error's [`recovery`](crate::Error::recovery) is
    /// [`Operator`](crate::Recovery::Operator), somebody must change the deployment first.
    #[non_exhaustive]
    Failed {
        /// What failed.
        error: &'a Error,
    },
    /// A shard was read to its end.
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
