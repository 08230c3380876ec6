//! The implementations of `Store` for references, `Arc` and `Box`. Each forwards every call to the store inside.

use std::sync::Arc;

use async_trait::async_trait;

use super::Store;
use crate::error::Result;
use crate::request::{Answer, Checked};

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<S: Store + ?Sized> Store for $pointer {
            fn table_name(&self) -> &str {
                (**self).table_name()
            }

            async fn execute(&self, request: Checked) -> Result<Answer> {
                (**self).execute(request).await
            }
        }
    )*};
}

forward!(Arc<S>, Box<S>, &S);
