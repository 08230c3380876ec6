//! The program `threadline` for an application's own definition of the table:
//!
//! ```text
//! cargo run -p threadline-catalogue --example deployment -- catalogue cloudformation
//! ```

use std::process::ExitCode;

use threadline::card::registry::Registry;
use threadline::table::{Billing, Encryption, StreamView, TableSpec, Throughput};
use threadline_catalogue::{Catalogue, report};

fn main() -> ExitCode {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let table = TableSpec::new("messages")
        .billing(Billing::Provisioned { table: Throughput::new(50, 20), index: Throughput::new(10, 40) })
        .stream(Some(StreamView::NewImage))
        .encryption(Encryption::OwnKey(key.to_owned()))
        .tag("team", "messaging");
    match Catalogue::new(Registry::new()) {
        Ok(catalogue) => catalogue.table(table).main(),
        Err(error) => report(&error),
    }
}
