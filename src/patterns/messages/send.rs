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
    /// [send window](crate::SendWindow), the call only looks the message up, for 1 RCU per 4 KB.
    ///
    /// Create the id on the server, by [`new_message_id`](crate::Threadline::new_message_id). The time in the id
    /// determines the message's position, so a device with a slow clock would place its reply before the question.
    ///
    /// # Retries
    /// A retry with the same id, author and text returns the stored message. After an unknown outcome, send again with
    /// the same id.
    ///
    /// # Names
    /// The message gets the names that the sender's membership contained when the conversation was opened. The message
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
    ///   another id, use [`send_draft`](Self::send_draft).
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the message is not stored or has expired, and its id is older than
    ///   the [send window](crate::SendWindow) or more than 24 hours later than the clock.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) if the id is later than the send window and the message is not
    ///   stored. Nothing was sent. The error states the difference. A retry succeeds once the clock has reached the
    ///   window.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the call is a retry within the window, and the message has expired
    ///   and is still in the table. Once DynamoDB has removed it, a retry within the window sends a new message.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another user sent a message with this id, or if the
    ///   stored message has another text, for example after an edit.
    /// * The errors of [`StoreExt::write`](crate::store::StoreExt::write) if the request itself fails.
    pub async fn send(&self, id: MessageId, body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(body.try_into().map_err(Into::into).map(|body| Draft::from(body).id(id))).await
    }

    /// Sends a draft to the conversation, and returns the message. A draft may be a plain text, or a message whose id
    /// is not a UUIDv7, for example an imported one.
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
    /// * The errors of [`send`](Self::send). After an unknown outcome, a retry of a draft without an id sends a second
    ///   message.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the id is not a UUIDv7 and the time is missing, or if the time
    ///   differs from the one in a UUIDv7.
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
