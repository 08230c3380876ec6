//! The claims on handles: their keys, and the writes that move a user from one handle to another.

use crate::error::Result;
use crate::id::UserId;
use crate::item::Item;
use crate::key::{EXPIRES_AT, Key};
use crate::model::{HandleClaim, User};
use crate::patterns::Threadline;
use crate::patterns::call::{Call, is_own};
use crate::request::{ActionHandle, Condition, Transaction, Update, Write};
use crate::stored::Entity;
use crate::text::Handle;
use crate::time::Timestamp;

impl Threadline {
    /// Adds the writes that move a user's claim to a new handle. Returns the actions that claim the new handle.
    pub(super) fn rename_claims(
        &self,
        user: &User,
        renamed: &User,
        from: ClaimLocation,
        to: ClaimLocation,
        transaction: &mut Transaction,
    ) -> Result<Vec<ActionHandle>> {
        let now = self.clock.now();
        let free_or_own = || free(now).or(is_of::<HandleClaim>(user.id()));
        let stays = from.key == to.key;
        let mut claiming = vec![transaction.add(if stays && from.moves_from.is_none() {
            Write::update(to.key, names(renamed)).when(is_of::<HandleClaim>(user.id()))
        } else if to.is_legacy {
            Write::update(to.key, names(renamed).remove(EXPIRES_AT)).when(is_of::<HandleClaim>(user.id()))
        } else {
            Write::put(HandleClaim::new(renamed.profile()).to_item()?).when(free_or_own())
        })];
        claiming.extend(to.must_be_free.map(|key| transaction.check(key, free_or_own())));

        let end = now.saturating_add(self.handle_reservation);
        let is_kept = !self.handle_reservation.is_zero();
        if !stays {
            let leaving = match (&from.moves_from, is_kept) {
                (None, false) => Some(Write::delete(from.key).when(is_of::<HandleClaim>(user.id()))),
                (None, true) => {
                    let reserve = Update::new().set(EXPIRES_AT, end.unix_seconds());
                    Some(Write::update(from.key, reserve).when(is_of::<HandleClaim>(user.id())))
                }
                (Some(_), false) => None,
                (Some(_), true) => {
                    let reserved = HandleClaim::new(user.profile()).reserved_until(end);
                    Some(Write::put(reserved.to_item()?).when(free_or_own()))
                }
            };
            if let Some(write) = leaving {
                transaction.add(write);
            }
        }
        let also_moves_from = to.moves_from.filter(|key| from.moves_from.as_ref() != Some(key));
        for key in [from.moves_from, also_moves_from].into_iter().flatten() {
            transaction.add(Write::delete(key).when(Condition::item_absent().or(is_of::<HandleClaim>(user.id()))));
        }
        Ok(claiming)
    }
}

/// The location of a user's claim on a handle, old or new.
#[derive(Clone, Debug)]
pub(super) struct ClaimLocation {
    pub(super) key: Key,
    /// `true` if the key is the one of version 0.1, because another user has the folded form.
    pub(super) is_legacy: bool,
    /// The key of version 0.1 from which the user's claim must move, if any.
    pub(super) moves_from: Option<Key>,
    /// The key of version 0.1 that no other user may have, if any.
    pub(super) must_be_free: Option<Key>,
}

/// Returns the location of a user's claim on a handle. Without a key of version 0.1, it reads nothing.
///
/// If version 0.1 folded the handle to another form, it costs 1 RCU, or 2 RCU if the user's claim is at that key.
pub(super) async fn locate_claim(call: &Call<'_>, user: &User, handle: &Handle) -> Result<ClaimLocation> {
    let key = HandleClaim::key_from(handle);
    let at_key = ClaimLocation { key: key.clone(), is_legacy: false, moves_from: None, must_be_free: None };
    let Some(legacy) = HandleClaim::legacy_key(handle) else { return Ok(at_key) };
    let own = |item: &Item| {
        let is_claim = item.type_name().is_none_or(|name| name == HandleClaim::TYPE);
        is_claim && item.get_s("user_uuid") == Some(&*user.id().to_string())
    };
    let at_legacy_key = call.item(legacy.clone()).await?;
    if !at_legacy_key.as_ref().is_some_and(own) {
        return Ok(ClaimLocation { must_be_free: Some(legacy), ..at_key });
    }
    let current = call.item(key).await?;
    Ok(match current.as_ref().is_none_or(own) {
        true => ClaimLocation { moves_from: Some(legacy), ..at_key },
        false => ClaimLocation { key: legacy, is_legacy: true, ..at_key },
    })
}

/// Returns `true` for two handles with the same keys, including those of version 0.1.
pub(super) fn is_same_claim(one: &Handle, other: &Handle) -> bool {
    (HandleClaim::key_from(one), HandleClaim::legacy_key(one))
        == (HandleClaim::key_from(other), HandleClaim::legacy_key(other))
}

/// Returns the condition that there is no claim, or only an ended reservation, which DynamoDB has not removed yet.
pub(super) fn free(now: Timestamp) -> Condition {
    let next = now.unix_seconds().saturating_add(1);
    Condition::item_absent().or(Condition::lt(EXPIRES_AT, next).and(is_own::<HandleClaim>()))
}

/// Returns the condition that the claim is this user's, in use or reserved.
pub(crate) fn is_of<E: Entity>(user: UserId) -> Condition {
    Condition::eq("user_uuid", user).and(is_own::<E>())
}

/// Returns the condition that the user has the version that was read.
pub(crate) fn is_unchanged(user: &User) -> Condition {
    Condition::eq("version", user.version()).and(is_own::<User>())
}

/// Returns the update that sets the names and the version in a user or a claim.
pub(super) fn names(user: &User) -> Update {
    Update::new().set("handle", user.handle()).set("display_name", user.display_name()).set("version", user.version())
}
