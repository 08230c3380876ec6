//! `users.get`

use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::Result;
use crate::id::UserId;
use crate::model::User;
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("users.get", "Threadline::user", Caller::Anyone)
    .cases(&[Case::new(&[RequestCard::get(&User::CARD)], Cost::of(&[Term::half_reads(1)]))])
    .retry("reads again");

impl Threadline {
    /// The user with this id; `None` where there is none. 0.5 RCU. Eventually consistent, as are the other look-ups: it may miss a
    /// change of the last moment.
    ///
    /// # Errors
    /// As [`StoreExt::get`](crate::store::StoreExt::get); [`Corrupt`](crate::ErrorKind::Corrupt).
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let call = begin!(&*self.store, CARD);
        call.run(call.look_up(User::key_from(id))).await
    }
}
