//! A message that is still to be sent.

use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::model::MessagePosition;
use crate::text::MessageBody;
use crate::time::Timestamp;

/// A message that is still to be sent: a text and, where the sender has them, its id and time. A plain text is one too.
///
/// ```
/// use threadline::Draft;
///
/// let draft = Draft::new("opa")?
///     .id("5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse()?)
///     .sent_at("2023-06-26T10:16:00.375877Z".parse()?);
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    body: MessageBody,
    id: Option<MessageId>,
    sent_at: Option<Timestamp>,
}

impl Draft {
    /// A message with this text, a new id and the time of its sending.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what [`MessageBody`] refuses.
    pub fn new(body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Self> {
        Ok(Self::from(body.try_into().map_err(Into::into)?))
    }

    /// Sets the id, so that a retry does not send the message twice. Make it on the server, by
    /// [`new_message_id`](crate::Threadline::new_message_id). An id that is no UUIDv7 must come with the same time each time: the
    /// message's key is built from both.
    #[must_use]
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same with a time, which an id that is no UUIDv7 needs.
    #[must_use]
    pub fn sent_at(mut self, time: Timestamp) -> Self {
        self.sent_at = Some(time);
        self
    }

    /// Whether the sender gave it an id, so that a repeat can be told.
    pub(super) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// The message's text, id and time; the id is made by `new_id` where there is none yet.
    pub(super) fn settle(self, new_id: impl FnOnce() -> MessageId) -> Result<(MessageBody, MessageId, Timestamp)> {
        let id = self.id.unwrap_or_else(new_id);
        let created_at = match (id.time(), self.sent_at) {
            (Some(own), Some(given)) if own != given => {
                return Err(Error::invalid("the message's id is a UUIDv7 of another time than the one given"));
            }
            (Some(own), _) => own,
            (None, Some(given)) => given,
            (None, None) => MessagePosition::try_from(id)?.created_at(),
        };
        Ok((self.body, id, created_at))
    }
}

impl From<MessageBody> for Draft {
    fn from(body: MessageBody) -> Self {
        Self { body, id: None, sent_at: None }
    }
}

impl TryFrom<&str> for Draft {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl TryFrom<String> for Draft {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}
