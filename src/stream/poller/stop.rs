//! A stop signal that several futures share.

use std::future::Future;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select};

/// A stop signal. It ends waiting and reading, which can be repeated later.
#[derive(Clone)]
pub(super) struct Stop<'a>(Shared<BoxFuture<'a, ()>>);

impl<'a> Stop<'a> {
    pub(super) fn when(signal: impl Future<Output = ()> + Send + 'a) -> Self {
        Self(signal.boxed().shared())
    }

    /// Returns the result of the work, or `None` if the signal comes first. The work is then dropped.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match select(self.0.clone(), pin!(work)).await {
            Either::Left(_) => None,
            Either::Right((done, _)) => Some(done),
        }
    }

    /// Returns `true` if the signal has come.
    pub(super) fn has_come(&self) -> bool {
        self.0.clone().now_or_never().is_some()
    }
}
