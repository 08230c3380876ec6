//! The accepted times of new messages.

use std::time::Duration;

use super::Threadline;
use crate::error::{Error, ErrorKind};
use crate::model::Message;
use crate::stored::Entity;
use crate::time::Timestamp;

/// The largest clock skew after which a retry may still succeed in time.
const RETRYABLE_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// The accepted times of a new message, relative to the server's [clock](crate::Threadline::clock). A retry of a stored
/// message is accepted at any age.
///
/// The time in a message's id determines the message's position in the conversation. The time when the message arrives
/// does not matter. Create the id on the server, in the request that sends the message. The user may have written the
/// message earlier, when the device was offline.
///
/// A new message may have an earlier time than the newest stored message. Such a message moves no inbox entry. Suppose
/// that a member has read the newest message, and reads on [after it](crate::MessagesRequest::after). The new message
/// is before that position, so the member does not see it.
///
/// A new message may also have a later time than the clock, for example by 3 s. Its position is then after all messages
/// that others send in these 3 s.
///
/// A new message older than [`max_age`](Self::max_age) is refused: send it with a new id. A new message is also refused
/// if its time is later than the clock by more than [`max_skew`](Self::max_skew). The error depends on the difference:
///
/// * If the time is up to 24 hours later than the clock, the error is retryable. A retry succeeds once the time is
///   within the window.
/// * If the time is more than 24 hours later than the clock, the error is permanent: send the message with a new id.
///
/// One server may create an id, and another server may send the message. If the first server's clock is fast by more
/// than [`max_skew`](Self::max_skew), the second server refuses the message until the id's time is within its window.
///
/// ```
/// use std::time::Duration;
/// use threadline::SendWindow;
///
/// assert_eq!(SendWindow::default().max_skew, Duration::from_secs(5));
/// assert_eq!(SendWindow::default().max_age, Duration::from_secs(24 * 60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct SendWindow {
    /// The maximum duration by which a new message's time may be later than the clock. Default: 5 s.
    pub max_skew: Duration,
    /// The maximum age of a new message. Default: 24 h. The limit does not apply to a retry of a stored message.
    pub max_age: Duration,
}

impl Default for SendWindow {
    fn default() -> Self {
        Self { max_skew: Duration::from_secs(5), max_age: Duration::from_secs(24 * 60 * 60) }
    }
}

impl SendWindow {
    /// Creates a window that accepts new messages of any age, for an import.
    ///
    /// ```
    /// use std::time::Duration;
    /// use threadline::{MemoryStore, SendWindow, Threadline};
    ///
    /// let import = Threadline::new(MemoryStore::new()).send_window(SendWindow::any_age());
    /// assert_eq!(SendWindow::any_age().max_age, Duration::MAX);
    /// ```
    pub fn any_age() -> Self {
        Self { max_age: Duration::MAX, ..Self::default() }
    }

    /// Sets the maximum duration by which a new message's time may be later than the clock. Default: 5 s.
    ///
    /// ```
    /// use std::time::Duration;
    /// use threadline::SendWindow;
    ///
    /// let window = SendWindow::default().max_skew(Duration::from_secs(2));
    /// assert_eq!(window.max_skew, Duration::from_secs(2));
    /// ```
    pub fn max_skew(mut self, max_skew: Duration) -> Self {
        self.max_skew = max_skew;
        self
    }

    /// Sets the maximum age of a new message. Default: 24 h. A retry of a stored message may be older.
    ///
    /// ```
    /// use std::time::Duration;
    /// use threadline::SendWindow;
    ///
    /// let window = SendWindow::default().max_age(Duration::from_secs(60 * 60));
    /// assert_eq!(window.max_age, Duration::from_secs(60 * 60));
    /// ```
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }
}

impl Threadline {
    /// Returns the error for a new message of this time, or `None` within the window. A retry is accepted at any time.
    pub(super) fn out_of_window(&self, time: Timestamp) -> Option<Error> {
        let (now, SendWindow { max_skew, max_age }) = (self.clock.now(), self.window);
        let error = if time > now.saturating_add(max_skew.max(RETRYABLE_SKEW)) {
            let hours = RETRYABLE_SKEW.as_secs() / 3600;
            Error::invalid(format!(
                "message time is more than {hours} h after this server's clock, and no such message is stored: send it \
                 with a new id"
            ))
        } else if time > now.saturating_add(max_skew) {
            let seconds = (time.unix_millis() - now.unix_millis()).div_euclid(1000) + 1;
            let message = format!(
                "message time is {seconds} s after this server's clock: send it again after that time, or with a new id"
            );
            Error::new(ErrorKind::Unavailable, message)
        } else if time < now.saturating_sub(max_age) {
            let seconds = max_age.as_secs();
            let message = format!(
                "message is older than {seconds} s, and it is not stored or has expired: send it with a new id"
            );
            Error::invalid(message)
        } else {
            return None;
        };
        Some(error.with_entity(Message::TYPE))
    }
}
