//! Tests that need no server, in one binary: a file for each subject.

mod audit;
mod auto_traits;
mod convergence;
mod corrupt;
mod cruddur;
mod direct;
mod entities;
mod faults;
mod groups;
mod imports;
mod inbox;
mod keys;
mod meddled;
mod members;
mod messages;
mod projector;
mod redaction;
mod row_size;
mod sink;
mod store_ext;
mod stream_faults;
mod stream_races;
mod support;
mod times_and_ids;
mod users;
mod values;
