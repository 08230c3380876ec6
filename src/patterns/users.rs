//! `users.create`, `users.get`, `users.by_handle`, `users.by_identity`, `users.update`.

use std::ops::Range;

use serde_dynamo::AttributeValue;

use super::Threadline;
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::key::EXPIRES_AT;
use crate::model::{HandleClaim, IdentityClaim, Profile, User, read_own};
use crate::request::{
    CancelCode, CancelReason, Condition, Get, TransactAction, TransactOutcome, Transaction, Update, Write,
};
use crate::store::call::{Call, begin};
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
    /// Creates a user, with a handle and an identity that nobody else has. One transaction: 6 WCU, 4 without an identity.
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

            let claim = Write::put(HandleClaim::new(profile.clone()).to_item()?)?.when(free(now))?;
            let mut writes: Vec<TransactAction> = vec![put_new(&user)?.into(), claim.into()];
            if let Some(subject) = new.identity {
                writes.push(put_new(&IdentityClaim::new(subject, profile))?.into());
            }
            let before = HandleClaim::key_before(user.handle());
            let claimed_before = before.is_some().then_some(writes.len());
            if let Some(key) = before {
                writes.push(TransactAction::check(key, free(now))?);
            }
            let outcome = call.transact(Transaction::new(writes)?).await?;
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

    /// Returns who has this handle, by its [folded](Handle::folded) form; `None` if nobody has. 0.5 RCU, and 0.5 RCU more for a
    /// handle beyond ASCII without a claim, which version 0.1 may have stored by another form.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user_by_handle(&self, handle: &Handle) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_handle");
        call.run(async {
            let mut claim: Option<HandleClaim> = get(&call, handle).await?;
            if let (None, Some(before)) = (&claim, HandleClaim::key_before(handle)) {
                claim = read_own::<HandleClaim>(call.get(Get::new(before)).await?.item)?;
            }
            Ok(claim.filter(|claim| !claim.is_reserved()).map(HandleClaim::into_profile))
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
    /// more for a user with an identity; up to 4 more for a handle beyond ASCII that version 0.1 may have claimed.
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
                let stored = read_own::<User>(call.get(Get::new(user.key()).consistent()).await?.item)?;
                return match stored {
                    Some(stored) if stored.version() == user.version() => Ok(stored),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }

            // Updates, not puts, so that attributes which the application added to these items stay.
            let unchanged = Condition::eq("version", number(user.version()));
            let mut writes: Vec<TransactAction> =
                vec![Write::update(user.key(), names(&renamed))?.when(unchanged)?.returning_old().into()];
            let places = self.rename_claims(user, &renamed, &mut writes)?;
            if let Some(subject) = user.identity() {
                let claim = Write::update(IdentityClaim::key_from(subject), names(&renamed))?;
                writes.push(claim.when(is_of(user))?.into());
            }

            let outcome = call.transact(Transaction::new(writes)?).await?;
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
    fn rename_claims(&self, user: &User, renamed: &User, writes: &mut Vec<TransactAction>) -> Result<Range<usize>> {
        let now = self.clock.now();
        let first = writes.len();
        let (old, new) = (HandleClaim::key_from(user.handle()), HandleClaim::key_from(renamed.handle()));
        let before = HandleClaim::key_before(user.handle());
        let absent_or_own = || Condition::item_absent().or(is_of(user));
        let claim = || HandleClaim::new(renamed.profile()).to_item();
        if old == new {
            match before {
                None => writes.push(Write::update(old, names(renamed))?.when(is_of(user))?.into()),
                Some(before) => {
                    writes.push(Write::put(claim()?)?.when(absent_or_own())?.into());
                    writes.push(Write::delete(before).when(absent_or_own())?.into());
                }
            }
            return Ok(first..first + 1);
        }
        writes.push(Write::put(claim()?)?.when(free(now).or(is_of(user)))?.into());
        if let Some(taken_before) = HandleClaim::key_before(renamed.handle()) {
            writes.push(TransactAction::check(taken_before, free(now).or(is_of(user)))?);
        }
        let taking = first..writes.len();
        let end = now.saturating_add(self.handle_reservation);
        let is_claim = if before.is_some() { absent_or_own() } else { is_of(user) };
        writes.push(match (self.handle_reservation.is_zero(), &before) {
            (true, _) => Write::delete(old).when(is_claim)?.into(),
            (false, None) => Write::update(old, Update::new().set(EXPIRES_AT, seconds(end)))?.when(is_claim)?.into(),
            (false, Some(_)) => {
                let reserved = HandleClaim::new(user.profile()).reserved_until(end);
                Write::put(reserved.to_item()?)?.when(is_claim)?.into()
            }
        });
        if let Some(before) = before {
            writes.push(Write::delete(before).when(absent_or_own())?.into());
        }
        Ok(taking)
    }
}

/// There is no claim, or a reservation that has ended: DynamoDB removes it some time later.
fn free(now: Timestamp) -> Condition {
    let next = AttributeValue::N(now.unix_seconds().saturating_add(1).to_string());
    Condition::item_absent().or(Condition::lt(EXPIRES_AT, next))
}

/// The claim is this user's, in use or reserved.
fn is_of(user: &User) -> Condition {
    Condition::eq("user_uuid", AttributeValue::S(user.id().to_string()))
}

fn seconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.unix_seconds().to_string())
}

/// Puts an entity where there is none yet, and asks for the one that is.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?)?.when(Condition::item_absent())?.returning_old())
}

/// Whether the condition of the action in this place was not met.
pub(super) fn refused(reasons: &[CancelReason], place: usize) -> bool {
    reasons.get(place).is_some_and(|reason| reason.code == CancelCode::ConditionFailed)
}

/// Sets the names, and the version that has them, in a user or a claim.
fn names(user: &User) -> Update {
    Update::new()
        .set("handle", AttributeValue::S(user.handle().to_string()))
        .set("display_name", AttributeValue::S(user.display_name().to_string()))
        .set("version", number(user.version()))
}

fn number(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
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
