//! The program `threadline`, on the access patterns of this crate. An application gets the same program for its own
//! patterns by [`threadline_catalogue::main`].

use std::process::ExitCode;

use threadline::card::registry::Registry;

fn main() -> ExitCode {
    threadline_catalogue::main(Registry::new())
}
