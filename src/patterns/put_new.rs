//! The put of a new entity.

use crate::error::Result;
use crate::request::{Condition, Write};
use crate::stored::Entity;

/// Puts an entity where there is none yet, and asks for the one that is.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?).when(Condition::item_absent()).returning_old())
}
