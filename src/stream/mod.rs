//! The table's stream, and the projector that keeps the inbox rows true to it.

mod plan;
#[cfg(feature = "streams")]
mod poller;
mod projector;
mod record;
mod rows;
mod sink;

#[cfg(feature = "streams")]
pub use poller::{PollEvent, PollStart, PollSummary, Poller, local_streams_client};
pub use projector::{Projection, Projector, RecordOutcome};
pub use record::{RecordKind, SequenceNumber, StreamRecord};
pub use sink::{JsonLinesSink, Sink};
