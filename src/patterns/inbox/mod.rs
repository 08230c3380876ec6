//! The inbox of a user.

pub(crate) mod mark_read;
pub(crate) mod page;
pub(crate) mod unread;

use super::Threadline;
use super::call::Call;
use super::messages::newest_message;
use crate::error::Result;
use crate::model::{Membership, MessagePosition};

pub use page::InboxRequest;
pub use unread::Unread;

impl Threadline {
    /// Returns a read marker at this position, or at the clock's time if the position is later.
    pub(super) fn not_after_now(&self, position: MessagePosition) -> MessagePosition {
        let now = self.clock.now();
        if position.created_at() > now { MessagePosition::at(now) } else { position }
    }

    /// Returns the membership without an expired message: it then shows the newest remaining one, for 1 RCU.
    pub(super) async fn without_expired(&self, call: &Call<'_>, membership: Membership) -> Result<Membership> {
        let now = self.clock.now();
        if !membership.shows_expired(now) {
            return Ok(membership);
        }
        let newest = newest_message(call, membership.group_id()).await?;
        Ok(membership.showing(newest.as_ref().filter(|newest| newest.expires_at().is_none_or(|end| end > now))))
    }
}
