//! The keys of this crate's entities, parsed into their parts.

use super::membership::MEMBER;
use super::{MessageKey, MessagePosition};
use crate::id::{GroupId, UserId};
use crate::key::{Key, PartitionKey, SortKey};
use crate::stored::Entity;
use crate::tag::{GROUP, HANDLE, IDENTITY, MESSAGES, USER};
use crate::text::{FoldedHandle, IdentitySubject};

/// The key of one of this crate's entities, parsed into its parts. [`KnownKey::parse`] returns it.
///
/// ```
/// use threadline::entity::{Entity, KnownKey};
/// use threadline::{User, UserId};
///
/// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
/// assert_eq!(KnownKey::parse(&User::key_from(user)), Some(KnownKey::User(user)));
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KnownKey {
    /// The key of a [`User`](super::User): the user's id.
    User(UserId),
    /// The key of a [`HandleClaim`](super::HandleClaim): the handle in its folded form.
    HandleClaim(FoldedHandle),
    /// The key of an [`IdentityClaim`](super::IdentityClaim): the subject at the identity provider.
    IdentityClaim(IdentitySubject),
    /// The key of a [`MessageGroup`](super::MessageGroup): the id of the conversation.
    MessageGroup(GroupId),
    /// The key of a [`Membership`](super::Membership): the id of the conversation, and the member's id.
    Membership(GroupId, UserId),
    /// The key of a [`Message`](super::Message): the id of the conversation, and the message's position.
    Message(MessageKey),
}

impl KnownKey {
    /// Parses a key into its parts. Returns `None` if none of this crate's entities has such a key.
    ///
    /// Each part must be spelled exactly as [`to_key`](Self::to_key) writes it.
    pub fn parse(key: &Key) -> Option<Self> {
        let (tag, value) = key.pk.as_str().split_once('#')?;
        let sk = key.sk.as_str();
        Some(if tag == USER.as_str() && sk == USER.as_str() {
            Self::User(UserId::parse_stored(value).ok()?)
        } else if tag == HANDLE.as_str() && sk == HANDLE.as_str() {
            Self::HandleClaim(FoldedHandle::new(value).ok()?)
        } else if tag == IDENTITY.as_str() && sk == IDENTITY.as_str() {
            Self::IdentityClaim(IdentitySubject::new(value).ok()?)
        } else if tag == GROUP.as_str() && sk == GROUP.as_str() {
            Self::MessageGroup(GroupId::parse_stored(value).ok()?)
        } else if tag == GROUP.as_str() {
            let (member, user) = sk.split_once('#')?;
            if member != MEMBER.as_str() {
                return None;
            }
            Self::Membership(GroupId::parse_stored(value).ok()?, UserId::parse_stored(user).ok()?)
        } else if tag == MESSAGES.as_str() {
            let group = GroupId::parse_stored(value).ok()?;
            Self::Message(MessageKey { group, position: sk.parse::<MessagePosition>().ok()? })
        } else {
            return None;
        })
    }

    /// Returns the type of the entity.
    pub(crate) fn entity(&self) -> &'static str {
        match self {
            Self::User(_) => super::User::TYPE,
            Self::HandleClaim(_) => super::HandleClaim::TYPE,
            Self::IdentityClaim(_) => super::IdentityClaim::TYPE,
            Self::MessageGroup(_) => super::MessageGroup::TYPE,
            Self::Membership(..) => super::Membership::TYPE,
            Self::Message(_) => super::Message::TYPE,
        }
    }

    /// Returns the key that consists of these parts.
    pub fn to_key(&self) -> Key {
        match self {
            Self::User(user) => super::User::key_from(*user),
            Self::HandleClaim(handle) => Key::new(PartitionKey::new((HANDLE, handle)), SortKey::new((HANDLE,))),
            Self::IdentityClaim(subject) => super::IdentityClaim::key_from(subject),
            Self::MessageGroup(group) => super::MessageGroup::key_from(*group),
            Self::Membership(group, user) => super::Membership::key_from((*group, *user)),
            Self::Message(key) => super::Message::key_from(*key),
        }
    }
}
