//! `users.create`, `users.get`, `users.by_handle`, `users.by_identity`, `users.update`.

use serde_dynamo::AttributeValue;

use super::Threadline;
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::model::{HandleClaim, IdentityClaim, Profile, User};
use crate::request::{CancelCode, CancelReason, Condition, Get, TransactOutcome, Transaction, Update, Write};
use crate::store::call::{Call, begin};
use crate::text::{DisplayName, Handle, IdentitySubject};

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
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when the handle (without regard to ASCII case), the identity or the id is
    ///   taken: [`Error::entity`] says which, by `HandleClaim`, `IdentityClaim` or `User`. Nothing is written then.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again with the same id: without one, the
    ///   repeat may find the handle taken by the user that the first call created.
    pub async fn create_user(&self, new: NewUser) -> Result<User> {
        let call = begin!(&*self.store, "users.create");
        call.run(async {
            let now = self.clock.now();
            let id = new.id.unwrap_or_else(|| UserId::from_uuid(self.ids.next(now)));
            let profile = Profile::new(id, new.handle, new.display_name);
            let user = User::new(profile, new.identity.clone(), now);
            let profile = user.profile();

            let mut writes = vec![put_new(&user)?, put_new(&HandleClaim::new(profile.clone()))?];
            if let Some(subject) = new.identity {
                writes.push(put_new(&IdentityClaim::new(subject, profile))?);
            }
            let outcome = call.transact(Transaction::new(writes)?).await?;
            let TransactOutcome::Cancelled { reasons, .. } = &outcome else { return Ok(user) };
            if refused(reasons, 0) {
                let stored =
                    reasons.first().and_then(|reason| reason.current.clone()).map(User::from_item).transpose()?;
                let same = |stored: &User| stored.profile() == user.profile() && stored.identity() == user.identity();
                return stored.filter(same).ok_or_else(|| taken(User::TYPE, "the user id is taken"));
            }
            if refused(reasons, 1) {
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

    /// Who has this handle, without regard to ASCII case; `None` where nobody has. 0.5 RCU.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user_by_handle(&self, handle: &Handle) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_handle");
        call.run(async { Ok(get(&call, handle).await?.map(HandleClaim::into_profile)) }).await
    }

    /// Whom the identity provider knows by this subject; `None` where nobody. 0.5 RCU.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](ErrorKind::Corrupt).
    pub async fn user_by_identity(&self, subject: &IdentitySubject) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_identity");
        call.run(async { Ok(get(&call, subject).await?.map(IdentityClaim::into_profile)) }).await
    }

    /// Gives a user new names, in the user and the claims, and returns the user as it is then. One transaction: 4 to 6 WCU, and
    /// 2 more for a user with an identity. The old handle is free from then on.
    ///
    /// The copies in memberships and messages stay as they are.
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
            let display_name = change.display_name.unwrap_or_else(|| user.display_name().clone());
            let renamed = user.renamed(handle, display_name);
            if renamed.profile() == user.profile() {
                // Nothing to write; but whether there is nothing to change, only the table knows.
                let stored =
                    call.get(Get::new(user.key()).consistent()).await?.item.map(User::from_item).transpose()?;
                return match stored {
                    Some(stored) if stored.version() == user.version() => Ok(stored),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }

            // Updates, not puts, so that attributes which the application added to these items stay.
            let mine = || Condition::eq("user_uuid", AttributeValue::S(user.id().to_string()));
            let unchanged = Condition::eq("version", number(user.version()));
            let mut writes = vec![Write::update(user.key(), names(&renamed))?.when(unchanged)?.returning_old()];
            if renamed.handle().folded() == user.handle().folded() {
                writes.push(Write::update(HandleClaim::key_from(user.handle()), names(&renamed))?.when(mine())?);
            } else {
                writes.push(put_new(&HandleClaim::new(renamed.profile()))?);
                writes.push(Write::delete(HandleClaim::key_from(user.handle())).when(mine())?);
            }
            if let Some(subject) = user.identity() {
                writes.push(Write::update(IdentityClaim::key_from(subject), names(&renamed))?.when(mine())?);
            }

            let outcome = call.transact(Transaction::new(writes)?).await?;
            let TransactOutcome::Cancelled { reasons, .. } = &outcome else { return Ok(renamed) };
            if refused(reasons, 0) {
                let current =
                    reasons.first().and_then(|reason| reason.current.clone()).map(User::from_item).transpose()?;
                return match current {
                    Some(current) if current == renamed => Ok(renamed),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }
            if refused(reasons, 1) {
                return Err(taken(HandleClaim::TYPE, "the handle is taken; choose another"));
            }
            outcome.done().map(|()| renamed)
        })
        .await
    }
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
    call.get(Get::new(key)).await?.item.map(E::from_item).transpose()
}
