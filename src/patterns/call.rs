//! One call of an access pattern: its span, its store, and what it has consumed so far.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tracing::{Instrument, Span, field};

use crate::capacity::Capacity;
use crate::card::Card;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{Key, TYPE};
use crate::model::read_own;
use crate::request::{
    BatchGet, CancelCode, CancelReason, Condition, Get, MAX_BATCH_GETS, PageOutput, Query, Scan, TransactOutcome,
    Transaction, Write, WriteOutcome,
};
use crate::store::{Store, StoreExt};
use crate::stored::Entity;

/// Starts a [`Call`], with a span of the card's name. A span's name must be a constant at the place that makes it, hence a macro.
macro_rules! begin {
    ($store:expr, $card:path) => {{
        let store: &dyn $crate::store::Store = $store;
        let span = ::tracing::info_span!(
            $card.name,
            table = store.table_name(),
            read_units = ::tracing::field::Empty,
            write_units = ::tracing::field::Empty,
            error = ::tracing::field::Empty,
        );
        $crate::patterns::call::Call::new(store, &$card, span)
    }};
}
pub(crate) use begin;

/// One call of an access pattern. It sees each request, so that the span tells what the whole call consumed.
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

    /// Does the work within the span, and says in it what was consumed and, by its kind alone, what went wrong.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let result = work.instrument(self.span.clone()).await;
        let consumed = *self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        self.span.record("read_units", consumed.read().as_f64());
        self.span.record("write_units", consumed.write().as_f64());
        result.map_err(|error| {
            self.span.record("error", field::debug(error.kind()));
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

    async fn get(&self, request: Get) -> Result<Option<Item>> {
        let output = self.store.get(request).await?;
        self.add(output.capacity);
        Ok(output.item)
    }

    /// Reads an item consistently.
    pub(crate) async fn item(&self, key: Key) -> Result<Option<Item>> {
        self.get(Get::new(key).consistent()).await
    }

    /// Reads one of this crate's entities consistently; `None` also for another program's item at its key.
    pub(crate) async fn read<E: Entity>(&self, key: Key) -> Result<Option<E>> {
        read_own(self.item(key).await?)
    }

    /// The same, eventually consistent.
    pub(crate) async fn look_up<E: Entity>(&self, key: Key) -> Result<Option<E>> {
        read_own(self.get(Get::new(key)).await?)
    }

    /// Reads any number of items consistently, 100 in a request, until none is left.
    pub(crate) async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_BATCH_GETS) {
            let output = self.store.batch_get(BatchGet::new(keys.to_vec()).consistent()).await?;
            self.add(output.capacity);
            items.extend(output.items);
            if !output.unprocessed.is_empty() {
                let message = "the service left some of a batch unread; try again later";
                return Err(Error::new(ErrorKind::Throttled, message));
            }
        }
        Ok(items)
    }

    pub(crate) async fn write(&self, request: Write) -> Result<WriteOutcome> {
        let outcome = self.store.write(request).await?;
        self.add(outcome.capacity());
        Ok(outcome)
    }

    /// Starts to read the pages of a query, one after the other.
    pub(crate) fn pages(&self, query: Query) -> Pages<'_> {
        Pages { call: self, query, is_finished: false }
    }

    pub(crate) async fn scan(&self, request: Scan) -> Result<PageOutput> {
        let page = self.store.scan(request).await?;
        self.add(page.capacity);
        Ok(page)
    }

    /// Does a transaction. What was refused is told only where nothing else was in its way.
    ///
    /// Each action has a reason of its own, and what refused one may be an earlier attempt of the same caller that is being
    /// committed, while it still holds the item of another. So where any of them may pass, nothing is decided yet.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that is the reason of any
    /// action, whatever the others say.
    pub(crate) async fn transact(&self, request: Transaction) -> Result<TransactOutcome> {
        let outcome = self.store.transact(request).await?;
        self.add(outcome.capacity());
        if let TransactOutcome::Canceled { reasons, capacity } = &outcome
            && reasons.iter().any(|reason| may_pass(reason.code))
        {
            let alone = |reason: &CancelReason| match reason.code {
                code if may_pass(code) => CancelReason { code, current: None },
                _ => CancelReason::default(),
            };
            let reasons = reasons.iter().map(alone).collect();
            TransactOutcome::Canceled { reasons, capacity: *capacity }.done()?;
        }
        Ok(outcome)
    }
}

/// The pages of a query that are still to be read.
pub(crate) struct Pages<'a> {
    call: &'a Call<'a>,
    /// The request of the next page. Its limit may change from page to page.
    pub(crate) query: Query,
    is_finished: bool,
}

impl Pages<'_> {
    /// Reads the next page; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Item>>> {
        if self.is_finished {
            return Ok(None);
        }
        let page = self.call.store.query(self.query.clone()).await?;
        self.call.add(page.capacity);
        self.is_finished = page.next.is_none();
        if page.next.as_ref().is_some_and(|next| self.query.check_start(next).is_err()) {
            let message = "the store answered with a page that does not lead on; try again later";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        self.query.start = page.next;
        Ok(Some(page.items))
    }
}

/// The condition of each write to the item at a key of an `E`: it is no other program's. It also holds if there is no item.
pub(crate) fn is_own<E: Entity>() -> Condition {
    Condition::absent(TYPE).or(Condition::eq(TYPE, E::TYPE))
}

/// Puts an entity where there is none yet, and asks for the one that is.
pub(super) fn put_new<E: Entity>(entity: &E) -> Result<Write> {
    Ok(Write::put(entity.to_item()?).when(Condition::item_absent()).returning_old())
}

/// Whether the same action may be done a little later, with nothing changed.
fn may_pass(code: CancelCode) -> bool {
    match code {
        CancelCode::Conflict | CancelCode::Throttled => true,
        CancelCode::None | CancelCode::ConditionFailed | CancelCode::Invalid => false,
    }
}
