//! `groups.start_direct`

use super::{GROUP, MEMBERSHIPS, MESSAGE, OPEN, another_group, check_two, created_or_existing};
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::id::GroupId;
use crate::model::{Conversation, Membership, Message, MessageGroup, Profile};
use crate::patterns::call::{begin, put_new};
use crate::patterns::{Draft, Thread, Threadline};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.start_direct", "Threadline::start_direct", Caller::Anyone)
    .cases(&[
        Case::named(
            "new",
            &[GROUP, MEMBERSHIPS, MESSAGE],
            Cost::of(&[Term::writes(6), Term::writes(2).per(Per::WrittenKb), Term::index_writes(2)]),
        ),
        Case::named(
            "existing",
            &[GROUP, MEMBERSHIPS, MESSAGE, OPEN, SEND],
            Cost::of(&[Term::reads(1), Term::writes(8), Term::writes(1).per(Per::WrittenKb)]),
        ),
        Case::named(
            "existing, message is stored",
            &[GROUP, MEMBERSHIPS, MESSAGE, OPEN, SEND],
            Cost::of(&[Term::reads(1), Term::writes(6), Term::writes(3).per(Per::WrittenKb)]),
        ),
        Case::named(
            "existing, outside the send window",
            &[RequestCard::get(&MessageGroup::CARD).consistent(), OPEN, RequestCard::get(&Message::CARD).consistent()],
            Cost::of(&[Term::reads(2), Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("opens the conversation, and stores the message once if the draft has an id");

const SEND: RequestCard = RequestCard::put(&Message::CARD).when("no such message");

impl Threadline {
    /// Starts the direct conversation of two people with a first message, or sends the message into the one they have.
    ///
    /// The conversation's id follows from the two people, so that they never get two, also when both start at once. One
    /// transaction: 8 WCU and 2 of the index. If the conversation exists, 1 RCU and 1 WCU more, and none of the index. A retry
    /// outside the [send window](crate::SendWindow) only reads: 3 RCU.
    ///
    /// Both people must be users: pass what [`create_user`](Self::create_user) or a look-up returned. A retry is safe with a
    /// [`Draft`] that has an id.
    ///
    /// In a conversation that exists, the message carries the names of the membership, as [`Thread::send`] does.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a conversation with oneself, and for what [`Thread::send_draft`] refuses.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) for a message ahead of the [send window](crate::SendWindow) that is not stored.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is another message with the draft's id, or a group of other
    ///   people under the id that is the pair's.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) when one of its rows, or the message, is there without the group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that canceled the transaction,
    ///   whatever else would have.
    /// * As [`StoreExt::transact`](crate::store::StoreExt::transact). After an unknown outcome, call again with the same draft: one without an
    ///   id is sent a second time then.
    pub async fn start_direct(
        &self,
        from: impl Into<Profile>,
        to: impl Into<Profile>,
        first: impl TryInto<Draft, Error: Into<Error>>,
    ) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        let (from, to, first) = (from.into(), to.into(), first.try_into().map_err(Into::into));
        call.run(async {
            check_two(&from, &to)?;
            let to_id = to.id();
            let group = GroupId::direct(from.id(), to_id);
            let now = self.clock.now();
            let message = self.compose(group, from.clone(), first?)?;
            let existing = if let Some(error) = self.out_of_window(message.created_at()) {
                // Nothing can be started with it, but perhaps it is a retry of a start that was done.
                call.read(MessageGroup::key_from(group)).await?.ok_or(error)?
            } else {
                let item = MessageGroup::new(group, None, 2, from.id(), now);
                let mine =
                    Membership::new(group, from.clone(), Conversation::Direct(to.clone()), now).showing(&message);
                let theirs = Membership::new(group, to, Conversation::Direct(from.clone()), now).showing(&message);
                let writes = [put_new(&mine)?, put_new(&theirs)?, put_new(&message)?];
                match created_or_existing(&call, &item, writes).await? {
                    None => return Ok(self.thread(mine)),
                    Some(existing) => existing,
                }
            };
            let group = existing.continued_in().unwrap_or(group);
            let thread = self.open_in(&call, from.id(), group).await?;
            if thread.membership.other().map(|other| other.id()) != Some(to_id) {
                // Somebody made a group of another kind under the pair's id: nothing may be said into it.
                return Err(another_group());
            }
            let body = message.body().cloned().ok_or_else(|| Error::invalid("a message has a text"))?;
            // As `send` does: with the names of the membership.
            let sender = thread.membership.profile();
            self.deliver(&call, Message::new(group, message.created_at(), message.id(), sender, body)).await?;
            Ok(thread)
        })
        .await
    }
}
