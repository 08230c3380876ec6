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
    /// The group itself: its title, how many members it has, who started it and when. 0.5 RCU.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the group is gone; as [`StoreExt::get`](crate::store::StoreExt::get).
    pub async fn group(&self) -> Result<MessageGroup> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async { call.look_up(MessageGroup::key_from(self.group_id())).await?.ok_or_else(not_a_member) }).await
    }
}
