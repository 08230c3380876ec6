//! A conversation that one of its members has opened.

use super::Threadline;
use crate::id::{GroupId, MessageId};
use crate::model::Membership;

/// A conversation, opened by one of its members: the proof that its user may read and write it. Sending, paging and editing
/// exist only here. It was true when it was made; open the conversation again for each request of a user's.
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) threadline: Threadline,
    pub(super) membership: Membership,
}

impl Thread {
    /// The conversation.
    pub fn group_id(&self) -> GroupId {
        self.membership.group_id()
    }

    /// The membership that opened it, as it was then.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Returns a new message id of now, as [`Threadline::new_message_id`] does. Make it on the server, and keep it until the send is
    /// acknowledged: a send repeated with the same id is done once.
    pub fn new_message_id(&self) -> MessageId {
        self.threadline.new_message_id()
    }
}
