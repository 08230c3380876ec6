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
    /// Notes that the member has read up to this message, which is a message, a position, or an id that is a UUIDv7. It only
    /// ever moves forward: an earlier message changes nothing. It never moves past the clock: a message that is ahead of it stays
    /// unread until it is marked after its time, within the [send window](crate::SendWindow). A conditional update: 1 WCU, and 1
    /// of the index; 1 RCU more if the message that the membership shows has expired, and 2 if the marker is not moved either.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) when the user is no longer a member.
    /// * As [`StoreExt::write`](crate::store::StoreExt::write). After an unknown outcome, mark again.
    pub async fn mark_read(&mut self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<()> {
        let position = message.try_into().map_err(Into::into);
        let store = self.threadline.store.clone();
        let call = begin!(&*store, CARD);
        call.run(async {
            let position = position?;
            // A message ahead of the clock would mark others as read that nobody has seen yet.
            let position = self.threadline.not_ahead(position);
            let value = || position.to_string();
            let forward = Condition::absent(Membership::LAST_READ).or(Condition::lt(Membership::LAST_READ, value()));
            let write = Write::update(self.membership.key(), Update::new().set(Membership::LAST_READ, value()))
                .when(Condition::item_exists().and(is_own::<Membership>()).and(forward))
                .returning_old();
            // Read first: a read that failed after the write would say that nothing was done.
            let me = self.threadline.without_expired(&call, self.membership.clone()).await?;
            match call.write(write).await? {
                WriteOutcome::Done { .. } => {
                    self.membership = me.read_up_to(position);
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
