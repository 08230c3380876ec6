//! Values nested deeper than DynamoDB allows. Every request refuses them, and none overflows the stack.

use serde::{Deserialize, Serialize};
use threadline::entity::{AttributeValue, Entity, Item, Key, KeySegment, PartitionKey, SortKey, tag};
use threadline::store::{
    BatchAction, BatchWrite, Checked, Condition, StoreExt, TransactAction, Transaction, Update, Write,
};
use threadline::{ErrorKind, MemoryStore, User};

/// Returns a text within this many lists and maps.
fn nested(depth: usize) -> AttributeValue {
    (0..depth).fold(AttributeValue::S("core".into()), |inner, level| match level % 2 {
        0 => AttributeValue::L(vec![inner]),
        _ => AttributeValue::M([("in".to_owned(), inner)].into()),
    })
}

fn item(value: AttributeValue) -> Item {
    let mut item = Item::new();
    item.insert("pk", AttributeValue::S("A".into()));
    item.insert("sk", AttributeValue::S("1".into()));
    item.insert("deep", value);
    item
}

fn key() -> Key {
    Key::new(PartitionKey::parse("A").unwrap(), SortKey::parse("1").unwrap())
}

/// Returns `true` if every request accepts a value of this depth.
#[track_caller]
fn is_taken(depth: usize) -> bool {
    let put = || Write::put(item(nested(depth)));
    let condition = || Condition::eq("deep", nested(depth));
    let taken = [
        Checked::new(put()),
        Checked::new(Write::update(key(), Update::new().set("deep", nested(depth)))),
        Checked::new(Write::update(key(), Update::new().set_if_absent("deep", nested(depth)))),
        Checked::new(Write::delete(key()).when(condition())),
        Checked::new(Write::delete(key()).when(condition().not())),
        Checked::new(Transaction::new([TransactAction::check(key(), condition())])),
        Checked::new(Transaction::new([put()])),
        Checked::new(BatchWrite::new([BatchAction::Put(item(nested(depth)))])),
    ];
    for result in &taken {
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        assert_eq!(result.is_ok(), taken[0].is_ok(), "{depth} deep: {taken:?}");
    }
    taken[0].is_ok()
}

#[test]
fn a_value_is_at_most_32_deep_in_every_request() {
    assert!(is_taken(0));
    assert!(is_taken(31));
    assert!(!is_taken(32));
    assert!(!is_taken(100));
}

/// An application's own entity, with any JSON.
#[derive(Serialize, Deserialize)]
struct Settings {
    name: String,
    content: serde_json::Value,
}

impl Entity for Settings {
    const TYPE: &'static str = "Settings";
    type KeyParts<'a> = KeySegment;

    fn key_from(name: KeySegment) -> Key {
        Key::new(PartitionKey::new((tag!("SETTINGS"), name)), SortKey::new((tag!("SETTINGS"),)))
    }

    fn key_parts(&self) -> KeySegment {
        KeySegment::new(&*self.name).unwrap()
    }
}

#[tokio::test]
async fn an_entity_nested_too_deep_is_refused_when_it_is_put() {
    let store = MemoryStore::new();
    let settings = |depth| {
        let content = (0..depth).fold("core".into(), |inner, _| serde_json::json!([inner]));
        Settings { name: "mine".to_owned(), content }
    };
    store.put_entity(&settings(31)).await.unwrap();
    assert_eq!(store.put_entity(&settings(32)).await.unwrap_err().kind(), ErrorKind::Invalid);
    // The deepest value that a JSON parser returns.
    assert_eq!(store.put_entity(&settings(127)).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_value_nested_far_too_deep_overflows_no_stack() {
    // No request is this deep: JSON is parsed at most 128 deep, and DynamoDB stores 32.
    const DEPTH: usize = 500;
    assert!(!is_taken(DEPTH));
    let deep = item(nested(DEPTH));
    // The names and the key; 4 bytes for each list or map and its element; the map's name for it; the text.
    assert_eq!(deep.size(), 10 + DEPTH * 4 + DEPTH / 2 * 2 + 4);
    assert!(deep.clone() == deep);
    assert_eq!(format!("{deep:?}"), r#"Item { deep: "M", pk: "S", sk: "S" }"#);
    assert!(!format!("{:?}", Update::new().set("deep", nested(DEPTH))).contains("core"));
    assert!(!format!("{:?}", Condition::eq("deep", nested(DEPTH))).contains("core"));
    assert_eq!(User::from_item(deep).unwrap_err().kind(), ErrorKind::Corrupt);
}
