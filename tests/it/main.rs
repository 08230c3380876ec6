//! Tests that need no server, in one binary: a file for each subject.

mod corrupt;
mod cruddur;
mod entities;
mod faults;
mod groups;
mod inbox;
mod keys;
mod messages;
mod projector;
mod redaction;
mod row_size;
mod support;
mod users;
