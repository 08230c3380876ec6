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
    /// Starts the direct conversation of two users with a first message. If the conversation exists, sends the message
    /// into it.
    ///
    /// The conversation's [id](GroupId::direct) is derived from the two users. So they never get two conversations,
    /// even if both start one at the same time. The sender and the recipient must be stored users: pass the result of
    /// [`create_user`](Self::create_user) or of a lookup.
    ///
    /// To start a conversation, the call sends one transaction. It costs 8 [WCU](crate::guide::costs) in the table and
    /// 2 WCU in the index. If the conversation exists, the call costs 9 WCU in the table, 1 RCU, and nothing in the
    /// index. A retry outside the [send window](crate::SendWindow) only reads, for 3 RCU. These costs are for a message
    /// of up to 1 KB.
    ///
    /// A retry is safe with a [`Draft`] that has an id.
    ///
    /// The message contains the sender's names. In a new conversation, they are those of `from`. In an existing
    /// one, they are those of the sender's membership, as in [`Thread::send`].
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let same = chat.start_direct(&bayko, &andrew, "Hello, Andrew!").await?;
    /// assert_eq!(same.group_id(), thread.group_id());
    /// assert_eq!(thread.messages().fetch().await?.items.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the two users are the same, or if [`Thread::send_draft`] would
    ///   refuse the message as `Invalid`.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) if the message's time is later than the
    ///   [send window](crate::SendWindow) allows, and no earlier call stored the message.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the message was stored and has expired.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another message has the draft's id, or if
    ///   another program stored a conversation of other users under the id that is derived from these two.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) if a membership or the message exists without the
    ///   group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction. They take precedence over `AlreadyExists` and `ConditionFailed`.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if a request itself fails. After an
    ///   unknown outcome, call again with the same draft. Without an id, the draft may be sent twice.
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
                // The message cannot start a conversation, but this may be a retry of a successful start.
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
                // The pair's derived id belongs to another conversation, which must not get the message.
                return Err(another_group());
            }
            let body = message.body().cloned().ok_or_else(|| Error::invalid("message has no text"))?;
            // The names of the membership, as in `send`.
            let sender = thread.membership.profile();
            self.deliver(&call, Message::new(group, message.created_at(), message.id(), sender, body)).await?;
            Ok(thread)
        })
        .await
    }
}
