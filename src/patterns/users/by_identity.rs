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
    /// Whom the identity provider knows by this subject; `None` where nobody. 0.5 RCU.
    ///
    /// # Errors
    /// As [`StoreExt::get`](crate::store::StoreExt::get); [`Corrupt`](crate::ErrorKind::Corrupt).
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
