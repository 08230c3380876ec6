//! `users.create`, `users.get`, `users.by_handle`, `users.by_identity`, `users.update`.

use std::ops::Range;

use super::Threadline;
use super::call::{Call, begin, is_own};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::item::Item;
use crate::key::{EXPIRES_AT, Key};
use crate::model::{HandleClaim, IdentityClaim, Profile, User, read_own};
use crate::request::{
    CancelCode, CancelReason, Condition, Get, TransactAction, TransactOutcome, Transaction, Update, Write,
};
use crate::text::{DisplayName, Handle, IdentitySubject};
use crate::time::Timestamp;

/// A user who is still to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    handle: Handle,
    display_name: DisplayName,
    identity: Option<IdentitySubject>,
    id: Option<UserId>,
}

impl NewUser {
    /// A user with these names.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`Handle`] or [`DisplayName`] refuses.
    pub fn new(
        handle: impl TryInto<Handle, Error: Into<Error>>,
        display_name: impl TryInto<DisplayName, Error: Into<Error>>,
    ) -> Result<Self> {
        Ok(Self {
            handle: handle.try_into().map_err(Into::into)?,
            display_name: display_name.try_into().map_err(Into::into)?,
            identity: None,
            id: None,
        })
    }

    /// The same, known to an identity provider by this subject (Cognito's `sub`).
    #[must_use]
    pub fn with_identity(mut self, subject: IdentitySubject) -> Self {
        self.identity = Some(subject);
        self
    }

    /// The same with this id, as where users are kept in another database too. It also makes a repeat of the call safe.
    #[must_use]
    pub fn with_id(mut self, id: UserId) -> Self {
        self.id = Some(id);
        self
    }
}

/// New names for a user; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    handle: Option<Handle>,
    display_name: Option<DisplayName>,
}

impl UserChange {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new handle.
    #[must_use]
    pub fn handle(mut self, handle: Handle) -> Self {
        self.handle = Some(handle);
        self
    }

    /// A new display name.
    #[must_use]
    pub fn display_name(mut self, display_name: DisplayName) -> Self {
        self.display_name = Some(display_name);
        self
    }
}

impl Threadline {
    /// Creates a user, with a handle and an identity that nobody else has. One transaction: 6 WCU, 4 without an identity; 2 more for a
    /// handle that version 0.1 folded to another form.
    ///
    /// A repeat with the same id gives the user who was created, where the names and the identity are the same.
    ///
    /// # Errors
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when the handle (by its folded form, in use or reserved), the identity or the id is
    ///   taken: [`Error::entity`] says which, by `HandleClaim`, `IdentityClaim` or `User`. Nothing is written then.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again with the same id: without one, the
    ///   repeat may find the handle taken by the user that the first call created.
    pub async fn create_user(&self, new: NewUser) -> Result<User> {
        let call = begin!(&*self.store, "users.create");
        call.run(async {
            new.handle.check_new()?;
            let now = self.clock.now();
            let id = new.id.unwrap_or_else(|| UserId::from_uuid(self.ids.next(now)));
            let profile = Profile::new(id, new.handle, new.display_name);
            let user = User::new(profile, new.identity.clone(), now);
            let profile = user.profile();

            let claim = Write::put(HandleClaim::new(profile.clone()).to_item()?).when(free(now));
            let mut writes: Vec<TransactAction> = vec![put_new(&user)?.into(), claim.into()];
            if let Some(subject) = new.identity {
                writes.push(put_new(&IdentityClaim::new(subject, profile))?.into());
            }
            let before = HandleClaim::key_before(user.handle());
            let claimed_before = before.is_some().then_some(writes.len());
            if let Some(key) = before {
                writes.push(TransactAction::check(key, free(now)));
            }
            let outcome = call.transact(Transaction::new(writes)).await?;
            let TransactOutcome::Cancelled { reasons, .. } = &outcome else { return Ok(user) };
            if refused(reasons, 0) {
                let stored = read_own::<User>(reasons.first().and_then(|reason| reason.current.clone()))?;
                let same = |stored: &User| stored.profile() == user.profile() && stored.identity() == user.identity();
                return stored.filter(same).ok_or_else(|| taken(User::TYPE, "the user id is taken"));
            }
            if refused(reasons, 1) || claimed_before.is_some_and(|place| refused(reasons, place)) {
                return Err(taken(HandleClaim::TYPE, "the handle is taken; choose another"));
            }
            if refused(reasons, 2) {
                return Err(taken(IdentityClaim::TYPE, "the identity has a user already; look it up instead"));
            }
            outcome.done().map(|()| user)
        })
        .await
    }

    /// The user with this id; `None` where there is none. 0.5 RCU. Eventually consistent, as are the other look-ups: it may miss a
    /// change of the last moment.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let call = begin!(&*self.store, "users.get");
        call.run(get(&call, id)).await
    }

    /// Returns who has this handle, by its [folded](Handle::folded) form; `None` if nobody has. 0.5 RCU.
    ///
    /// Version 0.1 folded ASCII letters alone. A user whose claim it wrote is found by the handle as typed then, in any ASCII case,
    /// until [`rebuild`](crate::stream::Auditor::rebuild) or a change of the user moves the claim. For a handle that it folded to
    /// another form, the look-up is 1 RCU, unless the user has typed it the same.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user_by_handle(&self, handle: &Handle) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_handle");
        call.run(async {
            let in_use = |claim: &HandleClaim| !claim.is_reserved();
            let claim: Option<HandleClaim> = get(&call, handle).await?;
            let before = HandleClaim::key_before(handle);
            let typed = claim.as_ref().map(|claim| HandleClaim::key_before(claim.key_parts()));
            if typed.as_ref() != Some(&before)
                && let Some(before) = before
            {
                // Version 0.1 may have given this form to somebody else than it gave the folded one.
                let claim = read_own::<HandleClaim>(call.get(Get::new(before)).await?.item)?.filter(in_use);
                if let Some(claim) = claim {
                    return Ok(Some(claim.into_profile()));
                }
            }
            Ok(claim.filter(in_use).map(HandleClaim::into_profile))
        })
        .await
    }

    /// Whom the identity provider knows by this subject; `None` where nobody. 0.5 RCU.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user_by_identity(&self, subject: &IdentitySubject) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_identity");
        call.run(async { Ok(get(&call, subject).await?.map(IdentityClaim::into_profile)) }).await
    }

    /// Gives a user new names, in the user and the claims, and returns the user as it is then. One transaction: 4 to 6 WCU, and 2
    /// more for a user with an identity.
    ///
    /// A handle that version 0.1 folded to another form costs 1 RCU more, old or new, and a new one 2 WCU. A claim of version 0.1
    /// costs 1 RCU and 2 WCU more: it moves to the folded form, unless somebody else has that.
    ///
    /// The old handle stays [reserved](Self::with_handle_reservation) for its user. The projector copies the names into memberships;
    /// messages keep those they were sent with.
    ///
    /// # Errors
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) when the user was changed since it was read: read it again. A repeat
    ///   of a change that was done, with the same user as read before, gives the changed user.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when somebody else has the new handle.
    /// * [`NotFound`](ErrorKind::NotFound) when there is no such user.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again with the user as read before.
    pub async fn update_user(&self, user: &User, change: UserChange) -> Result<User> {
        let call = begin!(&*self.store, "users.update");
        call.run(async {
            let handle = change.handle.unwrap_or_else(|| user.handle().clone());
            if handle != *user.handle() {
                handle.check_new()?;
            }
            let display_name = change.display_name.unwrap_or_else(|| user.display_name().clone());
            let renamed = user.renamed(handle, display_name);
            if renamed.profile() == user.profile() {
                // Nothing to write; but whether there is nothing to change, only the table knows.
                return match call.read::<User>(user.key()).await? {
                    Some(stored) if stored.version() == user.version() => Ok(stored),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }

            // Updates, not puts, so that attributes which the application added to these items stay.
            let unchanged = Condition::eq("version", user.version()).and(is_own::<User>());
            let mut writes: Vec<TransactAction> =
                vec![Write::update(user.key(), names(&renamed)).when(unchanged).returning_old().into()];
            let from = place(&call, user, user.handle()).await?;
            let to = match renamed.handle() {
                handle if is_same_claim(user.handle(), handle) => Place { also_free: None, ..from.clone() },
                handle => place(&call, user, handle).await?,
            };
            let places = self.rename_claims(user, &renamed, from, to, &mut writes)?;
            if let Some(subject) = user.identity() {
                let claim = Write::update(IdentityClaim::key_from(subject), names(&renamed));
                writes.push(claim.when(is_of::<IdentityClaim>(user)).into());
            }

            let outcome = call.transact(Transaction::new(writes)).await?;
            let TransactOutcome::Cancelled { reasons, .. } = &outcome else { return Ok(renamed) };
            if refused(reasons, 0) {
                let current = read_own::<User>(reasons.first().and_then(|reason| reason.current.clone()))?;
                return match current {
                    Some(current) if current == renamed => Ok(renamed),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }
            if places.clone().any(|place| refused(reasons, place)) {
                return Err(taken(HandleClaim::TYPE, "the handle is taken; choose another"));
            }
            outcome.done().map(|()| renamed)
        })
        .await
    }

    /// Adds the writes that move a user's claim to a new handle, and returns the places of those that take it.
    fn rename_claims(
        &self,
        user: &User,
        renamed: &User,
        from: Place,
        to: Place,
        writes: &mut Vec<TransactAction>,
    ) -> Result<Range<usize>> {
        let now = self.clock.now();
        let first = writes.len();
        let free_or_own = || free(now).or(is_of::<HandleClaim>(user));
        let stays = from.key == to.key;
        writes.push(if stays && from.moves.is_none() {
            Write::update(to.key, names(renamed)).when(is_of::<HandleClaim>(user)).into()
        } else if to.is_before {
            Write::update(to.key, names(renamed).remove(EXPIRES_AT)).when(is_of::<HandleClaim>(user)).into()
        } else {
            Write::put(HandleClaim::new(renamed.profile()).to_item()?).when(free_or_own()).into()
        });
        if let Some(key) = to.also_free {
            writes.push(TransactAction::check(key, free_or_own()));
        }
        let taking = first..writes.len();

        let end = now.saturating_add(self.handle_reservation);
        let is_kept = !self.handle_reservation.is_zero();
        if !stays {
            match (&from.moves, is_kept) {
                (None, false) => writes.push(Write::delete(from.key).when(is_of::<HandleClaim>(user)).into()),
                (None, true) => {
                    let reserve = Update::new().set(EXPIRES_AT, end.unix_seconds());
                    writes.push(Write::update(from.key, reserve).when(is_of::<HandleClaim>(user)).into());
                }
                (Some(_), false) => {}
                (Some(_), true) => {
                    let reserved = HandleClaim::new(user.profile()).reserved_until(end);
                    writes.push(Write::put(reserved.to_item()?).when(free_or_own()).into());
                }
            }
        }
        let to_moves = to.moves.filter(|key| from.moves.as_ref() != Some(key));
        for key in [from.moves, to_moves].into_iter().flatten() {
            writes.push(Write::delete(key).when(Condition::item_absent().or(is_of::<HandleClaim>(user))).into());
        }
        Ok(taking)
    }
}

/// Where a user's claim on a handle is, or goes.
#[derive(Clone, Debug)]
struct Place {
    key: Key,
    /// The key is the one of version 0.1, since somebody else has the folded form.
    is_before: bool,
    /// The user's claim is still at this key of version 0.1, and moves.
    moves: Option<Key>,
    /// The key by which somebody else may have claimed the handle with version 0.1.
    also_free: Option<Key>,
}

/// Finds the place of a user's claim on a handle. 1 RCU for a handle that version 0.1 folded to another form, 2 if the user's claim
/// is there.
async fn place(call: &Call<'_>, user: &User, handle: &Handle) -> Result<Place> {
    let key = HandleClaim::key_from(handle);
    let at_key = Place { key: key.clone(), is_before: false, moves: None, also_free: None };
    let Some(before) = HandleClaim::key_before(handle) else { return Ok(at_key) };
    let own = |item: &Item| {
        let is_claim = item.type_name().is_none_or(|name| name == HandleClaim::TYPE);
        is_claim && item.get_s("user_uuid") == Some(&*user.id().to_string())
    };
    let held = call.get(Get::new(before.clone()).consistent()).await?.item;
    if !held.as_ref().is_some_and(own) {
        return Ok(Place { also_free: Some(before), ..at_key });
    }
    let held = call.get(Get::new(key).consistent()).await?.item;
    Ok(match held.as_ref().is_none_or(own) {
        true => Place { moves: Some(before), ..at_key },
        false => Place { key: before, is_before: true, ..at_key },
    })
}

/// Returns `true` for two handles whose claims have the same keys, those of version 0.1 too.
fn is_same_claim(one: &Handle, other: &Handle) -> bool {
    (HandleClaim::key_from(one), HandleClaim::key_before(one))
        == (HandleClaim::key_from(other), HandleClaim::key_before(other))
}

/// There is no claim, or a reservation that has ended: DynamoDB removes it some time later.
fn free(now: Timestamp) -> Condition {
    let next = now.unix_seconds().saturating_add(1);
    Condition::item_absent().or(Condition::lt(EXPIRES_AT, next).and(is_own::<HandleClaim>()))
}

/// The claim is this user's, in use or reserved.
fn is_of<E: Entity>(user: &User) -> Condition {
    Condition::eq("user_uuid", user.id()).and(is_own::<E>())
}

/// Puts an entity where there is none yet, and asks for the one that is.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?).when(Condition::item_absent()).returning_old())
}

/// Whether the condition of the action in this place was not met.
pub(super) fn refused(reasons: &[CancelReason], place: usize) -> bool {
    reasons.get(place).is_some_and(|reason| reason.code == CancelCode::ConditionFailed)
}

/// Sets the names, and the version that has them, in a user or a claim.
fn names(user: &User) -> Update {
    Update::new().set("handle", user.handle()).set("display_name", user.display_name()).set("version", user.version())
}

fn changed_since() -> Error {
    let what = "the user was changed since it was read; read it again, and repeat the change";
    Error::new(ErrorKind::ConditionFailed, what).with_entity(User::TYPE)
}

fn no_such_user() -> Error {
    Error::not_found("there is no such user").with_entity(User::TYPE)
}

fn taken(entity: &'static str, what: &'static str) -> Error {
    Error::new(ErrorKind::AlreadyExists, what).with_entity(entity)
}

async fn get<E: Entity>(call: &Call<'_>, parts: E::KeyParts<'_>) -> Result<Option<E>> {
    let key = E::key_from(parts);
    read_own(call.get(Get::new(key)).await?.item)
}
