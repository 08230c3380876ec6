//! Tests that need no server, in one binary, with one file per subject.

mod audit;
mod audit_bounds;
mod audit_findings;
mod audit_live;
mod audit_pages;
mod audit_unreadable;
mod auto_traits;
mod budgets;
mod checks;
mod convergence;
mod corrupt;
mod cost;
mod cruddur;
mod depth;
mod direct;
mod entities;
mod entry_size;
mod expiry;
mod fault_matrix;
mod faults;
mod foreign_items;
mod groups;
mod handles;
mod hooked_store;
mod imports;
mod inbox;
mod keys;
#[cfg(feature = "lambda")]
mod lambda_events;
mod members;
mod messages;
mod old_claims;
mod ownership;
mod permission;
mod projector;
mod redaction;
mod registry;
mod requests;
mod scenarios;
mod sink;
#[path = "../support/sources.rs"]
mod sources;
#[path = "../support/spans.rs"]
mod span_recorder;
mod spans;
mod store_ext;
mod stream_bounds;
mod stream_failures;
mod stream_faults;
mod stream_races;
mod support;
mod times_and_ids;
mod unread;
mod unreadable;
mod users;
mod values;
