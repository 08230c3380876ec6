//! What a store is to do wrong, and when.

use std::fmt;
use std::time::Duration;

use threadline::store::Operation;

use super::call::{Call, Partition};
use crate::random::Random;

/// What a [`FaultStore`](super::FaultStore) does wrong, and when: faults, each with the calls it befalls. Of several that befall
/// one call, the first of the plan is done. `Debug` prints the plan as it is written, without partitions.
///
/// ```
/// use threadline::store::Operation;
/// use threadline_testkit::fault::{Calls, Plan};
///
/// let plan = Plan::new().throttle(Calls::nth(3)).lose_answer(Calls::every(5).of(Operation::Write).on_partition("GRP#"));
/// assert_eq!(format!("{plan:?}"), "Plan::new().throttle(nth(3)).lose_answer(every(5).of(Write).on_partition(…))");
/// ```
#[derive(Clone, Default)]
pub struct Plan {
    rules: Vec<Rule>,
    random: Option<RandomFaults>,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Any fault may befall any call, as often as the rates say; none is slow. The same seed and the same calls bring the same
    /// faults, so print the plan where a test fails: both it and the store print the seed.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline_testkit::fault::{FaultStore, Plan, Rates};
    ///
    /// let store = FaultStore::new(MemoryStore::new(), Plan::random(7, Rates::all(20)));
    /// assert!(format!("{store:?}").contains("Plan::random(seed: 7, "));
    /// // So, in a test: `assert_eq!(found, expected, "{store:?}")`.
    /// ```
    pub fn random(seed: u64, rates: Rates) -> Self {
        Self { rules: Vec::new(), random: Some(RandomFaults { seed, numbers: Random::seeded(seed), rates }) }
    }

    /// These calls are over the table's throughput, and nothing is done: a transaction is canceled for one of its actions, as for a
    /// [`conflict`](Self::conflict), and any other call ends in [`Throttled`](threadline::ErrorKind::Throttled).
    #[must_use]
    pub fn throttle(self, calls: Calls) -> Self {
        self.rule(Fault::Throttle, calls)
    }

    /// These calls meet an item that another transaction holds, and nothing is done: a write ends in
    /// [`Conflict`](threadline::ErrorKind::Conflict), a transaction is canceled for the action that [`Calls::at_action`] tells. Counts no
    /// other calls.
    ///
    /// The other actions have the reasons that they would have by themselves, which the wrapped store is asked for: it gets a
    /// transaction that is canceled in any case, and changes nothing. So a repeat of a transaction that was done is refused by one
    /// item, which is written already, and meets another that is still held, as DynamoDB may answer while the first commits.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use threadline::store::Operation;
    /// use threadline_testkit::fault::{Calls, FaultStore, Plan};
    /// use threadline::{ErrorKind, MemoryStore, NewUser, Threadline, UserId};
    ///
    /// let id: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let andrew = || Ok::<_, threadline::Error>(NewUser::new("andrewbrown", "Andrew Brown")?.id(id));
    /// let plan = Plan::new().conflict(Calls::nth(2).of(Operation::Transact).at_action(1));
    /// let chat = Threadline::new(FaultStore::new(MemoryStore::new(), plan));
    /// let first = chat.create_user(andrew()?).await?;
    ///
    /// // The user is still held, and the handle is taken: by the same user.
    /// let repeat = chat.create_user(andrew()?).await.unwrap_err();
    /// assert_eq!(repeat.kind(), ErrorKind::Conflict);
    /// assert_eq!(chat.create_user(andrew()?).await?, first);
    /// # Ok::<(), threadline::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn conflict(self, calls: Calls) -> Self {
        self.rule(Fault::Conflict, calls)
    }

    /// These calls do not reach the store: [`Unavailable`](threadline::ErrorKind::Unavailable), and nothing is done.
    #[must_use]
    pub fn fail_before(self, calls: Calls) -> Self {
        self.rule(Fault::FailBefore, calls)
    }

    /// These calls are done and their answers are lost: [`OutcomeUnknown`](threadline::ErrorKind::OutcomeUnknown) for those that
    /// write, [`Unavailable`](threadline::ErrorKind::Unavailable) for those that read.
    #[must_use]
    pub fn lose_answer(self, calls: Calls) -> Self {
        self.rule(Fault::LoseAnswer, calls)
    }

    /// These calls are done only after so long: what gives up on one before then leaves it undone. The store sleeps by
    /// [`sleep`](super::FaultStore::sleep), and refuses the call where it has nothing to sleep with.
    #[must_use]
    pub fn slow_before(self, pause: Duration, calls: Calls) -> Self {
        self.rule(Fault::SlowBefore(pause), calls)
    }

    /// These calls are done at once, and their answers come only after so long: what gives up on one before then does not
    /// learn that it was done. The store sleeps as for [`slow_before`](Self::slow_before).
    #[must_use]
    pub fn slow_answer(self, pause: Duration, calls: Calls) -> Self {
        self.rule(Fault::SlowAnswer(pause), calls)
    }

    /// The last `count` keys or writes of these batches are left undone. Where that is all of them, the batch is
    /// [`Throttled`](threadline::ErrorKind::Throttled), as DynamoDB says it then. Counts no other calls.
    #[must_use]
    pub fn unprocessed(self, count: usize, calls: Calls) -> Self {
        self.rule(Fault::Unprocessed(count), calls)
    }

    /// The process dies before these calls: they and all that follow are [`Unavailable`](threadline::ErrorKind::Unavailable), until
    /// [`restart`](super::FaultStore::restart).
    #[must_use]
    pub fn crash(self, calls: Calls) -> Self {
        self.rule(Fault::Crash, calls)
    }

    fn rule(mut self, fault: Fault, calls: Calls) -> Self {
        self.rules.push(Rule { fault, calls, seen: 0 });
        self
    }

    /// Counts a call, and says what befalls it, and at which place among a transaction's actions.
    pub(super) fn next(&mut self, call: &Call<'_>) -> Option<(Fault, usize)> {
        let mut befalls = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.fault.can_befall(call.operation)) {
            let Some(place) = rule.calls.place_in(call) else { continue };
            rule.seen = rule.seen.saturating_add(1);
            if rule.calls.which.includes(rule.seen) && befalls.is_none() {
                befalls = Some((rule.fault, place));
            }
        }
        befalls.or_else(|| self.random.as_mut()?.next(call))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.random {
            Some(random) => write!(f, "Plan::random(seed: {}, {:?})", random.seed, random.rates)?,
            None => f.write_str("Plan::new()")?,
        }
        for Rule { fault, calls, .. } in &self.rules {
            match fault {
                Fault::Throttle => write!(f, ".throttle({calls:?})")?,
                Fault::Conflict => write!(f, ".conflict({calls:?})")?,
                Fault::FailBefore => write!(f, ".fail_before({calls:?})")?,
                Fault::LoseAnswer => write!(f, ".lose_answer({calls:?})")?,
                Fault::SlowBefore(pause) => write!(f, ".slow_before({pause:?}, {calls:?})")?,
                Fault::SlowAnswer(pause) => write!(f, ".slow_answer({pause:?}, {calls:?})")?,
                Fault::Unprocessed(count) => write!(f, ".unprocessed({count}, {calls:?})")?,
                Fault::Crash => write!(f, ".crash({calls:?})")?,
            }
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Rule {
    fault: Fault,
    calls: Calls,
    /// How many calls there were that it might have befallen.
    seen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Throttle,
    Conflict,
    FailBefore,
    LoseAnswer,
    SlowBefore(Duration),
    SlowAnswer(Duration),
    Unprocessed(usize),
    Crash,
}

impl Fault {
    fn can_befall(self, operation: Operation) -> bool {
        match self {
            Self::Conflict => matches!(operation, Operation::Write | Operation::Transact),
            Self::Unprocessed(_) => matches!(operation, Operation::BatchGet | Operation::BatchWrite),
            _ => true,
        }
    }
}

/// Which calls a fault befalls: the n-th, every n-th or all, of those with this operation on this partition.
#[derive(Clone)]
pub struct Calls {
    which: Which,
    operation: Option<Operation>,
    is_of_index: bool,
    partition: Option<String>,
    /// From 1.
    action: Option<usize>,
}

#[derive(Clone, Copy)]
enum Which {
    All,
    Nth(u64),
    Every(u64),
}

impl Which {
    fn includes(self, number: u64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(nth) => number == nth,
            Self::Every(nth) => number.checked_rem(nth) == Some(0),
        }
    }
}

impl Calls {
    /// All calls.
    pub fn all() -> Self {
        Self { which: Which::All, operation: None, is_of_index: false, partition: None, action: None }
    }

    /// The n-th call, counted from 1.
    pub fn nth(n: u64) -> Self {
        Self { which: Which::Nth(n), ..Self::all() }
    }

    /// Every n-th call: with 2, the second, the fourth and so on. None with 0.
    pub fn every(n: u64) -> Self {
        Self { which: Which::Every(n), ..Self::all() }
    }

    /// Of those with this operation, which alone are counted.
    #[must_use]
    pub fn of(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Of those that concern a partition, of the table or of the index, whose key begins so. They alone are counted; a scan
    /// concerns none.
    ///
    /// A write concerns the partition of the index that it names itself: in the item of a put, or in what an update sets. A delete, and
    /// an update that leaves the index's partition key as it is, do not tell where in the index their item stands. So a hot inbox is
    /// `USER#` for what reads it and for rows that are put; what changes a row that is there (`mark_read`, the projector) is on the
    /// row's own partition, `GRP#`.
    #[must_use]
    pub fn on_partition(mut self, prefix: impl Into<String>) -> Self {
        self.partition = Some(prefix.into());
        self
    }

    /// Of those that concern the index, as far as [`on_partition`](Self::on_partition) can tell; with that, a partition of the
    /// index alone. They alone are counted.
    #[must_use]
    pub fn of_index(mut self) -> Self {
        self.is_of_index = true;
        self
    }

    /// Of the transactions that have an n-th action, counted from 1: that is the one which is throttled or in conflict. They alone are
    /// counted. Unless told, it is the first action that concerns the partition or the index asked for, or else the first of all.
    #[must_use]
    pub fn at_action(mut self, n: usize) -> Self {
        self.action = Some(n);
        self
    }

    /// Where in a call such a fault is, from 0, where this is one of these calls.
    fn place_in(&self, call: &Call<'_>) -> Option<usize> {
        if self.operation.is_some_and(|operation| operation != call.operation) {
            return None;
        }
        let prefix = self.partition.as_deref().unwrap_or_default();
        let is_meant = |met: &&Partition<'_>| (met.is_of_index || !self.is_of_index) && met.key.starts_with(prefix);
        let first = if self.is_of_index || self.partition.is_some() {
            call.partitions.iter().find(is_meant)?.action
        } else {
            0
        };
        match self.action {
            Some(n) => n.checked_sub(1).filter(|place| *place < call.actions),
            None => Some(first),
        }
    }
}

// Hand-written: a partition's key is content.
impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.which {
            Which::All => f.write_str("all()")?,
            Which::Nth(n) => write!(f, "nth({n})")?,
            Which::Every(n) => write!(f, "every({n})")?,
        }
        if let Some(operation) = self.operation {
            write!(f, ".of({operation:?})")?;
        }
        if self.is_of_index {
            f.write_str(".of_index()")?;
        }
        if self.partition.is_some() {
            f.write_str(".on_partition(…)")?;
        }
        if let Some(n) = self.action {
            write!(f, ".at_action({n})")?;
        }
        Ok(())
    }
}

/// How many of a thousand calls each fault befalls, in [`Plan::random`]. What cannot befall a call leaves it alone. Which action of
/// a transaction is throttled or in conflict is drawn too.
///
/// Rates that add up to more than a thousand are shares of all calls: of 1500 and 500, one befalls three calls of four, the other the
/// fourth.
///
/// ```
/// use threadline_testkit::fault::Rates;
///
/// let rates = Rates::all(20).crash(1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    throttle: u16,
    conflict: u16,
    fail_before: u16,
    lose_answer: u16,
    unprocessed: u16,
    crash: u16,
}

impl Rates {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each fault befalls this many of a thousand calls; all but a crash, which ends what goes on and is asked for by itself.
    pub fn all(rate: u16) -> Self {
        Self {
            throttle: rate,
            conflict: rate,
            fail_before: rate,
            lose_answer: rate,
            unprocessed: rate,
            ..Self::default()
        }
    }

    /// So many are throttled.
    #[must_use]
    pub fn throttle(self, rate: u16) -> Self {
        Self { throttle: rate, ..self }
    }

    /// So many meet a conflict.
    #[must_use]
    pub fn conflict(self, rate: u16) -> Self {
        Self { conflict: rate, ..self }
    }

    /// So many do not reach the store.
    #[must_use]
    pub fn fail_before(self, rate: u16) -> Self {
        Self { fail_before: rate, ..self }
    }

    /// So many are done, and their answers are lost.
    #[must_use]
    pub fn lose_answer(self, rate: u16) -> Self {
        Self { lose_answer: rate, ..self }
    }

    /// So many batches leave one of their keys or writes undone.
    #[must_use]
    pub fn unprocessed(self, rate: u16) -> Self {
        Self { unprocessed: rate, ..self }
    }

    /// So many are the last before a crash.
    #[must_use]
    pub fn crash(self, rate: u16) -> Self {
        Self { crash: rate, ..self }
    }
}

#[derive(Clone)]
struct RandomFaults {
    seed: u64,
    numbers: Random,
    rates: Rates,
}

impl RandomFaults {
    fn next(&mut self, call: &Call<'_>) -> Option<(Fault, usize)> {
        let Rates { throttle, conflict, fail_before, lose_answer, unprocessed, crash } = self.rates;
        let faults = [
            (Fault::Throttle, throttle),
            (Fault::Conflict, conflict),
            (Fault::FailBefore, fail_before),
            (Fault::LoseAnswer, lose_answer),
            (Fault::Unprocessed(1), unprocessed),
            (Fault::Crash, crash),
        ];
        let sum: u64 = faults.iter().map(|(_, rate)| u64::from(*rate)).sum();
        let mut drawn = self.numbers.next().checked_rem(sum.max(1000))?;
        for (fault, rate) in faults {
            let Some(rest) = drawn.checked_sub(u64::from(rate)) else {
                return fault.can_befall(call.operation).then(|| (fault, self.place_in(call, fault)));
            };
            drawn = rest;
        }
        None
    }

    /// The action that the fault is of. Only where it is one of a transaction's is a number drawn.
    fn place_in(&mut self, call: &Call<'_>, fault: Fault) -> usize {
        match fault {
            Fault::Throttle | Fault::Conflict if call.actions > 0 => self.numbers.below(call.actions),
            _ => 0,
        }
    }
}
