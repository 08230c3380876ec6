//! An operation: a request to a store; for a query or a scan, all its pages.

use std::collections::BTreeSet;

use threadline::entity::Key;
use threadline::store::{BatchGet, BatchWrite, Get, Query, QuerySource, Scan, Transaction, Write};

/// An operation for each of the stores.
#[derive(Clone)]
pub(crate) enum Operation {
    Get(Get),
    Write(Write),
    /// Read page by page.
    Query(Query),
    /// Read page by page.
    Scan(Scan),
    /// The transaction and the number of its token. A server remembers tokens for the whole account, so each table has
    /// its own texts.
    Transact(Transaction, Option<u32>),
    BatchGet(BatchGet),
    BatchWrite(BatchWrite),
}

impl Operation {
    /// Returns the table partitions that it touches; `None` for all.
    pub(crate) fn partitions(&self) -> Option<BTreeSet<&str>> {
        Some(match self {
            Self::Get(get) => [get.key().pk.as_str()].into(),
            Self::Write(write) => write.key().iter().map(|key| key.pk.as_str()).collect(),
            Self::Query(query) => match query.source() {
                QuerySource::Table { partition, .. } => [partition.as_str()].into(),
                QuerySource::Index { .. } => return None,
            },
            Self::Scan(_) => return None,
            Self::Transact(transaction, _) => {
                transaction.actions().iter().filter_map(|action| Some(action.key().ok()?.pk.as_str())).collect()
            }
            Self::BatchGet(batch) => batch.keys().iter().map(|key| key.pk.as_str()).collect(),
            Self::BatchWrite(batch) => batch
                .writes()
                .iter()
                .filter_map(|write| match write {
                    threadline::store::BatchAction::Put(item) => item.get_s(threadline::entity::PK),
                    threadline::store::BatchAction::Delete(key) => Some(key.pk.as_str()),
                })
                .collect(),
        })
    }

    /// Returns the keys that it names: each may be written, checked or read.
    pub(crate) fn named(&self) -> Vec<Key> {
        match self {
            Self::Write(write) => write.key().into_iter().cloned().collect(),
            Self::Transact(transaction, _) => {
                transaction.actions().iter().filter_map(|action| action.key().ok().cloned()).collect()
            }
            Self::BatchWrite(batch) => batch.writes().iter().filter_map(|write| write.key().ok()).collect(),
            Self::Get(get) => vec![get.key().clone()],
            Self::BatchGet(batch) => batch.keys().to_vec(),
            Self::Query(_) | Self::Scan(_) => Vec::new(),
        }
    }

    /// Returns the number of its token.
    pub(crate) fn token(&self) -> Option<u32> {
        match self {
            Self::Transact(_, token) => *token,
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Write(_) => "write",
            Self::Query(_) => "query",
            Self::Scan(_) => "scan",
            Self::Transact(..) => "transact",
            Self::BatchGet(_) => "batch_get",
            Self::BatchWrite(_) => "batch_write",
        }
    }
}
