//! The in-memory store shows every behaviour: itself, behind a pointer and within a wrapper.

use std::sync::Arc;

use threadline::Store;
use threadline::store::memory::MemoryStore;
use threadline::store::meter::Metered;

mod memory_store {
    use super::*;

    threadline::conformance_tests! {
        run_id: "memory",
        store: MemoryStore::new(),
    }
}

mod arc_dyn_store {
    use super::*;

    threadline::conformance_tests! {
        run_id: "memory",
        store: Arc::new(MemoryStore::new()) as Arc<dyn Store>,
    }
}

mod metered_store {
    use super::*;

    threadline::conformance_tests! {
        run_id: "memory",
        store: Metered::new(MemoryStore::new()),
    }
}
