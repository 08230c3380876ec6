//! `users.update`

use super::claims::{ClaimLocation, is_of, is_same_claim, is_unchanged, locate_claim, names};
use super::taken;
use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{HandleClaim, IdentityClaim, User, read_own};
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::request::{Transaction, Write};
use crate::stored::Entity;
use crate::text::{DisplayName, Handle};

pub(crate) const CARD: Card = Card::new("users.update", "Threadline::update_user", Caller::Anyone)
    .cases(&[
        Case::named("display name", &[USER, CLAIM, IDENTITY], Cost::of(&[Term::writes(6)])),
        Case::named("handle", &[USER, NEW_CLAIM, OLD_CLAIM, IDENTITY], Cost::of(&[Term::writes(8)])),
        Case::named(
            "handle, reservation of zero",
            &[USER, NEW_CLAIM, FREED_CLAIM, IDENTITY],
            Cost::of(&[Term::writes(8)]),
        ),
        Case::named("display name, without an identity", &[USER, CLAIM], Cost::of(&[Term::writes(4)])),
        Case::named("handle, without an identity", &[USER, NEW_CLAIM, OLD_CLAIM], Cost::of(&[Term::writes(6)])),
        Case::named(
            "handle, reservation of zero, without an identity",
            &[USER, NEW_CLAIM, FREED_CLAIM],
            Cost::of(&[Term::writes(6)]),
        ),
        Case::named(
            "handle with an old key to another, without an identity",
            &[AT_OLD_KEY, AT_OLD_KEY, USER, NEW_CLAIM, OLD_KEY_IS_FREE, OLD_CLAIM],
            Cost::of(&[Term::reads(2), Term::writes(8)]),
        ),
        Case::named(
            "display name, old claim moves, without an identity",
            &[AT_OLD_KEY, AT_OLD_KEY, USER, NEW_CLAIM, MOVED_CLAIM],
            Cost::of(&[Term::reads(2), Term::writes(6)]),
        ),
        Case::named("same names", &[RequestCard::get(&User::CARD).consistent()], Cost::of(&[Term::reads(1)])),
    ])
    .retry("returns the changed user, if it is called with the user as read before");

const USER: RequestCard = RequestCard::update(&User::CARD).when("the version is the one read").in_transaction();
const CLAIM: RequestCard = RequestCard::update(&HandleClaim::CARD).when("the claim is the user's").in_transaction();
const IDENTITY: RequestCard =
    RequestCard::update(&IdentityClaim::CARD).when("the claim is the user's").in_transaction();
const NEW_CLAIM: RequestCard =
    RequestCard::put(&HandleClaim::CARD).when("no claim, an ended reservation, or the user's own").in_transaction();
const OLD_CLAIM: RequestCard = CLAIM;
const FREED_CLAIM: RequestCard =
    RequestCard::delete(&HandleClaim::CARD).when("the claim is the user's").in_transaction();
const AT_OLD_KEY: RequestCard = RequestCard::get(&HandleClaim::CARD).consistent();
const OLD_KEY_IS_FREE: RequestCard =
    RequestCard::check(&HandleClaim::CARD).when("no claim, an ended reservation, or the user's own");
const MOVED_CLAIM: RequestCard =
    RequestCard::delete(&HandleClaim::CARD).when("no claim, or the claim is the user's").in_transaction();

/// New names for a user, for [`Threadline::update_user`]. A name that is not set stays unchanged.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    handle: Option<Handle>,
    display_name: Option<DisplayName>,
}

impl UserChange {
    /// Creates a change without new names. [`handle`](Self::handle) and [`display_name`](Self::display_name) add them.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::UserChange;
    ///
    /// let unchanged = chat.update_user(&andrew, UserChange::new()).await?;
    /// assert_eq!(unchanged, andrew);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the new handle. Default: unchanged.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::UserChange;
    ///
    /// let renamed = chat.update_user(&andrew, UserChange::new().handle("andrew")?).await?;
    /// assert_eq!(renamed.handle().as_str(), "andrew");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`Handle`] refuses the handle.
    pub fn handle(mut self, handle: impl TryInto<Handle, Error: Into<Error>>) -> Result<Self> {
        self.handle = Some(handle.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Sets the new display name. Default: unchanged.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::UserChange;
    ///
    /// let change = UserChange::new().display_name("Andrew B.")?;
    /// let renamed = chat.update_user(&andrew, change).await?;
    /// assert_eq!(renamed.display_name().as_str(), "Andrew B.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`DisplayName`] refuses the name.
    pub fn display_name(mut self, display_name: impl TryInto<DisplayName, Error: Into<Error>>) -> Result<Self> {
        self.display_name = Some(display_name.try_into().map_err(Into::into)?);
        Ok(self)
    }
}

impl Threadline {
    /// Changes the names of a user, and returns the changed user.
    ///
    /// One transaction updates the user and the claims on the handle and the identity. It costs 4
    /// [WCU](crate::guide::costs) for a new display name, or 6 WCU for a new handle. A new handle with the same
    /// [folded](Handle::folded) form costs only 4 WCU. For a user with an identity, the call costs 2 WCU more. If no
    /// name changes, the call costs 1 RCU.
    ///
    /// The old handle stays [reserved](Self::handle_reservation) for its user. If the duration of the reservation is
    /// zero, the transaction deletes the old claim instead, at the same cost.
    ///
    /// # Copies of the names
    /// The [projector](crate::stream::Projector) copies new names into the user's memberships, and into the other
    /// member's side of direct conversations. Messages keep the names with which they were sent.
    ///
    /// # Claims of version 0.1
    /// Version 0.1 of this crate folded some handles to another form. Such a handle makes the call cost more:
    ///
    /// * The current handle costs 1 RCU more.
    /// * A new handle costs 1 RCU and 2 WCU more.
    /// * The user may still have a claim of version 0.1 on the current or the new handle. To move the claim to the form
    ///   of this version, the call costs a further 1 RCU and up to 2 WCU. It does not move the claim if another user
    ///   has that form.
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::UserChange;
    ///
    /// let change = UserChange::new().handle("andrew")?.display_name("Andrew B.")?;
    /// let renamed = chat.update_user(&andrew, change).await?;
    /// assert_eq!(renamed.version(), 2);
    ///
    /// // The old handle is reserved.
    /// assert_eq!(chat.user_by_handle("andrewbrown").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`ConditionFailed`](ErrorKind::ConditionFailed) if the user was changed after you read it: read the user
    ///   again. A retry of a successful change returns the changed user, if you pass the user as it was before the
    ///   change.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) if the new handle is taken: another user has it, or it is reserved
    ///   for another user.
    /// * [`NotFound`](ErrorKind::NotFound) if there is no such user.
    /// * [`Invalid`](ErrorKind::Invalid) if the new handle is valid only in version 0.1 of this crate; see
    ///   [`Handle::for_look_up`].
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) if a conflict or throttling canceled
    ///   the transaction. They take precedence over `ConditionFailed` and `AlreadyExists`.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if the request itself fails. After an
    ///   unknown outcome, call again with the user as it was before.
    pub async fn update_user(&self, user: &User, change: UserChange) -> Result<User> {
        let call = begin!(&*self.store, CARD);
        call.run(async {
            let handle = change.handle.unwrap_or_else(|| user.handle().clone());
            if handle != *user.handle() {
                handle.check_new()?;
            }
            let display_name = change.display_name.unwrap_or_else(|| user.display_name().clone());
            let renamed = user.renamed(handle, display_name);
            if renamed.profile() == user.profile() {
                // The names equal those of the caller's copy, which may be old. Only the table has the current ones.
                return match call.read::<User>(user.key()).await? {
                    Some(stored) if stored.version() == user.version() => Ok(stored),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }

            // Updates, not puts, so that the application's own attributes of these items stay.
            let mut transaction = Transaction::default();
            let update =
                transaction.add(Write::update(user.key(), names(&renamed)).when(is_unchanged(user)).returning_old());
            let from = locate_claim(&call, user, user.handle()).await?;
            let to = match renamed.handle() {
                handle if is_same_claim(user.handle(), handle) => ClaimLocation { must_be_free: None, ..from.clone() },
                handle => locate_claim(&call, user, handle).await?,
            };
            let claims = self.rename_claims(user, &renamed, from, to, &mut transaction)?;
            if let Some(subject) = user.identity() {
                let claim = Write::update(IdentityClaim::key_from(subject), names(&renamed));
                transaction.add(claim.when(is_of::<IdentityClaim>(user.id())));
            }

            let outcome = call.transact(transaction).await?;
            if outcome.is_refused(update) {
                return match read_own::<User>(outcome.current(update).cloned())? {
                    Some(current) if current == renamed => Ok(renamed),
                    Some(_) => Err(changed_since()),
                    None => Err(no_such_user()),
                };
            }
            if claims.into_iter().any(|claim| outcome.is_refused(claim)) {
                return Err(taken(HandleClaim::TYPE, "handle is taken: choose another"));
            }
            outcome.done().map(|()| renamed)
        })
        .await
    }
}

fn changed_since() -> Error {
    let what = "user was changed since it was read: read it again, and retry the change";
    Error::new(ErrorKind::ConditionFailed, what).with_entity(User::TYPE)
}

fn no_such_user() -> Error {
    Error::not_found("no such user").with_entity(User::TYPE)
}
