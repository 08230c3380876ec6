//! A store behind a reference, an `Arc` or a `Box` is a store.

use std::sync::Arc;

use async_trait::async_trait;

use super::Store;
use crate::error::Result;
use crate::request::{
    BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<S: Store + ?Sized> Store for $pointer {
            fn table_name(&self) -> &str {
                (**self).table_name()
            }

            async fn get(&self, request: Get) -> Result<GetOutput> {
                (**self).get(request).await
            }

            async fn write(&self, request: Write) -> Result<WriteOutcome> {
                (**self).write(request).await
            }

            async fn query(&self, request: Query) -> Result<PageOutput> {
                (**self).query(request).await
            }

            async fn scan(&self, request: Scan) -> Result<PageOutput> {
                (**self).scan(request).await
            }

            async fn transact(&self, request: Transaction) -> Result<TransactOutcome> {
                (**self).transact(request).await
            }

            async fn batch_get(&self, request: BatchGet) -> Result<BatchGetOutput> {
                (**self).batch_get(request).await
            }

            async fn batch_write(&self, request: BatchWrite) -> Result<BatchWriteOutput> {
                (**self).batch_write(request).await
            }
        }
    )*};
}

forward!(Arc<S>, Box<S>, &S);
