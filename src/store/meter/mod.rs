//! A meter of consumed capacity: [`Metered`] wraps a store, and compares the consumption of a piece of work with a
//! budget.

mod measured;

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;

use super::Store;
use crate::capacity::Capacity;
use crate::error::Result;
use crate::request::{Answer, Checked, Operation};

pub use measured::{BudgetError, Measured, MeasuredRequest};

/// A store wrapper that adds up the consumed capacity of all requests. Clones share the sum.
///
/// The sum includes refused writes and canceled transactions, because their answers report the capacity. An error does
/// not, so the sum does not include requests that end with one.
///
/// [`measure`](Self::measure) collects the requests of a piece of work, to compare their capacity with a budget:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use threadline::store::Capacity;
/// use threadline::store::meter::Metered;
/// use threadline::{MemoryStore, NewUser, Threadline};
///
/// let meter = Metered::new(MemoryStore::new());
/// let threadline = Threadline::new(meter.clone());
/// let new = NewUser::new("andrewbrown", "Andrew Brown")?;
/// let andrew = meter.measure(threadline.create_user(new)).await.exactly(Capacity::writes(4))??;
///
/// // The budget names no read units, so this read exceeds it.
/// let look_up = meter.measure(threadline.user(andrew.id())).await;
/// let error = look_up.at_most(Capacity::writes(1)).unwrap_err();
/// assert_eq!(error.to_string(), "consumed 0.5 RCU, budget is at most 1.0 WCU (get: 0.5 RCU)");
///
/// // The sum of all requests:
/// assert_eq!(meter.take().to_string(), "0.5 RCU + 4.0 WCU");
/// assert_eq!(meter.total().to_string(), "nothing");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Metered<S> {
    store: S,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    total: Capacity,
    /// The requests of each measurement. The measured work owns them, so they disappear if it is dropped.
    measured: Vec<Weak<Mutex<Vec<MeasuredRequest>>>>,
}

impl<S: Store> Metered<S> {
    /// Wraps this store. The sum starts at zero.
    pub fn new(store: S) -> Self {
        Self { store, state: Arc::default() }
    }

    /// Returns the sum: the capacity consumed since the meter was created, or since the last [`take`](Self::take).
    pub fn total(&self) -> Capacity {
        lock(&self.state).total
    }

    /// Returns the sum, as [`total`](Self::total) does, and resets it to zero.
    pub fn take(&self) -> Capacity {
        std::mem::take(&mut lock(&self.state).total)
    }

    /// Runs a piece of work, and returns its answer with the requests that the work made.
    ///
    /// The measurement includes every request that any clone of this meter sends during the work. Two measurements at
    /// the same time would therefore include each other's requests, so measure one piece of work at a time. The sum of
    /// the meter includes the measured requests too.
    ///
    /// The work may itself call `measure`. The outer measurement then includes the requests of the inner one.
    pub async fn measure<T>(&self, work: impl Future<Output = T>) -> Measured<T> {
        let requests = Arc::default();
        {
            let measured = &mut lock(&self.state).measured;
            // Work that was dropped midway leaves its entry.
            measured.retain(|requests| requests.strong_count() > 0);
            measured.push(Arc::downgrade(&requests));
        }
        let answer = work.await;
        let requests = std::mem::take(&mut *lock(&requests));
        Measured::new(answer, requests)
    }

    fn count(&self, operation: Operation, answer: &Result<Answer>) {
        let request = match answer {
            Ok(answer) => MeasuredRequest { operation, capacity: answer.capacity(), failed: None },
            Err(error) => MeasuredRequest { operation, capacity: Capacity::default(), failed: Some(error.kind()) },
        };
        let mut state = lock(&self.state);
        state.total += request.capacity;
        state.measured.retain(|requests| match requests.upgrade() {
            Some(requests) => {
                lock(&requests).push(request);
                true
            }
            None => false,
        });
    }
}

/// Locks the mutex. A panic cannot leave its value half-written, so a poisoned lock is safe to use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl<S: Store> Store for Metered<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let answer = self.store.execute(request).await;
        self.count(operation, &answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capacity::Units;
    use crate::entity::{AttributeValue, Item};
    use crate::error::ErrorKind;
    use crate::key::{Key, PartitionKey, SortKey};
    use crate::request::{
        BatchAction, BatchGet, BatchWrite, Condition, Get, Query, Scan, TransactAction, Transaction, Update, Write,
    };
    use crate::store::StoreExt;
    use crate::store::memory::MemoryStore;

    fn key() -> Key {
        Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse("1").unwrap())
    }

    fn item() -> Item {
        let mut item = Item::new();
        for (name, value) in [("pk", "A"), ("sk", "1"), ("gsi1pk", "I"), ("gsi1sk", "1")] {
            item.insert(name, AttributeValue::S(value.to_owned()));
        }
        item
    }

    #[tokio::test]
    async fn every_kind_of_answer_is_counted() {
        let store = Metered::new(MemoryStore::new());
        let put = Write::put(item());
        let absent = TransactAction::check(key(), Condition::item_absent());
        let counted = || store.take().to_string();

        let _ = store.write(put.clone()).await.unwrap();
        assert_eq!(counted(), "2.0 WCU", "the table and the index");
        let _ = store.write(put.clone().when(Condition::item_absent())).await.unwrap();
        assert_eq!(counted(), "1.0 WCU", "also one that was refused");
        store.get(Get::new(key()).consistent()).await.unwrap();
        assert_eq!(counted(), "1.0 RCU");
        store.query(Query::index(PartitionKey::parse("I").unwrap())).await.unwrap();
        assert_eq!(store.take(), Capacity { index_read: Units::halves(1), ..Capacity::default() });
        store.scan(Scan::new()).await.unwrap();
        assert_eq!(counted(), "0.5 RCU");
        let _ = store.transact(Transaction::new([put])).await.unwrap();
        assert_eq!(counted(), "2.0 WCU");
        let _ = store.transact(Transaction::new([absent])).await.unwrap();
        assert_eq!(counted(), "2.0 WCU", "also one that was canceled");
        store.batch_get(BatchGet::new(vec![key()])).await.unwrap();
        assert_eq!(counted(), "0.5 RCU");
        let _ = store.batch_write(BatchWrite::new(vec![BatchAction::Delete(key())])).await.unwrap();
        assert_eq!(counted(), "2.0 WCU");
        assert_eq!(counted(), "nothing");
    }

    #[tokio::test]
    async fn clones_share_the_sum_and_another_meter_does_not() {
        let table = MemoryStore::new();
        let (one, other) = (Metered::new(table.clone()), Metered::new(table));
        let clone = one.clone();
        clone.get(Get::new(key())).await.unwrap();
        clone.get(Get::new(key())).await.unwrap();
        assert_eq!(one.total().to_string(), "1.0 RCU");
        assert_eq!(one.total(), clone.total(), "reading the total does not change it");
        assert_eq!(other.total(), Capacity::default());
    }

    #[tokio::test]
    async fn meter_wraps_any_store_and_returns_its_answers() {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new().table("messages"));
        let store = Metered::new(inner);
        assert_eq!(store.table_name(), "messages");
        store.write(Write::put(item())).await.unwrap().done().unwrap();
        assert_eq!(store.get(Get::new(key())).await.unwrap().item, Some(item()));
    }

    #[tokio::test]
    async fn failed_request_adds_no_capacity() {
        let store = Metered::new(MemoryStore::new());
        let mut text = item();
        text.insert("count", "text");
        store.write(Write::put(text)).await.unwrap().done().unwrap();
        store.take();
        let measured = store.measure(store.write(Write::update(key(), Update::new().add("count", 1)))).await;
        let failed: Vec<_> = measured.requests().iter().map(|request| request.failed).collect();
        assert_eq!(failed, [Some(ErrorKind::Invalid)]);
        assert!(measured.into_answer().is_err());
        assert_eq!(store.total(), Capacity::default());
    }
}
