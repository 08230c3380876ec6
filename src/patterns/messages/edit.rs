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
    /// Gives a message of one's own another text. A conditional update: 1 WCU per KB. A message that has the text already is
    /// left as it is, so a repeat is safe. Of two edits, the one that reaches the table last stays.
    ///
    /// The message is told by itself, its position, or its id where that is a UUIDv7.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) when there is no such message in this thread, or it was deleted.
    /// * [`Denied`](crate::ErrorKind::Denied) when it is somebody else's.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) for a message that cannot be read.
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a text that [`MessageBody`] refuses.
    /// * As [`StoreExt::write`](crate::store::StoreExt::write). After an unknown outcome, edit again.
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
            let needed = Condition::absent(Message::DELETED_AT).and(Condition::ne(Message::BODY, text()));
            match self.change(&call, position?, update, needed).await? {
                Changed::Now(old) => Ok(old.edited(body, now)),
                Changed::Not(stored) if stored.is_deleted() => {
                    Err(Error::not_found("the message was deleted").with_entity(Message::TYPE))
                }
                Changed::Not(stored) => Ok(stored),
            }
        })
        .await
    }
}
