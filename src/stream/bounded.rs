//! A store that takes only so many requests at once.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::request::{Answer, Checked, Operation};
use crate::store::Store;

/// The most requests that a batch has under way at once.
const MOST_REQUESTS: usize = 8;

/// The store, for one batch: however many groups, users and rows are in it, it meets only so many requests at once. Those above it
/// wait for their turn, in the order in which they came.
///
/// No read fails for good, and a write only as [`Invalid`](ErrorKind::Invalid), if the stored item does not take it: no other answer
/// of a store gives up a record, or is a finding.
#[derive(Debug)]
pub(super) struct Bounded {
    store: Arc<dyn Store>,
    turns: Semaphore,
}

impl Bounded {
    pub(super) fn new(store: &Arc<dyn Store>) -> Self {
        Self { store: Arc::clone(store), turns: Semaphore::new(MOST_REQUESTS) }
    }
}

// The semaphore is never closed, so that each request gets its turn.
#[async_trait]
impl Store for Bounded {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let operation = request.operation();
        let _turn = self.turns.acquire().await;
        self.store.execute(request).await.map_err(|error| {
            let is_refusal = operation.writes() && error.kind() == ErrorKind::Invalid;
            if is_refusal || operation == Operation::Scan { error } else { may_pass(error) }
        })
    }
}

/// The error of a request, as one to be tried again.
fn may_pass(error: Error) -> Error {
    match error.recovery() {
        Recovery::Retry | Recovery::Operator => error,
        Recovery::Permanent => Error::new(ErrorKind::Unavailable, "the store refused the request").with_source(error),
    }
}
