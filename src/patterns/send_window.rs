//! The times that new messages may have.

use std::time::Duration;

use super::Threadline;
use crate::error::{Error, ErrorKind};
use crate::model::Message;
use crate::stored::Entity;
use crate::time::Timestamp;

/// The largest time ahead for which a retry is worth the wait.
const MOST_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// The accepted clock skew for new messages. A retry of a stored message is accepted at any age.
///
/// A message is placed in its thread by the time of its id, not of its arrival. One that arrives late is before what others have
/// read and before what [`MessagesRequest::after`](crate::MessagesRequest::after) has seen, and moves no inbox entry. One that is ahead is placed after messages that
/// others send later. So let servers make the ids, when the message is sent, also if it was written earlier without a connection.
///
/// A message ahead of the window is not sent. A retry of one that is stored returns it, no matter how far ahead it is. The error for
/// any other is retryable, and a retry succeeds once the clock has reached the window. If the message is more than 24 hours ahead,
/// the error is permanent: send it with a new id. So a server whose clock is ahead by more than the window makes messages that
/// other servers accept only later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendWindow {
    /// The most time ahead of the clock. Default: 5 seconds.
    pub ahead: Duration,
    /// The most time before the clock. Default: 24 hours.
    pub behind: Duration,
}

impl Default for SendWindow {
    fn default() -> Self {
        Self { ahead: Duration::from_secs(5), behind: Duration::from_secs(24 * 60 * 60) }
    }
}

impl SendWindow {
    /// Takes messages of any age, for an import.
    pub fn any_age() -> Self {
        Self { behind: Duration::MAX, ..Self::default() }
    }

    /// The same, so far ahead of the clock.
    #[must_use]
    pub fn ahead(mut self, ahead: Duration) -> Self {
        self.ahead = ahead;
        self
    }

    /// The same, so far behind the clock.
    #[must_use]
    pub fn behind(mut self, behind: Duration) -> Self {
        self.behind = behind;
        self
    }
}

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
}
