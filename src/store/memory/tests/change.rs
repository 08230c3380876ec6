//! The change log.

use crate::store::StoreExt;
use std::time::Duration;

use super::*;
use crate::error::ErrorKind;
use crate::request::{BatchAction, BatchWrite, Condition, Update};
use crate::store::record::{RecordKind, SequenceNumber, StreamRecord};
use crate::time::Timestamp;

fn all(store: &MemoryStore) -> Vec<StreamRecord> {
    store.records_after(None, usize::MAX).unwrap()
}

fn kinds(store: &MemoryStore) -> Vec<RecordKind> {
    all(store).iter().map(|change| change.kind).collect()
}

#[test]
fn every_write_logs_a_change_with_both_images() {
    let store = MemoryStore::new();
    let (one, two) = (with(item("A", "1"), "n", n("1")), with(item("A", "1"), "n", n("2")));
    put(&store, one.clone());
    write(&store, Write::update(key("A", "1"), Update::new().add("n", 1)));
    write(&store, Write::delete(key("A", "1")));
    let changes = all(&store);
    let images: Vec<_> = changes.iter().map(|change| (change.kind, change.old.as_ref(), change.new.as_ref())).collect();
    assert_eq!(
        images,
        [
            (RecordKind::Insert, None, Some(&one)),
            (RecordKind::Modify, Some(&one), Some(&two)),
            (RecordKind::Remove, Some(&two), None),
        ]
    );
    for (place, change) in (1..).zip(&changes) {
        assert_eq!(change.sequence, Some(SequenceNumber::from(place)));
        assert_eq!((change.key().unwrap(), change.expired), (key("A", "1"), false));
    }
}

#[test]
fn write_without_effect_logs_no_change() {
    let store = MemoryStore::new();
    let set = |members: [&str; 2]| AttributeValue::Ss(members.map(str::to_owned).into());
    put(&store, with(with(item("A", "1"), "set", set(["a", "b"])), "n", n("1000")));
    put(&store, with(with(item("A", "1"), "set", set(["b", "a"])), "n", n("1e3")));
    let same = Update::new().set("set", set(["b", "a"])).set("n", n("1000.0")).set_if_absent("n", n("5")).add("n", 0);
    for (name, change) in same.changes() {
        write(&store, Write::update(key("A", "1"), Update::new().change(name.clone(), change.clone())));
    }
    write(&store, Write::update(key("A", "1"), Update::new().remove("missing")));
    write(&store, Write::delete(key("A", "2")));
    let refused = Write::delete(key("A", "1")).when(Condition::item_absent());
    let _ = try_write(&store, refused).unwrap();
    assert_eq!(kinds(&store), [RecordKind::Insert]);
}

#[test]
fn batches_and_transactions_log_each_write() {
    let store = MemoryStore::new();
    put(&store, item("A", "1"));
    let writes = vec![BatchAction::Delete(key("A", "1")), BatchAction::Put(item("A", "2"))];
    let _ = now(store.batch_write(BatchWrite::new(writes))).unwrap();
    let actions = [Write::delete(key("A", "2")), Write::put(item("A", "3")), Write::delete(key("A", "4"))];
    transact(&store, Transaction::new(actions)).done().unwrap();
    use RecordKind::{Insert, Remove};
    assert_eq!(kinds(&store), [Insert, Remove, Insert, Remove, Insert]);
}

#[test]
fn canceled_transaction_logs_no_change() {
    let store = MemoryStore::new();
    let refused = Write::delete(key("A", "2")).when(Condition::item_exists());
    let outcome = transact(&store, Transaction::new([Write::put(item("A", "1")), refused]));
    assert!(outcome.done().is_err());
    assert_eq!(all(&store), []);
}

#[test]
fn records_after_returns_changes_in_parts() {
    let store = MemoryStore::new();
    for sk in ["1", "2", "3", "4", "5"] {
        put(&store, item("A", sk));
    }
    let read = |after: Option<u64>, limit| -> Vec<String> {
        let after = after.map(SequenceNumber::from);
        let records = store.records_after(after.as_ref(), limit).unwrap();
        records.iter().map(|record| record.sequence.as_ref().unwrap().to_string()).collect()
    };
    assert_eq!(read(None, 2), ["1", "2"]);
    assert_eq!(read(Some(2), 2), ["3", "4"]);
    assert_eq!(read(Some(4), 2), ["5"]);
    assert_eq!(read(Some(5), 2), [] as [&str; 0]);
    assert_eq!(read(Some(0), 10), ["1", "2", "3", "4", "5"]);
    assert_eq!(store.records_after(Some(&6.into()), 1).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn changes_are_trimmed_after_24_hours_with_or_without_a_write() {
    let (store, clock) = store_and_clock();
    put(&store, item("A", "1"));
    clock.advance(Duration::from_secs(60));
    put(&store, item("A", "2"));
    clock.advance(Duration::from_secs(24 * 60 * 60 - 61));
    assert_eq!(store.records_after(Some(&0.into()), 10).unwrap().len(), 2);
    clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        let error = store.records_after(Some(&0.into()), 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.service().unwrap().code.as_deref(), Some("TrimmedDataAccessException"));
        assert_eq!(
            store.records_after(Some(&1.into()), 1).unwrap()[0].sequence,
            Some(2.into()),
            "nothing after 1 is missing"
        );
        assert_eq!(store.records_after(None, 1).unwrap()[0].sequence, Some(2.into()), "the oldest kept record");
        put(&store, item("A", "3"));
    }
}

#[test]
fn table_without_retention_still_numbers_changes() {
    let store = MemoryStore::new().change_retention(Duration::ZERO);
    put(&store, item("A", "1"));
    put(&store, item("A", "2"));
    assert_eq!(all(&store), []);
    assert_eq!(store.records_after(Some(&2.into()), 1).unwrap(), []);
    assert_eq!(store.records_after(Some(&1.into()), 1).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn retention_is_equal_at_both_ends_of_time() {
    for end in [Timestamp::MIN, Timestamp::MAX] {
        for retention in [Duration::from_secs(1), Duration::MAX] {
            let clock = ManualClock::starting_at(end);
            let store = MemoryStore::new().clock(clock).change_retention(retention);
            put(&store, item("A", "1"));
            put(&store, item("A", "2"));
            assert_eq!(all(&store).len(), 2, "{end} {retention:?}");
        }
    }
}

#[test]
fn image_does_not_change_with_the_item() {
    let store = MemoryStore::new();
    let update = |number: i64, name: &'static str| {
        let update = Update::new().add("n", number).set(name, s("x"));
        write(&store, Write::update(key("A", "1"), update));
    };
    put(&store, with(item("A", "1"), "n", n("1")));
    update(1, "a");
    let early = all(&store);
    update(1, "b");
    write(&store, Write::update(key("A", "1"), Update::new().remove("a").add("n", 1)));
    write(&store, Write::delete(key("A", "1")));
    put(&store, with(item("A", "1"), "n", n("9")));
    update(1, "c");
    let late = all(&store);
    assert_eq!(early, late[..2]);
    let numbers = |image: fn(&StreamRecord) -> &Option<Item>| -> Vec<String> {
        let number = |item: &Item| match item.get("n") {
            Some(AttributeValue::N(text)) => text.clone(),
            _ => panic!("no number"),
        };
        late.iter().map(|change| image(change).as_ref().map_or_else(String::new, number)).collect()
    };
    assert_eq!(numbers(|change| &change.old), ["", "1", "2", "3", "4", "", "9"]);
    assert_eq!(numbers(|change| &change.new), ["1", "2", "3", "4", "", "9", "10"]);
    let names = |item: &Option<Item>| {
        ["a", "b", "c"].into_iter().filter(|name| item.as_ref().unwrap().get(name).is_some()).collect::<String>()
    };
    assert_eq!((names(&late[2].old), names(&late[2].new)), ("a".to_owned(), "ab".to_owned()));
    assert_eq!((names(&late[3].old), names(&late[3].new)), ("ab".to_owned(), "b".to_owned()));
}

#[test]
fn debug_of_a_change_shows_no_value() {
    let store = MemoryStore::new();
    put(&store, with(item("USER#secret", "USER"), "message", s("secret")));
    let debug = format!("{:?}", all(&store));
    assert!(debug.contains("Insert"), "{debug}");
    assert!(!debug.contains("secret"), "{debug}");
}
