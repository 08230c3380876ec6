//! The store on DynamoDB shows every behaviour, itself and behind a pointer, on a real server.

#[path = "support/shared_table.rs"]
mod shared_table;
mod support;

use std::sync::Arc;

use support::client;
use threadline::{DynamoDbStore, Store};

mod dynamodb_store {
    use super::*;

    threadline::conformance_tests! {
        #[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
        run_id: &format!("{} store", table()),
        store: store(),
    }
}

mod arc_dyn_store {
    use super::*;

    threadline::conformance_tests! {
        #[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
        run_id: &format!("{} arc", table()),
        store: Arc::new(store()) as Arc<dyn Store>,
    }
}

/// The table, through a client of this test's own: its connections belong to the test's runtime and end with it.
fn store() -> DynamoDbStore {
    DynamoDbStore::new(client(), table())
}

fn table() -> &'static str {
    shared_table::table("conformance")
}
