//! The projector and the audit, which keep the inbox entries correct.
//!
//! * [`Projector`] applies a batch of [stream records](StreamRecord) to the inbox entries. The module `lambda` (feature
//!   `lambda`) reads the records from the events of AWS Lambda. `Poller` (feature `streams`) reads the records from the
//!   stream itself.
//! * [`DeadLetterSink`] keeps the records that will always fail.
//! * [`Auditor`] compares inbox entries, member counts and claims with the data from which they are derived. It repairs
//!   the entries, counts and claims that are wrong.
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
