//! The in-memory twin of the table.
