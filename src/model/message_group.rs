//! A conversation of two or more users.

use serde::Serialize;

use crate::card::EntityCard;
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::item::{Fields, Item};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::{Entity, Stored};
use crate::tag::GROUP;
use crate::text::GroupTitle;
use crate::time::Timestamp;

/// The entity that stores a conversation: a group with a title, or a direct conversation of two users, which has no
/// title.
///
/// Its key is `GRP#<group>` / `GRP`.
///
/// A `MessageGroup` serializes, for the response of an API. A missing value is null. A `MessageGroup` does not
/// deserialize, so that no client can forge one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageGroup {
    id: GroupId,
    title: Option<GroupTitle>,
    member_count: u32,
    #[serde(skip_serializing)]
    member_changes: Option<u64>,
    created_by: UserId,
    created_at: Timestamp,
    continued_in: Option<GroupId>,
}

impl MessageGroup {
    /// The maximum number of members of a group. A limit is necessary, because the
    /// [projector](crate::stream::Projector) updates every member's inbox entry for each message.
    pub const MAX_MEMBERS: usize = 1000;

    /// The [card](mod@crate::card) of the entity: its type and the templates of its keys.
    pub const CARD: EntityCard = EntityCard::new(Self::TYPE, "GRP#<group>", "GRP");

    /// The number of members.
    pub(crate) const MEMBER_COUNT: &'static str = "member_count";
    /// The number of joins and leaves. If it is unchanged, the members are unchanged, which `member_count` does not
    /// show.
    pub(crate) const MEMBER_CHANGES: &'static str = "member_changes";

    pub(crate) fn new(
        id: GroupId,
        title: Option<GroupTitle>,
        member_count: u32,
        created_by: UserId,
        created_at: Timestamp,
    ) -> Self {
        Self { id, title, member_count, member_changes: None, created_by, created_at, continued_in: None }
    }

    /// Creates the item at the pair's derived id, which points to their imported conversation.
    pub(crate) fn pointer(id: GroupId, to: GroupId, created_by: UserId, created_at: Timestamp) -> Self {
        Self { continued_in: Some(to), ..Self::new(id, None, 0, created_by, created_at) }
    }

    /// Returns the id of the conversation.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Returns the title of a group, or `None` for a direct conversation.
    pub fn title(&self) -> Option<&GroupTitle> {
        self.title.as_ref()
    }

    /// Returns the number of members of the conversation.
    pub fn member_count(&self) -> u32 {
        self.member_count
    }

    /// Returns the number of joins and leaves, or `None` before the first one.
    pub(crate) fn member_changes(&self) -> Option<u64> {
        self.member_changes
    }

    /// Returns the id of the user who started the conversation.
    pub fn created_by(&self) -> UserId {
        self.created_by
    }

    /// Returns the time when the conversation was started.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the id of the imported conversation that this item points to, or `None` for an item that stores a
    /// conversation.
    ///
    /// [`import_direct`](crate::Threadline::import_direct) stores such a pointer at the [derived id](GroupId::direct)
    /// of two users, so that [`start_direct`](crate::Threadline::start_direct) finds their imported conversation.
    pub fn continued_in(&self) -> Option<GroupId> {
        self.continued_in
    }
}

impl Stored for MessageGroup {
    fn read(item: Item, entity: &'static str) -> Result<Self> {
        let mut fields = Fields::new(item, entity);
        let group = Self {
            id: fields.required("message_group_uuid")?,
            title: fields.optional("title")?,
            member_count: fields.required(Self::MEMBER_COUNT)?,
            member_changes: fields.optional(Self::MEMBER_CHANGES)?,
            created_by: fields.required("created_by")?,
            created_at: fields.required("created_at")?,
            continued_in: fields.optional("continued_in")?,
        };
        if fields.is_at(&group.key()) { Ok(group) } else { Err(fields.contradiction()) }
    }

    fn write(&self, _: &'static str) -> Result<Item> {
        Ok(Item::new()
            .with("message_group_uuid", self.id)
            .with_some("title", self.title.as_ref())
            .with(Self::MEMBER_COUNT, self.member_count)
            .with_some(Self::MEMBER_CHANGES, self.member_changes)
            .with("created_by", self.created_by)
            .with("created_at", self.created_at)
            .with_some("continued_in", self.continued_in))
    }
}

impl Entity for MessageGroup {
    const TYPE: &'static str = "MessageGroup";
    type KeyParts<'a> = GroupId;

    fn key_from(group: GroupId) -> Key {
        Key::new(PartitionKey::new((GROUP, group)), SortKey::new((GROUP,)))
    }

    fn key_parts(&self) -> GroupId {
        self.id
    }
}
