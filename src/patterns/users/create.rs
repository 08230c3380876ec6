//! `users.create`

use super::claims::free;
use super::taken;
use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::model::{HandleClaim, IdentityClaim, Profile, User, read_own};
use crate::patterns::Threadline;
use crate::patterns::call::{begin, put_new};
use crate::request::{ActionHandle, Transaction, Write};
use crate::stored::Entity;
use crate::text::{DisplayName, Handle, IdentitySubject};

pub(crate) const CARD: Card = Card::new("users.create", "Threadline::create_user", Caller::Anyone)
    .cases(&[
        Case::new(&[NEW_USER, NEW_CLAIM, NEW_IDENTITY], Cost::of(&[Term::writes(6)])),
        Case::named("without an identity", &[NEW_USER, NEW_CLAIM], Cost::of(&[Term::writes(4)])),
        Case::named(
            "handle with an old key",
            &[
                NEW_USER,
                NEW_CLAIM,
                NEW_IDENTITY,
                RequestCard::check(&HandleClaim::CARD).when("no claim with the old key, or its reservation has ended"),
            ],
            Cost::of(&[Term::writes(8)]),
        ),
    ])
    .retry("returns the created user, if the id, the names and the identity are the same");

const NEW_USER: RequestCard = RequestCard::put(&User::CARD).when("no such user").in_transaction();
const NEW_CLAIM: RequestCard =
    RequestCard::put(&HandleClaim::CARD).when("no claim, or its reservation has ended").in_transaction();
const NEW_IDENTITY: RequestCard = RequestCard::put(&IdentityClaim::CARD).when("no claim").in_transaction();

/// A request to create a user, for [`Threadline::create_user`].
#[derive(Clone, Debug)]
#[must_use]
pub struct NewUser {
    handle: Handle,
    display_name: DisplayName,
    identity: Option<IdentitySubject>,
    id: Option<UserId>,
}

impl NewUser {
    /// Creates a request for a user with these names.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let new = NewUser::new("londo", "Londo Mollari")?;
    /// let londo = chat.create_user(new).await?;
    /// assert_eq!(londo.display_name().as_str(), "Londo Mollari");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`Handle`] or [`DisplayName`] refuses a name.
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

    /// Sets the user's subject at an identity provider, such as Cognito's `sub`. Default: none.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let new = NewUser::new("londo", "Londo Mollari")?.identity("f5a7c1b2")?;
    /// let londo = chat.create_user(new).await?;
    /// assert_eq!(londo.identity().map(|subject| subject.as_str()), Some("f5a7c1b2"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`IdentitySubject`] refuses the subject.
    pub fn identity(mut self, subject: impl TryInto<IdentitySubject, Error: Into<Error>>) -> Result<Self> {
        self.identity = Some(subject.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Sets the id of the user, so that a retry returns the created user. Default: a new id for each call. With this
    /// default, a retry fails with [`AlreadyExists`](crate::ErrorKind::AlreadyExists), because the handle is taken.
    ///
    /// The id may be the one that the user has in another database.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let new = NewUser::new("londo", "Londo Mollari")?.id(chat.new_user_id());
    /// let londo = chat.create_user(new.clone()).await?;
    /// assert_eq!(chat.create_user(new).await?, londo);
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: UserId) -> Self {
        self.id = Some(id);
        self
    }
}

impl Threadline {
    /// Creates a user with a unique handle and, optionally, a unique subject at an identity provider.
    ///
    /// The call is one transaction. It costs 6 [WCU](crate::guide::costs), or 4 WCU for a user without a subject. It
    /// costs 2 WCU more for a handle that version 0.1 of this crate [folded](Handle::folded) in another way, because
    /// the call then also checks the old claim.
    ///
    /// A retry with the same id, names and identity returns the created user.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::ErrorKind;
    ///
    /// let londo = chat.create_user(NewUser::new("londo", "Londo Mollari")?).await?;
    /// assert_eq!(londo.version(), 1);
    ///
    /// let taken = chat.create_user(NewUser::new("Londo", "Another Londo")?).await.unwrap_err();
    /// assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if the handle, the identity or the id is taken.
    ///   [`Error::entity`] shows which one: `HandleClaim`, `IdentityClaim` or `User`. Nothing is written. A handle is
    ///   taken if its [folded](Handle::folded) form is in use or reserved.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the handle is valid only in version 0.1 of this crate; see
    ///   [`Handle::for_look_up`].
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction. They take precedence over `AlreadyExists`.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if the request itself fails. After an
    ///   unknown outcome, call again with the same id. Without an id, the retry may find the handle taken by the user
    ///   that the first call created.
    pub async fn create_user(&self, new: NewUser) -> Result<User> {
        let call = begin!(&*self.store, CARD);
        call.run(async {
            new.handle.check_new()?;
            let now = self.clock.now();
            let id = new.id.unwrap_or_else(|| UserId::from_uuid(self.ids.next(now)));
            let profile = Profile::new(id, new.handle, new.display_name);
            let user = User::new(profile, new.identity.clone(), now);
            let profile = user.profile();

            let mut transaction = Transaction::default();
            let put = transaction.add(put_new(&user)?);
            let claim = HandleClaim::new(profile.clone()).to_item()?;
            let claim = transaction.add(Write::put(claim).when(free(now)));
            let identity = match new.identity {
                Some(subject) => Some(transaction.add(put_new(&IdentityClaim::new(subject, profile))?)),
                None => None,
            };
            let legacy = HandleClaim::legacy_key(user.handle()).map(|key| transaction.check(key, free(now)));
            let outcome = call.transact(transaction).await?;
            let is_refused = |action: Option<ActionHandle>| action.is_some_and(|action| outcome.is_refused(action));
            if outcome.is_refused(put) {
                let stored = read_own::<User>(outcome.current(put).cloned())?;
                let same = |stored: &User| stored.profile() == user.profile() && stored.identity() == user.identity();
                return stored.filter(same).ok_or_else(|| taken(User::TYPE, "user id is taken: use a new one"));
            }
            if outcome.is_refused(claim) || is_refused(legacy) {
                return Err(taken(HandleClaim::TYPE, "handle is taken: choose another"));
            }
            if is_refused(identity) {
                return Err(taken(IdentityClaim::TYPE, "identity has a user already: look that user up"));
            }
            outcome.done().map(|()| user)
        })
        .await
    }
}
