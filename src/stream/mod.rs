//! The table's stream, and the projector that keeps the inbox rows true to it.

mod projector;
mod record;

pub use projector::{Projection, Projector, RecordOutcome};
pub use record::{RecordKind, SequenceNumber, StreamRecord};
