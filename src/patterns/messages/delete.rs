//! `messages.delete`

use super::change::Changed;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{Message, MessagePosition};
use crate::patterns::Thread;
use crate::patterns::call::begin;
use crate::request::{Condition, Update};

pub(crate) const CARD: Card = Card::new("messages.delete", "Thread::delete", Caller::Author)
    .cases(&[Case::new(
        &[RequestCard::update(&Message::CARD).when("the caller's message, not deleted")],
        Cost::of(&[Term::writes(1).per(Per::WrittenKb)]),
    )])
    .retry("returns the tombstone");

impl Thread {
    /// Deletes a message that the [caller](Thread) sent, and returns its tombstone. Accepts a message, a
    /// [position](MessagePosition), or a UUIDv7 message id.
    ///
    /// The text is removed. The tombstone, which is the message without its text, stays in the table, so that no late
    /// edit restores the message.
    ///
    /// The call is one conditional update, for 1 [WCU](crate::guide::costs) per KB of the message. Deleting a deleted
    /// message changes nothing, so a retry is safe.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let sent = thread.send(chat.new_message_id(), "Oops").await?;
    /// let tombstone = thread.delete(&sent).await?;
    /// assert!(tombstone.is_deleted());
    /// assert_eq!(tombstone.body(), None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the id is not a UUIDv7.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if there is no such message in this conversation.
    /// * [`Denied`](crate::ErrorKind::Denied) if another user sent the message.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the message cannot be read.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write) if the request itself fails. After an unknown
    ///   outcome, delete again.
    pub async fn delete(&self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<Message> {
        let call = begin!(&*self.threadline.store, CARD);
        let position = message.try_into().map_err(Into::into);
        call.run(async {
            let now = self.threadline.clock.now();
            let update = Update::new().set(Message::DELETED_AT, now).remove(Message::BODY);
            match self.change(&call, position?, update, Condition::absent(Message::DELETED_AT)).await? {
                Changed::Done(old) => Ok(old.deleted(now)),
                Changed::Refused(tombstone) => Ok(tombstone),
            }
        })
        .await
    }
}
