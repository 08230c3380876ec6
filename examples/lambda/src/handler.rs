//! The handling of a batch.

use std::sync::Arc;

use serde_json::Value;
use threadline::store::Store;
use threadline::store::meter::Metered;
use threadline::stream::lambda::{DynamoDbEventResponse, records_of_table};
use threadline::stream::{Projection, Projector, RecordOutcome};
use threadline::{DynamoDbStore, Error, Result};

use crate::dead_letter::DeadLetters;

/// Projects batches of the stream. It logs outcomes and consumed capacity, never content.
#[derive(Debug)]
pub(crate) struct Handler {
    store: Metered<DynamoDbStore>,
    projector: Projector,
}

impl Handler {
    pub(crate) fn new(store: DynamoDbStore) -> Self {
        let store = Metered::new(store);
        let projector = Projector::new(store.clone()).dead_letters(DeadLetters::new(store.clone()));
        Self { store, projector }
    }

    /// Projects the event's records, and returns the lowest sequence number that failed.
    ///
    /// # Errors
    /// If the payload is no event of this table's stream. Lambda then counts the invocation as failed.
    pub(crate) async fn handle(&self, event: Value) -> Result<DynamoDbEventResponse> {
        let records = records_of_table(&event, self.store.table_name())?;
        let projection = self.projector.project(&records).await;
        log_failures(&projection);
        let count =
            |kind: fn(&RecordOutcome) -> bool| projection.outcomes.iter().filter(|outcome| kind(outcome)).count();
        let consumed = self.store.take();
        tracing::info!(
            records = records.len(),
            done = count(|outcome| matches!(outcome, RecordOutcome::Done)),
            nothing = count(|outcome| matches!(outcome, RecordOutcome::Nothing)),
            failed = count(|outcome| matches!(outcome, RecordOutcome::Failed(_))),
            dead_letters = count(|outcome| matches!(outcome, RecordOutcome::DeadLetter(_))),
            table_read_units = consumed.table_read.as_f64(),
            table_write_units = consumed.table_write.as_f64(),
            index_read_units = consumed.index_read.as_f64(),
            index_write_units = consumed.index_write.as_f64(),
            "projected a batch",
        );
        Ok(DynamoDbEventResponse::from(&projection))
    }
}

/// Logs each error once, even if several records failed with it.
fn log_failures(projection: &Projection) {
    let mut seen: Vec<&Arc<Error>> = Vec::new();
    for outcome in &projection.outcomes {
        let RecordOutcome::Failed(error) = outcome else { continue };
        if seen.iter().any(|known| Arc::ptr_eq(known, error)) {
            continue;
        }
        seen.push(error);
        let service = error.service();
        tracing::warn!(
            kind = ?error.kind(),
            operation = error.operation(),
            code = service.and_then(|service| service.code.as_deref()),
            request_id = service.and_then(|service| service.request_id.as_deref()),
            "records failed and will be redelivered",
        );
    }
}
