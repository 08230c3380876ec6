//! The parameters of a simulated deployment. All are drawn from the seed, so seeds differ in size and workload too.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::fault::Rates;
use crate::random::Random;

/// The kind of faults that a [`Simulation`](super::Simulation) injects. With every kind, requests also interleave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// No fault: requests only interleave.
    Races,
    /// Requests are throttled, meet conflicts, fail and lose their answers.
    Requests,
    /// Servers and projectors crash between two requests, and restart.
    Crashes,
    /// Writes reach the table after their sender has given up or retried.
    LateWrites,
    /// Stream records are redelivered, and two projectors work on one shard.
    Redelivery,
    /// The index lags the table.
    IndexLag,
    /// The servers' clocks differ, and are set forward and back during the run.
    Clocks,
    /// The table also contains other programs' items, and items that cannot be read.
    ExtraItems,
    /// Servers drop calls midway, as after a timeout, and continue with other calls.
    DroppedCalls,
    /// Any of these kinds, each at its own rate or not at all.
    Any,
}

impl FaultKind {
    /// Returns the name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Races => "races",
            Self::Requests => "requests",
            Self::Crashes => "crashes",
            Self::LateWrites => "late-writes",
            Self::Redelivery => "redelivery",
            Self::IndexLag => "index-lag",
            Self::Clocks => "clocks",
            Self::ExtraItems => "extra-items",
            Self::DroppedCalls => "dropped-calls",
            Self::Any => "any",
        }
    }

    fn includes(self, other: Self) -> bool {
        self == other || self == Self::Any
    }
}

/// An action of a device, drawn by weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    Edit,
    Delete,
    EditOthers,
    Read,
    Inbox,
    MarkRead,
    StartDirect,
    Create,
    Add,
    Remove,
    Rename,
    Import,
    Probe,
    Purge,
    PutExtraItem,
}

pub(super) const ACTIONS: [(Action, u32); 16] = [
    (Action::Send, 10),
    (Action::Edit, 4),
    (Action::Delete, 2),
    (Action::EditOthers, 1),
    (Action::Read, 4),
    (Action::Inbox, 3),
    (Action::MarkRead, 3),
    (Action::StartDirect, 4),
    (Action::Create, 3),
    (Action::Add, 4),
    (Action::Remove, 3),
    (Action::Rename, 4),
    (Action::Import, 1),
    (Action::Probe, 2),
    (Action::Purge, 1),
    (Action::PutExtraItem, 2),
];

/// The parameters that a seed determines.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) users: usize,
    pub(super) devices: usize,
    pub(super) servers: usize,
    pub(super) shards: usize,
    /// The number of actions of a device.
    pub(super) actions: usize,
    pub(super) weights: Vec<(Action, u32)>,
    /// The number of attempts of a call.
    pub(super) attempts: usize,
    /// The number of calls, per thousand, that use a thread opened earlier.
    pub(super) stale: u16,
    /// The number of steps, per thousand, that go to the task of the previous step.
    pub(super) sticky: u16,
    /// The maximum time by which the clock moves at a step, in milliseconds.
    pub(super) tick: usize,
    /// The maximum error of a server's clock.
    pub(super) skew: Duration,
    /// The number of steps, per thousand, at which a server's clock is set.
    pub(super) clock_step: u16,
    /// `true` if the table holds other programs' items, and items that cannot be read.
    pub(super) extra_items: bool,
    /// The number of changes by which the index lags.
    pub(super) lag: usize,
    pub(super) rates: Rates,
    /// The number of writes, per thousand, that arrive late.
    pub(super) late: u16,
    /// The number of steps, per thousand, at which a server crashes, a projector crashes, or a second projector takes
    /// over a shard in use.
    pub(super) server_crash: u16,
    pub(super) projector_crash: u16,
    pub(super) takeover: u16,
    /// The number of batches, per thousand, after which the stream moves back.
    pub(super) redelivery: u16,
    /// The maximum number of records in a batch.
    pub(super) batch: usize,
    /// The maximum number of items in a page.
    pub(super) page_size: NonZeroU32,
    /// The number of calls, per thousand, that are dropped midway.
    pub(super) dropped: u16,
}

impl Parameters {
    /// Returns `true` if an entry may keep old names: a rename finds entries by the index, which may lack a new one.
    pub(super) fn may_miss_names(&self) -> bool {
        self.lag > 0
    }

    /// Returns `true` if messages may be removed by hand. A late or second projector may show a removed message again.
    pub(super) fn may_purge(&self) -> bool {
        self.late == 0 && self.takeover == 0
    }

    pub(super) fn drawn(random: &mut Random, injected: FaultKind) -> Self {
        let mut measure = |kind: FaultKind, most: usize| {
            // With any fault, each part is present in half of the seeds.
            let there = injected == kind || random.chance(500);
            let drawn = 1 + random.below(most);
            if injected.includes(kind) && there { u16::try_from(drawn).unwrap_or(0) } else { 0 }
        };
        let rates = Rates::none()
            .throttle(measure(FaultKind::Requests, 40))
            .conflict(measure(FaultKind::Requests, 40))
            .fail_before(measure(FaultKind::Requests, 40))
            .lose_answer(measure(FaultKind::Requests, 120))
            .unprocessed(measure(FaultKind::Requests, 40));
        let (server_crash, projector_crash) = (measure(FaultKind::Crashes, 6), measure(FaultKind::Crashes, 6));
        let (redelivery, takeover) = (measure(FaultKind::Redelivery, 300), measure(FaultKind::Redelivery, 6));
        let skew = u64::from(measure(FaultKind::Clocks, 60_000));
        let clock_step = measure(FaultKind::Clocks, 10);
        let extra_items = measure(FaultKind::ExtraItems, 1) > 0;
        let late = measure(FaultKind::LateWrites, 60);
        let lag = usize::from(measure(FaultKind::IndexLag, 20));
        // Small skews matter: a message must be unread only if it was sent after the mark by more than the skew.
        let skew = Duration::from_millis(skew.div_ceil([1, 30, 1000].get(random.below(3)).copied().unwrap_or(1)));
        let weights = ACTIONS
            .into_iter()
            // Some actions are left out, and others are more frequent. Sending always happens.
            .map(|(action, weight)| (action, weight * [0, 1, 1, 1, 3].get(random.below(5)).copied().unwrap_or(1)))
            .map(|(action, weight)| (action, if action == Action::Send { weight.max(4) } else { weight }))
            .collect();
        Self {
            users: random.between(2, 5),
            devices: random.between(1, 2),
            servers: random.between(1, 3),
            shards: random.between(1, 3),
            actions: random.between(6, 20),
            weights,
            attempts: random.between(1, 6),
            stale: if random.chance(500) { u16::try_from(random.below(500)).unwrap_or(0) } else { 0 },
            sticky: if random.chance(500) { u16::try_from(random.below(950)).unwrap_or(0) } else { 0 },
            tick: [0, 1, 5, 50, 1000].get(random.below(5)).copied().unwrap_or(1),
            skew,
            clock_step,
            extra_items,
            lag,
            rates,
            late,
            server_crash,
            projector_crash,
            redelivery,
            takeover,
            batch: random.between(1, 12),
            page_size: u32::try_from(random.between(1, 5)).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
            dropped: if injected.includes(FaultKind::DroppedCalls)
                && (injected == FaultKind::DroppedCalls || random.chance(500))
            {
                u16::try_from(random.between(1, 100)).unwrap_or(0)
            } else {
                0
            },
        }
    }
}
