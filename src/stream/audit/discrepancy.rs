//! The findings of an audit.

use std::fmt;

use crate::id::{GroupId, UserId};

/// A discrepancy that an [audit](super::Auditor) finds: an inbox entry, a member count or a claim does not agree with
/// the messages, memberships or users from which it is derived.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discrepancy {
    /// One member of a direct conversation has no inbox entry.
    MissingEntry {
        /// The conversation.
        group: GroupId,
        /// The member without an entry.
        user: UserId,
    },
    /// An inbox entry does not show the newest message, or its index key differs from the message that it shows.
    WrongRecency {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// An inbox entry shows the newest message, but differs from this message, for example in the preview.
    StalePreview {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// The names in an inbox entry differ from the current names of the users.
    StaleNames {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// The member count of a group differs from the number of its memberships.
    WrongMemberCount {
        /// The conversation.
        group: GroupId,
        /// The member count in the group's item.
        counted: u32,
        /// The number of memberships that exist.
        memberships: u32,
    },
    /// A membership exists, but its group does not.
    OrphanEntry {
        /// The id of the missing group.
        group: GroupId,
        /// The user who has the membership.
        user: UserId,
    },
    /// Messages exist, but their group does not.
    OrphanThread {
        /// The id of the missing group.
        group: GroupId,
    },
    /// A claim names a user who does not exist, or who does not have the claimed handle or identity.
    WrongClaim {
        /// The entity of the claim: `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// The user in the claim.
        user: UserId,
    },
    /// A user has no correct claim on their handle or identity. The claim is missing, belongs to another user, or
    /// contains names that differ from the user's.
    MissingClaim {
        /// The entity of the missing claim: `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// The user without a correct claim.
        user: UserId,
    },
    /// A claim on a handle still has its key of version 0.1, and no other user claims the handle with the current key.
    /// See [`HandleClaim`](crate::entity::HandleClaim).
    OldClaim {
        /// The user in the claim.
        user: UserId,
    },
    /// An item is unreadable: its key or its attributes are invalid for its entity.
    Unreadable {
        /// The entity of the item, and the reason why the item is unreadable. The text contains no content of the item.
        reason: String,
    },
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingEntry { group, user } => write!(f, "group {group}: user {user} has no inbox entry"),
            Self::WrongRecency { group, user } => {
                write!(f, "group {group}: the inbox entry of user {user} is not at the newest message")
            }
            Self::StalePreview { group, user } => {
                write!(f, "group {group}: the inbox entry of user {user} differs from the newest message")
            }
            Self::StaleNames { group, user } => {
                write!(f, "group {group}: the inbox entry of user {user} has outdated names")
            }
            Self::WrongMemberCount { group, counted, memberships } => {
                write!(f, "group {group}: member count is {counted}, but there are {memberships} memberships")
            }
            Self::OrphanEntry { group, user } => {
                write!(f, "group {group}: user {user} has a membership, but there is no group")
            }
            Self::OrphanThread { group } => write!(f, "group {group}: there are messages, but there is no group"),
            Self::WrongClaim { entity, user } => {
                write!(f, "user {user}: a {entity} for a value that the user does not have")
            }
            Self::MissingClaim { entity, user } => write!(f, "user {user}: {entity} is missing"),
            Self::OldClaim { user } => write!(f, "user {user}: a HandleClaim with the key of version 0.1"),
            Self::Unreadable { reason } => f.write_str(reason),
        }
    }
}

/// A discrepancy that an [audit](super::Auditor) found, and the result of its repair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The discrepancy.
    pub discrepancy: Discrepancy,
    /// `true` if the discrepancy is repaired, by this audit or by another change in the meantime.
    pub repaired: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.repaired { ": repaired" } else { "" };
        write!(f, "{}{suffix}", self.discrepancy)
    }
}
