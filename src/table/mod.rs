//! The definition of the table.
