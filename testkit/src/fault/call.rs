//! A call, as a plan sees it.

use threadline::entity::{AttributeValue, GSI1PK, PK};
use threadline::store::{
    AttributeChange, BatchAction, Operation, QuerySource, Request, TransactAction, Write, WriteAction,
};

/// A call: its operation and its partitions.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) partitions: Vec<Partition<'a>>,
    /// The number of actions of a transaction; 0 for any other call.
    pub(super) actions: usize,
}

/// A partition that a call reads or writes.
pub(super) struct Partition<'a> {
    pub(super) key: &'a str,
    pub(super) is_of_index: bool,
    /// The index of the action that concerns it, from 0, for a transaction.
    pub(super) action: usize,
}

impl<'a> Call<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let partitions = match request {
            Request::Get(get) => vec![Partition::of_table(get.key().pk.as_str())],
            Request::Write(write) => Partition::written(write).collect(),
            Request::Query(query) => vec![match query.source() {
                QuerySource::Table { partition, .. } => Partition::of_table(partition.as_str()),
                QuerySource::Index { partition } => Partition::of_index(partition.as_str()),
            }],
            Request::Scan(_) => Vec::new(),
            Request::Transact(transaction) => {
                let actions = transaction.actions().iter().enumerate();
                actions.flat_map(|(action, written)| Partition::of_action(action, written)).collect()
            }
            Request::BatchGet(batch) => batch.keys().iter().map(|key| Partition::of_table(key.pk.as_str())).collect(),
            Request::BatchWrite(batch) => batch.writes().iter().flat_map(Partition::of_batch).collect(),
        };
        let actions = if let Request::Transact(transaction) = request { transaction.actions().len() } else { 0 };
        Self { operation: request.operation(), partitions, actions }
    }
}

impl<'a> Partition<'a> {
    fn of_table(key: &'a str) -> Self {
        Self { key, is_of_index: false, action: 0 }
    }

    fn of_index(key: &'a str) -> Self {
        Self { key, is_of_index: true, action: 0 }
    }

    /// Returns the partitions that the write names.
    fn written(write: &'a Write) -> impl Iterator<Item = Self> {
        let in_index = match write.action() {
            WriteAction::Put(item) => item.get_s(GSI1PK),
            WriteAction::Update(update) => update.changes().iter().find_map(|change| match change {
                (
                    name,
                    AttributeChange::Set(AttributeValue::S(key)) | AttributeChange::SetIfAbsent(AttributeValue::S(key)),
                ) if name == GSI1PK => Some(key.as_str()),
                _ => None,
            }),
            WriteAction::Delete => None,
        };
        let in_table = write.key().ok().map(|key| Self::of_table(key.pk.as_str()));
        in_table.into_iter().chain(in_index.map(Self::of_index))
    }

    fn of_action(action: usize, written: &'a TransactAction) -> Vec<Self> {
        let partitions: Vec<_> = match written {
            TransactAction::Write(write) => Self::written(write).collect(),
            TransactAction::Check { key, .. } => vec![Self::of_table(key.pk.as_str())],
        };
        partitions.into_iter().map(|partition| Self { action, ..partition }).collect()
    }

    fn of_batch(write: &'a BatchAction) -> impl Iterator<Item = Self> {
        let partitions = match write {
            BatchAction::Put(item) => [item.get_s(PK).map(Self::of_table), item.get_s(GSI1PK).map(Self::of_index)],
            BatchAction::Delete(key) => [Some(Self::of_table(key.pk.as_str())), None],
        };
        partitions.into_iter().flatten()
    }
}
