//! The access patterns: the calls that an application makes.
//!
//! Every call is one [`tracing`] span, with the pattern's name (`messages.send`), the table, the consumed capacity and, where
//! it failed, the kind of the error. No span holds content.

pub(crate) mod call;
mod draft;
mod groups;
mod inbox;
mod members;
mod messages;
mod page;
mod thread_page;
mod users;

use std::sync::Arc;
use std::time::Duration;

use crate::id::{IdSource, MessageId, RandomIds};
use crate::store::Store;
use crate::time::{Clock, SystemClock};

pub use draft::Draft;
pub use groups::{ImportedDirect, MAX_INITIAL_MEMBERS, NewGroup, Thread};
pub use inbox::{InboxRequest, MAX_UNREAD, Unread};
pub(crate) use members::members_of;
pub use members::{MAX_MEMBERS, Member};
pub(crate) use messages::newest_message;
pub use page::{Cursor, MAX_PAGE_ITEMS, Page};
pub use thread_page::MessagesRequest;
pub use users::{NewUser, UserChange};

/// The messaging of an application, on one table: users, conversations, messages and inboxes. Cheap to clone.
///
/// ```
/// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap() }
/// # async fn run() -> threadline::Result<()> {
/// use threadline::{MemoryStore, NewUser, Threadline};
///
/// let chat = Threadline::new(MemoryStore::new());
/// let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
/// let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
///
/// let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
/// let thread = chat.open(bayko.id(), thread.group_id()).await?;
/// thread.send(chat.new_message_id(), "Only every year.").await?;
///
/// let page = thread.messages().newest_first().limit(20).fetch().await?;
/// assert_eq!(page.items.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Threadline {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    window: SendWindow,
    handle_reservation: Duration,
}

impl Threadline {
    /// Messaging on this store, with the machine's clock and random ids.
    pub fn new(store: impl Store + 'static) -> Self {
        Self {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::new()),
            window: SendWindow::default(),
            handle_reservation: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with another source of ids.
    #[must_use]
    pub fn with_ids(mut self, ids: impl IdSource + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// The same with another window for the times of new messages.
    #[must_use]
    pub fn with_send_window(mut self, window: SendWindow) -> Self {
        self.window = window;
        self
    }

    /// Sets how long a handle stays reserved for its user after a rename. Default: 24 hours. Until then nobody is found by it, and
    /// only its user can take it back, so that nobody signs with a name that memberships and messages still show for another. A
    /// duration of zero frees it at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use threadline::{MemoryStore, Threadline};
    ///
    /// let chat = Threadline::new(MemoryStore::new()).with_handle_reservation(Duration::from_secs(30 * 24 * 60 * 60));
    /// ```
    #[must_use]
    pub fn with_handle_reservation(mut self, duration: Duration) -> Self {
        self.handle_reservation = duration;
        self
    }

    /// The store, for entities of the application's own.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns a new message id of now. Keep it until the send is acknowledged: a send repeated with the same id is done once.
    ///
    /// Call it on the server, when the message is sent. A message is placed by the time in its id, so a device whose clock is slow
    /// would place its reply before the question. A device that retries its requests gets the id from the server first.
    pub fn new_message_id(&self) -> MessageId {
        MessageId::from_uuid(self.ids.next(self.clock.now()))
    }
}

/// The accepted clock skew for new messages. A retry of a stored message is accepted at any age.
///
/// A message is placed in its thread by the time of its id, not of its arrival. One that arrives late is before what others have
/// read and before what [`MessagesRequest::after`] has seen, and moves no inbox entry. One that is ahead is placed after messages that
/// others send later. So let servers make the ids, when the message is sent, also if it was written earlier without a connection.
///
/// A message ahead of the window is not sent. A retry of one that is stored returns it, no matter how far ahead it is. The error for
/// any other is retryable, and a retry succeeds once the clock has reached the window. If the message is more than 24 hours ahead,
/// the error is permanent: send it with a new id. So a server whose clock is ahead by more than the window makes messages that
/// other servers accept only later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendWindow {
    /// How far ahead of the clock. Default: 5 seconds.
    pub ahead: Duration,
    /// How far behind the clock. Default: 24 hours.
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
