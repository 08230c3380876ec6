//! The findings of an audit.

use std::fmt;

use crate::id::{GroupId, UserId};

/// A difference between derived data (entries, counts, claims) and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discrepancy {
    /// A direct conversation without an inbox entry for one of its two members.
    MissingEntry {
        /// The conversation.
        group: GroupId,
        /// The member without an entry.
        user: UserId,
    },
    /// An inbox entry at the position of another message than the newest.
    WrongRecency {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// An inbox entry at the position of the newest message, with other content.
    StalePreview {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// An inbox entry with other names than its users have.
    StaleNames {
        /// The conversation.
        group: GroupId,
        /// The member whose entry differs.
        user: UserId,
    },
    /// A group whose member count differs from its number of memberships.
    WrongMemberCount {
        /// The conversation.
        group: GroupId,
        /// The member count of the group.
        counted: u32,
        /// The number of memberships.
        memberships: u32,
    },
    /// A membership without a group.
    OrphanEntry {
        /// The missing group.
        group: GroupId,
        /// The user of the membership.
        user: UserId,
    },
    /// Messages without a group.
    OrphanThread {
        /// The missing group.
        group: GroupId,
    },
    /// A claim on a handle or an identity for a user who has another one, or who does not exist.
    DoubledClaim {
        /// `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// The user of the claim.
        user: UserId,
    },
    /// A user without a claim on their handle or identity.
    MissingClaim {
        /// `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// The user.
        user: UserId,
    },
    /// A claim with the key of version 0.1, while no other user holds the current key.
    OldClaim {
        /// The user.
        user: UserId,
    },
    /// An unreadable item.
    Unreadable {
        /// The item and the fault, without content.
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
            Self::DoubledClaim { entity, user } => {
                write!(f, "user {user}: a {entity} for a value that the user does not have")
            }
            Self::MissingClaim { entity, user } => write!(f, "user {user}: {entity} is missing"),
            Self::OldClaim { user } => write!(f, "user {user}: a HandleClaim with the key of version 0.1"),
            Self::Unreadable { reason } => f.write_str(reason),
        }
    }
}

/// A discrepancy, and whether it is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The discrepancy.
    pub discrepancy: Discrepancy,
    /// `true` if this audit, or another change in the meantime, repaired it.
    pub repaired: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.repaired { ": repaired" } else { "" };
        write!(f, "{}{suffix}", self.discrepancy)
    }
}
