//! The tokens that make transactions idempotent.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::error::{Error, Result, ServiceError};
use crate::request::{ClientToken, TransactAction};
use crate::time::Timestamp;

/// The time for which a token is remembered ([`ClientRequestToken`][token]).
///
/// [token]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A token and the actions of its transaction.
pub(super) struct TokenUse {
    pub(super) token: ClientToken,
    pub(super) actions: Vec<TransactAction>,
}

/// The tokens of the transactions of the last 10 minutes.
#[derive(Default)]
pub(super) struct Tokens {
    seen: HashMap<ClientToken, Vec<TransactAction>>,
    by_age: VecDeque<(Timestamp, ClientToken)>,
}

impl Tokens {
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        while let Some((at, token)) = self.by_age.front()
            && at.saturating_add(TOKEN_LIFETIME) <= now
        {
            self.seen.remove(token);
            self.by_age.pop_front();
        }
    }

    /// Returns `true` if the same transaction was done before with this token.
    ///
    /// # Errors
    /// `Invalid` if it was another transaction.
    pub(super) fn is_replay(&self, used: &TokenUse) -> Result<bool> {
        match self.seen.get(&used.token) {
            None => Ok(false),
            Some(actions) if *actions == used.actions => Ok(true),
            Some(_) => Err(Error::invalid("the token was used for another transaction within the last 10 minutes")
                .with_service(ServiceError::new(Some("IdempotentParameterMismatchException"), None, None))),
        }
    }

    pub(super) fn remember(&mut self, used: TokenUse, now: Timestamp) {
        self.by_age.push_back((now, used.token.clone()));
        self.seen.insert(used.token, used.actions);
    }
}
