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
    /// Sends a message with this id. A put if absent: 1 WCU per KB; 1 RCU per 4 KB for an id outside the
    /// [send window](crate::SendWindow), whose message is only looked up. Make the id on the server, by
    /// [`new_message_id`](crate::Threadline::new_message_id): a message is placed by the time in its id, and a reply from a device whose
    /// clock is slow would be placed before the question.
    ///
    /// The message carries the names of the membership that opened the thread. A rename may not have reached it yet, and later
    /// ones do not change it. To show names as they are now, look the senders up by [`sender_id`](Message::sender_id).
    ///
    /// Idempotent: a repeat with the same id, author and text gives the message that is stored. So after an error that leaves
    /// the outcome unknown, send again with the same id.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a text that [`MessageBody`] refuses, an id that is no UUIDv7 (see
    ///   [`send_draft`](Self::send_draft)), and a message that is not stored, or has expired, with an
    ///   id older than the [send window](crate::SendWindow) or more than 24 hours ahead.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) for an id ahead of the send window whose message is not stored: nothing was sent.
    ///   The error says how far ahead it is, and a retry succeeds once the clock has reached the window.
    /// * [`NotFound`](crate::ErrorKind::NotFound) for a retry within the window of a message that has expired and is still in the table.
    ///   Once DynamoDB has removed it, a retry within the window is a new message.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is a message with this id by somebody else, or with another
    ///   text, as after an edit.
    /// * As [`StoreExt::write`](crate::store::StoreExt::write).
    pub async fn send(&self, id: MessageId, body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(body.try_into().map_err(Into::into).map(|body| Draft::from(body).id(id))).await
    }

    /// Sends a message whose id does not hold its time, as Cruddur's do not, or whose id does not matter.
    ///
    /// # Errors
    /// As [`send`](Self::send); and [`Invalid`](crate::ErrorKind::Invalid) where the time is missing, or not that of the id. After an
    /// unknown outcome, a draft without an id is sent a second time by another call.
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
