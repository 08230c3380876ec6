//! The store on DynamoDB shows every behaviour, itself and behind a pointer, on a real server.

mod support;

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use support::{client, spec};
use threadline::{DynamoDbStore, Store, TableSpec};

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

/// The name of the table that all tests of this process share, created by the first that asks.
fn table() -> &'static str {
    static TABLE: OnceLock<String> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The run ids are made from it too, and must be new: a server remembers the tokens of transactions.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        let spec = spec(&format!("conformance-{}", since_epoch.as_millis()));
        // On a thread of its own: the test that comes here is in a runtime already, which cannot hold another.
        let created = std::thread::scope(|scope| scope.spawn(|| create(&spec)).join());
        if let Err(panic) = created {
            std::panic::resume_unwind(panic);
        }
        spec.name().to_owned()
    })
}

fn create(spec: &TableSpec) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(spec.create(&client())).expect("the table can be created");
}
