//! A mock of the store, for tests that set the answers to requests themselves.
#![allow(missing_docs, reason = "mockall writes most of this module")]

use async_trait::async_trait;
use mockall::mock;
use threadline::Result;
use threadline::store::{
    Answer, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Get, GetOutput, PageOutput, Query,
    Request, Scan, TransactOutcome, Transaction, Write, WriteOutcome,
};

mock! {
    /// A [`mockall`] mock of the trait [`Store`](threadline::store::Store) (feature `mock`). Use the mock for an error
    /// at one exact request, or for an answer that no table returns. For everything else, use
    /// [`MemoryStore`](threadline::MemoryStore), which behaves as a table does.
    ///
    /// `on_get`, `on_write` and the other `on_` methods set the function that answers all requests of one kind. If you
    /// set two functions for one kind, the first one answers. The mock panics if no function answers a request.
    /// `expect_execute` sets mockall's own expectations, with counts and sequences.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::{Error, ErrorKind, Recovery, Threadline, UserId};
    /// use threadline_testkit::MockStore;
    ///
    /// let mut store = MockStore::for_table("threadline");
    /// store.on_get(|_| Err(Error::new(ErrorKind::Throttled, "the table is over its throughput")));
    ///
    /// let chat = Threadline::new(store);
    /// let user: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// let error = chat.user(user).await.unwrap_err();
    /// assert_eq!((error.kind(), error.recovery()), (ErrorKind::Throttled, Recovery::Retry));
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    impl threadline::store::Store for Store {
        fn table_name(&self) -> &str;
        async fn execute(&self, request: Checked) -> Result<Answer>;
    }
}

macro_rules! on {
    ($($name:ident: $request:ident as $variant:ident => $output:ty;)*) => {$(
        #[doc = concat!("Sets the function that answers each [`", stringify!($request), "`].")]
        pub fn $name(&mut self, mut answer: impl FnMut($request) -> Result<$output> + Send + 'static) -> &mut Self {
            self.expect_execute()
                .withf(|request| matches!(request.request(), Request::$variant(_)))
                .returning(move |request| match request.into_request() {
                    Request::$variant(request) => answer(request).map(Answer::$variant),
                    _ => unreachable!("the expectation matches one kind of request"),
                });
            self
        }
    )*};
}

impl MockStore {
    /// Creates a mock that has this table name and answers no request. Every access pattern reads the table name.
    pub fn for_table(name: &str) -> Self {
        let mut store = Self::new();
        store.expect_table_name().return_const(name.to_owned());
        store
    }

    on! {
        on_get: Get as Get => GetOutput;
        on_write: Write as Write => WriteOutcome;
        on_query: Query as Query => PageOutput;
        on_scan: Scan as Scan => PageOutput;
        on_transact: Transaction as Transact => TransactOutcome;
        on_batch_get: BatchGet as BatchGet => BatchGetOutput;
        on_batch_write: BatchWrite as BatchWrite => BatchWriteOutput;
    }
}
