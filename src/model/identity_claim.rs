//! The claim on an identity provider's subject, which makes it unique.

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::entity::Entity;
use crate::id::UserId;
use crate::key::{Key, PartitionKey, SortKey, Tag};
use crate::tag;
use crate::text::{DisplayName, Handle, IdentitySubject};

pub(super) const IDENTITY: Tag = tag!("IDENTITY");

/// The claim on an identity provider's subject, at `IDENTITY#<subject>` / `IDENTITY`. There can be one item with this key, and
/// so one user with this identity. It holds the profile, so that a look-up by identity is one read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityClaim {
    cognito_user_id: IdentitySubject,
    user_uuid: UserId,
    #[serde(deserialize_with = "crate::text::stored")]
    handle: Handle,
    #[serde(deserialize_with = "crate::text::stored")]
    display_name: DisplayName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl IdentityClaim {
    pub(crate) fn new(subject: IdentitySubject, profile: Profile) -> Self {
        let (user_uuid, version) = (profile.id(), profile.version());
        let (handle, display_name) = profile.into_names();
        Self { cognito_user_id: subject, user_uuid, handle, display_name, version }
    }

    /// Returns the id of the user who has the identity.
    pub fn user_id(&self) -> UserId {
        self.user_uuid
    }

    /// The user who has the identity.
    pub(crate) fn into_profile(self) -> Profile {
        Profile::new(self.user_uuid, self.handle, self.display_name).of_version(self.version)
    }
}

impl Entity for IdentityClaim {
    const TYPE: &'static str = "IdentityClaim";
    type KeyParts<'a> = &'a IdentitySubject;

    fn key_from(subject: &IdentitySubject) -> Key {
        Key::new(PartitionKey::new((IDENTITY, subject)), SortKey::new((IDENTITY,)))
    }

    fn key_parts(&self) -> &IdentitySubject {
        &self.cognito_user_id
    }
}
