//! A request that writes several items, all or none.

use std::fmt;

use super::batch::{check_count, check_unique};
use super::condition::Condition;
use super::expression::Expressions;
use super::write::{Write, WriteAction};
use crate::error::{Error, Result};
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
/// Pass the handle to the methods of [`TransactOutcome`](crate::store::TransactOutcome), such as
/// [`is_refused`](crate::store::TransactOutcome::is_refused). Use it only with the outcome of its own transaction. With
/// another outcome, the handle would refer to another action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActionHandle(pub(super) usize);

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
    /// [`Invalid`](crate::ErrorKind::Invalid) if the action puts an item without a valid key.
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
    /// [outcome](crate::store::TransactOutcome).
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
    /// [`Invalid`](crate::ErrorKind::Invalid) if the text is empty or has more than 36 characters.
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

#[cfg(test)]
mod tests {
    use serde_dynamo::AttributeValue;

    use super::*;
    use crate::error::ErrorKind;
    use crate::item::Item;
    use crate::key::{PK, PartitionKey, SK, SortKey};
    use crate::request::expression::MAX_EXPRESSION_BYTES;
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

    fn assert_fits(action: impl Into<TransactAction>, fits: bool) {
        match Checked::new(Transaction::new([action])) {
            Ok(_) => assert!(fits, "more than 2 MB was accepted"),
            Err(error) => assert!(!fits && error.to_string().contains("the limit is 2 MB"), "{error}"),
        }
    }

    fn delete() -> Write {
        Write::delete(key(1))
    }

    fn text(bytes: usize) -> AttributeValue {
        AttributeValue::S("x".repeat(bytes))
    }

    #[test]
    fn names_values_and_their_placeholders_have_at_most_2_mb() {
        // DynamoDB Local has the same limit. `a`, `#n0` and `:v0` are the 7 bytes.
        for (bytes, fits) in [(MAX_EXPRESSION_BYTES - 7, true), (MAX_EXPRESSION_BYTES - 6, false)] {
            let condition = Condition::eq("a", text(bytes));
            assert_fits(delete().when(condition.clone()), fits);
            assert_fits(TransactAction::check(key(1), condition), fits);
            assert_fits(Write::update(key(1), Update::new().set_if_absent("a", text(bytes))), fits);
        }
    }

    #[test]
    fn an_update_and_its_condition_share_2_mb_and_their_names() {
        let name = "n".repeat(60_000);
        let update = Update::new().set(name.clone(), text(1_000_000)).add("b", -12).remove("c");
        // Three names and three values, with a placeholder each. `-12` is 3 bytes.
        let rest = MAX_EXPRESSION_BYTES - 60_000 - 2 - 1_000_000 - 3 - 3 * 3 - 3 * 3;
        let condition = |bytes| {
            Condition::All(vec![Condition::exists(name.clone()), Condition::eq(name.clone(), text(bytes)).not()])
        };
        assert_fits(Write::update(key(1), update.clone()).when(condition(rest)), true);
        assert_fits(Write::update(key(1), update.clone()).when(condition(rest + 1)), false);
        assert_fits(Write::update(key(1), update), true);
        assert_fits(delete().when(condition(rest + 1)), true);
    }
}
