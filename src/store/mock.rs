//! A mock of the store, for tests that say request by request what the table answers.
#![allow(missing_docs, reason = "mockall writes most of this module")]

use async_trait::async_trait;
use mockall::mock;

use crate::error::Result;
use crate::request::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};

mock! {
    /// A [`mockall`] mock of the [`Store`](crate::Store) trait: `expect_get`, `expect_write` and so on say what each request
    /// answers. For the errors and outcomes that a test wants at one exact place; for everything else the in-memory store is
    /// the better double, since it behaves as a table does.
    ///
    /// ```
    /// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap() }
    /// # async fn run() -> threadline::Result<()> {
    /// use threadline::{Error, ErrorKind, MockStore, Threadline, UserId};
    ///
    /// let mut store = MockStore::for_table("threadline");
    /// store.expect_get().returning(|_| Err(Error::new(ErrorKind::Throttled, "the table is over its throughput")));
    ///
    /// let chat = Threadline::new(store);
    /// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let error = chat.user(user).await.unwrap_err();
    /// assert!(error.is_retryable());
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    impl crate::store::Store for Store {
        fn table_name(&self) -> &str;
        async fn get(&self, request: Get) -> Result<GetOutput>;
        async fn write(&self, request: Write) -> Result<WriteOutcome>;
        async fn query(&self, request: Query) -> Result<PageOutput>;
        async fn scan(&self, request: Scan) -> Result<PageOutput>;
        async fn transact(&self, request: Transaction) -> Result<TransactOutcome>;
        async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput>;
        async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput>;
    }
}

impl MockStore {
    /// A mock with this table name, which every access pattern asks for, and no other expectation yet.
    pub fn for_table(name: &str) -> Self {
        let mut store = Self::new();
        store.expect_table_name().return_const(name.to_owned());
        store
    }
}
