//! The answer of a store to an operation.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use threadline::entity::{Item, Key};
use threadline::store::{
    BatchAction, CancelReason, Capacity, ClientToken, PageOutput, Position, Query, Scan, Store, StoreExt,
    TransactOutcome, WriteOutcome,
};
use threadline::{Error, ErrorKind};

use crate::operation::Operation;

/// The maximum number of pages of one read: far more than any read has, so that an endless one is recognized.
const MAX_PAGES: usize = 500;

/// The answer of a store to an operation.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Found {
        item: Option<Item>,
        capacity: Capacity,
    },
    Written {
        old: Option<Item>,
        capacity: Capacity,
    },
    /// DynamoDB does not report the consumed capacity.
    Refused {
        current: Option<Item>,
    },
    Pages(Vec<Page>),
    Transacted {
        capacity: Capacity,
    },
    /// DynamoDB does not report the consumed capacity.
    Canceled {
        reasons: Vec<CancelReason>,
    },
    Batch {
        items: Vec<Item>,
        left: Vec<Key>,
        capacity: Capacity,
    },
    Failed {
        kind: ErrorKind,
        code: Option<String>,
        text: String,
    },
}

/// A page of a query or a scan.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<Position>,
    pub(crate) capacity: Capacity,
}

/// Runs the operation, with tokens that begin with this text.
pub(crate) async fn ask(store: &dyn Store, operation: &Operation, tokens: &str) -> Answer {
    match attempt(store, operation, tokens).await {
        Ok(answer) => answer,
        Err(error) => Answer::Failed {
            kind: error.kind(),
            code: error.service().and_then(|service| service.code.clone()),
            text: error.to_string(),
        },
    }
}

async fn attempt(store: &dyn Store, operation: &Operation, tokens: &str) -> Result<Answer, Error> {
    Ok(match operation.clone() {
        Operation::Get(get) => {
            let found = store.get(get).await?;
            Answer::Found { item: found.item, capacity: found.capacity }
        }
        Operation::Write(write) => match store.write(write).await? {
            WriteOutcome::Done { old, capacity } => Answer::Written { old, capacity },
            WriteOutcome::Refused { current, .. } => Answer::Refused { current },
        },
        Operation::Query(query) => Answer::Pages(query_all(store, query).await?),
        Operation::Scan(scan) => Answer::Pages(scan_all(store, scan).await?),
        Operation::Transact(transaction, token) => {
            let transaction = match token {
                Some(token) => transaction.token(ClientToken::new(format!("{tokens}-{token}"))?),
                None => transaction,
            };
            match store.transact(transaction).await? {
                TransactOutcome::Done { capacity } => Answer::Transacted { capacity },
                TransactOutcome::Canceled { reasons, .. } => Answer::Canceled { reasons },
            }
        }
        Operation::BatchGet(batch) => {
            let got = store.batch_get(batch).await?;
            Answer::Batch { items: got.items, left: got.unprocessed, capacity: got.capacity }
        }
        Operation::BatchWrite(batch) => {
            let written = store.batch_write(batch).await?;
            let left = written.unprocessed.iter().map(BatchAction::key).collect::<Result<_, _>>()?;
            Answer::Batch { items: Vec::new(), left, capacity: written.capacity }
        }
    })
}

async fn query_all(store: &dyn Store, query: Query) -> Result<Vec<Page>, Error> {
    let mut pages = Vec::new();
    let mut start = query.get_start().cloned();
    loop {
        pages.push(Page::from(store.query(query.clone().start(start)).await?));
        start = pages.last().and_then(|page: &Page| page.next.clone());
        if start.is_none() || pages.len() == MAX_PAGES {
            return Ok(pages);
        }
    }
}

async fn scan_all(store: &dyn Store, scan: Scan) -> Result<Vec<Page>, Error> {
    let mut pages = Vec::new();
    let mut start = scan.get_start().cloned();
    loop {
        pages.push(Page::from(store.scan(scan.clone().start(start)).await?));
        start = pages.last().and_then(|page: &Page| page.next.clone());
        if start.is_none() || pages.len() == MAX_PAGES {
            return Ok(pages);
        }
    }
}

impl From<PageOutput> for Page {
    fn from(page: PageOutput) -> Self {
        Self { items: page.items, next: page.next, capacity: page.capacity }
    }
}

/// Returns `true` if the texts are one number, by other code than the crate's.
pub(crate) fn same_number(one: &str, other: &str) -> bool {
    one == other
        || matches!((BigDecimal::from_str(one), BigDecimal::from_str(other)), (Ok(one), Ok(other)) if one == other)
}
