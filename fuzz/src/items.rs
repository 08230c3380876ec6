//! Any item: each entity reads it completely or refuses it, and writes it back equal.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde_dynamo::AttributeValue;
use threadline::entity::{Entity, HandleClaim, IdentityClaim, Item, KnownKey};
use threadline::store::{Checked, Get, StoreExt, Write};
use threadline::{ErrorKind, ManualClock, Membership, MemoryStore, Message, MessageGroup, Timestamp, User};

use super::content;
use super::run::block_on;

/// The input is an item in DynamoDB's JSON.
pub fn check(data: &[u8]) {
    let Ok(attributes) = serde_json::from_slice::<HashMap<String, AttributeValue>>(data) else { return };
    let item = Item::from(attributes);
    let has_canary = content::has_canary(&String::from_utf8_lossy(data));

    let debug = format!("{item:?}");
    let json = serde_json::to_value(HashMap::from(item.clone())).expect("an item from JSON converts back");
    let again = serde_json::from_value::<HashMap<String, AttributeValue>>(json).expect("a written item is read");
    assert!(Item::from(again) == item, "{debug}");
    assert_eq!(item.len(), item.iter().count());
    assert_eq!(item.is_expired(Timestamp::MAX), item.expires_at().is_some_and(|at| at <= 253_402_300_799));

    entities(&item);
    let stored = stored(&item);
    if let Some(stored) = &stored {
        assert_eq!(stored.size(), item.size(), "a number has one size, however it is written: {debug}");
        assert_eq!(stored.expires_at(), item.expires_at());
        entities(stored);
    }
    if !has_canary {
        let marked = content::marked_item(&item);
        content::assert_silent_debug(&marked);
        for error in errors(&marked) {
            content::assert_silent(&error);
        }
    }
}

fn entities(item: &Item) {
    entity::<User>(item);
    entity::<HandleClaim>(item);
    entity::<IdentityClaim>(item);
    entity::<MessageGroup>(item);
    entity::<Membership>(item);
    entity::<Message>(item);
}

fn entity<E: Entity + Debug + PartialEq>(item: &Item) {
    let value = match E::from_item(item.clone()) {
        Ok(value) => value,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert_eq!(error.entity(), Some(E::TYPE));
            return;
        }
    };
    let written = value.to_item().expect("a read entity can be written");
    Checked::new(Write::put(written.clone())).expect("a written item can be stored");
    assert_eq!(written.type_name(), Some(E::TYPE));
    let key = written.key().expect("it has a key");
    assert_eq!(key, value.key());
    assert_eq!(KnownKey::parse(&key).expect("a key of ours").to_key(), key);
    assert_eq!(written.index_key().expect("valid"), value.index_key());
    let again = E::from_item(written.clone()).expect("a written item is read");
    assert_eq!(again, value);
    let rewritten = again.to_item().expect("as before");
    assert!(rewritten == written && rewritten.size() == written.size(), "{written:?}");
}

/// Returns the item as the store returns it; `None` if it is refused.
fn stored(item: &Item) -> Option<Item> {
    let write = Write::put(item.clone());
    if let Err(error) = Checked::new(write.clone()) {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        return None;
    }
    // So early that hardly any item has expired.
    let early: Timestamp = "1000-01-01T00:00:00Z".parse().expect("a time");
    let store = MemoryStore::new().clock(Arc::new(ManualClock::starting_at(early)));
    let key = write.key().expect("a checked write has a key").clone();
    block_on(store.write(write))
        .expect("the store accepts what the check accepts")
        .done()
        .expect("without a condition");
    let Some(stored) = block_on(store.get(Get::new(key))).expect("an answer").item else {
        assert!(item.is_expired(early), "{item:?}");
        return None;
    };
    for same in [item, &stored] {
        let again = Write::put(same.clone());
        block_on(store.write(again)).expect("it was accepted before").done().expect("without a condition");
    }
    assert_eq!(store.records_after(None, 10).expect("nothing is trimmed").len(), 1, "the same item is no change");
    Some(stored)
}

/// Returns every error that the item causes.
fn errors(item: &Item) -> Vec<threadline::Error> {
    [
        item.key().err(),
        item.index_key().err(),
        Checked::new(Write::put(item.clone())).err(),
        User::from_item(item.clone()).err(),
        HandleClaim::from_item(item.clone()).err(),
        IdentityClaim::from_item(item.clone()).err(),
        MessageGroup::from_item(item.clone()).err(),
        Membership::from_item(item.clone()).err(),
        Message::from_item(item.clone()).err(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
