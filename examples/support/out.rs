//! Prints without a panic on a closed pipe: in `table scan | head -1`, `head` reads a line and closes the pipe.

use std::fmt::Arguments;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints a line, unless the pipe is closed. The program continues in either case.
pub fn say(line: Arguments<'_>) {
    if !is_closed() && writeln!(std::io::stdout(), "{line}").is_err() {
        IS_CLOSED.store(true, Ordering::Relaxed);
    }
}

/// Prints a line to standard error, unless it is closed.
#[allow(dead_code, reason = "some examples report no errors")]
pub fn warn(line: Arguments<'_>) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Returns `true` once the output is closed. A program that only prints may then end.
pub fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Prints a line as `println!` does, and survives a closed pipe.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => {
        $crate::out::say(format_args!($($argument)*))
    };
}

/// Prints a line as `eprintln!` does, and survives a closed pipe.
#[macro_export]
macro_rules! warn {
    ($($argument:tt)*) => {
        $crate::out::warn(format_args!($($argument)*))
    };
}
