//! `users.by_identity`

use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{IdentityClaim, Profile};
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::stored::Entity;
use crate::text::IdentitySubject;

pub(crate) const CARD: Card = Card::new("users.by_identity", "Threadline::user_by_identity", Caller::Anyone)
    .cases(&[Case::new(&[RequestCard::get(&IdentityClaim::CARD)], Cost::of(&[Term::half_reads(1)]))])
    .retry("reads again");

impl Threadline {
    /// Returns the user with this subject, if any. A subject is the user's id at an identity provider, such as
    /// Cognito's `sub`.
    ///
    /// The lookup costs 0.5 [RCU](crate::guide::costs). It is eventually consistent, so it may miss a very recent
    /// change.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let new = NewUser::new("londo", "Londo Mollari")?.identity("f5a7c1b2")?;
    /// let londo = chat.create_user(new).await?;
    /// assert_eq!(chat.user_by_identity("f5a7c1b2").await?, Some(londo.profile()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`IdentitySubject`] refuses the subject.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the item cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if the request itself fails.
    pub async fn user_by_identity(
        &self,
        subject: impl TryInto<IdentitySubject, Error: Into<Error>>,
    ) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, CARD);
        let subject = subject.try_into().map_err(Into::into);
        call.run(async {
            let key = IdentityClaim::key_from(&subject?);
            Ok(call.look_up(key).await?.map(IdentityClaim::into_profile))
        })
        .await
    }
}
