//! The table's stream, and the projector that keeps the inbox rows true to it.

mod audit;
mod plan;
mod projector;
mod record;
mod rows;
mod sink;

pub use audit::{AuditCursor, AuditPage, Auditor, Drift, Finding};
pub use projector::{Projection, Projector, RecordOutcome};
pub use record::{RecordKind, SequenceNumber, StreamRecord};
pub use sink::{JsonLinesSink, Sink};
