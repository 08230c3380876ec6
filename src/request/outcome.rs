//! The answer of a store to a transaction, and the reasons of a cancellation.

use super::transaction::ActionHandle;
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::item::Item;

/// The answer of a store to a [`Transaction`](crate::store::Transaction). A canceled transaction is an answer, not an
/// error.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a transaction may have been canceled; call `done` if its conditions must be met"]
pub enum TransactOutcome {
    /// All actions were done, now or by an earlier request with the same token.
    Done {
        /// The capacity that the transaction consumed.
        capacity: Capacity,
    },
    /// The transaction was canceled. Nothing was written.
    Canceled {
        /// The reasons of the cancellation, one for each action, in the order of the actions.
        reasons: Vec<CancelReason>,
        /// The capacity that the attempt consumed. DynamoDB charges for the attempt but does not report the units, so
        /// `DynamoDbStore` returns the minimum: two write units for each action.
        capacity: Capacity,
    },
}

/// The result of one action of a canceled [`Transaction`](crate::store::Transaction). If the action did not cause the
/// cancellation, its code is [`None`](CancelCode::None).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CancelReason {
    /// The cause, as a code that a program can match on.
    pub code: CancelCode,
    /// The stored item, if the condition was not met and the write [requested the
    /// item](crate::store::Write::returning_old). `None` if the item is missing or expired.
    pub current: Option<Item>,
}

/// The code of a [`CancelReason`]: the cause of the cancellation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelCode {
    /// The action is not a cause: another action canceled the transaction.
    #[default]
    None,
    /// The item did not meet the condition of the action.
    ConditionFailed,
    /// Another request was writing the item at the same time.
    Conflict,
    /// The table, the partition or the account exceeded its throughput.
    Throttled,
    /// The write cannot be done on the stored item. For example, the write adds a number to a text, or the updated item
    /// exceeds 400 KB.
    Invalid,
}

impl TransactOutcome {
    /// Returns an error if the transaction was canceled.
    ///
    /// # Errors
    /// The kind follows from the reason why the transaction was canceled. If there are several reasons, it is the first
    /// of these kinds:
    ///
    /// * [`Conflict`](ErrorKind::Conflict) if another request was writing one of the items.
    /// * [`Throttled`](ErrorKind::Throttled) if the throughput was exceeded.
    /// * [`Invalid`](ErrorKind::Invalid) if an action cannot be done on the stored item.
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) if a condition was not met.
    ///
    /// If no action has a reason, the error is `Throttled`.
    pub fn done(self) -> Result<()> {
        self.error().map_or(Ok(()), Err)
    }

    /// Returns an error if a conflict or throttling canceled the transaction, and otherwise the outcome. Call this
    /// before [`is_refused`](Self::is_refused).
    ///
    /// Suppose that an earlier attempt of your own call is still committing. Then a retry may report two reasons: the
    /// condition of one action failed, and another action had a conflict. Your own earlier write is then the cause of
    /// the failed condition. So look at failed conditions only if no action had a conflict or was throttled.
    ///
    /// ```
    /// use threadline::store::{Condition, StoreExt, Transaction, Write};
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::entity::Entity;
    /// let store = MemoryStore::new();
    /// let user = Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let mut transaction = Transaction::default();
    /// let put = transaction.add(Write::put(user.to_item()?).when(Condition::item_absent()));
    /// let outcome = store.transact(transaction).await?.decided()?;
    /// assert!(outcome.is_refused(put), "the user exists");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) if that is the reason of any action.
    /// `Throttled` if the transaction was canceled and no action has a reason.
    pub fn decided(self) -> Result<Self> {
        match self.error() {
            Some(error) if error.recovery() == Recovery::Retry => Err(error),
            _ => Ok(self),
        }
    }

    /// Returns the error of a canceled transaction.
    pub(crate) fn error(&self) -> Option<Error> {
        let Self::Canceled { reasons, .. } = self else { return None };
        let first = |code| reasons.iter().position(|reason| reason.code == code).map(|index| index + 1);
        let [conflict, throttled, invalid, failed] =
            [CancelCode::Conflict, CancelCode::Throttled, CancelCode::Invalid, CancelCode::ConditionFailed].map(first);
        let (kind, what) = match (conflict, throttled, invalid, failed) {
            (Some(number), ..) => {
                (ErrorKind::Conflict, format!("another request was writing the item of action {number}; try again"))
            }
            (None, None, Some(number), _) => (ErrorKind::Invalid, format!("action {number} cannot be done")),
            (None, None, None, Some(number)) => {
                (ErrorKind::ConditionFailed, format!("the condition of action {number} was not met"))
            }
            _ => (ErrorKind::Throttled, "the table exceeded its throughput; try again later".to_owned()),
        };
        Some(Error::new(kind, format!("the transaction was canceled and nothing was written: {what}")))
    }

    /// Returns the result of the action with this handle in a canceled transaction. `None` if the transaction was done.
    pub fn reason(&self, action: ActionHandle) -> Option<&CancelReason> {
        match self {
            Self::Done { .. } => None,
            Self::Canceled { reasons, .. } => reasons.get(action.0),
        }
    }

    /// Returns `true` if the action with this handle canceled the transaction, because the item did not meet the
    /// action's condition.
    pub fn is_refused(&self, action: ActionHandle) -> bool {
        self.reason(action).is_some_and(|reason| reason.code == CancelCode::ConditionFailed)
    }

    /// Returns the stored item that did not meet the condition of the action with this handle.
    ///
    /// `None` if the condition was met, the write did not [request the item](crate::store::Write::returning_old), or
    /// the item is missing or expired.
    pub fn current(&self, action: ActionHandle) -> Option<&Item> {
        self.reason(action)?.current.as_ref()
    }

    /// Returns the capacity that the transaction consumed. A canceled transaction consumes capacity too.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Done { capacity } | Self::Canceled { capacity, .. } => *capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Key, PartitionKey, SortKey};
    use crate::request::{Condition, Transaction, Write};

    fn key(place: usize) -> Key {
        Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse(place.to_string()).unwrap())
    }

    #[test]
    fn error_names_the_first_action_with_the_reason_that_takes_precedence() {
        let by_precedence = [
            (CancelCode::Conflict, ErrorKind::Conflict, "action 3"),
            (CancelCode::Throttled, ErrorKind::Throttled, "throughput"),
            (CancelCode::Invalid, ErrorKind::Invalid, "action 3"),
            (CancelCode::ConditionFailed, ErrorKind::ConditionFailed, "action 3"),
            (CancelCode::None, ErrorKind::Throttled, "throughput"),
        ];
        for (rank, (code, kind, text)) in by_precedence.into_iter().enumerate() {
            for (lesser, ..) in &by_precedence[rank..] {
                let reasons = [CancelCode::None, *lesser, code, code].map(|code| CancelReason { code, current: None });
                let outcome = TransactOutcome::Canceled { reasons: reasons.into(), capacity: Capacity::default() };
                let error = outcome.clone().done().unwrap_err();
                assert_eq!(error.kind(), kind);
                assert!(*lesser == code || error.to_string().contains(text), "{error}");
                assert_eq!(outcome.decided().is_err(), error.recovery() == Recovery::Retry, "{error}");
            }
        }
        let done = TransactOutcome::Done { capacity: Capacity::default() };
        assert_eq!(done.clone().decided().unwrap(), done);
    }

    #[test]
    fn outcome_returns_capacity_of_done_and_canceled_transactions() {
        let capacity = Capacity::writes(2);
        assert_eq!(TransactOutcome::Done { capacity }.capacity(), capacity);
        assert_eq!(TransactOutcome::Canceled { reasons: Vec::new(), capacity }.capacity(), capacity);
    }

    #[test]
    fn outcome_returns_the_reason_of_a_handle() {
        let mut transaction = Transaction::default();
        let first = transaction.add(Write::delete(key(1)));
        let second = transaction.check(key(2), Condition::item_exists());
        let current = Item::of_key(&key(2));
        let failed = CancelReason { code: CancelCode::ConditionFailed, current: Some(current.clone()) };
        let outcome =
            TransactOutcome::Canceled { reasons: vec![CancelReason::default(), failed], capacity: Capacity::default() };
        assert_eq!((outcome.is_refused(first), outcome.is_refused(second)), (false, true));
        assert_eq!((outcome.current(first), outcome.current(second)), (None, Some(&current)));
        let done = TransactOutcome::Done { capacity: Capacity::default() };
        assert!(!done.is_refused(second) && done.reason(second).is_none());
    }
}
