//! A member of a conversation, and that member's row in the inbox.

use serde::Serialize;

use super::{Message, MessagePosition, Profile, User};
use crate::card::EntityCard;
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::item::{Fields, Item};
use crate::key::{GSI1PK, IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix};
use crate::stored::{Entity, Stored};
use crate::tag::{GROUP, Tag, USER};
use crate::text::{DisplayName, GroupTitle, Handle, Preview};
use crate::time::Timestamp;

/// The tag before a member's id, in the sort key and in the index.
pub(crate) const MEMBER: Tag = USER;

/// A member of a conversation and that member's inbox row, at `GRP#<group>` / `USER#<user>`, and in the index at `USER#<user>` /
/// `GRP#<last_message_at>#<group>`. It is the proof that its user may read the thread.
///
/// Its key never changes. Its recency lives in the index key alone, so that a new message is one conditional update. It stays
/// under 1 KB, whatever the names and the text.
///
/// It serializes, for an API's answers, and does not deserialize: only the table makes one. The names in it are copies, which the
/// projector renews after a rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    message_group_uuid: GroupId,
    user_uuid: UserId,
    user_handle: Handle,
    user_display_name: DisplayName,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_version: Option<u32>,
    joined_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<GroupTitle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_uuid: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_handle: Option<Handle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_display_name: Option<DisplayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<MessagePosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sender_uuid: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_revision: Option<u32>,
    /// When that message expires, in epoch seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Preview>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_read: Option<MessagePosition>,
}

impl Stored for Membership {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let row = Self {
            message_group_uuid: fields.required("message_group_uuid")?,
            user_uuid: fields.required("user_uuid")?,
            user_handle: fields.required(Self::HANDLE)?,
            user_display_name: fields.required(Self::DISPLAY_NAME)?,
            user_version: fields.optional(Self::VERSION)?,
            joined_at: fields.required("joined_at")?,
            title: fields.optional("title")?,
            other_uuid: fields.optional("other_uuid")?,
            other_handle: fields.optional(Self::OTHER_HANDLE)?,
            other_display_name: fields.optional(Self::OTHER_DISPLAY_NAME)?,
            other_version: fields.optional(Self::OTHER_VERSION)?,
            last_message: fields.optional(Self::LAST_MESSAGE)?,
            last_sender_uuid: fields.optional(Self::LAST_SENDER)?,
            last_revision: fields.optional(Self::LAST_REVISION)?,
            last_expires_at: fields.optional(Self::LAST_EXPIRES_AT)?,
            message: fields.optional(Self::PREVIEW)?,
            last_read: fields.optional(Self::LAST_READ)?,
        };
        let is_in_own_inbox = fields.is_absent_or(GSI1PK, Self::inbox(row.user_uuid).as_str());
        if fields.is_at(&row.key()) && is_in_own_inbox { Ok(row) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("message_group_uuid", &self.message_group_uuid)
            .with("user_uuid", &self.user_uuid)
            .with(Self::HANDLE, &self.user_handle)
            .with(Self::DISPLAY_NAME, &self.user_display_name)
            .with_some(Self::VERSION, self.user_version.as_ref())
            .with("joined_at", &self.joined_at)
            .with_some("title", self.title.as_ref())
            .with_some("other_uuid", self.other_uuid.as_ref())
            .with_some(Self::OTHER_HANDLE, self.other_handle.as_ref())
            .with_some(Self::OTHER_DISPLAY_NAME, self.other_display_name.as_ref())
            .with_some(Self::OTHER_VERSION, self.other_version.as_ref())
            .with_some(Self::LAST_MESSAGE, self.last_message.as_ref())
            .with_some(Self::LAST_SENDER, self.last_sender_uuid.as_ref())
            .with_some(Self::LAST_REVISION, self.last_revision.as_ref())
            .with_some(Self::LAST_EXPIRES_AT, self.last_expires_at.as_ref())
            .with_some(Self::PREVIEW, self.message.as_ref())
            .with_some(Self::LAST_READ, self.last_read.as_ref()))
    }
}

/// What a conversation is to one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conversation {
    /// A conversation of two: the other one.
    Direct(Profile),
    /// A group: its title.
    Group(GroupTitle),
}

impl Membership {
    /// The card of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "GRP#<group>", "USER#<user>")
        .indexed("USER#<user>", "GRP#<last_message_at>#<group>");

    /// The attribute that holds the position of the group's newest message.
    pub(crate) const LAST_MESSAGE: &'static str = "last_message";
    /// The attribute that holds the id of its sender.
    const LAST_SENDER: &'static str = "last_sender_uuid";
    /// The attribute that holds the revision of it that the row shows.
    const LAST_REVISION: &'static str = "last_revision";
    /// The attribute that holds when it expires.
    const LAST_EXPIRES_AT: &'static str = "last_expires_at";
    /// The attribute that holds the beginning of its text.
    const PREVIEW: &'static str = "message";
    /// The attribute that holds the position up to which the member has read.
    pub(crate) const LAST_READ: &'static str = "last_read";

    /// The attributes that hold the member's names, and the version of the user they were taken from.
    const HANDLE: &'static str = "user_handle";
    const DISPLAY_NAME: &'static str = "user_display_name";
    const VERSION: &'static str = "user_version";
    /// The attributes that hold the other one's names in a direct conversation, and the version of the user the names were taken from.
    const OTHER_HANDLE: &'static str = "other_handle";
    const OTHER_DISPLAY_NAME: &'static str = "other_display_name";
    const OTHER_VERSION: &'static str = "other_version";

    /// The attributes that a projector keeps true: all that follows from the newest message and from the users.
    pub(crate) const PROJECTED: [&'static str; 11] = [
        Self::LAST_MESSAGE,
        Self::LAST_SENDER,
        Self::LAST_REVISION,
        Self::LAST_EXPIRES_AT,
        Self::PREVIEW,
        Self::HANDLE,
        Self::DISPLAY_NAME,
        Self::VERSION,
        Self::OTHER_HANDLE,
        Self::OTHER_DISPLAY_NAME,
        Self::OTHER_VERSION,
    ];

    /// What a row weighs, without the names and the preview, when every attribute is there and is as long as it can be. That
    /// is a row of a direct conversation: the title, which only a group has, weighs less than what tells of the other one.
    const FIXED_BYTES: usize = 743;
    /// What the expiry of the newest message weighs more, in the few rows that have one: its name, and a number of up to 12 digits.
    const EXPIRY_BYTES: usize = Self::LAST_EXPIRES_AT.len() + 7;
    /// What a row may weigh, so that it is written for one capacity unit.
    const MOST_BYTES: usize = 1024;

    pub(crate) fn new(group: GroupId, member: Profile, conversation: Conversation, joined_at: Timestamp) -> Self {
        let (title, other) = match conversation {
            Conversation::Direct(other) => (None, Some(other)),
            Conversation::Group(title) => (Some(title), None),
        };
        let other_uuid = other.as_ref().map(Profile::id);
        let other_version = other.as_ref().and_then(Profile::version);
        let (other_handle, other_display_name) = other.map(Profile::into_names).unzip();
        let (user_uuid, user_version) = (member.id(), member.version());
        let (user_handle, user_display_name) = member.into_names();
        Self {
            message_group_uuid: group,
            user_uuid,
            user_handle,
            user_display_name,
            user_version,
            joined_at,
            title,
            other_uuid,
            other_handle,
            other_display_name,
            other_version,
            last_message: None,
            last_sender_uuid: None,
            last_revision: None,
            last_expires_at: None,
            message: None,
            last_read: None,
        }
    }

    /// The row with this as the group's newest message, or without any.
    pub(crate) fn showing<'a>(self, newest: impl Into<Option<&'a Message>>) -> Self {
        let newest = newest.into();
        Self {
            last_message: newest.map(Message::position),
            last_sender_uuid: newest.map(Message::sender_id),
            last_revision: newest.map(Message::revision),
            last_expires_at: newest.and_then(expiry_of),
            message: newest.and_then(|newest| self.preview_of(newest)),
            ..self
        }
    }

    /// The row moved forward: to a newer message, or to a newer revision of the one it shows. `None` for a row that is there
    /// already.
    pub(crate) fn moved_to(&self, message: &Message) -> Option<Self> {
        (self.shown() < Some((message.position(), message.revision()))).then(|| self.clone().showing(message))
    }

    /// How far the row is: the newest message that it knows of, in which revision.
    pub(crate) fn shown(&self) -> Option<(MessagePosition, u32)> {
        self.last_message.map(|shown| (shown, self.last_revision.unwrap_or(0)))
    }

    /// Whether the row holds names that the user had before these, for all it says.
    pub(crate) fn has_older_names_of(&self, user: &User) -> bool {
        // One that says no version may hold any.
        self.versions_of(user).any(|version| version.is_none_or(|version| version < user.version()))
    }

    /// Whether the row says that it holds names that the user had before these.
    pub(crate) fn says_older_version_of(&self, user: &User) -> bool {
        self.versions_of(user).flatten().any(|version| version < user.version())
    }

    /// The versions that the row says of the user's names, wherever it holds them.
    fn versions_of(&self, user: &User) -> impl Iterator<Item = Option<u32>> {
        let held = [(Some(self.user_uuid), self.user_version), (self.other_uuid, self.other_version)];
        held.into_iter().filter(move |(of, _)| *of == Some(user.id())).map(|(_, version)| version)
    }

    /// Whether the row holds other names of the user than these.
    pub(crate) fn has_other_names_of(&self, user: &User) -> bool {
        let other = |profile: Profile| profile.id() == user.id() && profile != user.profile();
        other(self.profile()) || self.other().is_some_and(other)
    }

    /// The row with the names that the user has, and with as much of the preview as has room beside them.
    pub(crate) fn renamed(&self, user: &User) -> Self {
        let mut row = self.clone();
        if row.user_uuid == user.id() {
            row.user_handle = user.handle().clone();
            row.user_display_name = user.display_name().clone();
            row.user_version = Some(user.version());
        }
        if row.other_uuid == Some(user.id()) {
            row.other_handle = Some(user.handle().clone());
            row.other_display_name = Some(user.display_name().clone());
            row.other_version = Some(user.version());
        }
        row.message =
            row.message.as_ref().map(|preview| Preview::cut(preview.as_str(), row.preview_room(row.last_expires_at)));
        row
    }

    /// Whether this row may have room for more of the message than `before` shows, the same row with other names.
    pub(crate) fn may_show_more_than(&self, before: &Self) -> bool {
        let room = |row: &Self| row.preview_room(before.last_expires_at);
        let is_full = before.message.as_ref().is_some_and(|preview| preview.may_be_cut_at(room(before)));
        is_full && room(self) > room(before)
    }

    /// The row, read up to here.
    pub(crate) fn read_up_to(self, position: MessagePosition) -> Self {
        Self { last_read: Some(position), ..self }
    }

    /// The beginning of the message, as much of it as this row has room for; `None` once it is deleted. It follows from the message
    /// and the names alone, so that it does not matter which of them came last.
    fn preview_of(&self, message: &Message) -> Option<Preview> {
        message.body().map(|body| Preview::cut(body.as_str(), self.preview_room(expiry_of(message))))
    }

    /// How many bytes of preview this row has room for, beside its names and the expiry of the message.
    fn preview_room(&self, expiry: Option<i64>) -> usize {
        let optional = |text: Option<&str>| text.map_or(0, str::len);
        let names = self.user_handle.as_str().len()
            + self.user_display_name.as_str().len()
            + optional(self.title.as_ref().map(GroupTitle::as_str))
            + optional(self.other_handle.as_ref().map(Handle::as_str))
            + optional(self.other_display_name.as_ref().map(DisplayName::as_str));
        let expiry = expiry.map_or(0, |_| Self::EXPIRY_BYTES);
        Self::MOST_BYTES.saturating_sub(Self::FIXED_BYTES + names + expiry)
    }

    /// The conversation.
    pub fn group_id(&self) -> GroupId {
        self.message_group_uuid
    }

    /// The member's id.
    pub fn user_id(&self) -> UserId {
        self.user_uuid
    }

    /// The member, with the names of when the row was written.
    pub fn profile(&self) -> Profile {
        Profile::new(self.user_uuid, self.user_handle.clone(), self.user_display_name.clone())
            .of_version(self.user_version)
    }

    /// When the member joined.
    pub fn joined_at(&self) -> Timestamp {
        self.joined_at
    }

    /// The group's title; `None` for a direct conversation.
    pub fn title(&self) -> Option<&GroupTitle> {
        self.title.as_ref()
    }

    /// The other one of a direct conversation, with the names of when the row was written; `None` for a group.
    pub fn other(&self) -> Option<Profile> {
        let profile = Profile::new(self.other_uuid?, self.other_handle.clone()?, self.other_display_name.clone()?);
        Some(profile.of_version(self.other_version))
    }

    /// The id of the other one of a direct conversation.
    pub(crate) fn other_id(&self) -> Option<UserId> {
        self.other_uuid
    }

    /// Whether this is a conversation of two.
    pub fn is_direct(&self) -> bool {
        self.other_uuid.is_some()
    }

    /// The position of the group's newest message that this row knows of.
    pub fn last_message(&self) -> Option<MessagePosition> {
        self.last_message
    }

    /// Who sent the newest message.
    pub fn last_sender_id(&self) -> Option<UserId> {
        self.last_sender_uuid
    }

    /// Whether the row shows this revision of the message.
    pub(crate) fn shows_revision_of(&self, message: &Message) -> bool {
        self.last_message == Some(message.position()) && self.last_revision.unwrap_or(0) == message.revision()
    }

    /// Returns `true` if the row shows this revision of the message with another expiry.
    pub(crate) fn shows_other_expiry_of(&self, message: &Message) -> bool {
        self.shows_revision_of(message) && self.last_expires_at != expiry_of(message)
    }

    /// Whether the row shows the message as it is, or that there is none.
    pub(crate) fn shows(&self, newest: Option<&Message>) -> bool {
        self.last_message == newest.map(Message::position)
            && self.last_sender_uuid == newest.map(Message::sender_id)
            && self.last_revision.unwrap_or(0) == newest.map_or(0, Message::revision)
            && self.last_expires_at == newest.and_then(expiry_of)
            && self.message == newest.and_then(|newest| self.preview_of(newest))
    }

    /// Returns `true` if the message that the row shows has expired.
    pub(crate) fn shows_expired(&self, now: Timestamp) -> bool {
        self.last_expires_at.is_some_and(|seconds| seconds <= now.unix_seconds())
    }

    /// The beginning of the newest message: at most 140 characters, fewer where the names are long; `None` once the message is
    /// deleted. It is empty for a message whose first grapheme is longer than a [`Preview`] takes.
    pub fn preview(&self) -> Option<&Preview> {
        self.message.as_ref()
    }

    /// Up to where the member has read.
    pub fn last_read(&self) -> Option<MessagePosition> {
        self.last_read
    }

    /// What the row is ordered by: the time of the newest message, or of joining while there is none.
    pub fn last_message_at(&self) -> Timestamp {
        self.last_message.map_or(self.joined_at, |last| last.created_at())
    }

    /// Returns `true` if the newest message is somebody else's and later than the read marker. Sending is reading: after the
    /// member's own message nothing is unread. A deleted message counts like any other.
    pub fn is_unread(&self) -> bool {
        self.last_sender_uuid.is_some_and(|sender| sender != self.user_uuid) && self.last_message > self.last_read
    }

    /// The partition that holds a group and its members.
    pub(crate) fn partition(group: GroupId) -> PartitionKey {
        PartitionKey::new((GROUP, group))
    }

    /// The sort keys of the members within their group's partition.
    pub(crate) fn members() -> SortKeyPrefix {
        SortKeyPrefix::new((MEMBER,))
    }

    /// The partition of the index that holds a user's inbox.
    pub(crate) fn inbox(user: UserId) -> PartitionKey {
        PartitionKey::new((MEMBER, user))
    }

    /// The sort keys of the inbox rows within that partition.
    pub(crate) fn inbox_rows() -> SortKeyPrefix {
        SortKeyPrefix::new((GROUP,))
    }

    /// The sort key of a row in the index.
    pub(crate) fn recency(last_message_at: Timestamp, group: GroupId) -> SortKey {
        SortKey::new((GROUP, last_message_at, group))
    }
}

fn expiry_of(message: &Message) -> Option<i64> {
    message.expires_at().map(Timestamp::unix_seconds)
}

impl Entity for Membership {
    const TYPE: &'static str = "Membership";
    type KeyParts<'a> = (GroupId, UserId);

    fn key_from((group, user): (GroupId, UserId)) -> Key {
        Key::new(Self::partition(group), SortKey::new((MEMBER, user)))
    }

    fn key_parts(&self) -> (GroupId, UserId) {
        (self.message_group_uuid, self.user_uuid)
    }

    fn index_key(&self) -> Option<IndexKey> {
        Some(IndexKey::new(Self::inbox(self.user_uuid), Self::recency(self.last_message_at(), self.message_group_uuid)))
    }
}
