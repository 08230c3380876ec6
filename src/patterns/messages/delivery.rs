//! The steps of a send: the message of a draft, its put, and the comparison with a stored one.

use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::model::{Message, Profile, read_own};
use crate::patterns::call::{Call, is_own, put_new};
use crate::patterns::{Draft, Threadline};
use crate::request::{Condition, Transaction, WriteOutcome};
use crate::stored::Entity;

impl Threadline {
    /// Builds the message of a draft.
    pub(in crate::patterns) fn compose(&self, group: GroupId, sender: Profile, draft: Draft) -> Result<Message> {
        let (body, id, created_at) = draft.into_parts(|| self.new_message_id())?;
        Ok(Message::new(group, created_at, id, sender, body))
    }

    /// Checks that a message is stored as it was sent.
    ///
    /// An expired message counts while it is in the table. A read does not return it, but a condition applies to it.
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

    /// Puts a new message, or returns the stored one.
    pub(in crate::patterns) async fn deliver(&self, call: &Call<'_>, message: Message) -> Result<Message> {
        if let Some(error) = self.out_of_window(message.created_at()) {
            return same_message(call.read(message.key()).await?.ok_or(error)?, &message);
        }
        match call.write(put_new(&message)?).await? {
            WriteOutcome::Done { .. } => Ok(message),
            WriteOutcome::Refused { current, .. } => {
                // A refusal without an item means that the item has expired.
                let expired = || Error::not_found("message has expired").with_entity(Message::TYPE);
                let current = current.ok_or_else(expired)?;
                same_message(read_own(Some(current))?.ok_or_else(another_message)?, &message)
            }
        }
    }
}

/// Returns the stored message if it is the one that was sent.
fn same_message(stored: Message, sent: &Message) -> Result<Message> {
    if stored.sender_id() == sent.sender_id() && stored.body() == sent.body() {
        Ok(stored)
    } else {
        Err(another_message())
    }
}

fn another_message() -> Error {
    Error::new(ErrorKind::AlreadyExists, "another message has this id: its author or its text differs")
        .with_entity(Message::TYPE)
}
