//! Attempts, errors, retries, the check of a region and a client for tests. The DynamoDB store, the table and the
//! poller share them.

mod attempts;
mod codes;
mod error;
mod local;
mod region;
mod retry;

pub(crate) use attempts::Attempts;
pub(crate) use error::{Call, Effect, Failure, incomplete};
pub use local::local_client;
pub use region::check_region;
pub(crate) use retry::Backoff;
pub use retry::RetryPolicy;
