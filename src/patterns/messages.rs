//! `messages.send`, `messages.edit`, `messages.delete`.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_dynamo::AttributeValue;

use super::call::{Call, begin, is_own};
use super::{Draft, SendWindow, Thread, Threadline};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, MessageId};
use crate::model::{Message, MessageKey, MessagePosition, read_listed, read_own};
use crate::request::{Comparison, Condition, Order, Query, Update, Write, WriteOutcome};
use crate::text::MessageBody;
use crate::time::Timestamp;

/// The largest time ahead for which a retry is worth the wait.
const MOST_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

impl Threadline {
    /// Returns why a message of this time must not be put, if so. It may be stored already: a retry is accepted at any time.
    pub(super) fn out_of_window(&self, time: Timestamp) -> Option<Error> {
        let (now, SendWindow { ahead, behind }) = (self.clock.now(), self.window);
        let error = if time > now.saturating_add(ahead.max(MOST_AHEAD)) {
            let hours = MOST_AHEAD.as_secs() / 3600;
            Error::invalid(format!("the message is more than {hours} h ahead and not stored: send it with a new id"))
        } else if time > now.saturating_add(ahead) {
            let seconds = (time.unix_millis() - now.unix_millis()).div_euclid(1000) + 1;
            let message = format!(
                "the message's time is {seconds} s ahead of this server's clock: send it again after that, or with a new id"
            );
            Error::new(ErrorKind::Unavailable, message)
        } else if time < now.saturating_sub(behind) {
            let message = format!(
                "the message is older than {} s, and not stored or expired: send it with a new id",
                behind.as_secs()
            );
            Error::invalid(message)
        } else {
            return None;
        };
        Some(error.with_entity(Message::TYPE))
    }

    /// Finds that a message is stored, as what it is.
    pub(super) async fn find(&self, call: &Call<'_>, message: &Message) -> Result<Message> {
        same_message(call.read(message.key()).await?.ok_or_else(another_message)?, message)
    }

    /// Puts a new message, or finds that it is stored.
    pub(super) async fn deliver(&self, call: &Call<'_>, message: Message) -> Result<Message> {
        if let Some(error) = self.out_of_window(message.created_at()) {
            return same_message(call.read(message.key()).await?.ok_or(error)?, &message);
        }
        let write = Write::put(message.to_item()?).when(Condition::item_absent()).returning_old();
        match call.write(write).await? {
            WriteOutcome::Done { .. } => Ok(message),
            WriteOutcome::Refused { current, .. } => {
                // An item that is there and is not shown has expired.
                let current = current.ok_or_else(expired)?;
                same_message(read_own(Some(current))?.ok_or_else(another_message)?, &message)
            }
        }
    }
}

/// Returns the newest message of a thread that can be read, consistently. One that cannot has been reported by its own record.
pub(crate) async fn newest_message(call: &Call<'_>, group: GroupId) -> Result<Option<Message>> {
    let mut query = Query::table_consistent(Message::partition(group)).order(Order::Descending);
    // More than one, so that expired messages and an application's own entities rarely cost another page.
    query.limit = NonZeroU32::new(4);
    let mut pages = call.pages(query);
    while let Some(items) = pages.next().await? {
        let mut messages = items.into_iter().filter_map(read_listed::<Message>);
        if let Some(message) = messages.find_map(Result::ok) {
            return Ok(Some(message));
        }
        // Where there are four of them, there may be many.
        pages.query.limit = NonZeroU32::new(100);
    }
    Ok(None)
}

impl Thread {
    /// Sends a message with this id. A put if absent: 1 WCU per KB; 1 RCU per 4 KB for an id outside the
    /// [send window](super::SendWindow), whose message is only looked up. Make the id on the server, by
    /// [`new_message_id`](Threadline::new_message_id): a message is placed by the time in its id, and a reply from a device whose
    /// clock is slow would be placed before the question.
    ///
    /// The message carries the names of the membership that opened the thread. A rename may not have reached it yet, and later
    /// ones do not change it. To show names as they are now, look the senders up by [`sender_id`](Message::sender_id).
    ///
    /// Idempotent: a repeat with the same id, author and text gives the message that is stored. So after an error that leaves
    /// the outcome unknown, send again with the same id.
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) for a text that [`MessageBody`] refuses, an id that is no UUIDv7 (see
    ///   [`send_draft`](Self::send_draft)), and a message that is not stored, or has expired, with an
    ///   id older than the [send window](super::SendWindow) or more than 24 hours ahead.
    /// * [`Unavailable`](ErrorKind::Unavailable) for an id ahead of the send window whose message is not stored: nothing was sent.
    ///   The error says how far ahead it is, and a retry succeeds once the clock has reached the window.
    /// * [`NotFound`](ErrorKind::NotFound) for a retry within the window of a message that has expired and is still in the table.
    ///   Once DynamoDB has removed it, a retry within the window is a new message.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when there is a message with this id by somebody else, or with another
    ///   text, as after an edit.
    /// * As [`Store::write`](crate::Store::write).
    pub async fn send(&self, id: MessageId, body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(body.try_into().map_err(Into::into).map(|body| Draft::new(body).with_id(id))).await
    }

    /// Sends a message whose id does not hold its time, as Cruddur's do not, or whose id does not matter.
    ///
    /// # Errors
    /// As [`send`](Self::send); and [`Invalid`](ErrorKind::Invalid) where the time is missing, or not that of the id. After an
    /// unknown outcome, a draft without an id is sent a second time by another call.
    pub async fn send_draft(&self, draft: impl TryInto<Draft, Error: Into<Error>>) -> Result<Message> {
        self.dispatch(draft.try_into().map_err(Into::into)).await
    }

    async fn dispatch(&self, draft: Result<Draft>) -> Result<Message> {
        let call = begin!(&*self.chat.store, "messages.send");
        call.run(async {
            let message = self.chat.compose(self.group_id(), self.me.profile(), draft?)?;
            self.chat.deliver(&call, message).await
        })
        .await
    }

    /// Gives a message of one's own another text. A conditional update: 1 WCU per KB. A message that has the text already is
    /// left as it is, so a repeat is safe. Of two edits, the one that reaches the table last stays.
    ///
    /// The message is told by itself, its position, or its id where that is a UUIDv7.
    ///
    /// # Errors
    /// * [`NotFound`](ErrorKind::NotFound) when there is no such message in this thread, or it was deleted.
    /// * [`Denied`](ErrorKind::Denied) when it is somebody else's.
    /// * [`Corrupt`](ErrorKind::Corrupt) for a message that cannot be read.
    /// * [`Invalid`](ErrorKind::Invalid) for a text that [`MessageBody`] refuses.
    /// * As [`Store::write`](crate::Store::write). After an unknown outcome, edit again.
    pub async fn edit(
        &self,
        message: impl TryInto<MessagePosition, Error: Into<Error>>,
        body: impl TryInto<MessageBody, Error: Into<Error>>,
    ) -> Result<Message> {
        let call = begin!(&*self.chat.store, "messages.edit");
        let (position, body) = (message.try_into().map_err(Into::into), body.try_into().map_err(Into::into));
        call.run(async {
            let (body, now) = (body?, self.chat.clock.now());
            let text = || &body;
            let update = Update::new().set(Message::BODY, text()).set(Message::EDITED_AT, now);
            match self.change(&call, position?, update, Some(Condition::ne(Message::BODY, text()))).await? {
                Changed::Now(old) => Ok(old.edited(body, now)),
                Changed::Not(stored) if stored.is_deleted() => {
                    Err(Error::not_found("the message was deleted").with_entity(Message::TYPE))
                }
                Changed::Not(stored) => Ok(stored),
            }
        })
        .await
    }

    /// Deletes a message of one's own: its text goes, a tombstone stays, so that no late edit brings it back. A conditional
    /// update: 1 WCU per KB. Deleting it again is done without a change, so a repeat is safe.
    ///
    /// # Errors
    /// * [`NotFound`](ErrorKind::NotFound) when there is no such message in this thread.
    /// * [`Denied`](ErrorKind::Denied) when it is somebody else's.
    /// * [`Corrupt`](ErrorKind::Corrupt) for a message that cannot be read.
    /// * As [`Store::write`](crate::Store::write). After an unknown outcome, delete again.
    pub async fn delete(&self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<Message> {
        let call = begin!(&*self.chat.store, "messages.delete");
        let position = message.try_into().map_err(Into::into);
        call.run(async {
            let now = self.chat.clock.now();
            let update = Update::new().set(Message::DELETED_AT, now).remove(Message::BODY);
            match self.change(&call, position?, update, None).await? {
                Changed::Now(old) => Ok(old.deleted(now)),
                Changed::Not(tombstone) => Ok(tombstone),
            }
        })
        .await
    }

    /// Updates a message on the condition that it is there, one's own, not deleted, and what else has to hold of it.
    async fn change(
        &self,
        call: &Call<'_>,
        position: MessagePosition,
        update: Update,
        needed: Option<Condition>,
    ) -> Result<Changed> {
        let me = self.me.user_id();
        let mine = Condition::item_exists()
            .and(is_own::<Message>())
            .and(has_texts())
            .and(Condition::eq(Message::SENDER, me))
            .and(Condition::absent(Message::DELETED_AT));
        let key = Message::key_from(MessageKey { group: self.group_id(), position });
        let mut write = Write::update(key, update.add(Message::REVISION, 1)).when(mine).returning_old();
        if let Some(needed) = needed {
            write = write.when(needed);
        }
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

/// What became of a change to one's own message.
enum Changed {
    /// It was done, to this message.
    Now(Message),
    /// It was not done: this is a tombstone, or what is needed does not hold of it.
    Not(Message),
}

/// The stored message, where it is the one that was sent.
fn same_message(stored: Message, sent: &Message) -> Result<Message> {
    if stored.sender_id() == sent.sender_id() && stored.body() == sent.body() {
        Ok(stored)
    } else {
        Err(another_message())
    }
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

fn expired() -> Error {
    Error::not_found("the message has expired").with_entity(Message::TYPE)
}

fn another_message() -> Error {
    Error::new(ErrorKind::AlreadyExists, "there is a message with this id by another author or with another text")
        .with_entity(Message::TYPE)
}
