//! The messages of a thread.

mod change;
mod delete;
mod delivery;
mod edit;
mod newest;
mod page;
mod send;

pub(crate) use newest::newest_message;
pub use page::MessagesRequest;
