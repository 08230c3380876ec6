//! Prints the public API of one crate, one item per line, from the JSON file that rustdoc wrote about it.
//!
//! Hidden items are not in that file. The list omits the methods of trait implementations, because the trait has them.

use std::collections::HashSet;
use std::error::Error;
use std::io::{self, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: threadline-api FILE.json")?;
    let api = public_api::Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .sorted(true)
        .build()?;
    let is_trait_impl = |line: &str| line.starts_with("impl") && line.contains(" for ");
    let trait_impls: HashSet<_> =
        api.items().filter(|item| is_trait_impl(&item.to_string())).map(|item| item.id()).collect();
    let mut out = io::stdout().lock();
    for item in api.items() {
        let line = item.to_string();
        let is_method = line.contains("fn ") && item.parent_id().is_some_and(|parent| trait_impls.contains(&parent));
        // The compiler adds this one to each derived `PartialEq`.
        if !is_method && !line.contains("StructuralPartialEq") {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
