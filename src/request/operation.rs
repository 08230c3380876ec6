//! The kinds of requests.

/// The kind of a [`Request`](super::Request).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reads one item.
    Get,
    /// Writes one item.
    Write,
    /// Reads a page of a partition.
    Query,
    /// Reads a page of the table.
    Scan,
    /// Writes several items, all or none.
    Transact,
    /// Reads several items.
    BatchGet,
    /// Writes several items, each independently.
    BatchWrite,
}

impl Operation {
    /// Returns `true` if the request writes items.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Transact | Self::BatchWrite)
    }

    /// Returns the name that errors show.
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
