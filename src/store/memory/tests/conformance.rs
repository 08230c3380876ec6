//! The in-memory store shows every behaviour, itself and behind a pointer.

use std::sync::Arc;

use crate::store::Store;
use crate::store::memory::MemoryStore;

mod memory_store {
    use super::*;

    crate::conformance_tests! {
        run_id: "memory",
        store: MemoryStore::new(),
    }
}

mod arc_dyn_store {
    use super::*;

    crate::conformance_tests! {
        run_id: "memory",
        store: Arc::new(MemoryStore::new()) as Arc<dyn Store>,
    }
}
