//! A conversation as one of its members has opened it.

use super::Threadline;
use crate::id::{GroupId, MessageId};
use crate::model::Membership;

/// A conversation as one member has opened it: the permission to read and write.
///
/// Only a thread sends, pages and edits messages. [`Threadline::open`] checks the membership once. So open the
/// conversation again for each request of a user.
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

    /// Returns the caller's membership, as it was when the thread was opened.
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
    /// Create it on the server, and keep it until the send is acknowledged. A retry with the same id does not send
    /// twice.
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
