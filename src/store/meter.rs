//! A store that counts what passes through it.
