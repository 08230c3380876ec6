//! A store with a limit of concurrent requests.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::request::{Answer, Checked, Operation};
use crate::store::Store;

/// The maximum number of concurrent requests of a batch.
const MAX_REQUESTS: usize = 8;

/// The store of one batch, with a limit of concurrent requests. Further requests wait for a permit, in order of
/// arrival.
///
/// A read never fails permanently. A write does so only as [`Invalid`](ErrorKind::Invalid), if the stored item
/// refuses it. So no other answer of the store dead-letters a record or becomes a finding.
#[derive(Debug)]
pub(super) struct Bounded {
    store: Arc<dyn Store>,
    permits: Semaphore,
}

impl Bounded {
    pub(super) fn new(store: &Arc<dyn Store>) -> Self {
        Self { store: Arc::clone(store), permits: Semaphore::new(MAX_REQUESTS) }
    }
}

// The semaphore is never closed, so `acquire` cannot fail.
#[async_trait]
impl Store for Bounded {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let _permit = self.permits.acquire().await;
        self.store.execute(request).await.map_err(|error| {
            let is_refusal = operation.writes() && error.kind() == ErrorKind::Invalid;
            if is_refusal || operation == Operation::Scan { error } else { retryable(error) }
        })
    }
}

/// Returns the error, with a permanent one as a reason to retry.
fn retryable(error: Error) -> Error {
    match error.recovery() {
        Recovery::Retry | Recovery::Operator => error,
        Recovery::Permanent => Error::new(ErrorKind::Unavailable, "the store refused the request").with_source(error),
    }
}
