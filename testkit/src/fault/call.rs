//! A call, as far as a plan looks at it.

use threadline::store::Operation;
use threadline::{
    AttributeChange, AttributeValue, BatchAction, BatchGet, BatchWrite, GSI1PK, Get, PK, Query, QuerySource, Scan,
    TransactAction, Transaction, Write, WriteAction,
};

/// A call: what it asks for, and of which partitions.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) partitions: Vec<Partition<'a>>,
    /// How many actions a transaction has; 0 for any other call.
    pub(super) actions: usize,
}

/// A partition that a call reads or writes.
pub(super) struct Partition<'a> {
    pub(super) key: &'a str,
    pub(super) is_of_index: bool,
    /// The place, from 0, of the action of a transaction that concerns it.
    pub(super) action: usize,
}

impl<'a> Call<'a> {
    fn new(operation: Operation, partitions: impl IntoIterator<Item = Partition<'a>>) -> Self {
        Self { operation, partitions: partitions.into_iter().collect(), actions: 0 }
    }
}

impl<'a> Partition<'a> {
    fn of_table(key: &'a str) -> Self {
        Self { key, is_of_index: false, action: 0 }
    }

    fn of_index(key: &'a str) -> Self {
        Self { key, is_of_index: true, action: 0 }
    }

    /// Those that a write says it writes.
    fn written(write: &'a Write) -> impl Iterator<Item = Self> {
        let in_index = match &write.action {
            WriteAction::Put { item, .. } => item.get_s(GSI1PK),
            WriteAction::Update { update, .. } => update.changes().iter().find_map(|change| match change {
                (
                    name,
                    AttributeChange::Set(AttributeValue::S(key)) | AttributeChange::SetIfAbsent(AttributeValue::S(key)),
                ) if name == GSI1PK => Some(key.as_str()),
                _ => None,
            }),
            WriteAction::Delete { .. } => None,
        };
        std::iter::once(Self::of_table(write.key().pk.as_str())).chain(in_index.map(Self::of_index))
    }
}

impl<'a> From<&'a Get> for Call<'a> {
    fn from(request: &'a Get) -> Self {
        Self::new(Operation::Get, [Partition::of_table(request.key.pk.as_str())])
    }
}

impl<'a> From<&'a Write> for Call<'a> {
    fn from(request: &'a Write) -> Self {
        Self::new(Operation::Write, Partition::written(request))
    }
}

impl<'a> From<&'a Query> for Call<'a> {
    fn from(request: &'a Query) -> Self {
        let partition = match &request.source {
            QuerySource::Table { partition, .. } => Partition::of_table(partition.as_str()),
            QuerySource::Index { partition } => Partition::of_index(partition.as_str()),
        };
        Self::new(Operation::Query, [partition])
    }
}

impl<'a> From<&'a Scan> for Call<'a> {
    fn from(_: &'a Scan) -> Self {
        Self::new(Operation::Scan, [])
    }
}

impl<'a> From<&'a Transaction> for Call<'a> {
    fn from(request: &'a Transaction) -> Self {
        let partitions = request.actions.iter().enumerate().flat_map(|(action, written)| {
            let partitions: Vec<_> = match written {
                TransactAction::Write(write) => Partition::written(write).collect(),
                TransactAction::Check { key, .. } => vec![Partition::of_table(key.pk.as_str())],
            };
            partitions.into_iter().map(move |partition| Partition { action, ..partition })
        });
        Self { actions: request.actions.len(), ..Self::new(Operation::Transact, partitions) }
    }
}

impl<'a> From<&'a BatchGet> for Call<'a> {
    fn from(request: &'a BatchGet) -> Self {
        Self::new(Operation::BatchGet, request.keys.iter().map(|key| Partition::of_table(key.pk.as_str())))
    }
}

impl<'a> From<&'a BatchWrite> for Call<'a> {
    fn from(request: &'a BatchWrite) -> Self {
        let partitions = request.writes.iter().flat_map(|write| match write {
            BatchAction::Put(item) => {
                [item.get_s(PK).map(Partition::of_table), item.get_s(GSI1PK).map(Partition::of_index)]
            }
            BatchAction::Delete(key) => [Some(Partition::of_table(key.pk.as_str())), None],
        });
        Self::new(Operation::BatchWrite, partitions.flatten())
    }
}
