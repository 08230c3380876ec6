//! Canned answers: what the DynamoDB store, the table and the poller make of each answer that the service may give, from a server
//! that answers by script.
#![cfg(feature = "dynamodb")]

mod canned;
mod dynamodb;
#[cfg(feature = "streams")]
mod streams;
