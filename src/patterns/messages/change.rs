//! Changes of a message by its author: edits and the deletion.

use std::borrow::Cow;

use serde_dynamo::AttributeValue;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Message, MessageKey, MessagePosition, read_own};
use crate::patterns::Thread;
use crate::patterns::call::{Call, is_own};
use crate::request::{Comparison, Condition, Update, Write, WriteOutcome};
use crate::stored::Entity;

impl Thread {
    /// Updates a message on the condition that it exists, is the caller's own, and meets another condition.
    pub(super) async fn change(
        &self,
        call: &Call<'_>,
        position: MessagePosition,
        update: Update,
        condition: Condition,
    ) -> Result<Changed> {
        let me = self.membership.user_id();
        let changeable = Condition::item_exists()
            .and(is_own::<Message>())
            .and(has_texts())
            .and(Condition::eq(Message::SENDER, me))
            .and(condition);
        let key = Message::key_from(MessageKey { group: self.group_id(), position });
        let write = Write::update(key, update.add(Message::REVISION, 1)).when(changeable).returning_old();
        let not_found = || Error::not_found("no such message in this thread").with_entity(Message::TYPE);
        match call.write(write).await? {
            WriteOutcome::Done { old, .. } => {
                Message::from_item(old.ok_or_else(not_found)?).map(Changed::Done).map_err(changed_unreadable)
            }
            WriteOutcome::Refused { current, .. } => {
                let current: Message = read_own(current)?.ok_or_else(not_found)?;
                if current.sender_id() != me {
                    let denied = "only the author of a message may change it";
                    return Err(Error::new(ErrorKind::Denied, denied).with_entity(Message::TYPE));
                }
                Ok(Changed::Refused(current))
            }
        }
    }
}

/// The result of a change.
pub(super) enum Changed {
    /// The message was changed. This is the old one.
    Done(Message),
    /// The message does not meet the other condition. This is the stored one.
    Refused(Message),
}

/// Returns the condition that the attributes of every readable message are texts.
fn has_texts() -> Condition {
    let is_text = |name| Condition::Compare(Cow::Borrowed(name), Comparison::Ge, AttributeValue::S(String::new()));
    is_text("message_uuid").and(is_text("user_handle")).and(is_text("user_display_name"))
}

/// Returns the error for a changed message that cannot be read. `Corrupt` would wrongly say that nothing was changed.
fn changed_unreadable(error: Error) -> Error {
    Error::new(ErrorKind::OutcomeUnknown, "message was changed, but cannot be read")
        .with_entity(Message::TYPE)
        .with_source(error)
}
