//! Users, and their claims on handles and identities.

pub(crate) mod by_handle;
pub(crate) mod by_identity;
mod claims;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod update;

use crate::error::{Error, ErrorKind, Result};
use crate::model::read_own;
use crate::patterns::call::Call;
use crate::request::Get;
use crate::stored::Entity;

pub use create::NewUser;
pub use update::UserChange;

fn taken(entity: &'static str, what: &'static str) -> Error {
    Error::new(ErrorKind::AlreadyExists, what).with_entity(entity)
}

async fn get<E: Entity>(call: &Call<'_>, parts: E::KeyParts<'_>) -> Result<Option<E>> {
    let key = E::key_from(parts);
    read_own(call.get(Get::new(key)).await?.item)
}
