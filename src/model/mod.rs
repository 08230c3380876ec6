//! The entities of this crate, one in a file.

mod handle_claim;
mod identity_claim;
mod known_key;
mod membership;
mod message;
mod message_group;
mod ownership;
mod profile;
mod user;

pub use handle_claim::HandleClaim;
pub use identity_claim::IdentityClaim;
pub use known_key::KnownKey;
pub(crate) use membership::Conversation;
pub use membership::Membership;
pub use message::{Message, MessageKey, MessagePosition};
pub use message_group::MessageGroup;
pub(crate) use ownership::{Ownership, read_listed, read_own};
pub use profile::Profile;
pub use user::User;
