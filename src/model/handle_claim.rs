//! The claim on a handle, which makes it unique.

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::entity::Entity;
use crate::id::UserId;
use crate::key::{Key, PartitionKey, SortKey, Tag};
use crate::tag;
use crate::text::{DisplayName, Handle};

pub(super) const HANDLE: Tag = tag!("HANDLE");

/// The claim on a handle, at `HANDLE#<handle in lower case>` / `HANDLE`. There can be one item with this key, and so one
/// user with this handle. It holds the profile, so that a look-up by handle is one read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandleClaim {
    user_uuid: UserId,
    handle: Handle,
    display_name: DisplayName,
}

impl HandleClaim {
    pub(crate) fn new(profile: Profile) -> Self {
        let Profile { id, handle, display_name } = profile;
        Self { user_uuid: id, handle, display_name }
    }

    /// The user who has the handle.
    pub fn into_profile(self) -> Profile {
        Profile { id: self.user_uuid, handle: self.handle, display_name: self.display_name }
    }
}

impl Entity for HandleClaim {
    const TYPE: &'static str = "HandleClaim";
    type KeyParts<'a> = &'a Handle;

    fn key_from(handle: &Handle) -> Key {
        Key::new(PartitionKey::new((HANDLE, handle.folded())), SortKey::new((HANDLE,)))
    }

    fn key_parts(&self) -> &Handle {
        &self.handle
    }
}
