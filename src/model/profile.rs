//! What others see of a user.

use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::text::{DisplayName, Handle};

/// What others see of a user: the id and the names. Only a look-up makes one, so that nobody speaks or joins in another one's name. The claims, the memberships and the messages each hold a copy.
///
/// One that comes from a [`User`](super::User) or a look-up also says how new its names are, by [`version`](Self::version). So a row
/// of the inbox that is put with it never gets older names, in whatever order renames are projected. Two profiles are equal where
/// the id and the names are.
#[derive(Clone, Debug)]
pub struct Profile {
    id: UserId,
    handle: Handle,
    display_name: DisplayName,
    version: Option<u32>,
}

impl Profile {
    /// Somebody with these names; how new they are is not known.
    pub(crate) fn new(id: UserId, handle: Handle, display_name: DisplayName) -> Self {
        Self { id, handle, display_name, version: None }
    }

    /// Takes the profile from the fields of a claim.
    pub(super) fn read(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            id: fields.required("user_uuid")?,
            handle: fields.required("handle")?,
            display_name: fields.required("display_name")?,
            version: fields.optional("version")?,
        })
    }

    /// Returns the fields of a claim that hold the profile.
    pub(super) fn write(&self) -> Item {
        Item::new()
            .with("user_uuid", &self.id)
            .with("handle", &self.handle)
            .with("display_name", &self.display_name)
            .with_some("version", self.version.as_ref())
    }

    /// The same, with names of this version of the user.
    pub(super) fn of_version(self, version: Option<u32>) -> Self {
        Self { version, ..self }
    }

    /// The user's id.
    pub fn id(&self) -> UserId {
        self.id
    }

    /// The handle, as the user typed it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The name that others read.
    pub fn display_name(&self) -> &DisplayName {
        &self.display_name
    }

    /// The [version of the user](super::User::version) that had these names. `None` for a profile of a claim or a membership that
    /// was written without it.
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// The handle and the name.
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
