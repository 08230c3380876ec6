//! The store on DynamoDB shows every behaviour, itself and behind a pointer, on a real server.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use threadline::store::dynamodb::{DynamoDbStore, local_client};
use threadline::{Store, TableSpec};

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
    DynamoDbStore::new(local_client(&endpoint()), table())
}

/// The address of the server. Without one a test fails: one that passed would say something that is not true.
fn endpoint() -> String {
    std::env::var("DYNAMODB_ENDPOINT").unwrap_or_else(|_| {
        panic!("DYNAMODB_ENDPOINT is not set: start scripts/dynamodb-local and set it to the address, or run ./scripts/test")
    })
}

/// The name of the table that all tests of this process share, created by the first that asks.
fn table() -> &'static str {
    static TABLE: OnceLock<String> = OnceLock::new();
    TABLE.get_or_init(|| {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        let name = format!("threadline-conformance-{}-{}", std::process::id(), since_epoch.as_millis());
        let endpoint = endpoint();
        // On a thread of its own: the test that comes here is in a runtime already, which cannot hold another.
        let created = std::thread::scope(|scope| scope.spawn(|| create_table(&endpoint, &name)).join());
        if let Err(panic) = created {
            std::panic::resume_unwind(panic);
        }
        name
    })
}

fn create_table(endpoint: &str, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let spec = TableSpec::new(name).deletion_protection(false);
    runtime.block_on(spec.create(&local_client(endpoint))).expect("the table can be created");
}
