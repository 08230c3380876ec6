//! `messages.edit`

use super::change::Changed;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{Message, MessagePosition};
use crate::patterns::Thread;
use crate::patterns::call::begin;
use crate::request::{Condition, Update};
use crate::stored::Entity;
use crate::text::MessageBody;

pub(crate) const CARD: Card = Card::new("messages.edit", "Thread::edit", Caller::Author)
    .cases(&[Case::new(
        &[RequestCard::update(&Message::CARD).when("the caller's message, not deleted, with another text")],
        Cost::of(&[Term::writes(1).per(Per::WrittenKb)]),
    )])
    .retry("returns the edited message");

impl Thread {
    /// Replaces the text of the caller's own message. Accepts a message, a position, or a UUIDv7 message id.
    ///
    /// One conditional update: 1 WCU per KB. Editing to the same text changes nothing, so a retry is safe. Of two
    /// edits, the one that reaches the table last wins.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let sent = thread.send(chat.new_message_id(), "Are you their?").await?;
    /// let edited = thread.edit(&sent, "Are you there?").await?;
    /// assert_eq!(edited.body().map(|body| body.as_str()), Some("Are you there?"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) if there is no such message in this thread, or if it was deleted.
    /// * [`Denied`](crate::ErrorKind::Denied) if another user sent the message.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the message cannot be read.
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a text that [`MessageBody`] refuses, and for an id that is no
    ///   UUIDv7.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write). After an unknown outcome, edit again.
    pub async fn edit(
        &self,
        message: impl TryInto<MessagePosition, Error: Into<Error>>,
        body: impl TryInto<MessageBody, Error: Into<Error>>,
    ) -> Result<Message> {
        let call = begin!(&*self.threadline.store, CARD);
        let (position, body) = (message.try_into().map_err(Into::into), body.try_into().map_err(Into::into));
        call.run(async {
            let (body, now) = (body?, self.threadline.clock.now());
            let text = || &body;
            let update = Update::new().set(Message::BODY, text()).set(Message::EDITED_AT, now);
            let condition = Condition::absent(Message::DELETED_AT).and(Condition::ne(Message::BODY, text()));
            match self.change(&call, position?, update, condition).await? {
                Changed::Done(old) => Ok(old.edited(body, now)),
                Changed::Refused(stored) if stored.is_deleted() => {
                    Err(Error::not_found("message was deleted").with_entity(Message::TYPE))
                }
                Changed::Refused(stored) => Ok(stored),
            }
        })
        .await
    }
}
