//! Transactions: all or none, and once for each token.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::write::{Effect, Prepared, State, decide, idle, is_met};
use crate::capacity::{Capacity, Consistency, read_units};
use crate::error::{Error, Result, ServiceError};
use crate::key::Key;
use crate::request::{CancelCode, CancelReason, ClientToken, TransactAction, TransactOutcome};
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
    fn forget_old(&mut self, now: Timestamp) {
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
    fn is_replay(&self, named: &Named) -> Result<bool> {
        match self.seen.get(&named.token) {
            None => Ok(false),
            Some(actions) if *actions == named.actions => Ok(true),
            Some(_) => Err(Error::invalid("the token was used for another transaction within the last 10 minutes")
                .with_service(ServiceError::new(Some("IdempotentParameterMismatchException"), None, None))),
        }
    }

    fn remember(&mut self, named: Named, now: Timestamp) {
        self.by_age.push_back((now, named.token.clone()));
        self.seen.insert(named.token, named.actions);
    }
}

impl State {
    pub(super) fn transact(
        &mut self,
        actions: Vec<Prepared>,
        named: Option<Named>,
        now: Timestamp,
    ) -> Result<TransactOutcome> {
        self.tokens.forget_old(now);
        if let Some(named) = &named
            && self.tokens.is_replay(named)?
        {
            let capacity = actions.iter().map(|action| self.replayed(action.action.key())).sum();
            return Ok(TransactOutcome::Done { capacity });
        }
        let (decided, reasons): (Vec<_>, Vec<_>) = actions.into_iter().map(|action| self.decided(action, now)).unzip();
        if reasons.iter().any(|reason| reason.code != CancelCode::None) {
            // Nothing is written, so each action is charged by the item that is there.
            let capacity = decided.iter().map(|decided| doubled(idle(decided.before))).sum();
            return Ok(TransactOutcome::Cancelled { reasons, capacity });
        }
        let mut capacity = Capacity::default();
        for Decided { effect, before } in decided {
            capacity += doubled(self.carry_out(effect, before, now));
        }
        if let Some(named) = named {
            self.tokens.remember(named, now);
        }
        Ok(TransactOutcome::Done { capacity })
    }

    fn decided(&self, action: Prepared, now: Timestamp) -> (Decided, CancelReason) {
        let Prepared { action, condition, return_old } = action;
        let old = self.table.get(action.key());
        let (effect, code) = match is_met(condition.as_ref(), old).then(|| decide(action, old)) {
            None => (Effect::Keep, CancelCode::ConditionFailed),
            Some(Ok(effect)) => (effect, CancelCode::None),
            Some(Err(_)) => (Effect::Keep, CancelCode::Invalid),
        };
        let shown = code == CancelCode::ConditionFailed && return_old;
        let current = old.filter(|_| shown).and_then(|old| old.shown(now));
        let before = old.map_or(0, |old| old.size);
        (Decided { effect, before }, CancelReason { code, current })
    }

    /// What an action of a replayed transaction consumes: a transactional read.
    fn replayed(&self, key: &Key) -> Capacity {
        let units = read_units(self.table.get(key).map_or(0, |stored| stored.size), Consistency::Strong);
        Capacity::reads(units + units)
    }
}

/// An action with what it will do, and the size of the item that it finds.
struct Decided {
    effect: Effect,
    before: usize,
}

/// A transaction writes twice, to prepare and to commit. The index is written once.
fn doubled(capacity: Capacity) -> Capacity {
    Capacity { table_write: capacity.table_write + capacity.table_write, ..capacity }
}
