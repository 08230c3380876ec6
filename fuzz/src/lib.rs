//! What the fuzz targets check, as plain functions of bytes. `tests/corpus.rs` runs the same functions on stable, over the
//! corpus and over bytes of its own.
//!
//! A function returns on every input, or panics where a promise of the crate is broken.

mod content;
pub mod cursors;
#[cfg(feature = "lambda")]
pub mod events;
pub mod items;
pub mod keys;
pub mod numbers;
mod run;

/// What a target does with an input.
pub type Check = fn(&[u8]);

/// Each target, by its name.
pub const TARGETS: &[(&str, Check)] = &[
    ("cursors", cursors::check),
    #[cfg(feature = "lambda")]
    ("events", events::check),
    ("items", items::check),
    ("keys", keys::check),
    ("numbers", numbers::check),
];
