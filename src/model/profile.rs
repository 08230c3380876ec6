//! The public part of a user.

use serde::Serialize;

use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::text::{DisplayName, Handle};

/// The public part of a [`User`](super::User): the id and the names. Claims, memberships and messages contain copies of
/// it.
///
/// Only this crate creates profiles, from stored items. So no client can forge a profile in order to act as another
/// user.
///
/// The [`version`](Self::version) of a profile shows the age of its names. The [projector](crate::stream::Projector)
/// compares versions, so it never replaces names by older ones, even if renames arrive out of order. Two profiles are
/// equal if their ids and names are equal, no matter which versions they have.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    id: UserId,
    handle: Handle,
    display_name: DisplayName,
    #[serde(skip_serializing)]
    version: Option<u32>,
}

/// The names of the attributes that contain a profile.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) id: &'static str,
    pub(super) handle: &'static str,
    pub(super) display_name: &'static str,
    pub(super) version: &'static str,
}

impl Names {
    /// The names in a claim.
    pub(super) const CLAIM: Self =
        Self { id: "user_uuid", handle: "handle", display_name: "display_name", version: "version" };
}

impl Profile {
    /// Creates a profile of unknown version.
    pub(crate) fn new(id: UserId, handle: Handle, display_name: DisplayName) -> Self {
        Self { id, handle, display_name, version: None }
    }

    /// Reads the profile from the attributes with these names.
    pub(super) fn read(fields: &mut Fields, names: Names) -> Result<Self> {
        let id = fields.required(names.id)?;
        Self::of_user(id, fields, names)
    }

    /// Reads the profile from the attributes with these names, unless the id is missing.
    pub(super) fn read_some(fields: &mut Fields, names: Names) -> Result<Option<Self>> {
        fields.optional(names.id)?.map(|id| Self::of_user(id, fields, names)).transpose()
    }

    fn of_user(id: UserId, fields: &mut Fields, names: Names) -> Result<Self> {
        Ok(Self {
            id,
            handle: fields.required(names.handle)?,
            display_name: fields.required(names.display_name)?,
            version: fields.optional(names.version)?,
        })
    }

    /// Writes the profile to the attributes with these names.
    pub(super) fn write(&self, item: Item, names: Names) -> Item {
        item.with(names.id, self.id)
            .with(names.handle, &self.handle)
            .with(names.display_name, &self.display_name)
            .with_some(names.version, self.version)
    }

    /// Sets the version of the user that has these names.
    pub(super) fn of_version(self, version: Option<u32>) -> Self {
        Self { version, ..self }
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

    /// Returns the [version](super::User::version) that the user had with these names.
    ///
    /// Returns `None` for a copy of the names that was stored without a version.
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// Returns the handle and the display name.
    pub(super) fn into_names(self) -> (Handle, DisplayName) {
        (self.handle, self.display_name)
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        (self.id, &self.handle, &self.display_name) == (other.id, &other.handle, &other.display_name)
    }
}

impl Eq for Profile {}

impl From<&Profile> for Profile {
    fn from(profile: &Profile) -> Self {
        profile.clone()
    }
}
