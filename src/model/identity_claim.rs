//! The claim on an identity provider's subject, which makes it unique.

use super::Profile;
use crate::card::EntityCard;
use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::IDENTITY;
use crate::text::{DisplayName, Handle, IdentitySubject};

/// The claim on an identity provider's subject, at `IDENTITY#<subject>` / `IDENTITY`. There can be one item with this key, and
/// so one user with this identity. It holds the profile, so that a look-up by identity is one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityClaim {
    cognito_user_id: IdentitySubject,
    user_uuid: UserId,
    handle: Handle,
    display_name: DisplayName,
    version: Option<u32>,
}

impl IdentityClaim {
    /// The card of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "IDENTITY#<subject>", "IDENTITY");

    pub(crate) fn new(subject: IdentitySubject, profile: Profile) -> Self {
        let (user_uuid, version) = (profile.id(), profile.version());
        let (handle, display_name) = profile.into_names();
        Self { cognito_user_id: subject, user_uuid, handle, display_name, version }
    }

    /// Returns the id of the user who has the identity.
    pub fn user_id(&self) -> UserId {
        self.user_uuid
    }

    /// Returns the user who has the identity.
    pub fn into_profile(self) -> Profile {
        Profile::new(self.user_uuid, self.handle, self.display_name).of_version(self.version)
    }
}

impl Stored for IdentityClaim {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let claim = Self {
            cognito_user_id: fields.required("cognito_user_id")?,
            user_uuid: fields.required("user_uuid")?,
            handle: fields.required("handle")?,
            display_name: fields.required("display_name")?,
            version: fields.optional("version")?,
        };
        if fields.is_at(&claim.key()) { Ok(claim) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("cognito_user_id", &self.cognito_user_id)
            .with("user_uuid", &self.user_uuid)
            .with("handle", &self.handle)
            .with("display_name", &self.display_name)
            .with_some("version", self.version.as_ref()))
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
