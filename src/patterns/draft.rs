//! A message before it is sent.

use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::model::MessagePosition;
use crate::text::MessageBody;
use crate::time::Timestamp;

/// A message before it is sent: a text and, optionally, an id and a time. A plain text converts to a draft without an
/// id. [`Thread::send_draft`](crate::Thread::send_draft) sends a draft.
///
/// ```
/// use threadline::Draft;
///
/// let draft = Draft::new("Hello")?
///     .id("5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse()?)
///     .sent_at("2023-06-26T10:16:00.375877Z".parse()?);
/// assert_ne!(draft, Draft::new("Hello")?);
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft {
    body: MessageBody,
    id: Option<MessageId>,
    sent_at: Option<Timestamp>,
}

impl Draft {
    /// Creates a draft with this text. Sending a draft without an [`id`](Self::id) creates a new id with the current
    /// time.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::Draft;
    ///
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let sent = thread.send_draft(Draft::new("Are you there?")?).await?;
    /// assert_eq!(sent.body().map(|body| body.as_str()), Some("Are you there?"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`MessageBody`] refuses the text.
    pub fn new(body: impl TryInto<MessageBody, Error: Into<Error>>) -> Result<Self> {
        Ok(Self::from(body.try_into().map_err(Into::into)?))
    }

    /// Sets the id of the message, so that a retry does not send the message twice. Default: a new id.
    ///
    /// Create the id on the server, by [`new_message_id`](crate::Threadline::new_message_id). A UUIDv7
    /// contains the time of the message. For any other id, also set [`sent_at`](Self::sent_at), and to the same time in
    /// each retry.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::Draft;
    ///
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let draft = Draft::new("Are you there?")?.id(chat.new_message_id());
    /// let sent = thread.send_draft(draft.clone()).await?;
    /// assert_eq!(thread.send_draft(draft).await?, sent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the time when the message was sent. This time is required if the [`id`](Self::id) is not a UUIDv7. Default:
    /// the time in the UUIDv7.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::{Draft, SendWindow};
    ///
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let import = chat.clone().send_window(SendWindow::any_age());
    /// let thread = import.open(andrew.id(), thread.group_id()).await?;
    ///
    /// let draft = Draft::new("Have you ever watched Babylon 5?")?
    ///     .id("5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse()?)
    ///     .sent_at("2023-06-26T10:16:00.375877Z".parse()?);
    /// let sent = thread.send_draft(draft).await?;
    /// assert_eq!(sent.created_at(), "2023-06-26T10:16:00.375877Z".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sent_at(mut self, time: Timestamp) -> Self {
        self.sent_at = Some(time);
        self
    }

    /// Returns `true` if the draft has an id, so that a retry can be recognized.
    pub(super) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// Returns the text, the id and the time. Calls `new_id` if the draft has no id.
    pub(super) fn into_parts(self, new_id: impl FnOnce() -> MessageId) -> Result<(MessageBody, MessageId, Timestamp)> {
        let id = self.id.unwrap_or_else(new_id);
        let created_at = match (id.time(), self.sent_at) {
            (Some(own), Some(set)) if own != set => {
                return Err(Error::invalid("message time differs from the time in its id: omit it for a UUIDv7"));
            }
            (Some(own), _) => own,
            (None, Some(set)) => set,
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
