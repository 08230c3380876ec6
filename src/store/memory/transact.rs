//! Transactions: all actions or none, and once for each token.

use super::state::State;
use super::token::TokenUse;
use super::write::{Effect, decide, idle, is_met};
use crate::capacity::{Capacity, Consistency, read_units};
use crate::error::Result;
use crate::request::{CancelCode, CancelReason, TransactAction, TransactOutcome, Write};
use crate::time::Timestamp;

impl State {
    pub(super) fn transact(
        &mut self,
        actions: Vec<TransactAction>,
        used: Option<TokenUse>,
        now: Timestamp,
    ) -> Result<TransactOutcome> {
        self.tokens.forget_old(now);
        if let Some(used) = &used
            && self.tokens.is_replay(used)?
        {
            let capacity = actions.iter().map(|action| self.replayed(action)).sum::<Result<_>>()?;
            return Ok(TransactOutcome::Done { capacity });
        }
        let decided = actions.into_iter().map(|action| self.decided(action, now));
        let (decided, reasons): (Vec<_>, Vec<_>) = decided.collect::<Result<_>>()?;
        if reasons.iter().any(|reason| reason.code != CancelCode::None) {
            // Nothing is written, so the stored item determines the capacity of each action.
            let capacity = decided.iter().map(|decided| doubled(idle(decided.before))).sum();
            return Ok(TransactOutcome::Canceled { reasons, capacity });
        }
        let mut capacity = Capacity::default();
        for Decided { effect, before } in decided {
            capacity += doubled(self.apply(effect, before, now));
        }
        if let Some(used) = used {
            self.tokens.remember(used, now);
        }
        Ok(TransactOutcome::Done { capacity })
    }

    fn decided(&self, action: TransactAction, now: Timestamp) -> Result<(Decided, CancelReason)> {
        let key = action.key()?.clone();
        let (write, condition, return_old) = match action {
            TransactAction::Write(Write { action, condition, return_old, .. }) => (Some(action), condition, return_old),
            TransactAction::Check { condition, .. } => (None, Some(condition), false),
        };
        let old = self.table.get(&key);
        let effect = || write.map_or(Ok(Effect::Keep), |write| decide(key, write, old));
        let (effect, code) = match is_met(condition.as_ref(), old).then(effect) {
            None => (Effect::Keep, CancelCode::ConditionFailed),
            Some(Ok(effect)) => (effect, CancelCode::None),
            Some(Err(_)) => (Effect::Keep, CancelCode::Invalid),
        };
        let shown = code == CancelCode::ConditionFailed && return_old;
        let current = old.filter(|_| shown).and_then(|old| old.shown(now));
        let before = old.map_or(0, |old| old.size);
        Ok((Decided { effect, before }, CancelReason { code, current }))
    }

    /// Returns the capacity of an action of a retried transaction: that of a transactional read.
    fn replayed(&self, action: &TransactAction) -> Result<Capacity> {
        let size = self.table.get(action.key()?).map_or(0, |stored| stored.size);
        let units = read_units(size, Consistency::Strong);
        Ok(Capacity::reads(units + units))
    }
}

/// The effect of an action, and the size of the stored item.
struct Decided {
    effect: Effect,
    before: usize,
}

/// Doubles the table's units. A transaction writes twice to the table, to prepare and to commit, and once to the index.
fn doubled(capacity: Capacity) -> Capacity {
    Capacity { table_write: capacity.table_write + capacity.table_write, ..capacity }
}
