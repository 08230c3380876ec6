//! `messages.get`

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{Message, MessageKey, MessagePosition};
use crate::patterns::Thread;
use crate::patterns::call::begin;
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("messages.get", "Thread::message", Caller::Member)
    .cases(&[Case::new(&[RequestCard::get(&Message::CARD)], Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]))])
    .retry("reads again");

impl Thread {
    /// Returns a message of the conversation, if the message exists. Accepts a message, a [position](MessagePosition),
    /// or a UUIDv7 message id.
    ///
    /// The call costs 0.5 [RCU](crate::guide::costs) per 4 KB of the message. The read is eventually consistent, so it
    /// may miss a message that was just sent.
    ///
    /// For a deleted message, the call returns the tombstone: the message without its text. It never returns an expired
    /// message or another program's item.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let sent = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// assert_eq!(thread.message(sent.position()).await?, Some(sent));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the message cannot be read.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the id is not a UUIDv7.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if the request itself fails.
    pub async fn message(
        &self,
        position: impl TryInto<MessagePosition, Error: Into<Error>>,
    ) -> Result<Option<Message>> {
        let call = begin!(&*self.threadline.store, CARD);
        let position = position.try_into().map_err(Into::into);
        call.run(async {
            let key = Message::key_from(MessageKey { group: self.group_id(), position: position? });
            call.look_up(key).await
        })
        .await
    }
}
