#![doc = include_str!("../docs/projection.md")]

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
