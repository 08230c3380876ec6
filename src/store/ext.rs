//! Typed sugar over any store.

use async_trait::async_trait;

use super::Store;
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::request::{
    BatchAction, BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput, Condition, Get, MAX_BATCH_GETS,
    MAX_BATCH_WRITES, Query, Write,
};

/// Typed sugar over any [`Store`], for any [`Entity`].
#[async_trait]
pub trait StoreExt: Store {
    /// The entity with these parts, eventually consistent; `None` where there is none.
    ///
    /// # Errors
    /// As [`Store::get`]; [`Corrupt`](ErrorKind::Corrupt) for an item that is no `E`.
    async fn get_entity<E: Entity + Send>(&self, parts: E::KeyParts<'_>) -> Result<Option<E>>
    where
        for<'a> E::KeyParts<'a>: Send,
    {
        let found = self.get(Get::new(E::key_from(parts))).await?;
        found.item.map(E::from_item).transpose()
    }

    /// Puts the entity in the place of what was there.
    ///
    /// # Errors
    /// As [`Store::write`], and [`Invalid`](ErrorKind::Invalid) for what cannot be stored.
    async fn put_entity<E: Entity + Sync>(&self, entity: &E) -> Result<()> {
        self.write(Write::put(entity.to_item()?)?).await?.done()?;
        Ok(())
    }

    /// Puts the entity where there is nothing yet.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) when there is an item with its key; as [`Store::write`].
    async fn put_new_entity<E: Entity + Sync>(&self, entity: &E) -> Result<()> {
        let write = Write::put(entity.to_item()?)?.when(Condition::item_absent())?;
        self.write(write).await?.done().map_err(|_| {
            Error::new(ErrorKind::AlreadyExists, format!("there is a {} with this key already", E::TYPE))
                .with_entity(E::TYPE)
        })?;
        Ok(())
    }

    /// Deletes the entity with these parts; one that is missing is no error.
    ///
    /// # Errors
    /// As [`Store::write`].
    async fn delete_entity<E: Entity>(&self, parts: E::KeyParts<'_>) -> Result<()>
    where
        for<'a> E::KeyParts<'a>: Send,
    {
        let _ = self.write(Write::delete(E::key_from(parts))).await?.done()?;
        Ok(())
    }

    /// Every entity that the query reads, page after page to its end. The query's limit is one page's, not the whole's.
    ///
    /// # Errors
    /// As [`Store::query`]; [`Corrupt`](ErrorKind::Corrupt) for an item that is no `E`.
    async fn query_entities<E: Entity + Send>(&self, query: Query) -> Result<Vec<E>> {
        let mut query = query;
        let mut entities = Vec::new();
        loop {
            let page = self.query(query.clone()).await?;
            for item in page.items {
                entities.push(E::from_item(item)?);
            }
            match page.next {
                Some(next) => query.start = Some(next),
                None => return Ok(entities),
            }
        }
    }

    /// Reads any number of items, 100 at a time. The keys that could not be read are in the answer.
    ///
    /// # Errors
    /// As [`Store::batch_get`]; [`Invalid`](ErrorKind::Invalid) for a key twice in a hundred.
    async fn get_all(&self, keys: Vec<Key>) -> Result<BatchGetOutput> {
        let mut all = BatchGetOutput::default();
        for keys in keys.chunks(MAX_BATCH_GETS) {
            let some = self.batch_get(BatchGet::new(keys.to_vec())?).await?;
            all.items.extend(some.items);
            all.unprocessed.extend(some.unprocessed);
            all.capacity += some.capacity;
        }
        Ok(all)
    }

    /// Does any number of puts and deletes, 25 at a time. Those that could not be done are in the answer.
    ///
    /// # Errors
    /// As [`Store::batch_write`]; [`Invalid`](ErrorKind::Invalid) for two writes of one item in a batch. The batches before
    /// the one that failed have been done.
    async fn write_all(&self, writes: Vec<BatchAction>) -> Result<BatchWriteOutput> {
        let mut all = BatchWriteOutput::default();
        for writes in writes.chunks(MAX_BATCH_WRITES) {
            let some = self.batch_write(BatchWrite::new(writes.to_vec())?).await?;
            all.unprocessed.extend(some.unprocessed);
            all.capacity += some.capacity;
        }
        Ok(all)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
