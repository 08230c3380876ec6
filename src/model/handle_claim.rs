//! The claim on a handle, which makes the handle unique.

use super::Profile;
use super::profile::Names;

use crate::card::EntityCard;
use crate::error::Result;
use crate::id::UserId;
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::HANDLE;
use crate::text::Handle;
use crate::time::Timestamp;

/// The claim of a [`User`](crate::User) on a handle. Only one item can have the claim's key, so only one user can have
/// the handle.
///
/// The key is `HANDLE#<folded handle>` / `HANDLE`; see [`Handle::folded`]. The claim contains the user's [`Profile`],
/// so that a lookup by handle is one read.
///
/// # Claims of version 0.1
/// Version 0.1 folded only ASCII letters. For example, the claim on `ÄrgerX` had the key `HANDLE#Ärgerx`; now it has
/// the key `HANDLE#ärgerx`. An old claim still protects the handle, in upper and lower case of its ASCII letters. A
/// lookup of `ÄrgerX` or `ÄRGERX` finds the user, and nobody else can take these handles.
///
/// The claim moves to the new key at the next change of the user's names, or when
/// [`repair`](crate::stream::Auditor::repair) runs. It does not move if another user has the new key. Until the claim
/// moves, another user can take a handle that differs only in the case of non-ASCII letters, such as `ärgerX`. So run
/// `repair` after an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleClaim {
    profile: Profile,
    // `Entity::to_item` writes it as the attribute `expires_at`.
    reserved_until: Option<Timestamp>,
}

impl HandleClaim {
    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "HANDLE#<handle>", "HANDLE");

    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, reserved_until: None }
    }

    /// Makes the claim a reservation until this time, for a user who has another handle now.
    pub(crate) fn reserved_until(self, end: Timestamp) -> Self {
        Self { reserved_until: Some(end), ..self }
    }

    /// Returns `true` if the claim is a reservation: the user gave up the handle for another one.
    ///
    /// No lookup finds a reserved handle. Until the reservation ends, only its former user can take the handle again.
    pub fn is_reserved(&self) -> bool {
        self.reserved_until.is_some()
    }

    /// Returns the key of version 0.1 for the handle, if it is another one.
    pub(crate) fn legacy_key(handle: &Handle) -> Option<Key> {
        let folded = handle.legacy_folded()?;
        Some(Key::new(PartitionKey::new((HANDLE, folded)), SortKey::new((HANDLE,))))
    }

    /// Returns the id of the user who has the handle. For a [reserved](Self::is_reserved) claim, this is the user who
    /// gave up the handle.
    pub fn user_id(&self) -> UserId {
        self.profile.id()
    }

    /// Returns the profile of the user who has the handle. For a [reserved](Self::is_reserved) claim, this is the user
    /// who gave up the handle.
    pub fn into_profile(self) -> Profile {
        self.profile
    }
}

impl Stored for HandleClaim {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let claim = Self { profile: Profile::read(&mut fields, Names::CLAIM)?, reserved_until: fields.expires() };
        let is_at_its_key = fields.is_at(&claim.key())
            || Self::legacy_key(claim.profile.handle()).is_some_and(|key| fields.is_at(&key));
        if is_at_its_key { Ok(claim) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(self.profile.write(Item::new(), Names::CLAIM))
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
