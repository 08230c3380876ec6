//! A store that fails by a plan, to test how an application handles DynamoDB's faults.

mod call;
mod plan;
mod rates;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use threadline::store::{
    Answer, BatchGet, BatchWrite, CancelCode, CancelReason, Capacity, Checked, Condition, Operation, Request,
    ServiceError, Store, StoreExt, TransactAction, TransactOutcome, Transaction, Units,
};
use threadline::{Error, ErrorKind, Result};

use self::call::Call;
use self::plan::Fault;

pub use plan::{Calls, Plan};
pub use rates::Rates;

/// A store that wraps another one and causes faults by a [`Plan`], as DynamoDB may. The faults are throttled calls,
/// conflicts, failed calls, lost answers, unprocessed parts of a batch, slow calls and crashes.
///
/// The faults depend only on the plan and the calls. An error has the kind that `DynamoDbStore` would return, the
/// operation of the call, and the table. A clone shares the plan and its progress.
///
/// Combine the store with [`Metered`](threadline::store::meter::Metered) in either order. If the `FaultStore` wraps the
/// meter, the meter also counts the capacity of calls whose answers are lost. If the meter wraps the `FaultStore`, it
/// does not count this capacity, because an error reports no capacity.
///
/// ```
/// use threadline::store::{Scan, StoreExt};
/// use threadline::{ErrorKind, MemoryStore};
/// use threadline_testkit::fault::{Calls, FaultStore, Plan};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let store = FaultStore::new(MemoryStore::new(), Plan::new().throttle(Calls::nth(2)));
/// store.scan(Scan::new()).await?;
/// let error = store.scan(Scan::new()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Throttled);
/// store.scan(Scan::new()).await?;
/// assert_eq!((store.calls(), store.faults()), (3, 1));
/// # Ok(())
/// # }
/// ```
///
/// `Debug` prints the plan, including the seed of a random plan. Print the store if a test fails.
#[derive(Clone, Debug)]
pub struct FaultStore<S> {
    store: S,
    state: Arc<Mutex<State>>,
    sleep: Option<Sleep>,
}

/// The function that waits.
#[derive(Clone)]
struct Sleep(Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>);

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep(…)")
    }
}

#[derive(Debug)]
struct State {
    plan: Plan,
    calls: u64,
    faults: u64,
    crashed: bool,
}

impl<S: Store> FaultStore<S> {
    /// Wraps this store. The calls fail by this plan.
    pub fn new(store: S, plan: Plan) -> Self {
        let state = State { plan, calls: 0, faults: 0, crashed: false };
        Self { store, state: Arc::new(Mutex::new(state)), sleep: None }
    }

    /// Sets the function that waits while a call is slow. Default: none. Without this function, a slow call fails with
    /// [`Invalid`](threadline::ErrorKind::Invalid).
    ///
    /// Use `tokio::time::sleep` to wait, `|_| std::future::pending()` to wait forever, or a function that advances the
    /// test's own clock.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use threadline::store::Operation;
    /// use threadline_testkit::fault::{Calls, FaultStore, Plan};
    /// use threadline::{ManualClock, MemoryStore, NewUser, Threadline};
    ///
    /// // The answer to a send takes an hour, and the application waits for a millisecond.
    /// let plan = Plan::new().slow_answer(Duration::from_secs(3600), Calls::nth(1).of(Operation::Write));
    /// let store = FaultStore::new(MemoryStore::new(), plan).sleep(tokio::time::sleep);
    /// let chat = Threadline::new(store.clone());
    /// let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
    /// let id = chat.new_message_id();
    /// let given_up = tokio::time::timeout(Duration::from_millis(1), thread.send(id, "Only every year."));
    /// assert!(given_up.await.is_err());
    ///
    /// // The application does not know that the message was stored. A retry with the same id stores no second message.
    /// thread.send(id, "Only every year.").await?;
    /// assert_eq!(thread.messages().fetch().await?.items.len(), 2);
    ///
    /// // Without waiting: a slow call advances the test's own clock.
    /// let clock = Arc::new(ManualClock::starting_at("2026-01-01T12:00:00Z".parse()?));
    /// let store = FaultStore::new(MemoryStore::new(), Plan::new()).sleep(move |pause| {
    ///     clock.advance(pause);
    ///     std::future::ready(())
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sleep<F>(mut self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sleep = Some(Sleep(Arc::new(move |pause| Box::pin(sleep(pause)))));
        self
    }

    /// Returns the number of calls since the store was created, including those that failed.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Returns the number of calls with a fault since the store was created. All calls between a crash and the restart
    /// count too.
    pub fn faults(&self) -> u64 {
        self.lock().faults
    }

    /// Returns `true` after a [crash](Plan::crash), until [`restart`](Self::restart) is called.
    pub fn is_crashed(&self) -> bool {
        self.lock().crashed
    }

    /// Ends a [crash](Plan::crash): calls reach the wrapped store again, and the plan continues.
    pub fn restart(&self) {
        self.lock().crashed = false;
    }

    /// Replaces the plan. The new plan counts only later calls. A crash continues until [`restart`](Self::restart).
    pub fn set_plan(&self, plan: Plan) {
        self.lock().plan = plan;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics between two changes of the state, so a poisoned lock is usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the fault of the call, and the index of the action that it concerns, from 0.
    fn next(&self, request: &Checked) -> Option<(Fault, usize)> {
        let mut state = self.lock();
        state.calls = state.calls.saturating_add(1);
        // The plan does not count calls of a process that is down.
        let next = if state.crashed { Some((Fault::Crash, 0)) } else { state.plan.next(&Call::of(request.request())) };
        if let Some((fault, _)) = next {
            state.faults = state.faults.saturating_add(1);
            state.crashed = fault == Fault::Crash;
        }
        next
    }

    /// Returns the answer to a transaction that is canceled for the action at this index.
    ///
    /// The wrapped store decides the reasons of the other actions. It gets the same transaction with an unmeetable
    /// check at this index, so the transaction is always canceled and changes nothing.
    async fn canceled(&self, request: &Transaction, code: CancelCode, place: usize) -> Result<Answer> {
        let mut actions = request.actions().to_vec();
        let count = actions.len();
        // As the DynamoDB store reports it: the least that the attempt can have consumed.
        let least = Capacity::writes(Units::whole(u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(2)));
        let mut answer = (vec![CancelReason::default(); count], least);
        if let Some(action) = actions.get_mut(place) {
            let never = Condition::item_exists().and(Condition::item_absent());
            *action = TransactAction::check(action.key()?.clone(), never);
            // No token: it belongs to the unchanged transaction.
            let asked = Transaction::new(actions);
            if let Ok(TransactOutcome::Canceled { reasons, capacity }) = self.store.transact(asked).await
                && reasons.len() == count
            {
                answer = (reasons, capacity);
            }
        }
        let (mut reasons, capacity) = answer;
        if let Some(reason) = reasons.get_mut(place) {
            *reason = CancelReason { code, current: None };
        }
        Ok(Answer::Transact(TransactOutcome::Canceled { reasons, capacity }))
    }

    /// Returns the error of a call that was not done, or whose answer is lost.
    fn error(&self, operation: Operation, fault: Fault) -> Error {
        let (kind, code, message) = match fault {
            Fault::Throttle | Fault::Unprocessed(_) => (
                ErrorKind::Throttled,
                Some("ThrottlingException"),
                "the table or the account is over its throughput; try again later",
            ),
            Fault::Conflict => (
                ErrorKind::Conflict,
                Some("TransactionConflictException"),
                "another request was writing the item; nothing was written, try again",
            ),
            Fault::LoseAnswer if operation.writes() => (
                ErrorKind::OutcomeUnknown,
                None,
                "the request was sent and its answer was lost: it may have been done or not; read the state before \
                 trying again",
            ),
            Fault::LoseAnswer => (ErrorKind::Unavailable, None, "there was no answer within the client's time limit"),
            Fault::SlowBefore(_) | Fault::SlowAnswer(_) => {
                (ErrorKind::Invalid, None, "a slow call needs something to sleep with: give the store one by `sleep`")
            }
            Fault::FailBefore | Fault::Crash => (ErrorKind::Unavailable, None, "the service could not be reached"),
        };
        let error = Error::new(kind, message).with_operation(operation.name()).with_table(self.store.table_name());
        match code {
            Some(code) => error.with_service(ServiceError::new(Some(code), None, None)),
            None => error,
        }
    }
}

#[async_trait]
impl<S: Store> Store for FaultStore<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let Some((fault, action)) = self.next(&request) else { return self.store.execute(request).await };
        match (fault, request.request()) {
            (Fault::Throttle, Request::Transact(transaction)) => {
                self.canceled(transaction, CancelCode::Throttled, action).await
            }
            (Fault::Conflict, Request::Transact(transaction)) => {
                self.canceled(transaction, CancelCode::Conflict, action).await
            }
            (Fault::Unprocessed(count), Request::BatchGet(batch)) if count < batch.keys().len() => {
                let (done, left) = batch.keys().split_at(batch.keys().len() - count);
                let part = BatchGet::new(done.to_vec()).consistency(batch.get_consistency());
                let mut answer = self.store.batch_get(part).await?;
                answer.unprocessed.extend_from_slice(left);
                Ok(Answer::BatchGet(answer))
            }
            (Fault::Unprocessed(count), Request::BatchWrite(batch)) if count < batch.writes().len() => {
                let (done, left) = batch.writes().split_at(batch.writes().len() - count);
                let mut answer = self.store.batch_write(BatchWrite::new(done.to_vec())).await?;
                answer.unprocessed.extend_from_slice(left);
                Ok(Answer::BatchWrite(answer))
            }
            (Fault::LoseAnswer, _) => {
                let _ = self.store.execute(request).await?;
                Err(self.error(operation, fault))
            }
            (Fault::SlowBefore(pause) | Fault::SlowAnswer(pause), _) => {
                let Some(Sleep(sleep)) = &self.sleep else { return Err(self.error(operation, fault)) };
                if let Fault::SlowBefore(_) = fault {
                    sleep(pause).await;
                    return self.store.execute(request).await;
                }
                let answer = self.store.execute(request).await;
                sleep(pause).await;
                answer
            }
            _ => Err(self.error(operation, fault)),
        }
    }
}
