//! The membership of a user in a conversation, which is also the user's inbox entry.

mod projection;

use serde::Serialize;

use super::profile::Names;
use super::{MessagePosition, Profile};
use crate::card::EntityCard;
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::item::{Fields, Item};
use crate::key::{GSI1PK, IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix};
use crate::stored::{Entity, Stored};
use crate::tag::{GROUP, Tag, USER};
use crate::text::{GroupTitle, Preview};
use crate::time::Timestamp;

/// The tag before a member's id, in the sort key and in the index.
pub(crate) const MEMBER: Tag = USER;

/// The membership of a user in a conversation, which is also the conversation's entry in the user's inbox. The
/// membership permits the user to read and write the conversation's messages.
///
/// Its key is `GRP#<group>` / `USER#<user>`, and its index key is `USER#<user>` / `GRP#<last_message_at>#<group>`. The
/// key never changes. Only the index key follows the newest message, so a message costs one conditional update for each
/// member. The item is at most 1 KB, no matter how long the names and the message are.
///
/// The names in a membership are copies. After a rename, the [projector](crate::stream::Projector) updates them.
///
/// A membership serializes, for the response of an API. A missing value is null. A membership does not deserialize, so
/// that no client can forge one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    group_id: GroupId,
    profile: Profile,
    joined_at: Timestamp,
    title: Option<GroupTitle>,
    other: Option<Profile>,
    last_message: Option<MessagePosition>,
    last_sender_id: Option<UserId>,
    #[serde(skip_serializing)]
    last_revision: Option<u32>,
    /// The expiry of that message, in epoch seconds.
    #[serde(skip_serializing)]
    last_expires_at: Option<i64>,
    preview: Option<Preview>,
    last_read: Option<MessagePosition>,
}

impl Stored for Membership {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let membership = Self {
            group_id: fields.required("message_group_uuid")?,
            profile: Profile::read(&mut fields, Self::NAMES)?,
            joined_at: fields.required("joined_at")?,
            title: fields.optional("title")?,
            other: Profile::read_some(&mut fields, Self::OTHER)?,
            last_message: fields.optional(Self::LAST_MESSAGE)?,
            last_sender_id: fields.optional(Self::LAST_SENDER)?,
            last_revision: fields.optional(Self::LAST_REVISION)?,
            last_expires_at: fields.optional(Self::LAST_EXPIRES_AT)?,
            preview: fields.optional(Self::PREVIEW)?,
            last_read: fields.optional(Self::LAST_READ)?,
        };
        let is_in_own_inbox = fields.is_absent_or(GSI1PK, Self::inbox(membership.user_id()).as_str());
        if fields.is_at(&membership.key()) && is_in_own_inbox { Ok(membership) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        let item = self.profile.write(Item::new(), Self::NAMES);
        let item = self.other.iter().fold(item, |item, other| other.write(item, Self::OTHER));
        Ok(item
            .with("message_group_uuid", self.group_id)
            .with("joined_at", self.joined_at)
            .with_some("title", self.title.as_ref())
            .with_some(Self::LAST_MESSAGE, self.last_message)
            .with_some(Self::LAST_SENDER, self.last_sender_id)
            .with_some(Self::LAST_REVISION, self.last_revision)
            .with_some(Self::LAST_EXPIRES_AT, self.last_expires_at)
            .with_some(Self::PREVIEW, self.preview.as_ref())
            .with_some(Self::LAST_READ, self.last_read))
    }
}

/// A conversation, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conversation {
    /// A direct conversation with this other member.
    Direct(Profile),
    /// A group with this title.
    Group(GroupTitle),
}

impl Membership {
    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "GRP#<group>", "USER#<user>")
        .indexed("USER#<user>", "GRP#<last_message_at>#<group>");

    /// The position of the newest message.
    pub(crate) const LAST_MESSAGE: &'static str = "last_message";
    /// The id of its sender.
    const LAST_SENDER: &'static str = "last_sender_uuid";
    /// Its revision.
    const LAST_REVISION: &'static str = "last_revision";
    /// Its expiry.
    const LAST_EXPIRES_AT: &'static str = "last_expires_at";
    /// The beginning of its text.
    const PREVIEW: &'static str = "message";
    /// The member's read marker.
    pub(crate) const LAST_READ: &'static str = "last_read";

    /// The member.
    const NAMES: Names =
        Names { id: "user_uuid", handle: "user_handle", display_name: "user_display_name", version: "user_version" };
    /// The other member of a direct conversation.
    const OTHER: Names = Names {
        id: "other_uuid",
        handle: "other_handle",
        display_name: "other_display_name",
        version: "other_version",
    };

    pub(crate) fn new(group: GroupId, member: Profile, conversation: Conversation, joined_at: Timestamp) -> Self {
        let (title, other) = match conversation {
            Conversation::Direct(other) => (None, Some(other)),
            Conversation::Group(title) => (Some(title), None),
        };
        Self {
            group_id: group,
            profile: member,
            joined_at,
            title,
            other,
            last_message: None,
            last_sender_id: None,
            last_revision: None,
            last_expires_at: None,
            preview: None,
            last_read: None,
        }
    }

    /// Returns the id of the conversation.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().group_id(), thread.group_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_id(&self) -> GroupId {
        self.group_id
    }

    /// Returns the member's id.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().user_id(), andrew.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn user_id(&self) -> UserId {
        self.profile.id()
    }

    /// Returns the member: the id, and the names that the membership contains.
    ///
    /// The names are copies. After a rename, they are old until the [projector](crate::stream::Projector) has copied
    /// the new ones. The names in a message never change; see
    /// [`Message::sender_handle`](crate::Message::sender_handle).
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().profile(), andrew.profile());
    /// # Ok(())
    /// # }
    /// ```
    pub fn profile(&self) -> Profile {
        self.profile.clone()
    }

    /// Returns the time when the member joined.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let before = chat.now();
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert!(thread.membership().joined_at() >= before);
    /// # Ok(())
    /// # }
    /// ```
    pub fn joined_at(&self) -> Timestamp {
        self.joined_at
    }

    /// Returns the group's title, or `None` for a direct conversation.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko);
    /// let thread = chat.create_group(new, "Welcome!").await?;
    /// assert_eq!(thread.membership().title().map(|title| title.as_str()), Some("Babylon 5 fans"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn title(&self) -> Option<&GroupTitle> {
        self.title.as_ref()
    }

    /// Returns the other member of a direct conversation, or `None` for a group.
    ///
    /// The profile contains copies of the other member's names. After a rename, the
    /// [projector](crate::stream::Projector) updates them.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().other(), Some(bayko.profile()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn other(&self) -> Option<Profile> {
        self.other.clone()
    }

    /// Returns the id of the other member of a direct conversation.
    pub(crate) fn other_id(&self) -> Option<UserId> {
        self.other.as_ref().map(Profile::id)
    }

    /// Returns `true` for a direct conversation of two users, and `false` for a group with a title.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert!(thread.membership().is_direct());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_direct(&self) -> bool {
        self.other.is_some()
    }

    /// Returns the position of the newest message that this inbox entry shows, or `None` if it shows none.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let id = chat.new_message_id();
    /// let draft = threadline::Draft::new("Hello")?.id(id);
    /// let thread = chat.start_direct(&andrew, &bayko, draft).await?;
    /// let last = thread.membership().last_message();
    /// assert_eq!(last.and_then(|position| position.message_id()), Some(id));
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_message(&self) -> Option<MessagePosition> {
        self.last_message
    }

    /// Returns the id of the sender of the newest message in this inbox entry, if any.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().last_sender_id(), Some(andrew.id()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_sender_id(&self) -> Option<UserId> {
        self.last_sender_id
    }

    /// Returns the beginning of the newest message that this inbox entry shows, or `None` if that message is deleted or
    /// there is none.
    ///
    /// The preview has at most 140 characters, and fewer if the names in the entry are long. It is empty if the message
    /// begins with a grapheme that is longer than a [`Preview`] allows.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert_eq!(thread.membership().preview().map(|preview| preview.as_str()), Some("Hello"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn preview(&self) -> Option<&Preview> {
        self.preview.as_ref()
    }

    /// Returns the read marker: the position of the last message that the member has read, if any.
    /// [`Thread::mark_read`](crate::Thread::mark_read) sets it.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let page = chat.inbox(bayko.id()).fetch().await?;
    /// let mut thread = chat.open(bayko.id(), page.items[0].group_id()).await?;
    /// assert_eq!(thread.membership().last_read(), None);
    ///
    /// let hello = &thread.messages().fetch().await?.items[0];
    /// thread.mark_read(hello).await?;
    /// assert_eq!(thread.membership().last_read(), Some(hello.position()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_read(&self) -> Option<MessagePosition> {
        self.last_read
    }

    /// Returns the time by which the inbox is ordered: the time of the newest message. Without a message, it is the
    /// time when the member joined.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let hello = &thread.messages().fetch().await?.items[0];
    /// assert_eq!(thread.membership().last_message_at(), hello.created_at());
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_message_at(&self) -> Timestamp {
        self.last_message.map_or(self.joined_at, |last| last.created_at())
    }

    /// Returns `true` if the newest message that this inbox entry shows is unread. The message is unread if another
    /// user sent it and its position is after the member's [read marker](Self::last_read).
    ///
    /// If the newest message is the member's own, nothing is unread. A deleted message counts like any other.
    ///
    /// ```
    #[doc = include_str!("../../patterns/example_setup.md")]
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// assert!(chat.inbox(bayko.id()).fetch().await?.items[0].is_unread());
    /// assert!(!chat.inbox(andrew.id()).fetch().await?.items[0].is_unread());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_unread(&self) -> bool {
        self.last_sender_id.is_some_and(|sender| sender != self.user_id()) && self.last_message > self.last_read
    }

    /// Returns the key of the partition that holds a group and its members.
    pub(crate) fn partition(group: GroupId) -> PartitionKey {
        PartitionKey::new((GROUP, group))
    }

    /// Returns the prefix of the members' sort keys in the group's partition.
    pub(crate) fn members() -> SortKeyPrefix {
        SortKeyPrefix::new((MEMBER,))
    }

    /// Returns the key of the index partition that holds a user's inbox.
    pub(crate) fn inbox(user: UserId) -> PartitionKey {
        PartitionKey::new((MEMBER, user))
    }

    /// Returns the prefix of the inbox entries' sort keys in that partition.
    pub(crate) fn inbox_entries() -> SortKeyPrefix {
        SortKeyPrefix::new((GROUP,))
    }

    /// Returns the sort key of an entry in the index.
    pub(crate) fn recency(last_message_at: Timestamp, group: GroupId) -> SortKey {
        SortKey::new((GROUP, last_message_at, group))
    }
}

impl Entity for Membership {
    const TYPE: &'static str = "Membership";
    type KeyParts<'a> = (GroupId, UserId);

    fn key_from((group, user): (GroupId, UserId)) -> Key {
        Key::new(Self::partition(group), SortKey::new((MEMBER, user)))
    }

    fn key_parts(&self) -> (GroupId, UserId) {
        (self.group_id, self.user_id())
    }

    fn index_key(&self) -> Option<IndexKey> {
        Some(IndexKey::new(Self::inbox(self.user_id()), Self::recency(self.last_message_at(), self.group_id)))
    }
}
