//! A table to which requests come otherwise than they were made: an application or a projector with a bug.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use threadline::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Result, Scan, Store,
    TransactAction, TransactOutcome, Transaction, Write, WriteOutcome,
};

pub(crate) struct Rewritten {
    table: Arc<dyn Store>,
    write: fn(&mut Write),
    transact: fn(&mut Vec<TransactAction>),
    answer: fn(&mut PageOutput),
}

impl Rewritten {
    pub(crate) fn new(table: Arc<dyn Store>) -> Self {
        Self { table, write: |_| {}, transact: |_| {}, answer: |_| {} }
    }

    /// Each write of one item is changed so.
    pub(crate) fn writes(self, write: fn(&mut Write)) -> Self {
        Self { write, ..self }
    }

    /// Each transaction is changed so.
    pub(crate) fn transactions(self, transact: fn(&mut Vec<TransactAction>)) -> Self {
        Self { transact, ..self }
    }

    /// Each page of a query is changed so.
    pub(crate) fn pages(self, answer: fn(&mut PageOutput)) -> Self {
        Self { answer, ..self }
    }

    pub(crate) fn shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }
}

impl fmt::Debug for Rewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewritten")
    }
}

#[async_trait]
impl Store for Rewritten {
    fn table_name(&self) -> &str {
        self.table.table_name()
    }

    async fn get(&self, request: Get) -> Result<GetOutput> {
        self.table.get(request).await
    }

    async fn write(&self, mut request: Write) -> Result<WriteOutcome> {
        (self.write)(&mut request);
        self.table.write(request).await
    }

    async fn query(&self, request: Query) -> Result<PageOutput> {
        let mut page = self.table.query(request).await?;
        (self.answer)(&mut page);
        Ok(page)
    }

    async fn scan(&self, request: Scan) -> Result<PageOutput> {
        self.table.scan(request).await
    }

    async fn transact(&self, mut request: Transaction) -> Result<TransactOutcome> {
        (self.transact)(&mut request.actions);
        self.table.transact(request).await
    }

    async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
        self.table.batch_get(request).await
    }

    async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
        self.table.batch_write(request).await
    }
}
