//! One call of an access pattern: its span, its store and its consumed capacity.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tracing::{Instrument, Span};

use crate::capacity::Capacity;
use crate::card::Card;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{Key, TYPE};
use crate::model::read_own;
use crate::request::{
    BatchGet, Condition, Get, MAX_BATCH_GETS, PageOutput, Query, Scan, TransactOutcome, Transaction, TypedRequest,
    Write, WriteOutcome,
};
use crate::store::{Store, send};
use crate::stored::Entity;
use crate::telemetry::{record_capacity, record_error};

/// Starts a [`Call`] with a span of the card's name. It is a macro, because the name of a span must be a constant.
macro_rules! begin {
    ($store:expr, $card:path) => {{
        let store: &dyn $crate::store::Store = $store;
        let span = ::tracing::info_span!(
            $card.name,
            { $crate::telemetry::DB_SYSTEM_NAME } = $crate::telemetry::AWS_DYNAMODB,
            { $crate::telemetry::DB_COLLECTION_NAME } = store.table_name(),
            { $crate::telemetry::DB_QUERY_SUMMARY } = $card.name,
            { $crate::telemetry::TABLE_READ_UNITS } = ::tracing::field::Empty,
            { $crate::telemetry::TABLE_WRITE_UNITS } = ::tracing::field::Empty,
            { $crate::telemetry::INDEX_READ_UNITS } = ::tracing::field::Empty,
            { $crate::telemetry::INDEX_WRITE_UNITS } = ::tracing::field::Empty,
            { $crate::telemetry::ERROR_TYPE } = ::tracing::field::Empty,
            { $crate::telemetry::DB_RESPONSE_STATUS_CODE } = ::tracing::field::Empty,
            { $crate::telemetry::OTEL_STATUS_CODE } = ::tracing::field::Empty,
        );
        $crate::patterns::call::Call::new(store, &$card, span)
    }};
}
pub(crate) use begin;

/// One call of an access pattern. All its requests go through it, so that the span shows the capacity of the whole
/// call.
pub(crate) struct Call<'a> {
    store: &'a dyn Store,
    card: &'static Card,
    span: Span,
    consumed: Mutex<Capacity>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(store: &'a dyn Store, card: &'static Card, span: Span) -> Self {
        Self { store, card, span, consumed: Mutex::new(Capacity::default()) }
    }

    /// Runs the work within the span. Records the consumed capacity and the kind of an error in the span.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let result = work.instrument(self.span.clone()).await;
        let consumed = *self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        record_capacity(&self.span, consumed);
        result.map_err(|error| {
            record_error(&self.span, &error);
            self.named(error)
        })
    }

    pub(crate) fn table_name(&self) -> &str {
        self.store.table_name()
    }

    fn named(&self, error: Error) -> Error {
        let error = error.with_operation(self.card.name);
        if error.table().is_some() { error } else { error.with_table(self.store.table_name()) }
    }

    fn add(&self, capacity: Capacity) {
        *self.consumed.lock().unwrap_or_else(PoisonError::into_inner) += capacity;
    }

    /// Sends a request, whose span names the access pattern.
    async fn send<R: TypedRequest>(&self, request: R) -> Result<R::Output> {
        send::<R, _>(self.store, request.into(), Some(self.card.name)).await
    }

    async fn get(&self, request: Get) -> Result<Option<Item>> {
        let output = self.send(request).await?;
        self.add(output.capacity);
        Ok(output.item)
    }

    /// Reads an item consistently.
    pub(crate) async fn item(&self, key: Key) -> Result<Option<Item>> {
        self.get(Get::new(key).consistent()).await
    }

    /// Reads one of this crate's entities consistently. Returns `None` if there is none, or another program's item.
    pub(crate) async fn read<E: Entity>(&self, key: Key) -> Result<Option<E>> {
        read_own(self.item(key).await?)
    }

    /// Reads one of this crate's entities with eventual consistency. Otherwise, it is like [`read`](Self::read).
    pub(crate) async fn look_up<E: Entity>(&self, key: Key) -> Result<Option<E>> {
        read_own(self.get(Get::new(key)).await?)
    }

    /// Reads any number of items consistently, 100 in each request.
    pub(crate) async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_BATCH_GETS) {
            let output = self.send(BatchGet::new(keys.to_vec()).consistent()).await?;
            self.add(output.capacity);
            items.extend(output.items);
            if !output.unprocessed.is_empty() {
                let message = "batch read is incomplete: the service left keys unprocessed; try again later";
                return Err(Error::new(ErrorKind::Throttled, message));
            }
        }
        Ok(items)
    }

    pub(crate) async fn write(&self, request: Write) -> Result<WriteOutcome> {
        let outcome = self.send(request).await?;
        self.add(outcome.capacity());
        Ok(outcome)
    }

    /// Starts reading the pages of a query.
    pub(crate) fn pages(&self, query: Query) -> Pages<'_> {
        Pages { call: self, query, is_finished: false }
    }

    pub(crate) async fn scan(&self, request: Scan) -> Result<PageOutput> {
        let page = self.send(request).await?;
        self.add(page.capacity);
        Ok(page)
    }

    /// Runs a transaction. A failed condition beside a conflict is no answer: see [`TransactOutcome::decided`].
    pub(crate) async fn transact(&self, request: Transaction) -> Result<TransactOutcome> {
        let outcome = self.send(request).await?;
        self.add(outcome.capacity());
        outcome.decided()
    }
}

/// The pages of a query that are not read yet.
pub(crate) struct Pages<'a> {
    call: &'a Call<'a>,
    /// The request of the next page. Its limit may change between pages.
    pub(crate) query: Query,
    is_finished: bool,
}

impl Pages<'_> {
    /// Reads the next page. Returns `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Item>>> {
        if self.is_finished {
            return Ok(None);
        }
        let page = self.call.send(self.query.clone()).await?;
        self.call.add(page.capacity);
        self.is_finished = page.next.is_none();
        if page.next.as_ref().is_some_and(|next| self.query.check_start(next).is_err()) {
            let message = "query failed: the store returned an invalid next position; try again later";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        self.query.start = page.next;
        Ok(Some(page.items))
    }
}

/// Returns the condition that the item is no other program's. It also holds if there is no item.
pub(crate) fn is_own<E: Entity>() -> Condition {
    Condition::absent(TYPE).or(Condition::eq(TYPE, E::TYPE))
}

/// Returns the put of an entity, on the condition that its key has no item. A refusal returns the existing item.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?).when(Condition::item_absent()).returning_old())
}
