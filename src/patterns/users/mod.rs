//! Users, and their claims on handles and identities.

pub(crate) mod by_handle;
pub(crate) mod by_identity;
pub(crate) mod claims;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod update;

use crate::error::{Error, ErrorKind};

pub use create::NewUser;
pub use update::UserChange;

fn taken(entity: &'static str, what: &'static str) -> Error {
    Error::new(ErrorKind::AlreadyExists, what).with_entity(entity)
}
