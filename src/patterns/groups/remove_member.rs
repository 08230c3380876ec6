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
    /// Removes a member from the group. The member may be the [caller](Thread). The call deletes the membership, so the
    /// removed user can no longer open the conversation. The member's messages stay.
    ///
    /// The call is one transaction. In the table, it costs 4 [WCU](crate::guide::costs) to leave the group, or 6 WCU to
    /// remove another member. Of the 6 WCU, 2 check that the caller is still a member. In the index, it costs 1 WCU.
    ///
    /// Any member may remove any other. If your application has roles, check them first.
    ///
    /// Removing a user who is not a member changes nothing, so a retry is safe.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko);
    /// let thread = chat.create_group(new, "Welcome!").await?;
    /// thread.remove_member(bayko.id()).await?;
    /// assert_eq!(thread.members().await?.items.len(), 1);
    /// assert!(chat.open(bayko.id(), thread.group_id()).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the conversation is direct, because its members cannot change.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the caller is no longer a member and removes another user.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) if the membership exists without the group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction. They take precedence over the kinds above.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if the request itself fails. After an
    ///   unknown outcome, call again.
    pub async fn remove_member(&self, member: UserId) -> Result<()> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async {
            self.title()?;
            let delete = Write::delete(Membership::key_from((self.group_id(), member)))
                .when(Condition::item_exists().and(is_own::<Membership>()));
            let mut transaction = Transaction::default();
            let removed = transaction.add(delete);
            transaction.add(self.count_members(-1));
            let caller = (member != self.membership.user_id()).then(|| transaction.add(self.still_a_member()));
            let outcome = call.transact(transaction).await?;
            if caller.is_some_and(|caller| outcome.is_refused(caller)) {
                return Err(not_a_member());
            }
            if outcome.is_refused(removed) { Ok(()) } else { outcome.done() }
        })
        .await
    }
}
