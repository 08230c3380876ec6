//! The messages of a thread.

mod change;
pub(crate) mod delete;
mod delivery;
pub(crate) mod edit;
pub(crate) mod get;
mod newest;
pub(crate) mod page;
pub(crate) mod send;

pub(crate) use newest::newest_message;
pub use page::MessagesRequest;
