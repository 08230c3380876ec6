//! All stores: the conformance suite and the main flows, in memory and on DynamoDB Local.

mod conformance;
mod flows;
#[cfg(feature = "dynamodb")]
#[path = "../support/shared_table.rs"]
mod shared_table;
#[cfg(feature = "dynamodb")]
#[path = "../support/mod.rs"]
mod support;
