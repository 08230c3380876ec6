//! Explanations, pictures, costs, IAM policies and deployments, all generated from a list of access patterns.
//!
//! The list is a [`Registry`](threadline::card::registry::Registry) of cards. A [card](threadline::card::Card) declares
//! one access pattern: its caller, its requests and its cost. The program `threadline` prints the outputs for
//! Threadline's own registry. An application calls [`main`] to get the same program for its own registry.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

mod access;
mod catalogue;
mod check;
pub mod cost;
mod error;
mod explain;
mod format;
mod golden;
mod html;
mod iam;
mod infrastructure;
mod items;
mod markdown;
mod mermaid;
mod output;
mod path;
mod picture;
mod program;
mod requests;
#[cfg(feature = "dynamodb")]
pub mod table;
mod workbench;

pub use catalogue::Catalogue;
pub use error::Error;
pub use explain::{Explain, Explained, Statement};
pub use format::Format;
pub use path::{Step, steps};
pub use program::{main, report};
