//! `groups.add_member`

use super::{MEMBERSHIP, OPEN, not_a_member};
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Conversation, Membership, Message, MessageGroup, Profile, read_own};
use crate::patterns::Thread;
use crate::patterns::call::{begin, put_new};
use crate::patterns::newest_message;
use crate::request::{Condition, Transaction};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.add_member", "Thread::add_member", Caller::Member)
    .cases(&[
        Case::new(
            &[NEWEST, CALLER, COUNT, MEMBERSHIP],
            Cost::of(&[Term::reads(1).per(Per::ReadBlock), Term::writes(6), Term::index_writes(1)]),
        ),
        Case::named(
            "existing member",
            &[NEWEST, CALLER, COUNT, MEMBERSHIP],
            Cost::of(&[Term::reads(1).per(Per::ReadBlock), Term::writes(6)]),
        ),
        Case::named("oneself", &[OPEN], Cost::of(&[Term::reads(1)])),
    ])
    .retry("changes nothing");

const NEWEST: RequestCard = RequestCard::query(&Message::CARD).consistent();
const CALLER: RequestCard = RequestCard::check(&Membership::CARD).when("the caller is a member");
const COUNT: RequestCard =
    RequestCard::update(&MessageGroup::CARD).when("the group exists and has room").in_transaction();

impl Thread {
    /// Adds a member to the group. The new member can read all messages of the group, and none of them is unread.
    ///
    /// First, the call reads the newest messages consistently. This read usually costs 1 [RCU](crate::guide::costs),
    /// and more if the messages are long. Then one transaction adds the member, for 6 WCU in the table and 1 WCU in the
    /// index. Of the 6 WCU, 2 check that the [caller](Thread) is still a member.
    ///
    /// Any member may add any user. If your application has roles, check them first.
    ///
    /// Adding an existing member changes nothing, so a retry is safe. If the added user is the caller, the call only
    /// checks the membership, by one consistent read: 1 RCU.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let thread = chat.create_group(NewGroup::new("Babylon 5 fans", &andrew)?, "Welcome!").await?;
    /// thread.add_member(&bayko).await?;
    /// assert_eq!(thread.members().await?.items.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the conversation is direct, or if the group already has
    ///   [`MAX_MEMBERS`](MessageGroup::MAX_MEMBERS) members.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the caller is no longer a member.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another program's item has the key of the membership.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the membership exists but cannot be read.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction. They take precedence over the kinds above.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if the request itself fails. After an
    ///   unknown outcome, call again.
    pub async fn add_member(&self, member: impl Into<Profile>) -> Result<()> {
        let call = begin!(&*self.threadline.store, CARD);
        let member = member.into();
        call.run(async {
            let title = self.title()?;
            if member.id() == self.membership.user_id() {
                // A removed member must not become a member again through an old thread.
                return self.threadline.open_in(&call, member.id(), self.group_id()).await.map(drop);
            }
            let mut membership =
                Membership::new(self.group_id(), member, Conversation::Group(title), self.threadline.clock.now());
            if let Some(newest) = newest_message(&call, self.group_id()).await? {
                membership = membership.showing(&newest).read_up_to(self.threadline.not_after_now(newest.position()));
            }
            let count =
                self.count_members(1).when(Condition::lt(MessageGroup::MEMBER_COUNT, MessageGroup::MAX_MEMBERS));
            let mut transaction = Transaction::default();
            let caller = transaction.add(self.still_a_member());
            let count = transaction.add(count);
            let added = transaction.add(put_new(&membership)?);
            let outcome = call.transact(transaction).await?;
            if outcome.is_refused(caller) {
                return Err(not_a_member());
            }
            if outcome.is_refused(added) {
                let stored = outcome.current(added).cloned();
                return read_own::<Membership>(stored)?.map(drop).ok_or_else(another_item);
            }
            if outcome.is_refused(count) {
                let message = format!("group has {} members; that is the limit", MessageGroup::MAX_MEMBERS);
                return Err(Error::invalid(message));
            }
            outcome.done()
        })
        .await
    }
}

fn another_item() -> Error {
    let message = "another program's item has the key of the membership";
    Error::new(ErrorKind::AlreadyExists, message).with_entity(Membership::TYPE)
}
