//! An open conversation.

use super::Threadline;
use crate::id::{GroupId, MessageId};
use crate::model::Membership;

/// An open conversation. A `Thread` permits the member who opened it, called the *caller*, to read and write messages.
///
/// All calls that send, page or edit messages are methods of a `Thread`. [`Threadline::open`] checks the membership.
/// Later reads and sends of the `Thread` do not check it again, so open the conversation again for each request of a
/// user.
///
/// ```
#[doc = include_str!("example_setup.md")]
/// let group = chat.start_direct(&andrew, &bayko, "Hello").await?.group_id();
///
/// let thread = chat.open(bayko.id(), group).await?;
/// thread.send(chat.new_message_id(), "Hello, Andrew!").await?;
/// assert_eq!(thread.messages().fetch().await?.items.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) threadline: Threadline,
    pub(super) membership: Membership,
}

impl Thread {
    /// Returns the id of the conversation.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.group().await?.id(), thread.group_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_id(&self) -> GroupId {
        self.membership.group_id()
    }

    /// Returns the membership of the member who opened the conversation. The membership is a copy from that time, and
    /// only [`mark_read`](Self::mark_read) updates it.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().user_id(), andrew.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Returns a new message id with the current time, like [`Threadline::new_message_id`].
    ///
    /// Create the id on the server, and keep it until the send is acknowledged. A retry with the same id does not send
    /// the message twice.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let id = thread.new_message_id();
    /// let sent = thread.send(id, "Are you there?").await?;
    /// assert_eq!(thread.send(id, "Are you there?").await?, sent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_message_id(&self) -> MessageId {
        self.threadline.new_message_id()
    }
}
