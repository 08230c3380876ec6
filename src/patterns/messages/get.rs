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
    /// Returns one message of the thread, if any: 0.5 RCU per 4 KB. Accepts a message, a position, or a UUIDv7 message id. A deleted
    /// message is returned as a tombstone; an expired one, or another program's item, is not returned.
    ///
    /// The read is eventually consistent, so it may miss a message that was just sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// let chat = Threadline::new(MemoryStore::new());
    /// let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    ///
    /// let sent = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// assert_eq!(thread.message(sent.position()).await?, Some(sent));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) for a message that cannot be read.
    /// * [`Invalid`](crate::ErrorKind::Invalid) for an id that is no UUIDv7.
    /// * As [`StoreExt::get`](crate::store::StoreExt::get).
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
