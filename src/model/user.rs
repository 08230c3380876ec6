//! A user of the application.

use serde::Serialize;

use super::Profile;
use crate::card::EntityCard;
use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::USER;
use crate::text::{DisplayName, Handle, IdentitySubject};
use crate::time::Timestamp;

/// A user of the application. Its key is `USER#<user>` / `USER`.
///
/// A user serializes, for the response of an API, without the [`identity`](Self::identity). A user does not
/// deserialize, so that no client can forge one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    id: UserId,
    handle: Handle,
    display_name: DisplayName,
    #[serde(skip_serializing)]
    identity: Option<IdentitySubject>,
    #[serde(skip_serializing)]
    version: u32,
    created_at: Timestamp,
}

impl Stored for User {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let user = Self {
            id: fields.required("user_uuid")?,
            handle: fields.required("handle")?,
            display_name: fields.required("display_name")?,
            identity: fields.optional("cognito_user_id")?,
            version: fields.required("version")?,
            created_at: fields.required("created_at")?,
        };
        if fields.is_at(&user.key()) { Ok(user) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("user_uuid", self.id)
            .with("handle", &self.handle)
            .with("display_name", &self.display_name)
            .with_some("cognito_user_id", self.identity.as_ref())
            .with("version", self.version)
            .with("created_at", self.created_at))
    }
}

impl User {
    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "USER#<user>", "USER");

    pub(crate) fn new(profile: Profile, identity: Option<IdentitySubject>, created_at: Timestamp) -> Self {
        let id = profile.id();
        let (handle, display_name) = profile.into_names();
        Self { id, handle, display_name, identity, version: 1, created_at }
    }

    /// Returns the user with these names, one version later.
    pub(crate) fn renamed(&self, handle: Handle, display_name: DisplayName) -> Self {
        Self { handle, display_name, version: self.version.saturating_add(1), ..self.clone() }
    }

    /// Returns the user's id.
    pub fn id(&self) -> UserId {
        self.id
    }

    /// Returns the handle, as the user typed it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns the display name.
    pub fn display_name(&self) -> &DisplayName {
        &self.display_name
    }

    /// Returns the user's subject at an identity provider, such as Cognito's `sub`, if any.
    pub fn identity(&self) -> Option<&IdentitySubject> {
        self.identity.as_ref()
    }

    /// Returns the version of the user: 1 for a new user, plus 1 for each change of the names.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the time when the user was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the public part of the user: the id and the names.
    pub fn profile(&self) -> Profile {
        Profile::new(self.id, self.handle.clone(), self.display_name.clone()).of_version(Some(self.version))
    }
}

impl Entity for User {
    const TYPE: &'static str = "User";
    type KeyParts<'a> = UserId;

    fn key_from(user: UserId) -> Key {
        Key::new(PartitionKey::new((USER, user)), SortKey::new((USER,)))
    }

    fn key_parts(&self) -> UserId {
        self.id
    }
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        user.profile()
    }
}
