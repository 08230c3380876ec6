//! Writing several items, all or none.

use std::fmt;

use super::batch::{check_count, check_unique};
use super::condition::Condition;
use super::write::{Write, WriteAction};
use crate::capacity::Capacity;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::Key;

/// The most actions of one [`Transaction`].
pub const MAX_TRANSACTION_ACTIONS: usize = 100;
/// The most that a transaction may weigh, in bytes: 4 MB.
const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// Writes up to 100 items, all or none.
///
/// ```
/// use threadline::store::StoreExt;
/// use threadline::{Condition, Key, MemoryStore, PartitionKey, SortKey, Transaction, Write};
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
pub struct Transaction {
    pub(crate) actions: Vec<TransactAction>,
    pub(crate) token: Option<ClientToken>,
}

/// The handle of an action in a [`Transaction`]. Pass it to the methods of [`TransactOutcome`], such as
/// [`is_refused`](TransactOutcome::is_refused). With the outcome of another transaction, it means another action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActionHandle(usize);

/// A write, or a check without one, in a [`Transaction`].
#[derive(Clone, Debug, PartialEq)]
pub enum TransactAction {
    /// Writes an item.
    Write(Write),
    /// Cancels the transaction when this does not hold of the item.
    Check {
        /// The key of the item.
        key: Key,
        /// What must hold.
        condition: Condition,
    },
}

impl TransactAction {
    /// Cancels the transaction if the item does not meet the condition.
    pub fn check(key: Key, condition: Condition) -> Self {
        Self::Check { key, condition }
    }

    /// Returns the key of the item.
    ///
    /// # Errors
    /// As [`Write::key`].
    pub fn key(&self) -> Result<&Key> {
        match self {
            Self::Write(write) => write.key(),
            Self::Check { key, .. } => Ok(key),
        }
    }

    /// What it counts for in the limit of a transaction: all that it brings along.
    fn size(&self) -> usize {
        let (write, condition) = match self {
            Self::Write(write) => (Some(&write.action), write.condition.as_ref()),
            Self::Check { condition, .. } => (None, Some(condition)),
        };
        let key = || self.key().map_or(0, Key::size);
        let written = match write {
            // The key is in the item.
            Some(WriteAction::Put(item)) => item.size(),
            Some(WriteAction::Update(update)) => key() + update.size(),
            Some(WriteAction::Delete) | None => key(),
        };
        written + condition.map_or(0, Condition::size)
    }
}

impl From<Write> for TransactAction {
    fn from(write: Write) -> Self {
        Self::Write(write)
    }
}

impl Transaction {
    /// Does all of these 1 to 100 actions, each on another item.
    pub fn new(actions: impl IntoIterator<Item = impl Into<TransactAction>>) -> Self {
        Self { actions: actions.into_iter().map(Into::into).collect(), token: None }
    }

    /// Adds an action, and returns its handle.
    pub fn add(&mut self, action: impl Into<TransactAction>) -> ActionHandle {
        self.actions.push(action.into());
        ActionHandle(self.actions.len() - 1)
    }

    /// Adds a check, and returns its handle. The transaction is canceled if the item does not meet the condition.
    pub fn check(&mut self, key: Key, condition: Condition) -> ActionHandle {
        self.add(TransactAction::check(key, condition))
    }

    /// Returns the actions.
    pub fn actions(&self) -> &[TransactAction] {
        &self.actions
    }

    /// Returns the token, if any.
    pub fn token(&self) -> Option<&ClientToken> {
        self.token.as_ref()
    }

    pub(super) fn check_parts(&self) -> Result<()> {
        check_count("a transaction", self.actions.len(), MAX_TRANSACTION_ACTIONS)?;
        let keys = self.actions.iter().map(TransactAction::key).collect::<Result<Vec<_>>>()?;
        check_unique("a transaction", keys.into_iter())?;
        let bytes: usize = self.actions.iter().map(TransactAction::size).sum();
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(Error::invalid(format!("a transaction may have at most 4 MB, and this has {bytes} bytes")));
        }
        self.actions.iter().try_for_each(|action| match action {
            TransactAction::Write(write) => write.check(),
            TransactAction::Check { condition, .. } => condition.check(),
        })
    }

    /// Makes repeats of the same transaction with this token succeed without changing anything, for 10 minutes.
    #[must_use]
    pub fn with_token(mut self, token: ClientToken) -> Self {
        self.token = Some(token);
        self
    }
}

/// Tells a repeat of a transaction from another transaction: 1 to 36 characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientToken(String);

impl ClientToken {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for text that is empty or has more than 36 characters.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if (1..=36).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Error::invalid("a client token has 1 to 36 characters"))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientToken(…)")
    }
}

/// The answer to a [`Transaction`]: one that was cancelled is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a transaction may have been cancelled; call `done` where its conditions had to hold"]
pub enum TransactOutcome {
    /// All was done, now or by an earlier transaction with the same token.
    Done {
        /// What the transaction consumed.
        capacity: Capacity,
    },
    /// Nothing was done.
    Cancelled {
        /// Why: one for each action, in the order of the request.
        reasons: Vec<CancelReason>,
        /// What the attempt consumed. DynamoDB charges for it and does not say how much, so its store gives the least: the
        /// minimum of two units for each action.
        capacity: Capacity,
    },
}

/// Why one action of a transaction cancelled it, or that it did not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CancelReason {
    /// What the matter was.
    pub code: CancelCode,
    /// The item as it is, where the condition was not met, the write asked for it, and it has not expired.
    pub current: Option<Item>,
}

/// What was the matter with one action of a cancelled transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelCode {
    /// Nothing: another action cancelled the transaction.
    #[default]
    None,
    /// The condition was not met.
    ConditionFailed,
    /// Another request was writing the item.
    Conflict,
    /// The table, the partition or the account was over its throughput.
    Throttled,
    /// The write is one that cannot be done, such as adding to text, or a result of more than 400 KB.
    Invalid,
}

impl TransactOutcome {
    /// Nothing, for a transaction that had to be done.
    ///
    /// # Errors
    /// By the reasons, the first of these that one has: [`Invalid`](ErrorKind::Invalid),
    /// [`ConditionFailed`](ErrorKind::ConditionFailed), [`Conflict`](ErrorKind::Conflict),
    /// [`Throttled`](ErrorKind::Throttled).
    pub fn done(self) -> Result<()> {
        let reasons = match self {
            Self::Done { .. } => return Ok(()),
            Self::Cancelled { reasons, .. } => reasons,
        };
        let place = |code| reasons.iter().position(|reason| reason.code == code).map(|place| place + 1);
        let (kind, what) = if let Some(place) = place(CancelCode::Invalid) {
            (ErrorKind::Invalid, format!("action {place} cannot be done"))
        } else if let Some(place) = place(CancelCode::ConditionFailed) {
            (ErrorKind::ConditionFailed, format!("the condition of action {place} was not met"))
        } else if let Some(place) = place(CancelCode::Conflict) {
            (ErrorKind::Conflict, format!("another request was writing the item of action {place}; try again"))
        } else {
            (ErrorKind::Throttled, "the table is over its throughput; try again later".to_owned())
        };
        Err(Error::new(kind, format!("the transaction was cancelled, nothing was written: {what}")))
    }

    /// Returns the reason of an action, if the transaction was canceled.
    pub fn reason(&self, action: ActionHandle) -> Option<&CancelReason> {
        match self {
            Self::Done { .. } => None,
            Self::Cancelled { reasons, .. } => reasons.get(action.0),
        }
    }

    /// Returns `true` if the condition of this action was not met.
    pub fn is_refused(&self, action: ActionHandle) -> bool {
        self.reason(action).is_some_and(|reason| reason.code == CancelCode::ConditionFailed)
    }

    /// Returns the stored item of an action whose condition was not met, if the write asked for it.
    pub fn current(&self, action: ActionHandle) -> Option<&Item> {
        self.reason(action)?.current.as_ref()
    }

    /// What the transaction, or the attempt, consumed.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Done { capacity } | Self::Cancelled { capacity, .. } => *capacity,
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
    fn a_transaction_may_weigh_4_mb_with_its_keys_and_not_a_byte_more() {
        // 1 for the name, and 4 for those of the key's attributes.
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
    fn a_cancelled_transaction_fails_by_its_gravest_reason_and_names_the_first_action_that_has_it() {
        let by_gravity = [
            (CancelCode::Invalid, ErrorKind::Invalid),
            (CancelCode::ConditionFailed, ErrorKind::ConditionFailed),
            (CancelCode::Conflict, ErrorKind::Conflict),
            (CancelCode::Throttled, ErrorKind::Throttled),
        ];
        for (rank, (code, kind)) in by_gravity.into_iter().enumerate() {
            for (lesser, _) in &by_gravity[rank + 1..] {
                let reasons = [CancelCode::None, *lesser, code, code].map(|code| CancelReason { code, current: None });
                let outcome = TransactOutcome::Cancelled { reasons: reasons.into(), capacity: Capacity::default() };
                let error = outcome.done().unwrap_err();
                assert_eq!(error.kind(), kind);
                assert!(error.to_string().contains("action 3"), "{error}");
            }
        }
        let reasons = vec![CancelReason { code: CancelCode::Throttled, current: None }];
        let outcome = TransactOutcome::Cancelled { reasons, capacity: Capacity::default() };
        assert_eq!(outcome.done().unwrap_err().kind(), ErrorKind::Throttled);
    }

    #[test]
    fn what_a_transaction_consumed_is_told_whether_it_was_done_or_cancelled() {
        let capacity = Capacity::writes(2);
        assert_eq!(TransactOutcome::Done { capacity }.capacity(), capacity);
        assert_eq!(TransactOutcome::Cancelled { reasons: Vec::new(), capacity }.capacity(), capacity);
    }

    #[test]
    fn a_client_token_has_1_to_36_characters_and_is_not_shown() {
        let token = ClientToken::new("é".repeat(36)).unwrap();
        assert_eq!(token.as_str(), "é".repeat(36));
        assert_eq!(format!("{token:?}"), "ClientToken(…)");
        for text in [String::new(), "a".repeat(37)] {
            assert_eq!(ClientToken::new(text).unwrap_err().kind(), ErrorKind::Invalid);
        }
        let transaction = Transaction::new([Write::delete(key(1))]).with_token(token.clone());
        assert_eq!(transaction.token, Some(token));
        assert_eq!(transaction.actions.len(), 1);
    }

    #[test]
    fn an_outcome_is_asked_by_the_handle_of_an_action() {
        let mut transaction = Transaction::default();
        let first = transaction.add(Write::delete(key(1)));
        let second = transaction.check(key(2), Condition::item_exists());
        let current = Item::of_key(&key(2));
        let failed = CancelReason { code: CancelCode::ConditionFailed, current: Some(current.clone()) };
        let outcome = TransactOutcome::Cancelled {
            reasons: vec![CancelReason::default(), failed],
            capacity: Capacity::default(),
        };
        assert_eq!((outcome.is_refused(first), outcome.is_refused(second)), (false, true));
        assert_eq!((outcome.current(first), outcome.current(second)), (None, Some(&current)));
        let done = TransactOutcome::Done { capacity: Capacity::default() };
        assert!(!done.is_refused(second) && done.reason(second).is_none());
    }
}
