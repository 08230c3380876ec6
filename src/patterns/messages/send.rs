//! `messages.send`

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::model::Message;
use crate::patterns::call::begin;
use crate::patterns::{Draft, Thread};
use crate::text::MessageBody;

pub(crate) const CARD: Card = Card::new("messages.send", "Thread::send", Caller::Member)
    .cases(&[
        Case::new(
            &[RequestCard::put(&Message::CARD).when("no such message")],
            Cost::of(&[Term::writes(1).per(Per::WrittenKb)]),
        ),
        Case::named(
            "outside the send window",
            &[RequestCard::get(&Message::CARD).consistent()],
            Cost::of(&[Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("returns the stored message, if the id, the author and the text are the same");

impl Thread {
    /// Sends a message with this id to the conversation, and returns the message.
    ///
    /// The call is one conditional put, for 1 [WCU](crate::guide::costs) per KB of the message. For an id outside the
    /// [send window](crate::SendWindow), the call sends nothing. It only looks for a stored message with this id, for 1
    /// RCU per 4 KB.
    ///
    /// Create the id on the server, by [`new_message_id`](crate::Threadline::new_message_id). The time in the id
    /// determines the message's position. An id from a device with a slow clock could place a reply before the message
    /// that it answers.
    ///
    /// # Retries
    /// A retry with the same id, author and text returns the stored message. After an unknown outcome, send again with
    /// the same id.
    ///
    /// # Names
    /// The message gets the sender's names from the membership that [`open`](crate::Threadline::open) read. The message
    /// keeps these names after a rename. To show current names, look the sender up by
    /// [`sender_id`](Message::sender_id).
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let id = chat.new_message_id();
    /// let sent = thread.send(id, "Are you there?").await?;
    /// assert_eq!(thread.send(id, "Are you there?").await?, sent);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`MessageBody`] refuses the text, or if the id is not a UUIDv7. For
    ///   such an id, use [`send_draft`](Self::send_draft).
    /// * [`Invalid`](crate::ErrorKind::Invalid) if no message with this id is stored, and the id's time is too early
    ///   for the [send window](crate::SendWindow), or more than 24 hours later than the clock. An expired message
    ///   counts as not stored.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) if the id is later than the send window, but at most 24 hours
    ///   later than the clock, and no message with this id is stored. Nothing was sent. A retry succeeds once the id is
    ///   within the window. The error's text states the time to wait.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the id is within the window, and the message with this id has
    ///   expired. Once DynamoDB has removed the expired message, a retry within the window sends a new message.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another user sent a message with this id, or if the
    ///   stored message was sent with another text, was edited, or was deleted.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write) if the request itself fails.
    pub async fn send(&self, id: MessageId, body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(body.try_into().map_err(Into::into).map(|body| Draft::from(body).id(id))).await
    }

    /// Sends a draft to the conversation, and returns the message. Accepts a [`Draft`] or a plain text. A draft may
    /// have an id that is not a UUIDv7, for example that of an imported message.
    ///
    /// The call costs as much as [`send`](Self::send).
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::Draft;
    ///
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// thread.send_draft("Are you there?").await?;
    /// let draft = Draft::new("Andrew?")?.id(chat.new_message_id());
    /// let sent = thread.send_draft(draft.clone()).await?;
    /// assert_eq!(thread.send_draft(draft).await?, sent);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * The errors of [`send`](Self::send). After an unknown outcome, a retry of a draft without an id may send a
    ///   second message.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the draft's id is not a UUIDv7 and the draft has no time, or if the
    ///   draft's time differs from the time in its UUIDv7.
    pub async fn send_draft(&self, draft: impl TryInto<Draft, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(draft.try_into().map_err(Into::into)).await
    }

    async fn dispatch(&self, draft: Result<Draft>) -> Result<Message> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async {
            let message = self.threadline.compose(self.group_id(), self.membership.profile(), draft?)?;
            self.threadline.deliver(&call, message).await
        })
        .await
    }
}
