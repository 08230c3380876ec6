//! The access patterns: the calls that an application makes.
//!
//! Every call has one [`tracing`] span, named after its pattern, such as `messages.send`. The span contains the table,
//! the consumed capacity and, after an error, the error's kind. These attributes have
//! [OpenTelemetry's names](crate::guide::telemetry). No span contains content.

pub(crate) mod call;
mod draft;
pub(crate) mod groups;
pub(crate) mod inbox;
pub(crate) mod messages;
mod page;
mod send_window;
mod thread;
mod threadline;
pub(crate) mod users;

pub use draft::Draft;
pub(crate) use groups::members_of;
pub use groups::{ImportedDirect, Member, NewGroup};
pub use inbox::{InboxRequest, Unread};
pub use messages::MessagesRequest;
pub(crate) use messages::newest_message;
pub use page::{Cursor, Page};
pub use send_window::SendWindow;
pub use thread::Thread;
pub use threadline::Threadline;
pub use users::{NewUser, UserChange};
