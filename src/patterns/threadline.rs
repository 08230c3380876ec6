//! The messaging of an application: its store and its settings.

use std::sync::Arc;
use std::time::Duration;

use super::SendWindow;
use crate::id::{GroupId, IdSource, MessageId, RandomIds, UserId};
use crate::store::Store;
use crate::time::{Clock, SystemClock, Timestamp};

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
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) window: SendWindow,
    pub(super) handle_reservation: Duration,
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
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with another source of ids.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// The same with another window for the times of new messages.
    #[must_use]
    pub fn send_window(mut self, window: SendWindow) -> Self {
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
    /// let chat = Threadline::new(MemoryStore::new()).handle_reservation(Duration::from_secs(30 * 24 * 60 * 60));
    /// ```
    #[must_use]
    pub fn handle_reservation(mut self, duration: Duration) -> Self {
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
        MessageId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns a new group id. Keep it until the group is created: a retry with the same id returns the same group.
    pub fn new_group_id(&self) -> GroupId {
        GroupId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns a new user id. Keep it until the user is created: a retry with the same id returns the same user.
    pub fn new_user_id(&self) -> UserId {
        UserId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns the time on the clock of this `Threadline`.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
