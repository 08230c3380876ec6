//! Attempts, errors, retries and a client for tests, shared by the DynamoDB store, the table and the stream's poller.

mod attempts;
mod codes;
mod error;
mod local;
mod retry;

pub(crate) use attempts::Attempts;
pub(crate) use error::{Call, Effect, Failure};
pub use local::local_client;
pub(crate) use retry::Backoff;
pub use retry::RetryPolicy;
