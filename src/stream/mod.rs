//! The table's stream, and the projector that keeps the inbox rows true to it.

#[cfg(feature = "lambda")]
pub mod lambda;
mod plan;
mod projector;
mod record;
mod rows;
mod sink;

pub use projector::{Projection, Projector, RecordOutcome};
pub use record::{RawRecord, RecordKind, SequenceNumber, StreamRecord};
pub use sink::{JsonLinesSink, Sink};
