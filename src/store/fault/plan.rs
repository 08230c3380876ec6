//! What a store is to do wrong, and when.

use std::fmt;

use crate::key::PartitionKey;
use crate::random::Numbers;

/// What a [`FaultStore`](super::FaultStore) does wrong, and when: faults, each with the calls it befalls. Of several that befall
/// one call, the first of the plan is done. `Debug` prints the plan as it is written, without partitions.
///
/// ```
/// use threadline::store::fault::{Calls, Operation, Plan};
///
/// let plan = Plan::new().throttle(Calls::nth(3)).lose_answer(Calls::every(5).of(Operation::Write).on_partition("GRP#"));
/// assert_eq!(format!("{plan:?}"), "Plan::new().throttle(nth(3)).lose_answer(every(5).of(Write).on_partition(…))");
/// ```
#[derive(Clone, Default)]
pub struct Plan {
    rules: Vec<Rule>,
    random: Option<Random>,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Any fault may befall any call, as often as the rates say. The same seed and the same calls bring the same faults, so
    /// print the plan where a test fails.
    ///
    /// ```
    /// use threadline::store::fault::{Plan, Rates};
    ///
    /// let plan = Plan::random(7, Rates::all(20));
    /// assert!(format!("{plan:?}").starts_with("Plan::random(seed: 7, "));
    /// ```
    pub fn random(seed: u64, rates: Rates) -> Self {
        Self { rules: Vec::new(), random: Some(Random { seed, numbers: Numbers::seeded(seed), rates }) }
    }

    /// These calls are over the table's throughput: [`Throttled`](crate::ErrorKind::Throttled), and nothing is done.
    #[must_use]
    pub fn throttle(self, calls: Calls) -> Self {
        self.rule(Fault::Throttle, calls)
    }

    /// These calls meet an item that another transaction holds, and nothing is done: a write ends in
    /// [`Conflict`](crate::ErrorKind::Conflict), a transaction is cancelled for its first action. Counts no other calls.
    #[must_use]
    pub fn conflict(self, calls: Calls) -> Self {
        self.rule(Fault::Conflict, calls)
    }

    /// These calls do not reach the store: [`Unavailable`](crate::ErrorKind::Unavailable), and nothing is done.
    #[must_use]
    pub fn fail_before(self, calls: Calls) -> Self {
        self.rule(Fault::FailBefore, calls)
    }

    /// These calls are done and their answers are lost: [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) for those that
    /// write, [`Unavailable`](crate::ErrorKind::Unavailable) for those that read.
    #[must_use]
    pub fn lose_answer(self, calls: Calls) -> Self {
        self.rule(Fault::LoseAnswer, calls)
    }

    /// The last `count` keys or writes of these batches are left undone. Where that is all of them, the batch is
    /// [`Throttled`](crate::ErrorKind::Throttled), as DynamoDB says it then. Counts no other calls.
    #[must_use]
    pub fn unprocessed(self, count: usize, calls: Calls) -> Self {
        self.rule(Fault::Unprocessed(count), calls)
    }

    /// The process dies before these calls: they and all that follow are [`Unavailable`](crate::ErrorKind::Unavailable), until
    /// [`restart`](super::FaultStore::restart).
    #[must_use]
    pub fn crash(self, calls: Calls) -> Self {
        self.rule(Fault::Crash, calls)
    }

    fn rule(mut self, fault: Fault, calls: Calls) -> Self {
        self.rules.push(Rule { fault, calls, seen: 0 });
        self
    }

    /// Counts a call, and says what befalls it.
    pub(super) fn next(&mut self, call: &Call<'_>) -> Option<Fault> {
        let mut befalls = None;
        for rule in &mut self.rules {
            if rule.fault.can_befall(call.operation) && rule.calls.are_like(call) {
                rule.seen = rule.seen.saturating_add(1);
                if rule.calls.which.includes(rule.seen) && befalls.is_none() {
                    befalls = Some(rule.fault);
                }
            }
        }
        befalls.or_else(|| self.random.as_mut()?.next(call.operation))
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
    Unprocessed(usize),
    Crash,
}

impl Fault {
    fn can_befall(self, operation: Operation) -> bool {
        match self {
            Self::Conflict => matches!(operation, Operation::Write | Operation::Transact),
            Self::Unprocessed(_) => matches!(operation, Operation::BatchGet | Operation::BatchWrite),
            Self::Throttle | Self::FailBefore | Self::LoseAnswer | Self::Crash => true,
        }
    }
}

/// Which calls a fault befalls: the n-th, every n-th or all, of those with this operation on this partition.
#[derive(Clone)]
pub struct Calls {
    which: Which,
    operation: Option<Operation>,
    partition: Option<String>,
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
        Self { which: Which::All, operation: None, partition: None }
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
    #[must_use]
    pub fn on_partition(mut self, prefix: impl Into<String>) -> Self {
        self.partition = Some(prefix.into());
        self
    }

    fn are_like(&self, call: &Call<'_>) -> bool {
        self.operation.is_none_or(|operation| operation == call.operation)
            && self
                .partition
                .as_ref()
                .is_none_or(|prefix| call.partitions.iter().any(|pk| pk.as_str().starts_with(prefix)))
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
        if self.partition.is_some() {
            f.write_str(".on_partition(…)")?;
        }
        Ok(())
    }
}

/// A method of [`Store`](crate::store::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reading one item.
    Get,
    /// Writing one item.
    Write,
    /// Reading a page of a partition.
    Query,
    /// Reading a page of the table.
    Scan,
    /// Writing several items, all or none.
    Transact,
    /// Reading several items.
    BatchGet,
    /// Writing several items, each on its own.
    BatchWrite,
}

impl Operation {
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Transact | Self::BatchWrite)
    }
}

/// A call, as far as a plan looks at it.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) partitions: Vec<&'a PartitionKey>,
}

/// How many of a thousand calls each fault befalls, in [`Plan::random`]. What cannot befall a call leaves it alone.
///
/// ```
/// use threadline::store::fault::Rates;
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
struct Random {
    seed: u64,
    numbers: Numbers,
    rates: Rates,
}

impl Random {
    fn next(&mut self, operation: Operation) -> Option<Fault> {
        let Rates { throttle, conflict, fail_before, lose_answer, unprocessed, crash } = self.rates;
        let mut drawn = self.numbers.draw() % 1000;
        for (fault, rate) in [
            (Fault::Throttle, throttle),
            (Fault::Conflict, conflict),
            (Fault::FailBefore, fail_before),
            (Fault::LoseAnswer, lose_answer),
            (Fault::Unprocessed(1), unprocessed),
            (Fault::Crash, crash),
        ] {
            let Some(rest) = drawn.checked_sub(u64::from(rate)) else {
                return fault.can_befall(operation).then_some(fault);
            };
            drawn = rest;
        }
        None
    }
}
