//! How a simulated deployment is made up. All of it is drawn from the seed, so that seeds differ in kind and not only in order.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::fault::Rates;
use crate::random::Random;

/// What troubles a simulated deployment. Its requests always interleave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing else does.
    Races,
    /// Requests are throttled, meet conflicts, fail and lose their answers.
    Faults,
    /// Servers and projectors die between two requests, and start anew.
    Crashes,
    /// Writes arrive when their sender has given up waiting for the answer, and has tried again.
    Late,
    /// Records come again, and two projectors work on one shard.
    Redelivery,
    /// The index is behind the table.
    Lag,
    /// The servers' clocks differ, and are set while they run.
    Clocks,
    /// Other programs' items, and items that cannot be read, lie among those of the deployment.
    Items,
    /// Servers drop calls midway, as a timeout does, and live on.
    Dropped,
    /// Any of these, each in its own measure or not at all.
    Any,
}

impl Trouble {
    /// Its name in a command.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Races => "races",
            Self::Faults => "faults",
            Self::Crashes => "crashes",
            Self::Late => "late",
            Self::Redelivery => "redelivery",
            Self::Lag => "lag",
            Self::Clocks => "clocks",
            Self::Items => "items",
            Self::Dropped => "dropped",
            Self::Any => "any",
        }
    }

    fn includes(self, other: Self) -> bool {
        self == other || self == Self::Any
    }
}

/// What a client does, each as often as it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Send,
    Edit,
    Delete,
    Meddle,
    Read,
    Inbox,
    MarkRead,
    Direct,
    Create,
    Add,
    Remove,
    Rename,
    Import,
    Knock,
    Purge,
    Litter,
}

pub(super) const DEEDS: [(Deed, u32); 16] = [
    (Deed::Send, 10),
    (Deed::Edit, 4),
    (Deed::Delete, 2),
    (Deed::Meddle, 1),
    (Deed::Read, 4),
    (Deed::Inbox, 3),
    (Deed::MarkRead, 3),
    (Deed::Direct, 4),
    (Deed::Create, 3),
    (Deed::Add, 4),
    (Deed::Remove, 3),
    (Deed::Rename, 4),
    (Deed::Import, 1),
    (Deed::Knock, 2),
    (Deed::Purge, 1),
    (Deed::Litter, 2),
];

/// What a seed chooses.
#[derive(Clone, Debug)]
pub(super) struct Knobs {
    pub(super) users: usize,
    pub(super) devices: usize,
    pub(super) servers: usize,
    pub(super) shards: usize,
    /// How many things a device does.
    pub(super) deeds: usize,
    pub(super) weights: Vec<(Deed, u32)>,
    /// How often a device tries a call.
    pub(super) attempts: usize,
    /// How many of a thousand calls use a thread that was opened earlier.
    pub(super) stale: u16,
    /// How many of a thousand steps go to the task of the step before.
    pub(super) sticky: u16,
    /// The most that the clock moves at a step, in milliseconds.
    pub(super) tick: usize,
    /// How far the servers' clocks are off, at most.
    pub(super) skew: Duration,
    /// Of a thousand steps, at how many a server's clock is set.
    pub(super) clock_step: u16,
    /// Whether there are other programs' items, and items that cannot be read.
    pub(super) litter: bool,
    /// How many changes the index is behind.
    pub(super) lag: usize,
    pub(super) rates: Rates,
    /// Of a thousand writes, how many arrive late.
    pub(super) late: u16,
    /// Of a thousand steps, at how many a server or a projector dies, or a second projector takes over what the first still works on.
    pub(super) server_crash: u16,
    pub(super) projector_crash: u16,
    pub(super) takeover: u16,
    /// Of a thousand batches, behind how many the service goes back in the shard.
    pub(super) again: u16,
    /// The most records of a batch.
    pub(super) batch: usize,
    /// The most items of a page.
    pub(super) page_size: NonZeroU32,
    /// How many of a thousand calls are dropped midway.
    pub(super) dropped: u16,
}

impl Knobs {
    /// Whether a row may keep names of before: a rename finds its rows by the index, which may not have a new one yet.
    pub(super) fn may_miss_names(&self) -> bool {
        self.lag > 0
    }

    /// Whether messages may be removed by hand. A projector that is late, or a second one, may bring a removed message back to a row.
    pub(super) fn may_purge(&self) -> bool {
        self.late == 0 && self.takeover == 0
    }

    pub(super) fn drawn(random: &mut Random, trouble: Trouble) -> Self {
        let mut measure = |kind: Trouble, most: usize| {
            // Of any trouble, each part is there in half of the seeds.
            let there = trouble == kind || random.chance(500);
            let drawn = 1 + random.below(most);
            if trouble.includes(kind) && there { u16::try_from(drawn).unwrap_or(0) } else { 0 }
        };
        let rates = Rates::none()
            .throttle(measure(Trouble::Faults, 40))
            .conflict(measure(Trouble::Faults, 40))
            .fail_before(measure(Trouble::Faults, 40))
            .lose_answer(measure(Trouble::Faults, 120))
            .unprocessed(measure(Trouble::Faults, 40));
        let (server_crash, projector_crash) = (measure(Trouble::Crashes, 6), measure(Trouble::Crashes, 6));
        let (again, takeover) = (measure(Trouble::Redelivery, 300), measure(Trouble::Redelivery, 6));
        let skew = u64::from(measure(Trouble::Clocks, 60_000));
        let clock_step = measure(Trouble::Clocks, 10);
        let litter = measure(Trouble::Items, 1) > 0;
        let late = measure(Trouble::Late, 60);
        let lag = usize::from(measure(Trouble::Lag, 20));
        // Small ones, too: only what is sent later after a mark than the skew must be unread.
        let skew = Duration::from_millis(skew.div_ceil([1, 30, 1000].get(random.below(3)).copied().unwrap_or(1)));
        let weights = DEEDS
            .into_iter()
            // Some deeds are left out, and others done more often. There is always something to be said.
            .map(|(deed, weight)| (deed, weight * [0, 1, 1, 1, 3].get(random.below(5)).copied().unwrap_or(1)))
            .map(|(deed, weight)| (deed, if deed == Deed::Send { weight.max(4) } else { weight }))
            .collect();
        Self {
            users: random.between(2, 5),
            devices: random.between(1, 2),
            servers: random.between(1, 3),
            shards: random.between(1, 3),
            deeds: random.between(6, 20),
            weights,
            attempts: random.between(1, 6),
            stale: if random.chance(500) { u16::try_from(random.below(500)).unwrap_or(0) } else { 0 },
            sticky: if random.chance(500) { u16::try_from(random.below(950)).unwrap_or(0) } else { 0 },
            tick: [0, 1, 5, 50, 1000].get(random.below(5)).copied().unwrap_or(1),
            skew,
            clock_step,
            litter,
            lag,
            rates,
            late,
            server_crash,
            projector_crash,
            again,
            takeover,
            batch: random.between(1, 12),
            page_size: u32::try_from(random.between(1, 5)).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
            dropped: if trouble.includes(Trouble::Dropped) && (trouble == Trouble::Dropped || random.chance(500)) {
                u16::try_from(random.between(1, 100)).unwrap_or(0)
            } else {
                0
            },
        }
    }
}
