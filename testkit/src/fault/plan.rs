//! Plans: the faults of a store, and the calls that meet them.

use std::fmt;
use std::time::Duration;

use threadline::store::Operation;

use super::call::{Call, Partition};
use super::rates::Rates;
use crate::random::Random;

/// The faults of a [`FaultStore`](super::FaultStore), each with the calls that it applies to.
///
/// If several faults apply to one call, the first one in the plan occurs. `Debug` prints the plan as code, without the
/// prefixes of partitions.
///
/// ```
/// use threadline::store::Operation;
/// use threadline_testkit::fault::{Calls, Plan};
///
/// let plan =
/// Plan::new().throttle(Calls::nth(3)).lose_answer(Calls::every(5).of(Operation::Write).on_partition("GRP#"));
/// assert_eq!(format!("{plan:?}"), "Plan::new().throttle(nth(3)).lose_answer(every(5).of(Write).on_partition(…))");
/// ```
#[derive(Clone, Default)]
pub struct Plan {
    rules: Vec<Rule>,
    random: Option<RandomFaults>,
}

impl Plan {
    /// Creates a plan without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a plan with random faults at these rates. Slow calls are not among the faults. If the seed and the calls
    /// are the same, the faults are too. Print the plan or the store if a test fails: both show the seed.
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

    /// Throttles these calls, so that they read and write nothing. A transaction is canceled, and one of its actions
    /// has the reason `Throttled`: [`Calls::at_action`] selects the action. Any other call fails with
    /// [`Throttled`](threadline::ErrorKind::Throttled).
    #[must_use]
    pub fn throttle(self, calls: Calls) -> Self {
        self.rule(Fault::Throttle, calls)
    }

    /// Makes these calls fail, as if they conflicted with another transaction in progress. They write nothing. Only
    /// single writes and transactions can conflict. The plan does not count other calls for this fault.
    ///
    /// A single write fails with [`Conflict`](threadline::ErrorKind::Conflict). A transaction is canceled, and the
    /// action that [`Calls::at_action`] selects has the reason `Conflict`. The other actions have the reasons that they
    /// would have without the conflict. To get these reasons, the fault store sends another transaction to the wrapped
    /// store. This transaction is always canceled and changes nothing.
    ///
    /// So the answer to a retry of a completed transaction may contain two reasons. One is a conflict on one item, the
    /// other a failed condition on an item that the first attempt wrote. DynamoDB may return such an answer while the
    /// first attempt commits.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
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
    /// // The put of the user conflicts. The condition of the handle's claim fails, because the first call wrote it.
    /// let repeat = chat.create_user(andrew()?).await.unwrap_err();
    /// assert_eq!(repeat.kind(), ErrorKind::Conflict);
    /// assert_eq!(chat.create_user(andrew()?).await?, first);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn conflict(self, calls: Calls) -> Self {
        self.rule(Fault::Conflict, calls)
    }

    /// Fails these calls with [`Unavailable`](threadline::ErrorKind::Unavailable), before they reach the wrapped store.
    #[must_use]
    pub fn fail_before(self, calls: Calls) -> Self {
        self.rule(Fault::FailBefore, calls)
    }

    /// Makes these calls on the wrapped store and loses their answers. A write fails with
    /// [`OutcomeUnknown`](threadline::ErrorKind::OutcomeUnknown), and a read with
    /// [`Unavailable`](threadline::ErrorKind::Unavailable).
    #[must_use]
    pub fn lose_answer(self, calls: Calls) -> Self {
        self.rule(Fault::LoseAnswer, calls)
    }

    /// Delays these calls by `pause` before they reach the wrapped store. If the caller gives up within the pause,
    /// the call is not done. The fault store waits with the function that [`sleep`](super::FaultStore::sleep) sets.
    /// Without this function, the call fails.
    #[must_use]
    pub fn slow_before(self, pause: Duration, calls: Calls) -> Self {
        self.rule(Fault::SlowBefore(pause), calls)
    }

    /// Makes these calls at once and delays their answers by `pause`. If the caller gives up within the pause, the call
    /// is done, but the caller does not know this. The fault store waits with the function that
    /// [`sleep`](super::FaultStore::sleep) sets. Without this function, the call fails.
    #[must_use]
    pub fn slow_answer(self, pause: Duration, calls: Calls) -> Self {
        self.rule(Fault::SlowAnswer(pause), calls)
    }

    /// Leaves the last `count` keys or writes of these batches unprocessed. A batch of `count` or fewer keys or writes
    /// fails with [`Throttled`](threadline::ErrorKind::Throttled), as on DynamoDB. The plan does not count other calls
    /// for this fault.
    #[must_use]
    pub fn unprocessed(self, count: usize, calls: Calls) -> Self {
        self.rule(Fault::Unprocessed(count), calls)
    }

    /// Crashes the process before these calls. They and all later calls fail with
    /// [`Unavailable`](threadline::ErrorKind::Unavailable), until the test calls
    /// [`restart`](super::FaultStore::restart).
    #[must_use]
    pub fn crash(self, calls: Calls) -> Self {
        self.rule(Fault::Crash, calls)
    }

    fn rule(mut self, fault: Fault, calls: Calls) -> Self {
        self.rules.push(Rule { fault, calls, seen: 0 });
        self
    }

    /// Counts a call. Returns its fault and the index of the transaction's action that it concerns.
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
    /// The number of calls so far that the fault can apply to.
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

/// The calls that a fault of a [`Plan`] applies to. It applies to all calls, the n-th or every n-th. To count only some
/// calls, name an operation or a partition.
#[derive(Clone)]
pub struct Calls {
    which: Which,
    operation: Option<Operation>,
    is_of_index: bool,
    partition: Option<String>,
    /// Counted from 1.
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
    /// Selects all calls.
    pub fn all() -> Self {
        Self { which: Which::All, operation: None, is_of_index: false, partition: None, action: None }
    }

    /// Selects the n-th call only, counted from 1.
    pub fn nth(n: u64) -> Self {
        Self { which: Which::Nth(n), ..Self::all() }
    }

    /// Selects every n-th call: with 2, the second, the fourth and so on. With 0, it selects none.
    pub fn every(n: u64) -> Self {
        Self { which: Which::Every(n), ..Self::all() }
    }

    /// Limits the choice to calls of this operation. The plan does not count other calls.
    #[must_use]
    pub fn of(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Limits the choice to calls on partitions of the table or the index whose key begins with this prefix. The plan
    /// does not count other calls. A scan is on no partition.
    ///
    /// A write is on a partition of the table. If the write sets the attribute `gsi1pk`, as the put of a membership
    /// does, it is also on a partition of the index. A delete never sets this attribute, and most updates do not.
    ///
    /// For example, the prefix `USER#` selects calls on the items of users, reads of an inbox, and puts of memberships.
    /// It does not select the updates of memberships by `mark_read` and the projector, because these set no
    /// `gsi1pk`. The prefix `GRP#` selects such an update.
    #[must_use]
    pub fn on_partition(mut self, prefix: impl Into<String>) -> Self {
        self.partition = Some(prefix.into());
        self
    }

    /// Limits the choice to calls on the index. The plan does not count other calls. A write is on the index if it sets
    /// the attribute `gsi1pk`. If [`on_partition`](Self::on_partition) is set too, its prefix applies to the partitions
    /// of the index only.
    #[must_use]
    pub fn of_index(mut self) -> Self {
        self.is_of_index = true;
        self
    }

    /// Limits the choice to transactions with at least `n` actions. The plan does not count other calls. If the fault
    /// is throttling or a conflict, it concerns the n-th action, counted from 1.
    ///
    /// Default: the first action that is on the selected partition or index. If no partition or index is selected, the
    /// default is the first action of the transaction.
    #[must_use]
    pub fn at_action(mut self, n: usize) -> Self {
        self.action = Some(n);
        self
    }

    /// Returns the index of the action that the fault concerns, from 0, if this is one of the selected calls.
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

    /// Returns the index of the action that the fault concerns. Draws a number only for a transaction.
    fn place_in(&mut self, call: &Call<'_>, fault: Fault) -> usize {
        match fault {
            Fault::Throttle | Fault::Conflict if call.actions > 0 => self.numbers.below(call.actions),
            _ => 0,
        }
    }
}
