//! Typed sugar over any store.

use super::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::item::same_item;
use crate::key::Key;
use crate::request::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Condition, Get, GetOutput,
    MAX_BATCH_GETS, MAX_BATCH_WRITES, PageOutput, Position, Query, Scan, TransactOutcome, Transaction, TypedRequest,
    Write, WriteOutcome, check_unique,
};
use crate::stored::Entity;

/// Typed sugar over any [`Store`], for any [`Entity`].
pub trait StoreExt: Store {
    /// Checks a request, sends it, and returns its typed answer.
    ///
    /// # Errors
    /// As [`Store::execute`]; [`Invalid`](ErrorKind::Invalid) for a request that [`Checked::new`] refuses.
    fn send<R: TypedRequest>(&self, request: R) -> impl Future<Output = Result<R::Output>> + Send {
        let request = request.into();
        async move {
            let operation = request.operation();
            let named = |error: Error| error.with_operation(operation.name()).with_table(self.table_name());
            answered::<R, Self>(self, Checked::new(request).map_err(named)?).await
        }
    }

    /// Reads one item.
    ///
    /// # Errors
    /// As [`send`](Self::send). A missing item is no error.
    fn get(&self, request: Get) -> impl Future<Output = Result<GetOutput>> + Send {
        self.send(request)
    }

    /// Puts, updates or deletes one item.
    ///
    /// # Errors
    /// As [`send`](Self::send). A condition that is not met is no error.
    fn write(&self, request: Write) -> impl Future<Output = Result<WriteOutcome>> + Send {
        self.send(request)
    }

    /// Reads a page of one partition.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn query(&self, request: Query) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Reads a page of the whole table.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn scan(&self, request: Scan) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Writes several items, all or none.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Invalid`](ErrorKind::Invalid) for a token that an earlier, different transaction
    /// used. A canceled transaction is no error.
    fn transact(&self, request: Transaction) -> impl Future<Output = Result<TransactOutcome>> + Send {
        self.send(request)
    }

    /// Reads up to 100 items.
    ///
    /// # Errors
    /// As [`send`](Self::send). The answer lists the keys that were not read.
    fn batch_get(&self, request: BatchGet) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        self.send(request)
    }

    /// Puts and deletes up to 25 items, each on its own.
    ///
    /// # Errors
    /// As [`send`](Self::send). The answer lists the writes that were not done.
    fn batch_write(&self, request: BatchWrite) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        self.send(request)
    }

    /// The entity with these parts, eventually consistent; `None` where there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`Corrupt`](ErrorKind::Corrupt) for an item that is no `E`.
    fn get_entity<E: Entity + Send>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<Option<E>>> + Send {
        read(self, Get::new(E::key_from(parts)))
    }

    /// The same, seeing every write acknowledged before. It costs twice as much.
    ///
    /// # Errors
    /// As [`get_entity`](Self::get_entity).
    fn get_entity_consistent<E: Entity + Send>(
        &self,
        parts: E::KeyParts<'_>,
    ) -> impl Future<Output = Result<Option<E>>> + Send {
        read(self, Get::new(E::key_from(parts)).consistent())
    }

    /// Puts the entity in the place of what was there.
    ///
    /// # Errors
    /// As [`write`](Self::write); [`Invalid`](ErrorKind::Invalid) for an entity that cannot be stored.
    fn put_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        let item = entity.to_item();
        async move {
            self.write(Write::put(item?)).await?.done()?;
            Ok(())
        }
    }

    /// Puts the entity where there is nothing yet, or where there is the very same already: an answer that was lost on the way
    /// may have a retry meet its own write. So two callers who put equal entities both succeed; where only one may, the
    /// entity needs a field in which they differ.
    ///
    /// # Errors
    /// As [`write`](Self::write); [`AlreadyExists`](ErrorKind::AlreadyExists) if there is another item with its key.
    fn put_new_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        let item = entity.to_item();
        async move {
            let item = item?;
            let write = Write::put(item.clone()).when(Condition::item_absent()).returning_old();
            match self.write(write).await? {
                WriteOutcome::Done { .. } => Ok(()),
                WriteOutcome::Refused { current: Some(current), .. } if same_item(&current, &item) => Ok(()),
                WriteOutcome::Refused { .. } => {
                    let message = format!("there is a {} with this key already", E::TYPE);
                    let error = Error::new(ErrorKind::AlreadyExists, message).with_entity(E::TYPE);
                    Err(error.with_table(self.table_name()))
                }
            }
        }
    }

    /// Deletes the entity with these parts; one that is missing is no error.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn delete_entity<E: Entity>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<()>> + Send {
        let key = E::key_from(parts);
        async move {
            let _ = self.write(Write::delete(key)).await?.done()?;
            Ok(())
        }
    }

    /// Every entity that the query reads, page after page to its end. The query's limit is one page's, not the whole's: a
    /// partition of a million items is a million entities in memory. Where there may be many,
    /// [`query_page`](Self::query_page) reads one page.
    ///
    /// # Errors
    /// As [`query`](Self::query); [`Corrupt`](ErrorKind::Corrupt) for an item that is no `E`.
    fn query_entities<E: Entity + Send>(&self, query: Query) -> impl Future<Output = Result<Vec<E>>> + Send {
        async move {
            let mut query = query;
            let mut entities = Vec::new();
            loop {
                let (page, next) = self.query_page(query.clone()).await?;
                entities.extend(page);
                if next.is_none() {
                    return Ok(entities);
                }
                query.start = next;
            }
        }
    }

    /// The entities of one page of the query, and where the next page starts: give it to [`Query::start`] as it is. `None` is
    /// the end. A page may be short, or even empty, before that: it ends at the query's limit or at 1 MB, and what has
    /// expired is left out.
    ///
    /// # Errors
    /// As [`query`](Self::query); [`Corrupt`](ErrorKind::Corrupt) for an item that is no `E`.
    fn query_page<E: Entity + Send>(
        &self,
        query: Query,
    ) -> impl Future<Output = Result<(Vec<E>, Option<Position>)>> + Send {
        async move {
            let page = self.query(query).await?;
            let entities = page.items.into_iter().map(E::from_item).collect::<Result<_>>()?;
            Ok((entities, page.next))
        }
    }

    /// Reads any number of items, 100 at a time. The keys that could not be read are in the answer: those that a batch left,
    /// and where a batch after the first failed, all of it and all behind it. What was read before is not lost then, and
    /// reading the rest again either succeeds or gives the error.
    ///
    /// # Errors
    /// As [`batch_get`](Self::batch_get), if the first batch fails; [`Invalid`](ErrorKind::Invalid) for a key twice,
    /// before anything is read.
    fn get_all(&self, keys: Vec<Key>) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        async move {
            check_unique("a list of keys", keys.iter())?;
            let batches: Vec<_> = keys.chunks(MAX_BATCH_GETS).map(|keys| BatchGet::new(keys.to_vec())).collect();
            let mut all = BatchGetOutput::default();
            for (place, batch) in batches.into_iter().enumerate() {
                match self.batch_get(batch).await {
                    Ok(some) => {
                        all.items.extend(some.items);
                        all.unprocessed.extend(some.unprocessed);
                        all.capacity += some.capacity;
                    }
                    Err(error) if place == 0 => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, "a batch of reads failed, and it and those behind it are left");
                        all.unprocessed.extend(keys.into_iter().skip(place * MAX_BATCH_GETS));
                        break;
                    }
                }
            }
            Ok(all)
        }
    }

    /// Does any number of puts and deletes, 25 at a time. Those that were not done are in the answer: those that a batch left,
    /// and where a batch after the first failed, all of it and all behind it, in their order. Giving them to this call again
    /// either does them or gives the error.
    ///
    /// # Errors
    /// As [`batch_write`](Self::batch_write), if the first batch fails: nothing was done then.
    /// [`Invalid`](ErrorKind::Invalid) for a write that cannot be stored and for two writes of one item, before anything is
    /// sent: what a batch leaves undone is done later, so that their order could not be kept.
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) when the answer to any batch was lost: those before it were done except for
    /// what they left, and nobody knows of the batch itself. Do all of the writes again then, where nobody else has written the
    /// items since: each is a whole put or a delete, so twice is as good as once.
    fn write_all(&self, writes: Vec<BatchAction>) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        async move {
            let keys = writes.iter().map(BatchAction::key).collect::<Result<Vec<_>>>()?;
            check_unique("a list of writes", keys.iter())?;
            let batches = writes.chunks(MAX_BATCH_WRITES).map(|writes| Checked::new(BatchWrite::new(writes.to_vec())));
            let batches = batches.collect::<Result<Vec<_>>>()?;
            let mut all = BatchWriteOutput::default();
            for (place, batch) in batches.into_iter().enumerate() {
                match answered::<BatchWrite, Self>(self, batch).await {
                    Ok(some) => {
                        all.unprocessed.extend(some.unprocessed);
                        all.capacity += some.capacity;
                    }
                    Err(error) if place == 0 || error.kind() == ErrorKind::OutcomeUnknown => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, "a batch of writes failed, and it and those behind it are left");
                        all.unprocessed.extend(writes.into_iter().skip(place * MAX_BATCH_WRITES));
                        break;
                    }
                }
            }
            Ok(all)
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// Reads the entity of this request.
async fn read<E: Entity, S: Store + ?Sized>(store: &S, request: Get) -> Result<Option<E>> {
    store.get(request).await?.item.map(E::from_item).transpose()
}

/// Sends a checked request, and returns the answer of its type.
async fn answered<R: TypedRequest, S: Store + ?Sized>(store: &S, request: Checked) -> Result<R::Output> {
    let operation = request.operation();
    let answer = store.execute(request).await?;
    R::output(answer).ok_or_else(|| {
        let kind = if operation.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::Unavailable };
        let error = Error::new(kind, "the store answered a request of another kind");
        error.with_operation(operation.name()).with_table(store.table_name())
    })
}
