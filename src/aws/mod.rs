//! What the DynamoDB store, the table and the stream's poller share: attempts, errors, retries and a client for tests.

mod attempts;
mod codes;
mod error;
mod local;
mod retry;

pub(crate) use attempts::Attempts;
pub(crate) use error::{Call, Effect, Failure};
pub use local::local_client;
pub use retry::RetryPolicy;
pub(crate) use retry::{Backoff, sleep_of};
