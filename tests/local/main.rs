//! DynamoDB Local: tests of the DynamoDB store, the table and the poller over the wire.
#![cfg(feature = "dynamodb")]

#[cfg(feature = "streams")]
mod poller;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod table;
