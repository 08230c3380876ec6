//! What others see of a user.

use crate::id::UserId;
use crate::text::{DisplayName, Handle};

/// What others see of a user: the id and the names. The claims, the memberships and the messages each hold a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The user's id.
    pub id: UserId,
    /// The handle, as the user typed it.
    pub handle: Handle,
    /// The name that others read.
    pub display_name: DisplayName,
}

impl From<&Profile> for Profile {
    fn from(profile: &Profile) -> Self {
        profile.clone()
    }
}
