//! Changes of a message by its author.

use std::borrow::Cow;

use serde_dynamo::AttributeValue;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Message, MessageKey, MessagePosition, read_own};
use crate::patterns::Thread;
use crate::patterns::call::{Call, is_own};
use crate::request::{Comparison, Condition, Update, Write, WriteOutcome};
use crate::stored::Entity;

impl Thread {
    /// Updates a message on the condition that it is there, one's own, and what else has to hold of it.
    pub(super) async fn change(
        &self,
        call: &Call<'_>,
        position: MessagePosition,
        update: Update,
        needed: Condition,
    ) -> Result<Changed> {
        let me = self.membership.user_id();
        let mine = Condition::item_exists()
            .and(is_own::<Message>())
            .and(has_texts())
            .and(Condition::eq(Message::SENDER, me))
            .and(needed);
        let key = Message::key_from(MessageKey { group: self.group_id(), position });
        let write = Write::update(key, update.add(Message::REVISION, 1)).when(mine).returning_old();
        let not_found = || Error::not_found("there is no such message in this thread").with_entity(Message::TYPE);
        match call.write(write).await? {
            WriteOutcome::Done { old, .. } => {
                Message::from_item(old.ok_or_else(not_found)?).map(Changed::Now).map_err(changed_unreadable)
            }
            WriteOutcome::Refused { current, .. } => {
                let current: Message = read_own(current)?.ok_or_else(not_found)?;
                if current.sender_id() != me {
                    let denied = "only the author of a message may change it";
                    return Err(Error::new(ErrorKind::Denied, denied).with_entity(Message::TYPE));
                }
                Ok(Changed::Not(current))
            }
        }
    }
}

/// The result of a change to one's own message.
pub(super) enum Changed {
    /// It was done, to this message.
    Now(Message),
    /// It was not done: what is needed does not hold of this one.
    Not(Message),
}

/// The condition that the attributes which each message has are texts, as those of a message that can be read are.
fn has_texts() -> Condition {
    let is_text = |name| Condition::Compare(Cow::Borrowed(name), Comparison::Ge, AttributeValue::S(String::new()));
    is_text("message_uuid").and(is_text("user_handle")).and(is_text("user_display_name"))
}

/// The change was done, and to what is not known: `Corrupt` would say that it was not.
fn changed_unreadable(error: Error) -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "the message was changed and cannot be read")
        .with_entity(Message::TYPE)
        .with_source(error)
}
