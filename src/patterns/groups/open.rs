//! `groups.open`

use super::{OPEN, not_a_member};
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::model::{Membership, Message};
use crate::patterns::call::{Call, begin};
use crate::patterns::{Thread, Threadline};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.open", "Threadline::open", Caller::Member)
    .cases(&[
        Case::new(&[OPEN], Cost::of(&[Term::reads(1)])),
        Case::named(
            "shown message has expired",
            &[OPEN, RequestCard::query(&Message::CARD).consistent()],
            Cost::of(&[Term::reads(1), Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("reads again");

impl Threadline {
    /// Opens a conversation for one of its members: the proof that every call on a thread needs. One consistent read: 1 RCU, and
    /// 1 RCU more if the message that the membership shows has expired.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for somebody who is no member, the same as for a conversation that does not exist; as
    /// [`StoreExt::get`](crate::store::StoreExt::get).
    pub async fn open(&self, user: UserId, group: GroupId) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        call.run(self.open_in(&call, user, group)).await
    }

    pub(super) async fn open_in(&self, call: &Call<'_>, user: UserId, group: GroupId) -> Result<Thread> {
        let membership = call.read(Membership::key_from((group, user))).await?.ok_or_else(not_a_member)?;
        Ok(self.thread(self.without_expired(call, membership).await?))
    }

    pub(super) fn thread(&self, membership: Membership) -> Thread {
        Thread { threadline: self.clone(), membership }
    }
}
