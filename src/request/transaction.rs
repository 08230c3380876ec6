//! A request that writes several items, all or none.

use std::fmt;

use super::batch::{check_count, check_unique};
use super::condition::Condition;
use super::expression::Expressions;
use super::write::{Write, WriteAction};
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::item::Item;
use crate::key::Key;

/// The maximum number of actions in one [`Transaction`].
pub const MAX_TRANSACTION_ACTIONS: usize = 100;
/// The maximum size of a transaction, in bytes: 4 MB.
const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// A request that does up to 100 actions, all or none. Each action writes one item, or only checks a condition.
///
/// ```
/// use threadline::store::StoreExt;
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Condition, Transaction, Write};
/// use threadline::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let key = |sk: &str| Ok::<_, threadline::Error>(Key::new(PartitionKey::parse("ORDER#1")?, SortKey::parse(sk)?));
/// let mut transaction = Transaction::default();
/// let order = transaction.check(key("ORDER")?, Condition::item_exists());
/// transaction.add(Write::delete(key("DRAFT")?));
///
/// let outcome = MemoryStore::new().transact(transaction).await?;
/// assert!(outcome.is_refused(order), "there is no such order");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Transaction {
    pub(crate) actions: Vec<TransactAction>,
    pub(crate) token: Option<ClientToken>,
}

/// The handle of one action in a [`Transaction`]. [`Transaction::add`] and [`Transaction::check`] return it.
///
/// Pass the handle to the methods of [`TransactOutcome`], such as [`is_refused`](TransactOutcome::is_refused). Use it
/// only with the outcome of its own transaction. With another outcome, the handle would refer to another action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActionHandle(usize);

/// One action of a [`Transaction`]: a write of one item, or the check of a condition without a write.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactAction {
    /// Writes one item.
    Write(Write),
    /// Cancels the transaction if the item does not meet the condition. Writes nothing.
    Check {
        /// The key of the item to check.
        key: Key,
        /// The condition that the item must meet.
        condition: Condition,
    },
}

impl TransactAction {
    /// Creates an action that checks an item. The action cancels the transaction if the item does not meet the
    /// condition.
    pub fn check(key: Key, condition: Condition) -> Self {
        Self::Check { key, condition }
    }

    /// Returns the key of the item that the action writes or checks.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) if the action puts an item without a valid key.
    pub fn key(&self) -> Result<&Key> {
        match self {
            Self::Write(write) => write.key(),
            Self::Check { key, .. } => Ok(key),
        }
    }

    /// Returns the size of the action in bytes, as the limit of a transaction counts it.
    fn size(&self) -> usize {
        match self {
            Self::Write(write) => {
                let item = match &write.action {
                    // The item includes its key.
                    WriteAction::Put(item) => item.size(),
                    WriteAction::Update(_) | WriteAction::Delete => write.key().map_or(0, Key::size),
                };
                item + write.size_in_expressions()
            }
            Self::Check { key, condition } => key.size() + condition.size(),
        }
    }
}

impl From<Write> for TransactAction {
    fn from(write: Write) -> Self {
        Self::Write(write)
    }
}

impl Transaction {
    /// Creates a transaction of these actions. Pass 1 to 100, each on a different item.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::Item;
    /// use threadline::store::{Condition, StoreExt, Transaction, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let put_new = |pk: &str| {
    ///     let mut item = Item::new();
    ///     item.insert("pk", pk);
    ///     item.insert("sk", "1");
    ///     Write::put(item).when(Condition::item_absent())
    /// };
    /// let outcome = MemoryStore::new().transact(Transaction::new([put_new("USER#1"), put_new("HANDLE#a")])).await?;
    /// assert_eq!(outcome.capacity().to_string(), "4.0 WCU");
    /// outcome.done()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(actions: impl IntoIterator<Item = impl Into<TransactAction>>) -> Self {
        Self { actions: actions.into_iter().map(Into::into).collect(), token: None }
    }

    /// Adds an action and returns its handle. Use the handle to read the result of the action from the
    /// [outcome](TransactOutcome).
    pub fn add(&mut self, action: impl Into<TransactAction>) -> ActionHandle {
        self.actions.push(action.into());
        ActionHandle(self.actions.len() - 1)
    }

    /// Adds an action that checks an item, and returns the handle of the action. The action cancels the transaction if
    /// the item does not meet the condition.
    pub fn check(&mut self, key: Key, condition: Condition) -> ActionHandle {
        self.add(TransactAction::check(key, condition))
    }

    /// Returns the actions of the transaction, in the order in which they were added.
    pub fn actions(&self) -> &[TransactAction] {
        &self.actions
    }

    /// Returns the token of the transaction, if it has one.
    pub fn get_token(&self) -> Option<&ClientToken> {
        self.token.as_ref()
    }

    pub(super) fn check_parts(&self) -> Result<()> {
        check_count("a transaction", self.actions.len(), MAX_TRANSACTION_ACTIONS)?;
        let keys = self.actions.iter().map(TransactAction::key).collect::<Result<Vec<_>>>()?;
        check_unique("a transaction", keys.into_iter())?;
        let bytes: usize = self.actions.iter().map(TransactAction::size).sum();
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(Error::invalid(format!("a transaction is {bytes} bytes; the limit is 4 MB")));
        }
        self.actions.iter().try_for_each(|action| match action {
            TransactAction::Write(write) => write.check(),
            TransactAction::Check { condition, .. } => {
                condition.check()?;
                Expressions::check(condition.size(), || action.expressions())
            }
        })
    }

    /// Sets a token, which makes a retry of the transaction idempotent. Default: none.
    ///
    /// The token works for 10 minutes after the transaction was done. In this time, a retry with the same actions and
    /// the same token succeeds and changes nothing.
    pub fn token(mut self, token: ClientToken) -> Self {
        self.token = Some(token);
        self
    }
}

/// The token that makes retries of a [`Transaction`] idempotent: a text of 1 to 36 characters. Send every retry with
/// the token of the first attempt.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientToken(String);

impl ClientToken {
    /// Creates a token from a text that is different for each transaction, such as a UUID.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) if the text is empty or has more than 36 characters.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if (1..=36).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Error::invalid("a client token must have 1 to 36 characters"))
        }
    }

    /// Returns the text of the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientToken(…)")
    }
}

/// The answer of a store to a [`Transaction`]. A canceled transaction is an answer, not an error.
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

/// The result of one action of a canceled [`Transaction`]. If the action did not cause the cancellation, its code is
/// [`None`](CancelCode::None).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CancelReason {
    /// The cause, as a code that a program can match on.
    pub code: CancelCode,
    /// The stored item, if the condition was not met and the write [requested the item](Write::returning_old). `None`
    /// if the item is missing or expired.
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
    /// If several actions have reasons, the first kind of this list counts:
    ///
    /// * [`Conflict`](ErrorKind::Conflict) if another request was writing one of the items.
    /// * [`Throttled`](ErrorKind::Throttled) if the throughput was exceeded.
    /// * [`Invalid`](ErrorKind::Invalid) if an action cannot be done on the stored item.
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) if a condition was not met.
    ///
    /// Without any reason, the error is `Throttled`.
    pub fn done(self) -> Result<()> {
        self.error().map_or(Ok(()), Err)
    }

    /// Returns the outcome, unless a conflict or throttling is among the reasons. Call this before
    /// [`is_refused`](Self::is_refused).
    ///
    /// An earlier attempt of your own call may still be committing. It can fail the condition of one action and
    /// conflict with another. So a failed condition proves nothing beside a conflict or throttling.
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
    /// `Throttled` if the transaction was canceled without any reason.
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

    /// Returns the reason of the action with this handle. `None` if the transaction was done.
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
    /// `None` if the condition was met, the write did not [request the item](Write::returning_old), or the item is
    /// missing or expired.
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
    use serde_dynamo::AttributeValue;

    use super::*;
    use crate::key::{PK, PartitionKey, SK, SortKey};
    use crate::request::{Checked, Update};

    fn key(place: usize) -> Key {
        Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse(place.to_string()).unwrap())
    }

    fn large() -> AttributeValue {
        AttributeValue::S("x".repeat(400_000))
    }

    fn assert_ten_fit<A: Into<TransactAction>>(action: impl Fn(usize) -> A) {
        assert!(Checked::new(Transaction::new((0..10).map(&action))).is_ok());
        let too_large = Checked::new(Transaction::new((0..11).map(&action)));
        assert_eq!(too_large.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn the_values_of_updates_count_towards_4_mb() {
        assert_ten_fit(|place| Write::update(key(place), Update::new().set("a", large())));
        assert_ten_fit(|place| Write::update(key(place), Update::new().set_if_absent("a", large())));
    }

    #[test]
    fn the_values_of_conditions_count_towards_4_mb() {
        let condition = || Condition::exists("a").and(Condition::eq("a", large()).not());
        assert_ten_fit(|place| Write::delete(key(place)).when(condition()));
        assert_ten_fit(|place| TransactAction::check(key(place), condition()));
    }

    #[test]
    fn transaction_has_at_most_4_mb_including_keys() {
        // The name is 1 byte, and the names of the key's attributes are 4.
        let attribute = |bytes: usize| AttributeValue::S("x".repeat(bytes - 1));
        let of_400_000 = |place| {
            let update = Update::new().set("a", attribute(400_000 - (4 + 2)));
            TransactAction::from(Write::update(key(place), update))
        };
        let last = || Key::new(PartitionKey::parse("P".repeat(100)).unwrap(), SortKey::parse("S".repeat(50)).unwrap());
        let condition = |bytes| Condition::eq("a", attribute(bytes));
        let put = |bytes| {
            let mut item = Item::new();
            item.insert(PK, AttributeValue::S(last().pk.into()));
            item.insert(SK, AttributeValue::S(last().sk.into()));
            item.insert("a", attribute(bytes));
            Write::put(item)
        };
        let kinds: [&dyn Fn(usize) -> TransactAction; 5] = [
            &|bytes| put(bytes).into(),
            &|bytes| put(bytes - 100).when(condition(100)).into(),
            &|bytes| Write::update(last(), Update::new().set("a", attribute(bytes))).into(),
            &|bytes| Write::delete(last()).when(condition(bytes)).into(),
            &|bytes| TransactAction::check(last(), condition(bytes)),
        ];
        let room = 4 * 1024 * 1024 - 10 * 400_000 - (4 + 100 + 50);
        for kind in kinds {
            let transaction = |bytes| Checked::new(Transaction::new((0..10).map(of_400_000).chain([kind(bytes)])));
            assert!(transaction(room).is_ok());
            assert_eq!(transaction(room + 1).unwrap_err().kind(), ErrorKind::Invalid);
        }
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
    fn a_client_token_has_1_to_36_characters_and_is_not_shown() {
        let token = ClientToken::new("é".repeat(36)).unwrap();
        assert_eq!(token.as_str(), "é".repeat(36));
        assert_eq!(format!("{token:?}"), "ClientToken(…)");
        for text in [String::new(), "a".repeat(37)] {
            assert_eq!(ClientToken::new(text).unwrap_err().kind(), ErrorKind::Invalid);
        }
        let transaction = Transaction::new([Write::delete(key(1))]).token(token.clone());
        assert_eq!(transaction.token, Some(token));
        assert_eq!(transaction.actions.len(), 1);
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
