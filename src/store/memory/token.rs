//! The tokens that make a transaction happen once.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::error::{Error, Result, ServiceError};
use crate::request::{ClientToken, TransactAction};
use crate::time::Timestamp;

/// How long a token is remembered ([`ClientRequestToken`][token]).
///
/// [token]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A token, with the actions that it stands for.
pub(super) struct Named {
    pub(super) token: ClientToken,
    pub(super) actions: Vec<TransactAction>,
}

/// The tokens of the transactions that were done in the last 10 minutes.
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

    /// Whether a transaction with this token was done before.
    ///
    /// # Errors
    /// `Invalid` when that was another transaction.
    pub(super) fn is_replay(&self, named: &Named) -> Result<bool> {
        match self.seen.get(&named.token) {
            None => Ok(false),
            Some(actions) if *actions == named.actions => Ok(true),
            Some(_) => Err(Error::invalid("the token was used for another transaction within the last 10 minutes")
                .with_service(ServiceError::new(Some("IdempotentParameterMismatchException"), None, None))),
        }
    }

    pub(super) fn remember(&mut self, named: Named, now: Timestamp) {
        self.by_age.push_back((now, named.token.clone()));
        self.seen.insert(named.token, named.actions);
    }
}
