//! Draws Threadline's single table and the way of one message, as SVG.
//!
//! The items are those of a [golden conversation](golden), which runs on the in-memory store. The capacity
//! units come from the cards of the patterns.

pub mod golden;
mod picture;

pub use picture::{Step, single_table, steps};
