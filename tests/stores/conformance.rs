//! Both stores pass the suite: directly, through an `Arc` and within a wrapper.

use std::sync::Arc;

use threadline::MemoryStore;
use threadline::store::Store;
use threadline::store::meter::Metered;

mod memory_store {
    use super::*;

    threadline_testkit::conformance_tests! {
        run_id: "memory",
        store: MemoryStore::new(),
    }
}

mod memory_store_in_arc {
    use super::*;

    threadline_testkit::conformance_tests! {
        run_id: "memory",
        store: Arc::new(MemoryStore::new()) as Arc<dyn Store>,
    }
}

mod metered_store {
    use super::*;

    threadline_testkit::conformance_tests! {
        run_id: "memory",
        store: Metered::new(MemoryStore::new()),
    }
}

#[cfg(feature = "dynamodb")]
mod dynamodb {
    use threadline::DynamoDbStore;

    use crate::shared_table;
    use crate::support::client;

    mod dynamodb_store {
        use super::*;

        threadline_testkit::conformance_tests! {
            #[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
            run_id: &format!("{} store", table()),
            store: store(),
        }
    }

    mod dynamodb_store_in_arc {
        use std::sync::Arc;

        use threadline::store::Store;

        use super::*;

        threadline_testkit::conformance_tests! {
            #[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
            run_id: &format!("{} arc", table()),
            store: Arc::new(store()) as Arc<dyn Store>,
        }
    }

    /// Creates a store with this test's own client, whose connections belong to the test's runtime.
    fn store() -> DynamoDbStore {
        DynamoDbStore::new(client(), table())
    }

    fn table() -> &'static str {
        shared_table::table("stores")
    }
}
