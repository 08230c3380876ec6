//! Everything that follows from a list of access patterns: explanations, pictures, costs, policies, deployments.
//!
//! The list is code: the [`Registry`](threadline::card::registry::Registry) of cards. The program `threadline` prints
//! what follows from this crate's registry. An application gets the same program for its own registry by [`main`].

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
