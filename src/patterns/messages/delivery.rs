//! Messages on their way to the table.

use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::model::{Message, Profile, read_own};
use crate::patterns::call::{Call, is_own, put_new};
use crate::patterns::{Draft, Threadline};
use crate::request::{Condition, Transaction, WriteOutcome};
use crate::stored::Entity;

impl Threadline {
    /// The message that a draft becomes.
    pub(in crate::patterns) fn compose(&self, group: GroupId, sender: Profile, draft: Draft) -> Result<Message> {
        let (body, id, created_at) = draft.settle(|| self.new_message_id())?;
        Ok(Message::new(group, created_at, id, sender, body))
    }

    /// Checks that a message is stored as it was sent. An expired one counts as long as it is in the table: a read does not return
    /// it, but a condition still sees it.
    ///
    /// # Errors
    /// `missing` if the table has no such message.
    pub(in crate::patterns) async fn check_stored(
        &self,
        call: &Call<'_>,
        message: &Message,
        missing: impl FnOnce() -> Error,
    ) -> Result<()> {
        if let Some(stored) = call.read(message.key()).await? {
            return same_message(stored, message).map(drop);
        }
        let sent = Condition::eq(Message::SENDER, message.sender_id()).and(is_own::<Message>());
        let sent = message.body().into_iter().fold(sent, |sent, body| sent.and(Condition::eq(Message::BODY, body)));
        let mut transaction = Transaction::default();
        let check = transaction.check(message.key(), sent);
        let outcome = call.transact(transaction).await?;
        if outcome.is_refused(check) { Err(missing()) } else { outcome.done() }
    }

    /// Puts a new message, or finds that it is stored.
    pub(in crate::patterns) async fn deliver(&self, call: &Call<'_>, message: Message) -> Result<Message> {
        if let Some(error) = self.out_of_window(message.created_at()) {
            return same_message(call.read(message.key()).await?.ok_or(error)?, &message);
        }
        match call.write(put_new(&message)?).await? {
            WriteOutcome::Done { .. } => Ok(message),
            WriteOutcome::Refused { current, .. } => {
                // An item that is there and is not shown has expired.
                let expired = || Error::not_found("the message has expired").with_entity(Message::TYPE);
                let current = current.ok_or_else(expired)?;
                same_message(read_own(Some(current))?.ok_or_else(another_message)?, &message)
            }
        }
    }
}

/// The stored message, where it is the one that was sent.
fn same_message(stored: Message, sent: &Message) -> Result<Message> {
    if stored.sender_id() == sent.sender_id() && stored.body() == sent.body() {
        Ok(stored)
    } else {
        Err(another_message())
    }
}

fn another_message() -> Error {
    Error::new(ErrorKind::AlreadyExists, "there is a message with this id by another author or with another text")
        .with_entity(Message::TYPE)
}
