//! A message, and its position in the thread of its conversation.

use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::Profile;
use crate::card::EntityCard;
use crate::error::{Error, Result};
use crate::id::{GroupId, MessageId, UserId};
use crate::item::{Fields, Item, text_fields};
use crate::key::{Key, PK, PartitionKey, SK, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::MESSAGES;
use crate::text::{DisplayName, Handle, MessageBody};
use crate::time::Timestamp;

/// A message, or its tombstone: a deleted message stays in the table without its text.
///
/// Its key is `MSG#<group>` / `<created_at>#<message>`.
///
/// A message serializes, for the response of an API. The names are those of the methods, such as `sender_id`, and a
/// missing value is null. A message does not deserialize, so that no client can forge one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    id: MessageId,
    // The item's key holds the group and the position.
    group_id: GroupId,
    #[serde(flatten, serialize_with = "with_time")]
    position: MessagePosition,
    sender_id: UserId,
    sender_handle: Handle,
    sender_display_name: DisplayName,
    body: Option<MessageBody>,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    revision: u32,
    // `Entity::to_item` writes it as the attribute `expires_at`.
    expires_at: Option<Timestamp>,
}

/// Serializes a position and its time, which an API's clients show.
fn with_time<S: Serializer>(position: &MessagePosition, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_map(Some(2))?;
    fields.serialize_entry("position", position)?;
    fields.serialize_entry("created_at", &position.created_at)?;
    fields.end()
}

impl Stored for Message {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let message = Self {
            group_id: fields.key(PK, group_of)?,
            position: fields.key(SK, str::parse)?,
            id: fields.required("message_uuid")?,
            sender_id: fields.required(Self::SENDER)?,
            sender_handle: fields.required("user_handle")?,
            sender_display_name: fields.required("user_display_name")?,
            body: fields.optional(Self::BODY)?,
            edited_at: fields.optional(Self::EDITED_AT)?,
            deleted_at: fields.optional(Self::DELETED_AT)?,
            revision: fields.or_default(Self::REVISION)?,
            expires_at: fields.expires(),
        };
        let is_of_its_key = message.position.id.is_none_or(|id| id == message.id);
        let has_body = message.body.is_some() || message.is_deleted();
        if is_of_its_key && has_body { Ok(message) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("message_uuid", self.id)
            .with(Self::SENDER, self.sender_id)
            .with("user_handle", &self.sender_handle)
            .with("user_display_name", &self.sender_display_name)
            .with_some(Self::BODY, self.body.as_ref())
            .with_some(Self::EDITED_AT, self.edited_at)
            .with_some(Self::DELETED_AT, self.deleted_at)
            .with_some(Self::REVISION, Some(self.revision).filter(|revision| *revision > 0)))
    }
}

/// Returns the group whose messages are in the partition with this key.
fn group_of(pk: &str) -> Result<GroupId> {
    match pk.split_once('#') {
        Some((tag, group)) if tag == MESSAGES.as_str() => group.parse(),
        _ => Err(Error::invalid("partition key is not that of a thread")),
    }
}

impl Message {
    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "MSG#<group>", "<created_at>#<message>");

    /// The text.
    pub(crate) const BODY: &'static str = "message";
    /// The sender's id.
    pub(crate) const SENDER: &'static str = "user_uuid";
    /// The time of the last edit.
    pub(crate) const EDITED_AT: &'static str = "edited_at";
    /// The time of the deletion.
    pub(crate) const DELETED_AT: &'static str = "deleted_at";
    /// The number of changes: edits and the deletion.
    pub(crate) const REVISION: &'static str = "revision";

    pub(crate) fn new(
        group: GroupId,
        created_at: Timestamp,
        id: MessageId,
        sender: Profile,
        body: MessageBody,
    ) -> Self {
        let sender_id = sender.id();
        let (sender_handle, sender_display_name) = sender.into_names();
        Self {
            group_id: group,
            position: MessagePosition { created_at, id: Some(id) },
            id,
            sender_id,
            sender_handle,
            sender_display_name,
            body: Some(body),
            edited_at: None,
            deleted_at: None,
            revision: 0,
            expires_at: None,
        }
    }

    /// Returns the message with another text, one revision later.
    pub(crate) fn edited(self, body: MessageBody, at: Timestamp) -> Self {
        Self { body: Some(body), edited_at: Some(at), revision: self.revision.saturating_add(1), ..self }
    }

    /// Returns the tombstone of the message.
    pub(crate) fn deleted(self, at: Timestamp) -> Self {
        Self { body: None, deleted_at: Some(at), revision: self.revision.saturating_add(1), ..self }
    }

    /// Returns the message's id.
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// Returns the id of the conversation that the message is in.
    pub fn group_id(&self) -> GroupId {
        self.group_id
    }

    /// Returns the time when the message was sent.
    pub fn created_at(&self) -> Timestamp {
        self.position.created_at
    }

    /// Returns the message's position among the messages of its conversation.
    pub fn position(&self) -> MessagePosition {
        self.position
    }

    /// Returns the text, or `None` if the message is deleted.
    pub fn body(&self) -> Option<&MessageBody> {
        self.body.as_ref()
    }

    /// Returns the id of the sender. [`Threadline::user`](crate::Threadline::user) returns the sender's current names.
    pub fn sender_id(&self) -> UserId {
        self.sender_id
    }

    /// Returns the sender's handle at the time of sending, copied from the sender's [`Membership`](crate::Membership).
    ///
    /// This copy never changes. After a rename of the sender, another user may have the handle. To show the current
    /// handle, look the sender up by [`sender_id`](Self::sender_id).
    pub fn sender_handle(&self) -> &Handle {
        &self.sender_handle
    }

    /// Returns the sender's display name at the time of sending. Like [`sender_handle`](Self::sender_handle), it never
    /// changes in a stored message.
    pub fn sender_display_name(&self) -> &DisplayName {
        &self.sender_display_name
    }

    /// Returns the time of the last edit, or `None` if the message was never edited.
    pub fn edited_at(&self) -> Option<Timestamp> {
        self.edited_at
    }

    /// Returns the time of the deletion, or `None` if the message is not deleted.
    pub fn deleted_at(&self) -> Option<Timestamp> {
        self.deleted_at
    }

    /// Returns the number of changes to the message: 0 for a new message, plus 1 for each edit and for the deletion.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Returns the time when the message expires, or `None` if it does not.
    ///
    /// After that time, no read returns the message and no inbox shows it. This crate sets no expiry: an application
    /// can set the attribute [`expires_at`](crate::entity::EXPIRES_AT) of the message's item.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns `true` for a tombstone: a deleted message without its text.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Returns the key of the partition that holds a group's messages.
    pub(crate) fn partition(group: GroupId) -> PartitionKey {
        PartitionKey::new((MESSAGES, group))
    }
}

impl Entity for Message {
    const TYPE: &'static str = "Message";
    type KeyParts<'a> = MessageKey;

    fn key_from(key: MessageKey) -> Key {
        Key::new(Self::partition(key.group), key.position.sort_key())
    }

    fn key_parts(&self) -> MessageKey {
        MessageKey { group: self.group_id, position: self.position }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

/// The parts of a message's key, from which [`Entity::key_from`] creates the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// The id of the conversation that the message is in.
    pub group: GroupId,
    /// The position of the message among the messages of the conversation.
    pub position: MessagePosition,
}

/// The position of a message in its conversation: its time and its id. Positions are ordered by time, then by id, like
/// the sort keys of the messages.
///
/// A position may also be a time without an id. Of two positions with the same time, the one without an id is first.
/// Messages that [Cruddur](crate::guide::from_cruddur) stored have such positions. This crate's design comes from that
/// application.
///
/// ```
/// use threadline::MessagePosition;
///
/// let bare: MessagePosition = "2023-06-26T10:16:00.375877+00:00".parse()?;
/// let full: MessagePosition = "2023-06-26T10:16:00.375877+00:00#5ebf5021-1881-4e1c-8c10-93173ba1a87a".parse()?;
/// assert!(bare < full);
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessagePosition {
    created_at: Timestamp,
    id: Option<MessageId>,
}

impl MessagePosition {
    /// Creates the position of a message from its time and its id.
    pub fn new(created_at: Timestamp, id: MessageId) -> Self {
        Self { created_at, id: Some(id) }
    }

    /// Returns the time when the message was sent.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the message's id, or `None` for a position that is a time without an id.
    pub fn message_id(&self) -> Option<MessageId> {
        self.id
    }

    /// Creates the position before every message of this time.
    pub(crate) fn at(created_at: Timestamp) -> Self {
        Self { created_at, id: None }
    }

    /// The position before every message.
    pub(crate) const FIRST: Self = Self { created_at: Timestamp::MIN, id: None };
    /// The position after every message.
    pub(crate) const LAST: Self =
        Self { created_at: Timestamp::MAX, id: Some(MessageId::from_uuid(uuid::Uuid::max())) };

    pub(crate) fn sort_key(&self) -> SortKey {
        match self.id {
            Some(id) => SortKey::new((self.created_at, id)),
            None => SortKey::new((self.created_at,)),
        }
    }
}

/// Shows the position as the sort key of the message.
impl fmt::Display for MessagePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sort_key().as_str())
    }
}

impl FromStr for MessagePosition {
    type Err = Error;

    fn from_str(sk: &str) -> Result<Self> {
        let (created_at, id) = match sk.split_once('#') {
            Some((created_at, id)) => (created_at, Some(id)),
            None => (sk, None),
        };
        let id = id.map(MessageId::parse_stored).transpose()?;
        Ok(Self { created_at: Timestamp::parse_stored(created_at)?, id })
    }
}

impl TryFrom<String> for MessagePosition {
    type Error = Error;

    fn try_from(sk: String) -> Result<Self> {
        sk.parse()
    }
}

impl From<MessagePosition> for String {
    fn from(position: MessagePosition) -> Self {
        position.sort_key().into()
    }
}

text_fields! {
    MessagePosition: |text| text.parse(), |position| position.sort_key().into();
}

impl From<&Message> for MessagePosition {
    fn from(message: &Message) -> Self {
        message.position
    }
}

/// Creates the position of a message from its UUIDv7 id, which contains the time.
impl TryFrom<MessageId> for MessagePosition {
    type Error = Error;

    fn try_from(id: MessageId) -> Result<Self> {
        match id.time() {
            Some(created_at) => Ok(Self { created_at, id: Some(id) }),
            None => Err(Error::invalid("message id contains no time: use a UUIDv7, or pass the time too")),
        }
    }
}
