//! `groups.get`

use super::not_a_member;
use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::Result;
use crate::model::MessageGroup;
use crate::patterns::Thread;
use crate::patterns::call::begin;
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.get", "Thread::group", Caller::Member)
    .cases(&[Case::new(&[RequestCard::get(&MessageGroup::CARD)], Cost::of(&[Term::half_reads(1)]))])
    .retry("reads again");

impl Thread {
    /// Returns the stored conversation: its title, the number of its members, its creator and its time of creation.
    ///
    /// The call costs 0.5 [RCU](crate::guide::costs). The read is eventually consistent, so it may miss a very recent
    /// change.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko);
    /// let group = chat.create_group(new, "Welcome!").await?.group().await?;
    /// assert_eq!((group.created_by(), group.member_count()), (andrew.id(), 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the conversation does not exist.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the item cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if the request itself fails.
    pub async fn group(&self) -> Result<MessageGroup> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async { call.look_up(MessageGroup::key_from(self.group_id())).await?.ok_or_else(not_a_member) }).await
    }
}
