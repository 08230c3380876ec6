//! A sign to stop, for all that goes on at once.

use std::future::Future;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select};

/// Ends what can be done again later: waiting and reading.
#[derive(Clone)]
pub(super) struct Stop<'a>(Shared<BoxFuture<'a, ()>>);

impl<'a> Stop<'a> {
    pub(super) fn when(sign: impl Future<Output = ()> + Send + 'a) -> Self {
        Self(sign.boxed().shared())
    }

    /// What the work gives, unless the sign comes first; the work is dropped then.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match select(self.0.clone(), pin!(work)).await {
            Either::Left(_) => None,
            Either::Right((done, _)) => Some(done),
        }
    }

    /// Whether the sign has come.
    pub(super) fn has_come(&self) -> bool {
        self.0.clone().now_or_never().is_some()
    }
}
