//! A conversation of two or more.

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::id::{GroupId, UserId};
use crate::key::{Key, PartitionKey, SortKey, Tag};
use crate::tag;
use crate::text::GroupTitle;
use crate::time::Timestamp;

pub(crate) const GROUP: Tag = tag!("GRP");

/// A conversation, at `GRP#<group>` / `GRP`: one with a title has any number of members, one without is the direct
/// conversation of two people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageGroup {
    message_group_uuid: GroupId,
    #[serde(default, deserialize_with = "crate::text::stored_option", skip_serializing_if = "Option::is_none")]
    title: Option<GroupTitle>,
    member_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member_changes: Option<u64>,
    created_by: UserId,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continued_in: Option<GroupId>,
}

impl MessageGroup {
    /// The attribute that counts the members.
    pub(crate) const MEMBER_COUNT: &'static str = "member_count";
    /// The attribute that counts how often somebody joined or left. The members are still the same where it is the same; of the
    /// count of members that is not so.
    pub(crate) const MEMBER_CHANGES: &'static str = "member_changes";

    pub(crate) fn new(
        id: GroupId,
        title: Option<GroupTitle>,
        member_count: u32,
        created_by: UserId,
        created_at: Timestamp,
    ) -> Self {
        Self {
            message_group_uuid: id,
            title,
            member_count,
            member_changes: None,
            created_by,
            created_at,
            continued_in: None,
        }
    }

    /// The item under a pair's own id that leads to the conversation the two brought along.
    pub(crate) fn pointer(id: GroupId, to: GroupId, created_by: UserId, created_at: Timestamp) -> Self {
        Self { continued_in: Some(to), ..Self::new(id, None, 0, created_by, created_at) }
    }

    /// The group's id.
    pub fn id(&self) -> GroupId {
        self.message_group_uuid
    }

    /// The title; `None` for a direct conversation.
    pub fn title(&self) -> Option<&GroupTitle> {
        self.title.as_ref()
    }

    /// How many members the group has.
    pub fn member_count(&self) -> u32 {
        self.member_count
    }

    /// How often somebody joined or left; `None` before the first time.
    pub(crate) fn member_changes(&self) -> Option<u64> {
        self.member_changes
    }

    /// Who started the conversation.
    pub fn created_by(&self) -> UserId {
        self.created_by
    }

    /// When the conversation was started.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The conversation that this item only leads to: two people's imported conversation, which kept its own id.
    pub fn continued_in(&self) -> Option<GroupId> {
        self.continued_in
    }
}

impl Entity for MessageGroup {
    const TYPE: &'static str = "MessageGroup";
    type KeyParts<'a> = GroupId;

    fn key_from(group: GroupId) -> Key {
        Key::new(PartitionKey::new((GROUP, group)), SortKey::new((GROUP,)))
    }

    fn key_parts(&self) -> GroupId {
        self.message_group_uuid
    }
}
