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
    /// Returns the user with this id, if any.
    ///
    /// The lookup costs 0.5 [RCU](crate::guide::costs). It is eventually consistent, so it may miss a very recent
    /// change.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// assert_eq!(chat.user(andrew.id()).await?, Some(andrew));
    /// assert_eq!(chat.user(chat.new_user_id()).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the item cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if the request itself fails.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let call = begin!(&*self.store, CARD);
        call.run(call.look_up(User::key_from(id))).await
    }
}
