//! One table for all tests of a process.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use threadline::table::TableSpec;

use crate::support::{client, spec};

/// The name of the table that all tests of this process share, created by the first that asks. The process is a suite of this
/// name.
pub(crate) fn table(suite: &str) -> &'static str {
    static TABLE: OnceLock<String> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The conformance suite's run ids are made from it too, and must be new: a server remembers the tokens of transactions.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        let spec = spec(&format!("{suite}-{}", since_epoch.as_millis()));
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
