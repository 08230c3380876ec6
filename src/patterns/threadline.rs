//! The messaging of an application: its store and settings.

use std::sync::Arc;
use std::time::Duration;

use super::SendWindow;
use crate::id::{GroupId, IdSource, MessageId, RandomIds, UserId};
use crate::store::Store;
use crate::time::{Clock, SystemClock, Timestamp};

/// The messaging of an application on one table: users, conversations, messages and inboxes. A `Threadline` is cheap to
/// clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
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
#[must_use]
pub struct Threadline {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) window: SendWindow,
    pub(super) handle_reservation: Duration,
}

impl Threadline {
    /// Creates a `Threadline` on this [store](crate::store), with the system's clock and random ids.
    ///
    /// ```
    /// use threadline::{MemoryStore, Threadline};
    ///
    /// let chat = Threadline::new(MemoryStore::new().table("conversations"));
    /// assert_eq!(chat.store().table_name(), "conversations");
    /// ```
    pub fn new(store: impl Store + 'static) -> Self {
        Self {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::new()),
            window: SendWindow::default(),
            handle_reservation: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Sets the clock from which all calls take the current time. Default: [`SystemClock`].
    ///
    /// ```
    /// use threadline::{ManualClock, MemoryStore, Threadline, Timestamp};
    ///
    /// let noon: Timestamp = "2026-11-22T12:00:00Z".parse()?;
    /// let chat = Threadline::new(MemoryStore::new()).clock(ManualClock::starting_at(noon));
    /// assert_eq!(chat.now(), noon);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of the new ids of users, groups and messages. Default: [`RandomIds`].
    ///
    /// ```
    /// use threadline::{ManualClock, MemoryStore, SequentialIds, Threadline};
    ///
    /// let noon = "2026-11-22T12:00:00Z".parse()?;
    /// let chat = |seed| {
    ///     let clock = ManualClock::starting_at(noon);
    ///     Threadline::new(MemoryStore::new()).clock(clock).ids(SequentialIds::seeded(seed))
    /// };
    /// assert_eq!(chat(1).new_message_id(), chat(1).new_message_id());
    /// assert_ne!(chat(1).new_message_id(), chat(2).new_message_id());
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn ids(mut self, ids: impl IdSource + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Sets the accepted times of new messages. Default: [`SendWindow::default`].
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::{Draft, SendWindow};
    ///
    /// let draft = Draft::new("Hello")?
    ///     .id("5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse()?)
    ///     .sent_at("2023-06-26T10:16:00Z".parse()?);
    /// assert!(chat.start_direct(&andrew, &bayko, draft.clone()).await.is_err());
    ///
    /// let import = chat.clone().send_window(SendWindow::any_age());
    /// import.start_direct(&andrew, &bayko, draft).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_window(mut self, window: SendWindow) -> Self {
        self.window = window;
        self
    }

    /// Sets the duration for which a handle stays reserved after its user has taken another one. Default: 24 h.
    ///
    /// Until the reservation ends, no lookup finds the handle, and only its former user can take it. Meanwhile,
    /// memberships and messages may still show the old handle. The reservation prevents another user from writing under
    /// that handle. A duration of zero frees the handle at once.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use std::time::Duration;
    /// use threadline::UserChange;
    ///
    /// let chat = chat.handle_reservation(Duration::ZERO);
    /// chat.update_user(&andrew, UserChange::new().handle("andrew")?).await?;
    /// let other = chat.create_user(NewUser::new("andrewbrown", "Another Andrew")?).await?;
    /// assert_eq!(other.handle().as_str(), "andrewbrown");
    /// # Ok(())
    /// # }
    /// ```
    pub fn handle_reservation(mut self, duration: Duration) -> Self {
        self.handle_reservation = duration;
        self
    }

    /// Returns the store, for the application's own [entities](crate::entity).
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::User;
    /// use threadline::store::StoreExt;
    ///
    /// let user = chat.store().get_entity::<User>(andrew.id()).await?;
    /// assert_eq!(user, Some(andrew));
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns a new message id with the current time. Keep the id until the send is acknowledged: a retry with the
    /// same id does not send the message twice.
    ///
    /// Call this method on the server when the message is sent. The time in the id determines the message's position.
    /// An id from a device with a slow clock could place a reply before the message that it answers. If a device
    /// retries its own requests, it should get the id from the server before the first attempt.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let id = chat.new_message_id();
    /// let sent = thread.send(id, "Are you there?").await?;
    /// assert_eq!(sent.id(), id);
    /// assert_eq!(thread.send(id, "Are you there?").await?, sent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_message_id(&self) -> MessageId {
        MessageId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns a new group id. Keep the id until the group is created: a retry with the same id does not create a
    /// second group.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let id = chat.new_group_id();
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko).id(id);
    /// chat.create_group(new.clone(), "Welcome!").await?;
    /// assert_eq!(chat.create_group(new, "Welcome!").await?.group_id(), id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_group_id(&self) -> GroupId {
        GroupId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns a new user id. Keep the id until the user is created: a retry with the same id does not create a second
    /// user.
    ///
    /// ```
    #[doc = include_str!("example_setup.md")]
    /// let id = chat.new_user_id();
    /// let new = NewUser::new("londo", "Londo Mollari")?.id(id);
    /// let londo = chat.create_user(new.clone()).await?;
    /// assert_eq!(chat.create_user(new).await?, londo);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_user_id(&self) -> UserId {
        UserId::from_uuid(self.ids.next(self.now()))
    }

    /// Returns the current time of the [clock](Self::clock).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use threadline::{ManualClock, MemoryStore, Threadline};
    ///
    /// let clock = Arc::new(ManualClock::starting_at("2026-11-22T12:00:00Z".parse()?));
    /// let chat = Threadline::new(MemoryStore::new()).clock(clock.clone());
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(chat.now(), "2026-11-22T12:01:00Z".parse()?);
    /// # Ok::<(), threadline::Error>(())
    /// ```
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
