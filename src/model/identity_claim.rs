//! The claim on a subject of an identity provider, which makes the subject unique.

use super::Profile;
use super::profile::Names;

use crate::card::EntityCard;
use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::IDENTITY;
use crate::text::IdentitySubject;

/// The claim of a [`User`](crate::User) on a subject of an identity provider, such as Cognito's `sub`. Only one item
/// can have the claim's key, so only one user can have the subject.
///
/// The key is `IDENTITY#<subject>` / `IDENTITY`. The claim contains the user's [`Profile`], so that a lookup by subject
/// is one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityClaim {
    cognito_user_id: IdentitySubject,
    profile: Profile,
}

impl IdentityClaim {
    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "IDENTITY#<subject>", "IDENTITY");

    pub(crate) fn new(subject: IdentitySubject, profile: Profile) -> Self {
        Self { cognito_user_id: subject, profile }
    }

    /// Returns the id of the user who logs in with the claimed subject.
    pub fn user_id(&self) -> UserId {
        self.profile.id()
    }

    /// Returns the profile of the user who logs in with the claimed subject.
    pub fn into_profile(self) -> Profile {
        self.profile
    }
}

impl Stored for IdentityClaim {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let cognito_user_id = fields.required("cognito_user_id")?;
        let claim = Self { cognito_user_id, profile: Profile::read(&mut fields, Names::CLAIM)? };
        if fields.is_at(&claim.key()) { Ok(claim) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        let item = Item::new().with("cognito_user_id", &self.cognito_user_id);
        Ok(self.profile.write(item, Names::CLAIM))
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
