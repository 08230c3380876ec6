//! `users.by_identity`

use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::entity::Entity;
use crate::error::Result;
use crate::model::{IdentityClaim, Profile};
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::text::IdentitySubject;

pub(crate) const CARD: Card = Card::new("users.by_identity", "Threadline::user_by_identity", Caller::Anyone)
    .cases(&[Case::new(&[RequestCard::get(&IdentityClaim::CARD)], Cost::of(&[Term::half_reads(1)]))])
    .retry("reads again");

impl Threadline {
    /// Whom the identity provider knows by this subject; `None` where nobody. 0.5 RCU.
    ///
    /// # Errors
    /// As [`StoreExt::get`](crate::StoreExt::get); [`Corrupt`](crate::ErrorKind::Corrupt).
    pub async fn user_by_identity(&self, subject: &IdentitySubject) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, CARD);
        let key = IdentityClaim::key_from(subject);
        call.run(async { Ok(call.look_up(key).await?.map(IdentityClaim::into_profile)) }).await
    }
}
