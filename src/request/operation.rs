//! The kinds of requests to a store.

/// The kind of a [`Request`](super::Request) to a store, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reads one item.
    Get,
    /// Puts, updates or deletes one item.
    Write,
    /// Reads a page of one partition.
    Query,
    /// Reads a page of the table.
    Scan,
    /// Writes several items, all or none.
    Transact,
    /// Reads several items by their keys.
    BatchGet,
    /// Puts and deletes several items, each independently.
    BatchWrite,
}

impl Operation {
    /// Returns `true` for a request that writes items: a write, a transaction or a batch of writes.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Transact | Self::BatchWrite)
    }

    /// Returns the name of the operation as errors show it, such as `batch_get`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Write => "write",
            Self::Query => "query",
            Self::Scan => "scan",
            Self::Transact => "transact",
            Self::BatchGet => "batch_get",
            Self::BatchWrite => "batch_write",
        }
    }
}
