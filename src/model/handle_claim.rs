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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl HandleClaim {
    pub(crate) fn new(profile: Profile) -> Self {
        let (user_uuid, version) = (profile.id(), profile.version());
        let (handle, display_name) = profile.into_names();
        Self { user_uuid, handle, display_name, version }
    }

    /// Returns the id of the user who has the handle.
    pub fn user_id(&self) -> UserId {
        self.user_uuid
    }

    /// The user who has the handle.
    pub(crate) fn into_profile(self) -> Profile {
        Profile::new(self.user_uuid, self.handle, self.display_name).of_version(self.version)
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
