//! The typed calls of any store.

use super::{Store, calls};
use crate::error::Result;
use crate::key::Key;
use crate::request::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Get, GetOutput, PageOutput, Position, Query,
    Scan, TransactOutcome, Transaction, TypedRequest, Write, WriteOutcome,
};
use crate::stored::Entity;

/// The typed calls of any [`Store`]. Some calls take a request, such as a [`Query`]. Others take or return an
/// [`Entity`].
pub trait StoreExt: Store {
    /// Checks a request, sends it, and returns the answer of the matching type.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`Checked::new`](super::Checked::new) refuses `request`.
    /// * Otherwise the errors of [`Store::execute`].
    fn send<R: TypedRequest>(&self, request: R) -> impl Future<Output = Result<R::Output>> + Send {
        calls::send::<R, Self>(self, request.into(), None)
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
    /// Returns the errors of [`send`](Self::send).
    fn get(&self, request: Get) -> impl Future<Output = Result<GetOutput>> + Send {
        self.send(request)
    }

    /// Puts, updates or deletes one item. An unmet condition is not an error: the answer is [`WriteOutcome::Refused`].
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
    /// Returns the errors of [`send`](Self::send).
    fn write(&self, request: Write) -> impl Future<Output = Result<WriteOutcome>> + Send {
        self.send(request)
    }

    /// Reads one page of a partition of the table or the index.
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
    /// Returns the errors of [`send`](Self::send).
    fn query(&self, request: Query) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Reads one page of the table. The read is eventually consistent and costs 0.5 RCU per 4 KB.
    ///
    /// The page ends at the scan's limit or at 1 MB.
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
    /// Returns the errors of [`send`](Self::send).
    fn scan(&self, request: Scan) -> impl Future<Output = Result<PageOutput>> + Send {
        self.send(request)
    }

    /// Writes several items, all or none. A canceled transaction is not an error: the answer has the reasons.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) if another transaction used the same token in the last 10 minutes.
    /// * Otherwise the errors of [`send`](Self::send).
    fn transact(&self, request: Transaction) -> impl Future<Output = Result<TransactOutcome>> + Send {
        self.send(request)
    }

    /// Reads up to 100 items by their keys. The answer lists the keys that were not read.
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
    /// Returns the errors of [`send`](Self::send).
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
    /// Returns the errors of [`send`](Self::send).
    fn batch_write(&self, request: BatchWrite) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        self.send(request)
    }

    /// Returns the entity whose key has these [parts](Entity::KeyParts), if any. The read is eventually consistent.
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
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the item is not an `E`; else those of [`get`](Self::get).
    fn get_entity<E: Entity + Send>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<Option<E>>> + Send {
        calls::read(self, Get::new(E::key_from(parts)))
    }

    /// Returns the entity whose key has these [parts](Entity::KeyParts), if any. The read is strongly consistent.
    ///
    /// The read sees every write that was acknowledged before the read started. The read costs twice as much as
    /// [`get_entity`](Self::get_entity).
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
    /// Returns the errors of [`get_entity`](Self::get_entity).
    fn get_entity_consistent<E: Entity + Send>(
        &self,
        parts: E::KeyParts<'_>,
    ) -> impl Future<Output = Result<Option<E>>> + Send {
        calls::read(self, Get::new(E::key_from(parts)).consistent())
    }

    /// Puts the entity, and replaces any stored item with the same key.
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
    /// [`Invalid`](crate::ErrorKind::Invalid) if `entity` cannot be stored; else those of [`write`](Self::write).
    fn put_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        calls::done(self, entity.to_item().map(Write::put))
    }

    /// Puts the entity, unless a different item has its key.
    ///
    /// The call also succeeds if an equal entity is stored already, because a retry may find what its first attempt
    /// wrote. So if two callers put equal entities, both succeed. If only one of them may succeed, add a field that has
    /// a different value for each caller.
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
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if a different item has the key; else those of `put_entity`.
    fn put_new_entity<E: Entity>(&self, entity: &E) -> impl Future<Output = Result<()>> + Send {
        calls::put_new(self, E::TYPE, entity.to_item())
    }

    /// Deletes the entity whose key has these [parts](Entity::KeyParts). A missing entity is not an error.
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
    /// Returns the errors of [`write`](Self::write).
    fn delete_entity<E: Entity>(&self, parts: E::KeyParts<'_>) -> impl Future<Output = Result<()>> + Send {
        calls::done(self, Ok(Write::delete(E::key_from(parts))))
    }

    /// Reads all pages of a query and returns their entities.
    ///
    /// The query's limit applies to each page, not to the number of returned entities. All entities are in memory at
    /// once. For a large partition, read single pages with [`query_page`](Self::query_page).
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
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if an item is not an `E`; else those of [`query`](Self::query).
    fn query_entities<E: Entity + Send>(&self, query: Query) -> impl Future<Output = Result<Vec<E>>> + Send {
        calls::query_entities(self, query)
    }

    /// Returns the entities of one page of a query, and the position at which the next page starts.
    ///
    /// Pass the position to [`Query::start`] to read the next page. If the position is `None`, this page is the last.
    ///
    /// Any page may be short or empty, even if another page follows. A page ends at the query's limit or at 1 MB, and
    /// omits expired items.
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
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if an item is not an `E`; else those of [`query`](Self::query).
    fn query_page<E: Entity + Send>(
        &self,
        query: Query,
    ) -> impl Future<Output = Result<(Vec<E>, Option<Position>)>> + Send {
        calls::query_page(self, query)
    }

    /// Reads any number of items by their keys, 100 at a time.
    ///
    /// The answer lists the unprocessed keys of each batch. To read them, call `get_all` again with them.
    ///
    /// If the first batch fails, the call returns the error. If a later batch fails, the call stops and returns an
    /// answer with the items of the earlier batches. The unprocessed keys then include all keys of the failed batch and
    /// of the batches after it.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) if two keys are equal. Nothing was read.
    /// * The errors of [`batch_get`](Self::batch_get) if the first batch fails.
    fn get_all(&self, keys: Vec<Key>) -> impl Future<Output = Result<BatchGetOutput>> + Send {
        calls::get_all(self, keys)
    }

    /// Does any number of puts and deletes, 25 at a time.
    ///
    /// The answer lists the unprocessed writes of each batch, in the order of `writes`. To do them, call `write_all`
    /// again with them.
    ///
    /// If the first batch fails, the call returns the error. If a later batch fails, the call stops and returns an
    /// answer. The unprocessed writes then include all writes of the failed batch and of the batches after it. There is
    /// one exception: if the outcome of the failed batch is unknown, the call returns the error `OutcomeUnknown`.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) if a write cannot be stored, or if two writes have the same key. (A
    ///   batch has no defined order.) Nothing was sent.
    /// * [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if the answer to any batch was lost. The earlier batches
    ///   were done, except for their unprocessed writes. Retry all writes: puts and deletes are idempotent. If another
    ///   caller may have written the items in the meantime, read them first, because a retry overwrites them.
    /// * The other errors of [`batch_write`](Self::batch_write) if the first batch fails. Nothing was done.
    fn write_all(&self, writes: Vec<BatchAction>) -> impl Future<Output = Result<BatchWriteOutput>> + Send {
        calls::write_all(self, writes)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
