//! A message, and its place in its thread.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// A message, at `MSG#<group>` / `<created_at>#<message>`. One that was deleted stays as a tombstone without a body.
///
/// It serializes to the attributes that the table stores, without the key, which alone holds the group and the time: get them
/// from the methods. It does not deserialize: only the table makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    // The group and the position are the item's key, and have no attribute of their own.
    #[serde(skip_serializing)]
    group: GroupId,
    #[serde(skip_serializing)]
    position: MessagePosition,
    message_uuid: MessageId,
    user_uuid: UserId,
    user_handle: Handle,
    user_display_name: DisplayName,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    revision: u32,
    // `to_item` writes it as the table's own attribute.
    #[serde(skip_serializing)]
    expires_at: Option<Timestamp>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Stored for Message {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let message = Self {
            group: fields.key(PK, group_of)?,
            position: fields.key(SK, str::parse)?,
            message_uuid: fields.required("message_uuid")?,
            user_uuid: fields.required(Self::SENDER)?,
            user_handle: fields.required("user_handle")?,
            user_display_name: fields.required("user_display_name")?,
            message: fields.optional(Self::BODY)?,
            edited_at: fields.optional(Self::EDITED_AT)?,
            deleted_at: fields.optional(Self::DELETED_AT)?,
            revision: fields.or_default(Self::REVISION)?,
            expires_at: fields.expires(),
        };
        let is_of_its_key = message.position.id.is_none_or(|id| id == message.message_uuid);
        let has_body = message.message.is_some() || message.is_deleted();
        if is_of_its_key && has_body { Ok(message) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("message_uuid", &self.message_uuid)
            .with(Self::SENDER, &self.user_uuid)
            .with("user_handle", &self.user_handle)
            .with("user_display_name", &self.user_display_name)
            .with_some(Self::BODY, self.message.as_ref())
            .with_some(Self::EDITED_AT, self.edited_at.as_ref())
            .with_some(Self::DELETED_AT, self.deleted_at.as_ref())
            .with_some(Self::REVISION, Some(&self.revision).filter(|revision| !is_zero(revision))))
    }
}

/// Returns the group whose messages are in the partition with this key.
fn group_of(pk: &str) -> Result<GroupId> {
    match pk.split_once('#') {
        Some((tag, group)) if tag == MESSAGES.as_str() => group.parse(),
        _ => Err(Error::invalid("not the partition key of a thread")),
    }
}

impl Message {
    /// The card of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "MSG#<group>", "<created_at>#<message>");

    /// The attribute that holds the text.
    pub(crate) const BODY: &'static str = "message";
    /// The attribute that holds the sender's id.
    pub(crate) const SENDER: &'static str = "user_uuid";
    /// The attribute that holds the time of the last edit.
    pub(crate) const EDITED_AT: &'static str = "edited_at";
    /// The attribute that holds the time of the deletion.
    pub(crate) const DELETED_AT: &'static str = "deleted_at";
    /// The attribute that counts the edits and the deletion.
    pub(crate) const REVISION: &'static str = "revision";

    pub(crate) fn new(
        group: GroupId,
        created_at: Timestamp,
        id: MessageId,
        sender: Profile,
        body: MessageBody,
    ) -> Self {
        let user_uuid = sender.id();
        let (user_handle, user_display_name) = sender.into_names();
        Self {
            group,
            position: MessagePosition { created_at, id: Some(id) },
            message_uuid: id,
            user_uuid,
            user_handle,
            user_display_name,
            message: Some(body),
            edited_at: None,
            deleted_at: None,
            revision: 0,
            expires_at: None,
        }
    }

    /// The same message with another text.
    pub(crate) fn edited(self, body: MessageBody, at: Timestamp) -> Self {
        Self { message: Some(body), edited_at: Some(at), revision: self.revision.saturating_add(1), ..self }
    }

    /// What is left of the message when it is deleted.
    pub(crate) fn deleted(self, at: Timestamp) -> Self {
        Self { message: None, deleted_at: Some(at), revision: self.revision.saturating_add(1), ..self }
    }

    /// The message's id.
    pub fn id(&self) -> MessageId {
        self.message_uuid
    }

    /// The conversation that it is part of.
    pub fn group_id(&self) -> GroupId {
        self.group
    }

    /// When it was sent.
    pub fn created_at(&self) -> Timestamp {
        self.position.created_at
    }

    /// Its place in the thread.
    pub fn position(&self) -> MessagePosition {
        self.position
    }

    /// The text; `None` once it is deleted.
    pub fn body(&self) -> Option<&MessageBody> {
        self.message.as_ref()
    }

    /// The id of the user who sent it, which no rename changes. [`Threadline::user`](crate::Threadline::user) returns the names
    /// of now.
    pub fn sender_id(&self) -> UserId {
        self.user_uuid
    }

    /// The sender's handle, as the membership that sent it had it. A rename may not have reached that membership, and somebody else
    /// may have the handle by now. To show the handle of now, look the user up by [`sender_id`](Self::sender_id).
    pub fn sender_handle(&self) -> &Handle {
        &self.user_handle
    }

    /// The sender's display name, as the membership that sent it had it; see [`sender_handle`](Self::sender_handle).
    pub fn sender_display_name(&self) -> &DisplayName {
        &self.user_display_name
    }

    /// When it was last edited.
    pub fn edited_at(&self) -> Option<Timestamp> {
        self.edited_at
    }

    /// When it was deleted.
    pub fn deleted_at(&self) -> Option<Timestamp> {
        self.deleted_at
    }

    /// How often it was changed: 0 as it was sent, and one more for each edit and for the deletion.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Returns when the message expires, if it does: from then on no read returns it and no inbox shows it. An application sets the
    /// item's attribute `expires_at`.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether this is only a tombstone.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The partition that holds a group's messages.
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
        MessageKey { group: self.group, position: self.position }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

/// What a message's key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// The conversation.
    pub group: GroupId,
    /// The place in its thread.
    pub position: MessagePosition,
}

/// A message's place in its thread: the time it was sent and, for two of the same microsecond, its id. Positions compare as
/// their sort keys do.
///
/// The id is missing from Cruddur's own messages, whose sort key is the bare time; such a message comes before its twin with
/// an id.
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
    /// The position of the message with this id that was sent at this time.
    pub fn new(created_at: Timestamp, id: MessageId) -> Self {
        Self { created_at, id: Some(id) }
    }

    /// The time it was sent.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The message's id, where the sort key holds it.
    pub fn message_id(&self) -> Option<MessageId> {
        self.id
    }

    /// Before every message of this time.
    pub(crate) fn at(created_at: Timestamp) -> Self {
        Self { created_at, id: None }
    }

    /// Before every message.
    pub(crate) const FIRST: Self = Self { created_at: Timestamp::MIN, id: None };
    /// After every message.
    pub(crate) const LAST: Self =
        Self { created_at: Timestamp::MAX, id: Some(MessageId::from_uuid(uuid::Uuid::max())) };

    pub(crate) fn sort_key(&self) -> SortKey {
        match self.id {
            Some(id) => SortKey::new((self.created_at, id)),
            None => SortKey::new((self.created_at,)),
        }
    }
}

/// The text of the sort key.
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

/// A v7 id holds its own time, and so its position.
impl TryFrom<MessageId> for MessagePosition {
    type Error = Error;

    fn try_from(id: MessageId) -> Result<Self> {
        match id.time() {
            Some(created_at) => Ok(Self { created_at, id: Some(id) }),
            None => Err(Error::invalid(
                "the message's id is no UUIDv7, so it does not say when it was sent: give the time too",
            )),
        }
    }
}
