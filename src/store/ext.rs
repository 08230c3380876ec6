//! Typed calls of any store.

use super::{Store, calls};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::request::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Checked, Get, GetOutput, PageOutput, Position,
    Query, Scan, TransactOutcome, Transaction, TypedRequest, Write, WriteOutcome,
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
    /// As [`Store::execute`]; [`Invalid`](crate::ErrorKind::Invalid) if [`Checked::new`] refuses the request.
    fn send<R: TypedRequest>(&self, request: R) -> impl Future<Output = Result<R::Output>> + Send {
        let request = request.into();
        async move {
            let operation = request.operation();
            let named = |error: Error| error.with_operation(operation.name()).with_table(self.table_name());
            calls::answered::<R, Self>(self, Checked::new(request).map_err(named)?).await
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
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::{StoreExt, Write};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
    /// let outcome = MemoryStore::new().write(Write::delete(key)).await?;
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

    /// Reads one page of the table, eventually consistent: up to the scan's limit or 1 MB, at 0.5 RCU per 4 KB.
    ///
    /// ```
    /// use threadline::store::{Scan, StoreExt};
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// assert_eq!(store.scan(Scan::new()).await?.items.len(), 2, "the user and the claim of the handle");
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
    /// As [`send`](Self::send); [`Invalid`](crate::ErrorKind::Invalid) if the token was used for another transaction.
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
    /// let answer = MemoryStore::new().batch_write(BatchWrite::new([BatchAction::Delete(key)])).await?;
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
    /// As [`get`](Self::get); [`Corrupt`](crate::ErrorKind::Corrupt) if the item is not an `E`.
    fn get_entity<E: Entity + Send>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<Option<E>>> + Send {
        calls::read(self, Get::new(E::key_from(parts)))
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
        calls::read(self, Get::new(E::key_from(parts)).consistent())
    }

    /// Puts the entity, which replaces a stored item with its key.
    ///
    /// ```
    /// use threadline::store::StoreExt;
    /// use threadline::{MemoryStore, NewUser, Threadline, User};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let user = Threadline::new(store.clone()).create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let backup = MemoryStore::new();
    /// backup.put_entity(&user).await?;
    /// assert_eq!(backup.get_entity::<User>(user.id()).await?, Some(user));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write); [`Invalid`](crate::ErrorKind::Invalid) if the entity cannot be stored.
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
    /// use threadline::store::StoreExt;
    /// use threadline::{ErrorKind, MemoryStore, NewUser, Threadline, UserChange};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let store = MemoryStore::new();
    /// let threadline = Threadline::new(store.clone());
    /// let user = threadline.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// store.put_new_entity(&user).await?;
    /// threadline.update_user(&user, UserChange::new().display_name("Andy")?).await?;
    /// let error = store.put_new_entity(&user).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write); [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another item has its key.
    fn put_new_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        calls::put_new(self, E::TYPE, entity.to_item())
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
    /// As [`query`](Self::query); [`Corrupt`](crate::ErrorKind::Corrupt) if an item is not an `E`.
    fn query_entities<E: Entity + Send>(&self, query: Query) -> impl Future<Output = Result<Vec<E>>> + Send {
        calls::query_entities(self, query)
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
    /// As [`query`](Self::query); [`Corrupt`](crate::ErrorKind::Corrupt) if an item is not an `E`.
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
    /// first fails, they include all its keys and all later keys, and the answer keeps the items read before. A retry
    /// with these keys either succeeds or returns the error.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::entity::{Key, PartitionKey, SortKey};
    /// use threadline::store::StoreExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// let key = |number: u32| Ok(Key::new(PartitionKey::parse("CITY")?, SortKey::parse(number.to_string())?));
    /// let keys = (0..250).map(key).collect::<threadline::Result<_>>()?;
    /// let answer = MemoryStore::new().get_all(keys).await?;
    /// assert!(answer.items.is_empty() && answer.unprocessed.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`batch_get`](Self::batch_get), if the first batch fails; [`Invalid`](crate::ErrorKind::Invalid) for a
    /// repeated key, before anything is read.
    fn get_all(&self, keys: Vec<Key>) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        calls::get_all(self, keys)
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a write that cannot be stored and for two writes of one item.
    ///   Nothing was sent. A batch may do its writes in any order, so two writes of one item have no defined order.
    /// * [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if the answer to any batch was lost. The earlier batches
    ///   were done, except for their unprocessed writes. Retry all writes, unless somebody else has written the items
    ///   since: whole puts and deletes are idempotent.
    fn write_all(&self, writes: Vec<BatchAction>) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        calls::write_all(self, writes)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
