//! `groups.remove_member`

use super::not_a_member;
use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::Result;
use crate::id::UserId;
use crate::model::{Membership, MessageGroup};
use crate::patterns::Thread;
use crate::patterns::call::{begin, is_own};
use crate::request::{Condition, Transaction, Write};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.remove_member", "Thread::remove_member", Caller::Member)
    .cases(&[
        Case::new(&[MEMBERSHIP, COUNT, CALLER], Cost::of(&[Term::writes(6), Term::index_writes(1)])),
        Case::named("oneself", &[MEMBERSHIP, COUNT], Cost::of(&[Term::writes(4), Term::index_writes(1)])),
        Case::named("no member", &[MEMBERSHIP, COUNT, CALLER], Cost::of(&[Term::writes(6)])),
    ])
    .retry("changes nothing");

const MEMBERSHIP: RequestCard = RequestCard::delete(&Membership::CARD).when("the membership exists").in_transaction();
const COUNT: RequestCard = RequestCard::update(&MessageGroup::CARD).when("the group exists").in_transaction();
const CALLER: RequestCard = RequestCard::check(&Membership::CARD).when("the caller is a member");

impl Thread {
    /// Removes a member, who may be oneself: the row goes, and with it the way into the thread. One transaction: 4 WCU to leave
    /// oneself, 6 to remove another (2 of them for the proof that the caller is still a member), and 1 of the index. Any member may
    /// remove any other; what else an application asks of them is its own to check. The messages stay. Removing somebody who is no
    /// member is done without a change, so a repeat is safe.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a direct conversation, which has two members for ever.
    /// * [`NotFound`](crate::ErrorKind::NotFound) when the caller, who removes another, is no longer a member.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) when the group is gone, and its rows are not.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that canceled the transaction,
    ///   whatever else would have.
    /// * As [`StoreExt::transact`](crate::store::StoreExt::transact). After an unknown outcome, call again.
    pub async fn remove_member(&self, member: UserId) -> Result<()> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async {
            self.title()?;
            let row = Write::delete(Membership::key_from((self.group_id(), member)))
                .when(Condition::item_exists().and(is_own::<Membership>()));
            let mut transaction = Transaction::default();
            let row = transaction.add(row);
            transaction.add(self.count_members(-1));
            let caller = (member != self.membership.user_id()).then(|| transaction.add(self.still_a_member()));
            let outcome = call.transact(transaction).await?;
            if caller.is_some_and(|caller| outcome.is_refused(caller)) {
                return Err(not_a_member());
            }
            if outcome.is_refused(row) { Ok(()) } else { outcome.done() }
        })
        .await
    }
}
