//! Typed calls of any store.

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

/// Typed calls of any [`Store`], for any [`Entity`].
pub trait StoreExt: Store {
    /// Checks a request, sends it, and returns its typed answer.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::store::{Scan, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let page = MemoryStore::new().send(Scan::new()).await?;
    /// assert!(page.items.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Store::execute`]; [`Invalid`](ErrorKind::Invalid) if [`Checked::new`] refuses the request.
    fn send<R: TypedRequest>(&self, request: R) -> impl Future<Output = Result<R::Output>> + Send {
        let request = request.into();
        async move {
            let operation = request.operation();
            let named = |error: Error| error.with_operation(operation.name()).with_table(self.table_name());
            answered::<R, Self>(self, Checked::new(request).map_err(named)?).await
        }
    }

    /// Reads one item. A missing item is not an error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Get, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// assert_eq!(MemoryStore::new().get(Get::new(key)).await?.item, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn get(&self, request: Get) -> impl Future<Output = Result<GetOutput>> + Send {
        self.send(request)
    }

    /// Puts, updates or deletes one item. An unmet condition is not an error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::Item;
    /// use threadline::store::{StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let mut item = Item::new();
    /// item.insert("pk", "USER#1");
    /// item.insert("sk", "USER");
    /// let outcome = MemoryStore::new().write(Write::put(item)).await?;
    /// assert_eq!(outcome.capacity().to_string(), "1.0 WCU");
    /// outcome.done()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn write(&self, request: Write) -> impl Future<Output = Result<WriteOutcome>> + Send {
        self.send(request)
    }

    /// Reads a page of one partition.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::PartitionKey;
    /// use threadline::store::{Order, Query, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let newest_first = Query::table(PartitionKey::parse("MSG#1")?).order(Order::Descending);
    /// let page = MemoryStore::new().query(newest_first).await?;
    /// assert!(page.items.is_empty() && page.next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn query(&self, request: Query) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Reads a page of the whole table.
    ///
    /// ```
    /// use threadline::store::{Scan, StoreExt};
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let page = store.scan(Scan::new()).await?;
    /// assert_eq!(page.items.len(), 2, "the user and the claim of the handle");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn scan(&self, request: Scan) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Writes several items, all or none. A canceled transaction is not an error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{Condition, StoreExt, Transaction};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let mut transaction = Transaction::default();
    /// let user = transaction.check(key, Condition::item_exists());
    /// let outcome = MemoryStore::new().transact(transaction).await?;
    /// assert!(outcome.is_refused(user));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Invalid`](ErrorKind::Invalid) if the token was used for another transaction.
    fn transact(&self, request: Transaction) -> impl Future<Output = Result<TransactOutcome>> + Send {
        self.send(request)
    }

    /// Reads up to 100 items. The answer lists the keys that were not read.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{BatchGet, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let answer = MemoryStore::new().batch_get(BatchGet::new([key])).await?;
    /// assert!(answer.items.is_empty() && answer.unprocessed.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn batch_get(&self, request: BatchGet) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        self.send(request)
    }

    /// Puts and deletes up to 25 items, each independently. The answer lists the writes that were not done.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{BatchAction, BatchWrite, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let batch = BatchWrite::new([BatchAction::Delete(key)]);
    /// let answer = MemoryStore::new().batch_write(batch).await?;
    /// assert!(answer.unprocessed.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn batch_write(&self, request: BatchWrite) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        self.send(request)
    }

    /// Returns the entity with these parts of its key, if it exists. The read is eventually consistent.
    ///
    /// ```
    /// use threadline::store::StoreExt;
    /// use threadline::{MemoryStore, NewUser, Threadline, User};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let user = Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// assert_eq!(store.get_entity::<User>(user.id()).await?, Some(user));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get); [`Corrupt`](ErrorKind::Corrupt) if the item is not an `E`.
    fn get_entity<E: Entity + Send>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<Option<E>>> + Send {
        read(self, Get::new(E::key_from(parts)))
    }

    /// Returns the entity with these parts of its key, if it exists. The read is strongly consistent: it sees every
    /// write acknowledged before it, at twice the cost.
    ///
    /// ```
    /// use threadline::store::StoreExt;
    /// use threadline::{MemoryStore, User, UserId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let nobody: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// assert_eq!(MemoryStore::new().get_entity_consistent::<User>(nobody).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get_entity`](Self::get_entity).
    fn get_entity_consistent<E: Entity + Send>(
        &self,
        parts: E::KeyParts<'_>,
    ) -> impl Future<Output = Result<Option<E>>> + Send {
        read(self, Get::new(E::key_from(parts)).consistent())
    }

    /// Puts the entity, which replaces a stored item with its key.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Entity, Key, KeySegment, PartitionKey, SortKey, tag};
    /// use threadline::store::StoreExt;
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
    /// struct City {
    ///     name: KeySegment,
    ///     country: String,
    /// }
    ///
    /// impl Entity for City {
    ///     const TYPE: &'static str = "City";
    ///     type KeyParts<'a> = &'a KeySegment;
    ///
    ///     fn key_from(name: &KeySegment) -> Key {
    ///         Key::new(PartitionKey::new((tag!("CITY"), name)), SortKey::new((tag!("CITY"),)))
    ///     }
    ///
    ///     fn key_parts(&self) -> &KeySegment {
    ///         &self.name
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let mut city = City { name: KeySegment::new("Toronto")?, country: "CA".into() };
    /// store.put_entity(&city).await?;
    /// city.country = "Canada".into();
    /// store.put_entity(&city).await?;
    /// assert_eq!(store.get_entity::<City>(&city.name).await?, Some(city));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write); [`Invalid`](ErrorKind::Invalid) if the entity cannot be stored.
    fn put_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        let item = entity.to_item();
        async move {
            self.write(Write::put(item?)).await?.done()?;
            Ok(())
        }
    }

    /// Puts the entity, unless another item has its key.
    ///
    /// An equal stored entity is a success, because a retry after a lost answer finds its own write. So two callers who
    /// put equal entities both succeed. If only one may succeed, add a field in which they differ.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use threadline::entity::{Entity, Key, KeySegment, PartitionKey, SortKey, tag};
    /// use threadline::store::StoreExt;
    /// use threadline::{ErrorKind, MemoryStore};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Seat {
    ///     number: KeySegment,
    ///     guest: String,
    /// }
    ///
    /// impl Entity for Seat {
    ///     const TYPE: &'static str = "Seat";
    ///     type KeyParts<'a> = &'a KeySegment;
    ///
    ///     fn key_from(number: &KeySegment) -> Key {
    ///         Key::new(PartitionKey::new((tag!("SEAT"), number)), SortKey::new((tag!("SEAT"),)))
    ///     }
    ///
    ///     fn key_parts(&self) -> &KeySegment {
    ///         &self.number
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let seat = |guest: &str| Ok::<_, threadline::Error>(Seat { number: KeySegment::new("12A")?, guest: guest.into() });
    /// store.put_new_entity(&seat("Andrew")?).await?;
    /// store.put_new_entity(&seat("Andrew")?).await?;
    /// let error = store.put_new_entity(&seat("Bayko")?).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write); [`AlreadyExists`](ErrorKind::AlreadyExists) if another item has its key.
    fn put_new_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        let item = entity.to_item();
        async move {
            let item = item?;
            let write = Write::put(item.clone()).when(Condition::item_absent()).returning_old();
            match self.write(write).await? {
                WriteOutcome::Done { .. } => Ok(()),
                WriteOutcome::Refused { current: Some(current), .. } if same_item(&current, &item) => Ok(()),
                WriteOutcome::Refused { .. } => {
                    let message = format!("the {} cannot be put: another item has its key", E::TYPE);
                    let error = Error::new(ErrorKind::AlreadyExists, message).with_entity(E::TYPE);
                    Err(error.with_table(self.table_name()))
                }
            }
        }
    }

    /// Deletes the entity with these parts of its key. A missing entity is not an error.
    ///
    /// ```
    /// use threadline::store::StoreExt;
    /// use threadline::{MemoryStore, User, UserId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let id: UserId = "6513270e-269e-4d37-b2a7-4de452e6b438".parse()?;
    /// store.delete_entity::<User>(id).await?;
    /// assert_eq!(store.get_entity::<User>(id).await?, None);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Returns all entities of a query, from all of its pages.
    ///
    /// The query's limit applies to each page, not to the whole. All entities are in memory at once: for a large
    /// partition, read single pages with [`query_page`](Self::query_page).
    ///
    /// ```
    /// use threadline::entity::{PartitionKey, tag};
    /// use threadline::store::{Query, StoreExt};
    /// use threadline::{MemoryStore, NewUser, Threadline, User};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let user = Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let partition = PartitionKey::new((tag!("USER"), user.id()));
    /// assert_eq!(store.query_entities::<User>(Query::table(partition)).await?, [user]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`query`](Self::query); [`Corrupt`](ErrorKind::Corrupt) if an item is not an `E`.
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

    /// Returns the entities of one page of a query, and the start of the next page.
    ///
    /// Pass the start to [`Query::start`]. `None` is the end. A page before the end may be short or empty: it ends at
    /// the query's limit or at 1 MB, and it omits expired items.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use threadline::entity::{PartitionKey, tag};
    /// use threadline::store::{Query, StoreExt};
    /// use threadline::{MemoryStore, NewUser, Threadline, User};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let user = Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let query = Query::table(PartitionKey::new((tag!("USER"), user.id()))).limit(NonZeroU32::MIN);
    /// let (first, next) = store.query_page::<User>(query.clone()).await?;
    /// assert_eq!(first, [user]);
    /// let (second, next) = store.query_page::<User>(query.start(next)).await?;
    /// assert!(second.is_empty() && next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`query`](Self::query); [`Corrupt`](ErrorKind::Corrupt) if an item is not an `E`.
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

    /// Reads any number of items, 100 at a time.
    ///
    /// The answer lists the keys that were not read. These are the unprocessed keys of each batch. If a batch after the
    /// first fails, they include all its keys and all later keys. So no item is lost: retry with these keys, which
    /// either succeeds or returns the error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::StoreExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = |number: u32| {
    ///     Ok(Key::new(PartitionKey::parse("CITY")?, SortKey::parse(number.to_string())?))
    /// };
    /// let keys = (0..250).map(key).collect::<threadline::Result<_>>()?;
    /// let answer = MemoryStore::new().get_all(keys).await?;
    /// assert!(answer.items.is_empty() && answer.unprocessed.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`batch_get`](Self::batch_get), if the first batch fails; [`Invalid`](ErrorKind::Invalid) for a repeated key,
    /// before anything is read.
    fn get_all(&self, keys: Vec<Key>) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        async move {
            check_unique("the list of keys", keys.iter())?;
            let batches: Vec<_> = keys.chunks(MAX_BATCH_GETS).map(|keys| BatchGet::new(keys.to_vec())).collect();
            let mut all = BatchGetOutput::default();
            for (number, batch) in batches.into_iter().enumerate() {
                match self.batch_get(batch).await {
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
    }

    /// Does any number of puts and deletes, 25 at a time.
    ///
    /// The answer lists the writes that were not done, in their order. These are the unprocessed writes of each batch.
    /// If a batch after the first fails, they include all its writes and all later writes. Retry with these writes,
    /// which either succeeds or returns the error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::Item;
    /// use threadline::store::{BatchAction, Scan, StoreExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let put = |number: i32| {
    ///     let mut item = Item::new();
    ///     item.insert("pk", "CITY");
    ///     item.insert("sk", number.to_string());
    ///     BatchAction::Put(item)
    /// };
    /// let store = MemoryStore::new();
    /// let answer = store.write_all((0..60).map(put).collect()).await?;
    /// assert!(answer.unprocessed.is_empty());
    /// assert_eq!(store.scan(Scan::new()).await?.items.len(), 60);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * As [`batch_write`](Self::batch_write), if the first batch fails. Nothing was done.
    /// * [`Invalid`](ErrorKind::Invalid) for a write that cannot be stored and for two writes of one item, before
    ///   anything is sent. A batch may do its writes in any order, so two writes of one item have no defined order.
    /// * [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if the answer to any batch was lost. The earlier batches were
    ///   done, except for their unprocessed writes. Repeat all writes, unless somebody else has written the items
    ///   since: whole puts and deletes are idempotent.
    fn write_all(&self, writes: Vec<BatchAction>) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        async move {
            let keys = writes.iter().map(BatchAction::key).collect::<Result<Vec<_>>>()?;
            check_unique("the list of writes", keys.iter())?;
            let batches = writes.chunks(MAX_BATCH_WRITES).map(|writes| Checked::new(BatchWrite::new(writes.to_vec())));
            let batches = batches.collect::<Result<Vec<_>>>()?;
            let mut all = BatchWriteOutput::default();
            for (number, batch) in batches.into_iter().enumerate() {
                match answered::<BatchWrite, Self>(self, batch).await {
                    Ok(answer) => {
                        all.unprocessed.extend(answer.unprocessed);
                        all.capacity += answer.capacity;
                    }
                    Err(error) if number == 0 || error.kind() == ErrorKind::OutcomeUnknown => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, "a batch of writes failed: its writes and all later ones are unprocessed");
                        all.unprocessed.extend(writes.into_iter().skip(number * MAX_BATCH_WRITES));
                        break;
                    }
                }
            }
            Ok(all)
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// Reads an entity.
async fn read<E: Entity, S: Store + ?Sized>(store: &S, request: Get) -> Result<Option<E>> {
    store.get(request).await?.item.map(E::from_item).transpose()
}

/// Sends a checked request, and returns the typed answer.
async fn answered<R: TypedRequest, S: Store + ?Sized>(store: &S, request: Checked) -> Result<R::Output> {
    let operation = request.operation();
    let answer = store.execute(request).await?;
    R::output(answer).ok_or_else(|| {
        let kind = if operation.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::Unavailable };
        let error = Error::new(kind, "the store sent an answer to another kind of request");
        error.with_operation(operation.name()).with_table(store.table_name())
    })
}
