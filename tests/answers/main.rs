//! Canned answers: the DynamoDB store, the table and the poller, tested with every answer of the service by a scripted
//! server.
#![cfg(feature = "dynamodb")]

mod canned;
mod dynamodb;
#[path = "../support/spans.rs"]
mod span_recorder;
#[cfg(feature = "streams")]
mod streams;
