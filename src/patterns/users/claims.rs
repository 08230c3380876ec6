//! Claims on handles: their places, and how a user moves from one to another.

use crate::error::Result;
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
    /// Adds the writes that move a user's claim to a new handle, and returns those that take it.
    pub(super) fn rename_claims(
        &self,
        user: &User,
        renamed: &User,
        from: Place,
        to: Place,
        transaction: &mut Transaction,
    ) -> Result<Vec<ActionHandle>> {
        let now = self.clock.now();
        let free_or_own = || free(now).or(is_of::<HandleClaim>(user));
        let stays = from.key == to.key;
        let mut taking = vec![transaction.add(if stays && from.moves.is_none() {
            Write::update(to.key, names(renamed)).when(is_of::<HandleClaim>(user))
        } else if to.is_before {
            Write::update(to.key, names(renamed).remove(EXPIRES_AT)).when(is_of::<HandleClaim>(user))
        } else {
            Write::put(HandleClaim::new(renamed.profile()).to_item()?).when(free_or_own())
        })];
        taking.extend(to.also_free.map(|key| transaction.check(key, free_or_own())));

        let end = now.saturating_add(self.handle_reservation);
        let is_kept = !self.handle_reservation.is_zero();
        if !stays {
            let leaving = match (&from.moves, is_kept) {
                (None, false) => Some(Write::delete(from.key).when(is_of::<HandleClaim>(user))),
                (None, true) => {
                    let reserve = Update::new().set(EXPIRES_AT, end.unix_seconds());
                    Some(Write::update(from.key, reserve).when(is_of::<HandleClaim>(user)))
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
        let to_moves = to.moves.filter(|key| from.moves.as_ref() != Some(key));
        for key in [from.moves, to_moves].into_iter().flatten() {
            transaction.add(Write::delete(key).when(Condition::item_absent().or(is_of::<HandleClaim>(user))));
        }
        Ok(taking)
    }
}

/// Where a user's claim on a handle is, or goes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: Key,
    /// The key is the one of version 0.1, since somebody else has the folded form.
    pub(super) is_before: bool,
    /// The user's claim is still at this key of version 0.1, and moves.
    pub(super) moves: Option<Key>,
    /// The key by which somebody else may have claimed the handle with version 0.1.
    pub(super) also_free: Option<Key>,
}

/// Finds the place of a user's claim on a handle. 1 RCU for a handle that version 0.1 folded to another form, 2 if the user's claim
/// is there.
pub(super) async fn place(call: &Call<'_>, user: &User, handle: &Handle) -> Result<Place> {
    let key = HandleClaim::key_from(handle);
    let at_key = Place { key: key.clone(), is_before: false, moves: None, also_free: None };
    let Some(before) = HandleClaim::legacy_key(handle) else { return Ok(at_key) };
    let own = |item: &Item| {
        let is_claim = item.type_name().is_none_or(|name| name == HandleClaim::TYPE);
        is_claim && item.get_s("user_uuid") == Some(&*user.id().to_string())
    };
    let held = call.item(before.clone()).await?;
    if !held.as_ref().is_some_and(own) {
        return Ok(Place { also_free: Some(before), ..at_key });
    }
    let held = call.item(key).await?;
    Ok(match held.as_ref().is_none_or(own) {
        true => Place { moves: Some(before), ..at_key },
        false => Place { key: before, is_before: true, ..at_key },
    })
}

/// Returns `true` for two handles whose claims have the same keys, those of version 0.1 too.
pub(super) fn is_same_claim(one: &Handle, other: &Handle) -> bool {
    (HandleClaim::key_from(one), HandleClaim::legacy_key(one))
        == (HandleClaim::key_from(other), HandleClaim::legacy_key(other))
}

/// There is no claim, or a reservation that has ended: DynamoDB removes it some time later.
pub(super) fn free(now: Timestamp) -> Condition {
    let next = now.unix_seconds().saturating_add(1);
    Condition::item_absent().or(Condition::lt(EXPIRES_AT, next).and(is_own::<HandleClaim>()))
}

/// The claim is this user's, in use or reserved.
pub(super) fn is_of<E: Entity>(user: &User) -> Condition {
    Condition::eq("user_uuid", user.id()).and(is_own::<E>())
}

/// Sets the names, and the version that has them, in a user or a claim.
pub(super) fn names(user: &User) -> Update {
    Update::new().set("handle", user.handle()).set("display_name", user.display_name()).set("version", user.version())
}
