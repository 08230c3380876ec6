//! The capacity that a piece of work consumed, and the check against its budget.

use std::error::Error as StdError;
use std::fmt;

use crate::capacity::{Capacity, Units};
use crate::error::ErrorKind;
use crate::request::Operation;

/// A request that a [`Metered`](super::Metered) store measured: its kind, its consumed capacity and the kind of its
/// error. It has no content of the request or the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasuredRequest {
    /// The kind of the request.
    pub operation: Operation,
    /// The capacity that the request consumed. A failed request has zero, because an error reports no capacity.
    pub capacity: Capacity,
    /// The kind of the error, if the request failed.
    pub failed: Option<ErrorKind>,
}

/// Shows the request's operation and the consumed units: `transact: 8.0 WCU + 2.0 index WCU`.
impl fmt::Display for MeasuredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation.name())?;
        match self.failed {
            Some(kind) => write!(f, "failed ({kind:?})"),
            None => PerPart(self.capacity).fmt(f),
        }
    }
}

/// The answer of a piece of work, with the requests that the work made.
///
/// [`Metered::measure`](super::Metered::measure) returns this type.
#[derive(Clone, Debug)]
#[must_use = "nothing checks the budget until you call `exactly` or `at_most`"]
pub struct Measured<T> {
    answer: T,
    requests: Vec<MeasuredRequest>,
}

impl<T> Measured<T> {
    pub(super) fn new(answer: T, requests: Vec<MeasuredRequest>) -> Self {
        Self { answer, requests }
    }

    /// Returns the total capacity that the requests of the measured work consumed.
    pub fn consumed(&self) -> Capacity {
        self.requests.iter().map(|request| request.capacity).sum()
    }

    /// Returns the requests that the measured work sent, in the order in which their answers arrived.
    pub fn requests(&self) -> &[MeasuredRequest] {
        &self.requests
    }

    /// Returns the answer of the measured work. The call does not check the consumed capacity.
    pub fn into_answer(self) -> T {
        self.answer
    }

    /// Returns the answer if the work consumed no more than the budget.
    ///
    /// The budget limits each of the four kinds of unit separately. For example, a
    /// budget of write units alone allows no read units.
    ///
    /// # Errors
    /// [`BudgetError`] if the work consumed more. The answer is then lost.
    pub fn at_most(self, budget: Capacity) -> Result<T, BudgetError> {
        let consumed = self.consumed();
        let is_within = consumed.table_read <= budget.table_read
            && consumed.table_write <= budget.table_write
            && consumed.index_read <= budget.index_read
            && consumed.index_write <= budget.index_write;
        self.answer_if(is_within, "at most ", budget)
    }

    /// Returns the answer if the work consumed exactly the budget, in each of the four kinds of unit.
    ///
    /// # Errors
    /// [`BudgetError`] if the work consumed more or less. The answer is then lost.
    pub fn exactly(self, budget: Capacity) -> Result<T, BudgetError> {
        let is_same = self.consumed() == budget;
        self.answer_if(is_same, "exactly ", budget)
    }

    fn answer_if(self, is_within: bool, bound: &'static str, budget: Capacity) -> Result<T, BudgetError> {
        if is_within { Ok(self.answer) } else { Err(BudgetError { bound, budget, requests: self.requests }) }
    }
}

/// The error of a piece of work whose consumed capacity does not match its budget.
///
/// The error's text lists the requests. `Debug` prints the same text, so a failed `unwrap` in a test shows them too.
#[derive(Clone, PartialEq, Eq)]
pub struct BudgetError {
    bound: &'static str,
    budget: Capacity,
    requests: Vec<MeasuredRequest>,
}

impl BudgetError {
    /// Returns the total capacity that the requests of the measured work consumed.
    pub fn consumed(&self) -> Capacity {
        self.requests.iter().map(|request| request.capacity).sum()
    }

    /// Returns the budget that was passed to [`at_most`](Measured::at_most) or [`exactly`](Measured::exactly).
    pub fn budget(&self) -> Capacity {
        self.budget
    }

    /// Returns the requests that the measured work sent, in the order in which their answers arrived.
    pub fn requests(&self) -> &[MeasuredRequest] {
        &self.requests
    }
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (consumed, budget) = (PerPart(self.consumed()), PerPart(self.budget));
        write!(f, "consumed {consumed}, budget is {}{budget} (", self.bound)?;
        if self.requests.is_empty() {
            f.write_str("no request")?;
        }
        for (index, request) in self.requests.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{request}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for BudgetError {}

/// Displays the units of the table and of the index separately: `1.0 RCU + 2.0 WCU + 4.0 index WCU`.
struct PerPart(Capacity);

impl fmt::Display for PerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Capacity { table_read, table_write, index_read, index_write } = self.0;
        let mut plus = "";
        for (units, name) in
            [(table_read, "RCU"), (table_write, "WCU"), (index_read, "index RCU"), (index_write, "index WCU")]
        {
            if units > Units::ZERO {
                write!(f, "{plus}{units} {name}")?;
                plus = " + ";
            }
        }
        if plus.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Key, PartitionKey, SortKey};
    use crate::request::Get;
    use crate::store::StoreExt;

    use crate::store::memory::MemoryStore;
    use crate::store::meter::Metered;

    fn half() -> Capacity {
        Capacity::reads(Units::halves(1))
    }

    fn get() -> Get {
        Get::new(Key::new(PartitionKey::parse("secret").unwrap(), SortKey::parse("1").unwrap()))
    }

    #[tokio::test]
    async fn work_within_its_budget_returns_its_answer() {
        let meter = Metered::new(MemoryStore::new());
        for budget in [half(), Capacity::reads(1), half() + Capacity::index_writes(7)] {
            let answer = meter.measure(meter.get(get())).await.at_most(budget).unwrap();
            assert_eq!(answer.unwrap().item, None);
        }
        assert_eq!(meter.measure(async { 7 }).await.exactly(Capacity::default()), Ok(7));
        assert_eq!(meter.measure(meter.get(get())).await.exactly(half()).unwrap().unwrap().capacity, half());
    }

    #[tokio::test]
    async fn units_that_a_budget_does_not_name_are_not_allowed() {
        let consumed = Capacity {
            table_read: Units::whole(1),
            table_write: Units::whole(1),
            index_read: Units::whole(1),
            index_write: Units::whole(1),
        };
        for lacking in [
            Capacity { table_read: Units::ZERO, ..consumed },
            Capacity { table_write: Units::ZERO, ..consumed },
            Capacity { index_read: Units::ZERO, ..consumed },
            Capacity { index_write: Units::halves(1), ..consumed },
        ] {
            let request = MeasuredRequest { operation: Operation::Write, capacity: consumed, failed: None };
            let measured = Measured::new((), vec![request]);
            assert_eq!(measured.clone().at_most(lacking).unwrap_err().budget(), lacking);
            assert_eq!(measured.clone().exactly(lacking).unwrap_err().consumed(), consumed);
            assert_eq!(measured.clone().exactly(lacking + consumed).unwrap_err().requests(), [request], "too much");
            assert_eq!(measured.exactly(consumed), Ok(()));
        }
    }

    #[tokio::test]
    async fn nested_measurement_counts_twice_and_dropped_one_does_not() {
        let meter = Metered::new(MemoryStore::new());
        let outer = meter.measure(async {
            meter.get(get()).await.unwrap();
            meter.measure(meter.clone().get(get())).await.exactly(half()).unwrap().unwrap();
        });
        let outer = outer.await;
        assert_eq!(outer.requests().len(), 2);
        assert_eq!((outer.consumed(), meter.take()), (Capacity::reads(1), Capacity::reads(1)));

        let dropped = meter.measure(std::future::pending::<()>());
        assert!(tokio::time::timeout(std::time::Duration::ZERO, dropped).await.is_err());
        meter.get(get()).await.unwrap();
        assert!(crate::store::meter::lock(&meter.state).measured.is_empty(), "the next request finds none");
    }
}
