//! `inbox.mark_read`

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{Membership, Message, MessagePosition, read_own};
use crate::patterns::Thread;
use crate::patterns::call::{begin, is_own};
use crate::patterns::groups::not_a_member;
use crate::request::{Condition, Update, Write, WriteOutcome};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("inbox.mark_read", "Thread::mark_read", Caller::Member)
    .cases(&[
        Case::new(&[FORWARD], Cost::of(&[Term::writes(1), Term::index_writes(1)])),
        Case::named("earlier message", &[FORWARD], Cost::of(&[Term::writes(1)])),
        Case::named(
            "shown message has expired",
            &[RequestCard::query(&Message::CARD).consistent(), FORWARD],
            Cost::of(&[Term::reads(1).per(Per::ReadBlock), Term::writes(1), Term::index_writes(1)]),
        ),
    ])
    .retry("changes nothing");

const FORWARD: RequestCard =
    RequestCard::update(&Membership::CARD).when("the membership exists, and its read marker is earlier");

impl Thread {
    /// Marks the messages up to this one as read by the member. Accepts a message, a [position](MessagePosition), or a
    /// UUIDv7 message id.
    ///
    /// The member's read marker only moves forward, so an earlier message changes nothing. The marker never moves past
    /// the [clock](crate::Threadline::clock). A message may be slightly later than the clock, because the
    /// [send window](crate::SendWindow) allows it. Such a message stays unread: call again after the clock has reached
    /// its time.
    ///
    /// The call is one conditional update. It costs 1 [WCU](crate::guide::costs) in the table, and 1 WCU in the index
    /// if the marker moves.
    ///
    /// The call also updates this thread's [membership](Self::membership). If the newest message that it showed has
    /// expired, the call reads the newest remaining messages. This usually costs 1 RCU, and more if the messages are
    /// long. If another call has moved the marker further, the read may be made twice.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let group = chat.start_direct(&andrew, &bayko, "Hello").await?.group_id();
    /// let mut thread = chat.open(bayko.id(), group).await?;
    /// assert_eq!(thread.unread().await?.count, 1);
    ///
    /// let newest = thread.messages().limit(1).fetch().await?.items.remove(0);
    /// thread.mark_read(&newest).await?;
    /// assert_eq!(thread.unread().await?.count, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the id is not a UUIDv7.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the user is no longer a member.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write) if the request itself fails. After an unknown
    ///   outcome, mark again.
    pub async fn mark_read(&mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<()> {
        let position = message.try_into().map_err(Into::into);
        let store = self.threadline.store.clone();
        let call = begin!(&*store, CARD);
        call.run(async {
            let position = position?;
            // A marker later than the clock would mark messages as read that nobody has sent yet.
            let position = self.threadline.not_after_now(position);
            let forward = Condition::absent(Membership::LAST_READ).or(Condition::lt(Membership::LAST_READ, position));
            let write = Write::update(self.membership.key(), Update::new().set(Membership::LAST_READ, position))
                .when(Condition::item_exists().and(is_own::<Membership>()).and(forward))
                .returning_old();
            // Before the write, because a failed read after it would hide that the marker moved.
            let membership = self.threadline.without_expired(&call, self.membership.clone()).await?;
            match call.write(write).await? {
                WriteOutcome::Done { .. } => {
                    self.membership = membership.read_up_to(position);
                    Ok(())
                }
                WriteOutcome::Refused { current, .. } => {
                    let current = read_own::<Membership>(current)?.ok_or_else(not_a_member)?;
                    self.membership = self.threadline.without_expired(&call, current).await?;
                    Ok(())
                }
            }
        })
        .await
    }
}
