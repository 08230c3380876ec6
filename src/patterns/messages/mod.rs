//! The messages of a thread.

mod change;
pub(crate) mod delete;
mod delivery;
pub(crate) mod edit;
pub(crate) mod get;
pub(crate) mod page;
pub(crate) mod send;

use std::num::NonZeroU32;

use crate::error::Result;
use crate::id::GroupId;
use crate::model::{Message, read_listed};
use crate::patterns::call::Call;
use crate::request::{Order, Query};

pub use page::MessagesRequest;

/// Reads the newest readable message of a thread, consistently. It skips unreadable ones, which the projector reports.
pub(crate) async fn newest_message(call: &Call<'_>, group: GroupId) -> Result<Option<Message>> {
    let mut query = Query::table_consistent(Message::partition(group)).order(Order::Descending);
    // More than one, so that a few expired messages or other entities cost no second page.
    query.limit = NonZeroU32::new(4);
    let mut pages = call.pages(query);
    while let Some(items) = pages.next().await? {
        let mut messages = items.into_iter().filter_map(read_listed::<Message>);
        if let Some(message) = messages.find_map(Result::ok) {
            return Ok(Some(message));
        }
        // After four unsuitable items, there may be many.
        pages.query.limit = NonZeroU32::new(100);
    }
    Ok(None)
}
