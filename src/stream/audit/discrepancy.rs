//! What an audit can find.

use std::fmt;

use crate::id::{GroupId, UserId};

/// Something derived that is not what it is derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discrepancy {
    /// A direct conversation has no row for this one of its two.
    MissingRow {
        /// The conversation.
        group: GroupId,
        /// Whose row is missing.
        user: UserId,
    },
    /// A row stands at the place of another message than the newest.
    WrongRecency {
        /// The conversation.
        group: GroupId,
        /// Whose row it is.
        user: UserId,
    },
    /// A row stands at the newest message's place and shows something else of it.
    StalePreview {
        /// The conversation.
        group: GroupId,
        /// Whose row it is.
        user: UserId,
    },
    /// A row holds other names than the users have.
    StaleNames {
        /// The conversation.
        group: GroupId,
        /// Whose row it is.
        user: UserId,
    },
    /// A group counts other members than it has rows.
    WrongMemberCount {
        /// The conversation.
        group: GroupId,
        /// What the group says.
        counted: u32,
        /// How many rows there are.
        rows: u32,
    },
    /// A row has no group.
    OrphanRow {
        /// The conversation that is not there.
        group: GroupId,
        /// Whose row it is.
        user: UserId,
    },
    /// Messages have no group.
    OrphanThread {
        /// The conversation that is not there.
        group: GroupId,
    },
    /// A handle or an identity is claimed for a user who has another one, or is not there.
    DoubledClaim {
        /// `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// For whom it is claimed.
        user: UserId,
    },
    /// A user's handle or identity is not claimed for the user.
    MissingClaim {
        /// `HandleClaim` or `IdentityClaim`.
        entity: &'static str,
        /// Whose claim it is.
        user: UserId,
    },
    /// A user's handle is claimed by the key of version 0.1, and nobody else has the folded one.
    OldClaim {
        /// Whose claim it is.
        user: UserId,
    },
    /// An item cannot be read.
    Unreadable {
        /// What it is and why, without its content.
        what: String,
    },
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingRow { group, user } => write!(f, "group {group}: no inbox row for user {user}"),
            Self::WrongRecency { group, user } => {
                write!(f, "group {group}: the row of user {user} is not at the newest message")
            }
            Self::StalePreview { group, user } => {
                write!(f, "group {group}: the row of user {user} does not show the newest message as it is")
            }
            Self::StaleNames { group, user } => write!(f, "group {group}: the row of user {user} has old names"),
            Self::WrongMemberCount { group, counted, rows } => {
                write!(f, "group {group}: it counts {counted} members and has {rows} rows")
            }
            Self::OrphanRow { group, user } => write!(f, "group {group}: a row of user {user}, and no group"),
            Self::OrphanThread { group } => write!(f, "group {group}: messages, and no group"),
            Self::DoubledClaim { entity, user } => {
                write!(f, "user {user}: a {entity} of something else than the user has")
            }
            Self::MissingClaim { entity, user } => write!(f, "user {user}: no {entity} of what the user has"),
            Self::OldClaim { user } => write!(f, "user {user}: a HandleClaim by the key of version 0.1"),
            Self::Unreadable { what } => f.write_str(what),
        }
    }
}

/// What an audit found, and whether it is repaired now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What differs.
    pub discrepancy: Discrepancy,
    /// Whether it was repaired: by this audit, or by what changed in between.
    pub repaired: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.repaired { ": repaired" } else { "" };
        write!(f, "{}{end}", self.discrepancy)
    }
}
