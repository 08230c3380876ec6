//! One table for all tests of a process.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use threadline::table::TableSpec;

use crate::support::{client, spec};

/// Returns the name of the table that all tests of this process share. The first call creates it. `suite` names the
/// process.
pub(crate) fn table(suite: &str) -> &'static str {
    static TABLE: OnceLock<String> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The conformance suite's run ids include it and must be new: a server remembers the tokens of transactions.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        let spec = spec(&format!("{suite}-{}", since_epoch.as_millis()));
        // On its own thread: the test has a runtime already, which cannot contain another.
        let created = std::thread::scope(|scope| scope.spawn(|| create(&spec)).join());
        if let Err(panic) = created {
            std::panic::resume_unwind(panic);
        }
        spec.name().to_owned()
    })
}

fn create(spec: &TableSpec) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be created");
    runtime.block_on(spec.create(&client())).expect("the table can be created");
}
