//! The projector, which applies the table's stream to the inbox entries, and the audit.
//!
//! * [`Projector`] handles a batch of stream records. The module `lambda` (feature `lambda`) reads the events of AWS
//!   Lambda. `Poller` (feature `streams`) reads the stream itself.
//! * [`DeadLetterSink`] keeps records that can never succeed.
//! * [`Auditor`] compares the inbox entries, member counts and claims with their sources, and repairs them.
//!
//! [Operating](crate::guide::operating) describes the delay of the inboxes, crashes, repair and limits.
//! [Costs](crate::guide::costs) has the price of each kind of record.

pub(crate) mod audit;
mod bounded;
mod entries;
#[cfg(feature = "lambda")]
pub mod lambda;
mod plan;
#[cfg(feature = "streams")]
mod poller;
pub(crate) mod projector;
mod sink;

pub use crate::store::record::{RawRecord, RecordKind, SequenceNumber, StreamRecord};
pub use audit::{AuditCursor, AuditPage, Auditor, Discrepancy, Finding};
#[cfg(feature = "streams")]
pub use poller::{PollEvent, PollStart, PollSummary, Poller, aws_sdk_dynamodbstreams, local_streams_client};
pub use projector::{Projection, Projector, RecordOutcome};
pub use sink::{DeadLetterSink, JsonLinesSink};
