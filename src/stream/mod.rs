//! The projector, which applies the changes in the table's stream to the inbox entries, and the audit.
//!
//! * [`Projector`] handles a batch of [stream records](StreamRecord). The module `lambda` (feature `lambda`) reads
//!   these records from the events of AWS Lambda. `Poller` (feature `streams`) reads them from the stream itself.
//! * [`DeadLetterSink`] keeps the records that will always fail.
//! * [`Auditor`] compares the inbox entries, member counts and claims with their sources, and repairs them.
//!
//! The guide page [Operating](crate::guide::operating) describes the delay of the inboxes, crashes, repair and limits.
//! The page [Costs](crate::guide::costs) has the price of each kind of record.

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
