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
    /// Replaces the text of a message that the [caller](Thread) sent, and returns the changed message. Accepts a
    /// message, a [position](MessagePosition), or a UUIDv7 message id.
    ///
    /// The call is one conditional update, for 1 [WCU](crate::guide::costs) per KB of the message. Editing to the same
    /// text changes nothing, so a retry is safe. Of two edits, the one that reaches the table last wins.
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
    /// * [`NotFound`](crate::ErrorKind::NotFound) if there is no such message in this conversation, or if it was
    ///   deleted.
    /// * [`Denied`](crate::ErrorKind::Denied) if another user sent the message.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the message cannot be read.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`MessageBody`] refuses the text, or if the id is not a UUIDv7.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write) if the request itself fails. After an unknown
    ///   outcome, edit again.
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
