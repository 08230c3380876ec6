//! The checks of the fuzz targets, as plain functions of bytes. `tests/corpus.rs` runs the same functions on stable
//! Rust, over the corpus and over random bytes.
//!
//! A function returns for every input, or panics if a guarantee of the crate is violated.

mod content;
pub mod cursors;
#[cfg(feature = "lambda")]
pub mod events;
pub mod items;
pub mod keys;
pub mod numbers;
mod run;

/// The check of an input.
pub type Check = fn(&[u8]);

/// Each target, with its name.
pub const TARGETS: &[(&str, Check)] = &[
    ("cursors", cursors::check),
    #[cfg(feature = "lambda")]
    ("events", events::check),
    ("items", items::check),
    ("keys", keys::check),
    ("numbers", numbers::check),
];
