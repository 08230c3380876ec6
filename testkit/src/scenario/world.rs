//! The small world of a scenario: users, a group, messages, and stream records.

use std::sync::Arc;
use std::time::Duration;

use threadline::entity::{Entity, Item, Key, PK, SK};
use threadline::store::{Get, Store, StoreExt, Update, Write};
use threadline::stream::{Projector, RecordKind, StreamRecord};
use threadline::{
    Clock, DisplayName, Draft, GroupId, IdentitySubject, ManualClock, Message, MessageBody, NewGroup, NewUser, Result,
    SequentialIds, Thread, Threadline, Timestamp, User, UserId,
};
use uuid::Uuid;

use super::{Scale, invalid};

/// The world of a [`Scenario`](super::Scenario): a store with a clock, and methods that create users, groups and
/// messages in it. Everything that people write in it contains [`CONTENT`](Self::CONTENT).
///
/// The ids are fixed, so two worlds of the same scale are equal. The methods return the errors of the calls that they
/// make.
#[derive(Debug)]
pub struct World {
    /// The store of the world, without the wrappers of a test.
    pub store: Arc<dyn Store>,
    /// The clock of the world and its store.
    pub clock: Arc<ManualClock>,
    /// Threadline on the store.
    pub chat: Threadline,
    /// The size of the world's groups and messages.
    pub scale: Scale,
}

impl World {
    /// The text that all content contains: handles, names, identities, titles and messages.
    pub const CONTENT: &'static str = "canary7f3a9c";
    /// The user who makes the call. This user creates the group and writes its messages.
    pub const CALLER: UserId = id(0);
    /// Another member of the group.
    pub const OTHER: UserId = id(1);
    /// The group of the caller and the other members.
    pub const GROUP: GroupId = group_id(0);
    /// A user who is not a member of any group.
    pub const STRANGER: UserId = id(99);

    /// Returns a clock for [`World::new`] and for the store of the world. The clock starts at a fixed time.
    pub fn clock() -> Arc<ManualClock> {
        let now = Timestamp::from_unix_millis(1_795_348_800_000).unwrap_or(Timestamp::MIN);
        Arc::new(ManualClock::starting_at(now))
    }

    /// Creates a world on this store, without users. The store must have the same clock.
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>, scale: Scale) -> Self {
        let ids = SequentialIds::seeded(1);
        let chat = Threadline::new(store.clone()).clock(clock.clone()).ids(ids);
        Self { store, clock, chat, scale }
    }

    /// Returns a message text that begins with `name`. The text is so long that the message's item has the size
    /// [`Scale::message`](super::Scale::message).
    pub fn text(&self, name: &str) -> Result<MessageBody> {
        let filler = match self.scale.message_kb {
            0 => String::new(),
            1 => format!(" {}", "x".repeat(580)),
            _ => format!(" {}", "🙂".repeat(980)),
        };
        MessageBody::new(format!("{name} {}{filler}", Self::CONTENT))
    }

    /// Returns a draft of a message with a new id, so that a second send of the draft is a retry.
    pub fn draft(&self) -> Result<Draft> {
        self.text("draft").map(|text| Draft::from(text).id(self.chat.new_message_id()))
    }

    /// Returns the [`NewUser`] with this number, without creating the user. The handle ends with the number.
    pub fn new_user(&self, number: u8) -> Result<NewUser> {
        self.named_user(number, &format!("{}.{number:02}", Self::CONTENT))
    }

    /// Returns the [`NewUser`] with this number and this handle, without creating the user.
    pub fn named_user(&self, number: u8, handle: &str) -> Result<NewUser> {
        Ok(NewUser::new(handle, self.name(&format!("Person {number:02}"))?)?.id(id(number)))
    }

    /// Returns a display name that begins with `name`.
    pub fn name(&self, name: &str) -> Result<DisplayName> {
        DisplayName::new(format!("{name} {}", Self::CONTENT))
    }

    /// Returns the identity of the user with this number.
    pub fn identity(&self, number: u8) -> Result<IdentitySubject> {
        IdentitySubject::new(format!("{} {number:02}", Self::CONTENT))
    }

    /// Creates the user with this number and an identity.
    pub async fn user(&self, number: u8) -> Result<User> {
        self.chat.create_user(self.new_user(number)?.identity(self.identity(number)?)?).await
    }

    /// Creates the members of the group and returns them, the caller first.
    pub async fn users(&self) -> Result<Vec<User>> {
        let mut users = Vec::new();
        for number in 0..u8::try_from(self.scale.members).unwrap_or(u8::MAX) {
            users.push(self.user(number).await?);
        }
        Ok(users)
    }

    /// Returns a [`NewGroup`] of these users, without creating the group. The number determines the group's id. The
    /// first user is the creator.
    pub fn new_group(&self, number: u8, users: &[User]) -> Result<NewGroup> {
        let (creator, others) = users.split_first().ok_or_else(|| invalid("a group has a creator"))?;
        let new = NewGroup::new(format!("Title {}", Self::CONTENT), creator)?.id(group_id(number));
        Ok(others.iter().fold(new, NewGroup::member))
    }

    /// Creates the members and their group with a first message. Returns the caller's thread.
    pub async fn group(&self) -> Result<Thread> {
        self.group_of(0, &self.users().await?).await
    }

    /// Creates a group of these users with a first message. Returns the creator's thread. The number determines the
    /// group's id.
    pub async fn group_of(&self, number: u8, users: &[User]) -> Result<Thread> {
        self.chat.create_group(self.new_group(number, users)?, self.draft()?).await
    }

    /// Advances the clock by 1 s, and sends a message whose text begins with `name`.
    pub async fn say(&self, thread: &Thread, name: &str) -> Result<Message> {
        self.clock.advance(Duration::from_secs(1));
        thread.send(self.chat.new_message_id(), self.text(name)?).await
    }

    /// Updates the group's inbox entries to show this message. It calls [`Projector::advance`].
    pub async fn advance(&self, message: &Message) -> Result<()> {
        Projector::new(self.store.clone()).advance(message).await
    }

    /// Sends a message that expires in 60 s, and updates the inbox entries to show the message.
    pub async fn say_expiring(&self, thread: &Thread) -> Result<Message> {
        let sent = self.say(thread, "it expires").await?;
        self.expire(&sent).await?;
        Ok(sent)
    }

    /// Makes a message expire in 60 s, and updates the inbox entries that show it.
    pub async fn expire(&self, message: &Message) -> Result<()> {
        let end = self.clock.now().unix_seconds() + 60;
        let expire = Update::new().set("expires_at", end).add("revision", 1);
        let record = self.change(Write::update(message.key(), expire)).await?;
        let projection = Projector::new(self.store.clone()).project(&[record]).await;
        if projection.has_failed() { Err(invalid("the expiry was not projected")) } else { Ok(()) }
    }

    /// Makes this write, and returns the stream record of its change.
    pub async fn change(&self, write: Write) -> Result<StreamRecord> {
        let key = write.key()?.clone();
        let old = self.item(&key).await?;
        self.store.write(write).await?.done()?;
        let new = self.item(&key).await?;
        Ok(record(&key, old, new))
    }

    /// Returns a stream record that inserts the item with this key. The record contains the item as it is stored now.
    pub async fn insertion(&self, key: &Key) -> Result<StreamRecord> {
        Ok(record(key, None, self.item(key).await?))
    }

    /// Returns the item with this key, if any.
    pub(super) async fn item(&self, key: &Key) -> Result<Option<Item>> {
        Ok(self.store.get(Get::new(key.clone()).consistent()).await?.item)
    }
}

fn record(key: &Key, old: Option<Item>, new: Option<Item>) -> StreamRecord {
    let kind = match (&old, &new) {
        (None, _) => RecordKind::Insert,
        (Some(_), None) => RecordKind::Remove,
        (Some(_), Some(_)) => RecordKind::Modify,
    };
    let mut keys = Item::new();
    keys.insert(PK, key.pk.as_str());
    keys.insert(SK, key.sk.as_str());
    let mut record = StreamRecord::new(kind, keys, None);
    (record.old, record.new) = (old, new);
    record
}

const fn id(number: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(0x6513_270e_269e_4d37_b2a7_4de4_52e6_b400 + number as u128))
}

const fn group_id(number: u8) -> GroupId {
    GroupId::from_uuid(Uuid::from_u128(0x5ae2_90ed_55d1_47a0_bc6d_fe2b_c270_0300 + number as u128))
}
