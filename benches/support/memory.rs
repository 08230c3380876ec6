//! The in-memory store, and its other side: a map of maps behind a lock, and the same work by hand.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::RwLock;

use threadline::{
    AttributeValue, Entity, Get, GroupId, Item, Key, Membership, MemoryStore, Message, MessageKey, Store, StoreExt,
};

use super::{Forward, Ours, PAGE, Table, Thread, block_on, partition};

/// A table that is made anew for each measurement.
pub(crate) trait InMemory: Table + Default + Sync {
    fn insert<E: Entity + Sync>(&self, entity: &E);

    fn item(&self, key: Key) -> Option<Item>;

    /// A table with this thread.
    fn with(thread: &Thread) -> Self {
        let table = Self::default();
        thread.messages.iter().for_each(|message| table.insert(message));
        table.insert(&thread.row);
        table
    }
}

impl InMemory for Ours<MemoryStore> {
    fn insert<E: Entity + Sync>(&self, entity: &E) {
        block_on(self.0.put_entity(entity)).unwrap();
    }

    fn item(&self, key: Key) -> Option<Item> {
        block_on(self.0.get(Get::new(key))).unwrap().item
    }
}

/// Items by partition key and sort key. It has no index, no capacity, no stream, no limits and no expiry.
#[derive(Default)]
pub(crate) struct Bare(RwLock<HashMap<String, BTreeMap<String, Item>>>);

impl InMemory for Bare {
    fn insert<E: Entity + Sync>(&self, entity: &E) {
        let key = entity.key();
        self.0.write().unwrap().entry(key.pk.into()).or_default().insert(key.sk.into(), entity.to_item().unwrap());
    }

    fn item(&self, key: Key) -> Option<Item> {
        self.0.read().unwrap().get(key.pk.as_str())?.get(key.sk.as_str()).cloned()
    }
}

impl Table for Bare {
    type Message = Message;

    async fn put(&self, message: &Message) -> bool {
        let item = message.to_item().unwrap();
        let (pk, sk) = (item.get_s("pk").unwrap().to_owned(), item.get_s("sk").unwrap().to_owned());
        match self.0.write().unwrap().entry(pk).or_default().entry(sk) {
            Entry::Vacant(place) => {
                place.insert(item);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    async fn get(&self, key: MessageKey) -> Option<Message> {
        let key = Message::key_from(key);
        let item = self.0.read().unwrap().get(key.pk.as_str())?.get(key.sk.as_str())?.clone();
        Some(Message::from_item(item).unwrap())
    }

    async fn newest(&self, group: GroupId) -> Vec<Message> {
        let page: Vec<Item> = match self.0.read().unwrap().get(partition(group).as_str()) {
            Some(partition) => partition.values().rev().take(PAGE as usize).cloned().collect(),
            None => Vec::new(),
        };
        page.into_iter().map(|item| Message::from_item(item).unwrap()).collect()
    }

    async fn advance(&self, row: &Membership, message: &Message) -> bool {
        let Forward { position, sender, recency, preview } = Forward::to(message);
        let key = row.key();
        let mut table = self.0.write().unwrap();
        let row = table.get_mut(key.pk.as_str()).and_then(|partition| partition.get_mut(key.sk.as_str()));
        let Some(row) = row else { return false };
        if row.get_s("last_message").is_some_and(|last| last >= position.as_str()) {
            return false;
        }
        row.insert("last_message", AttributeValue::S(position));
        row.insert("last_message_user_uuid", AttributeValue::S(sender));
        row.insert("gsi1sk", AttributeValue::S(recency));
        row.insert("message", AttributeValue::S(preview));
        true
    }
}
