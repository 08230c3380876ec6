//! Tests that need no server, in one binary: a file for each subject.

mod auto_traits;
mod corrupt;
mod cruddur;
mod direct;
mod entities;
mod faults;
mod groups;
mod imports;
mod inbox;
mod keys;
mod members;
mod messages;
mod projector;
mod redaction;
mod row_size;
mod store_ext;
mod support;
mod times_and_ids;
mod users;
mod values;
