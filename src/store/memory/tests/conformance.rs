//! The in-memory store shows every behaviour: itself, behind a pointer and within a wrapper.

use std::sync::Arc;

use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::meter::Metered;

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

mod metered_store {
    use super::*;

    crate::conformance_tests! {
        run_id: "memory",
        store: Metered::new(MemoryStore::new()),
    }
}
