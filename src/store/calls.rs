//! The implementation of the longer calls of [`StoreExt`].

use tracing::Instrument;

use super::{Store, StoreExt, span};
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Item, same_item};
use crate::key::Key;
use crate::request::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Condition, Get, MAX_BATCH_GETS,
    MAX_BATCH_WRITES, Position, Query, Request, TypedRequest, Write, WriteOutcome, check_unique,
};
use crate::stored::Entity;

/// Checks a request and sends it in its own span. The span names the access pattern, if any.
pub(crate) async fn send<R: TypedRequest, S: Store + ?Sized>(
    store: &S,
    request: Request,
    pattern: Option<&str>,
) -> Result<R::Output> {
    let operation = request.operation();
    let named = |error: Error| error.with_operation(operation.name()).with_table(store.table_name());
    answered::<R, S>(store, Checked::new(request).map_err(named)?, pattern).await
}

/// Sends a checked request in its own span, and returns the typed answer.
async fn answered<R: TypedRequest, S: Store + ?Sized>(
    store: &S,
    request: Checked,
    pattern: Option<&str>,
) -> Result<R::Output> {
    let operation = request.operation();
    let span = span::start(request.request(), store.table_name(), pattern);
    let outcome = store.execute(request).instrument(span.clone()).await;
    span::record(&span, &outcome);
    R::output(outcome?).ok_or_else(|| {
        let kind = if operation.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::Unavailable };
        let error = Error::new(kind, "the store sent an answer to another kind of request");
        error.with_operation(operation.name()).with_table(store.table_name())
    })
}

/// Reads an entity.
pub(super) async fn read<E: Entity, S: Store + ?Sized>(store: &S, request: Get) -> Result<Option<E>> {
    store.get(request).await?.item.map(E::from_item).transpose()
}

/// Implements [`StoreExt::put_new_entity`], for an entity of this type.
pub(super) async fn put_new<S: Store + ?Sized>(store: &S, entity: &'static str, item: Result<Item>) -> Result<()> {
    let item = item?;
    let write = Write::put(item.clone()).when(Condition::item_absent()).returning_old();
    match store.write(write).await? {
        WriteOutcome::Done { .. } => Ok(()),
        WriteOutcome::Refused { current: Some(current), .. } if same_item(&current, &item) => Ok(()),
        WriteOutcome::Refused { .. } => {
            let message = format!("the {entity} cannot be put: another item has its key");
            let error = Error::new(ErrorKind::AlreadyExists, message).with_entity(entity);
            Err(error.with_table(store.table_name()))
        }
    }
}

/// Sends a write without a condition.
pub(super) async fn done<S: Store + ?Sized>(store: &S, write: Result<Write>) -> Result<()> {
    store.write(write?).await?.done().map(drop)
}

/// Implements [`StoreExt::query_page`].
pub(super) async fn query_page<E: Entity, S: Store + ?Sized>(
    store: &S,
    query: Query,
) -> Result<(Vec<E>, Option<Position>)> {
    let page = store.query(query).await?;
    Ok((page.items.into_iter().map(E::from_item).collect::<Result<_>>()?, page.next))
}

/// Implements [`StoreExt::query_entities`].
pub(super) async fn query_entities<E: Entity + Send, S: Store + ?Sized>(store: &S, query: Query) -> Result<Vec<E>> {
    let mut query = query;
    let mut entities = Vec::new();
    loop {
        let (page, next) = store.query_page(query.clone()).await?;
        entities.extend(page);
        if next.is_none() {
            return Ok(entities);
        }
        query.start = next;
    }
}

/// Implements [`StoreExt::get_all`].
pub(super) async fn get_all<S: Store + ?Sized>(store: &S, keys: Vec<Key>) -> Result<BatchGetOutput> {
    check_unique("the list of keys", keys.iter())?;
    let batches: Vec<_> = keys.chunks(MAX_BATCH_GETS).map(|keys| BatchGet::new(keys.to_vec())).collect();
    let mut all = BatchGetOutput::default();
    for (number, batch) in batches.into_iter().enumerate() {
        match store.batch_get(batch).await {
            Ok(answer) => {
                all.items.extend(answer.items);
                all.unprocessed.extend(answer.unprocessed);
                all.capacity += answer.capacity;
            }
            Err(error) if number == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "a batch of reads failed: its keys and all later keys are unprocessed");
                all.unprocessed.extend(keys.into_iter().skip(number * MAX_BATCH_GETS));
                break;
            }
        }
    }
    Ok(all)
}

/// Implements [`StoreExt::write_all`].
pub(super) async fn write_all<S: Store + ?Sized>(store: &S, writes: Vec<BatchAction>) -> Result<BatchWriteOutput> {
    let keys = writes.iter().map(BatchAction::key).collect::<Result<Vec<_>>>()?;
    check_unique("the list of writes", keys.iter())?;
    let batches = writes.chunks(MAX_BATCH_WRITES).map(|writes| Checked::new(BatchWrite::new(writes.to_vec())));
    let batches = batches.collect::<Result<Vec<_>>>()?;
    let mut all = BatchWriteOutput::default();
    for (number, batch) in batches.into_iter().enumerate() {
        match answered::<BatchWrite, S>(store, batch, None).await {
            Ok(answer) => {
                all.unprocessed.extend(answer.unprocessed);
                all.capacity += answer.capacity;
            }
            Err(error) if number == 0 || error.kind() == ErrorKind::OutcomeUnknown => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "a batch of writes failed: its writes and all later writes are unprocessed");
                all.unprocessed.extend(writes.into_iter().skip(number * MAX_BATCH_WRITES));
                break;
            }
        }
    }
    Ok(all)
}
