//! The puts of new entities, and what refuses them.

use crate::entity::Entity;
use crate::error::Result;
use crate::request::{CancelCode, CancelReason, Condition, Write};

/// Puts an entity where there is none yet, and asks for the one that is.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?)?.when(Condition::item_absent())?.returning_old())
}

/// Whether the condition of the action in this place was not met.
pub(super) fn refused(reasons: &[CancelReason], place: usize) -> bool {
    reasons.get(place).is_some_and(|reason| reason.code == CancelCode::ConditionFailed)
}
