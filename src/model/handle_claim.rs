//! The claim on a handle, which makes it unique.

use super::Profile;
use crate::card::EntityCard;
use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::HANDLE;
use crate::text::Handle;
use crate::time::Timestamp;

/// The claim on a handle, at `HANDLE#<folded handle>` / `HANDLE`. There can be one item with this key, and so one user with this
/// handle. It holds the profile, so that a look-up by handle is one read.
///
/// Version 0.1 folded ASCII letters alone, so its claim on `ÄrgerX` is at `HANDLE#Ärgerx`, and is now `HANDLE#ärgerx`. An old claim
/// holds its handle, as typed then and in any ASCII case: the user is found by it, and nobody else can take it. It moves to the new
/// key by the user's next change, or by [`repair`](crate::stream::Auditor::repair), unless somebody else has the new key. Until
/// then others can take the handle in another case of its other letters, so run `repair` after an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleClaim {
    profile: Profile,
    // `to_item` writes it as the table's own attribute.
    reserved_until: Option<Timestamp>,
}

impl HandleClaim {
    /// The card of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "HANDLE#<handle>", "HANDLE");

    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, reserved_until: None }
    }

    /// The same claim as a reservation: its user has another handle now, and nobody else can take this one until then.
    pub(crate) fn reserved_until(self, end: Timestamp) -> Self {
        Self { reserved_until: Some(end), ..self }
    }

    /// Returns `true` for a handle that its user gave up: nobody is found by it, and only its user can take it back.
    pub fn is_reserved(&self) -> bool {
        self.reserved_until.is_some()
    }

    /// Returns the key by which version 0.1 claimed the handle, if it is another one. Version 0.1 folded ASCII letters alone.
    pub(crate) fn key_before(handle: &Handle) -> Option<Key> {
        let before = handle.folded_before()?;
        Some(Key::new(PartitionKey::new((HANDLE, before)), SortKey::new((HANDLE,))))
    }

    /// Returns the id of the user who has the handle.
    pub fn user_id(&self) -> UserId {
        self.profile.id()
    }

    /// Returns the user who has the handle.
    pub fn into_profile(self) -> Profile {
        self.profile
    }
}

impl Stored for HandleClaim {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let claim = Self { profile: Profile::read(&mut fields)?, reserved_until: fields.expires() };
        // Version 0.1 may have folded the handle to another key.
        let is_at_its_key = fields.is_at(&claim.key())
            || Self::key_before(claim.profile.handle()).is_some_and(|before| fields.is_at(&before));
        if is_at_its_key { Ok(claim) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(self.profile.write())
    }
}

impl Entity for HandleClaim {
    const TYPE: &'static str = "HandleClaim";
    type KeyParts<'a> = &'a Handle;

    fn key_from(handle: &Handle) -> Key {
        Key::new(PartitionKey::new((HANDLE, handle.folded())), SortKey::new((HANDLE,)))
    }

    fn key_parts(&self) -> &Handle {
        self.profile.handle()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.reserved_until
    }
}
