//! Items that have expired and are not swept yet.

use crate::store::StoreExt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::*;
use crate::key::EXPIRES_AT;
use crate::request::{BatchGet, Condition, Scan, Update};
use crate::stream::RecordKind;
use crate::time::Clock;

/// An item that expires at this second.
fn expiring(pk: &str, sk: &str, at: u32) -> Item {
    with(indexed(pk, sk, "I", sk), EXPIRES_AT, n(&at.to_string()))
}

#[test]
fn no_read_returns_an_expired_item() {
    let (store, clock) = store_and_clock();
    put(&store, expiring("A", "1", 1_000_010));
    let read = || {
        [
            usize::from(get(&store, "A", "1").is_some()),
            query(&store, Query::table(partition("A"))).items.len(),
            query(&store, Query::index(partition("I"))).items.len(),
            now(store.scan(Scan::new())).unwrap().items.len(),
            now(store.batch_get(BatchGet::new(vec![key("A", "1")]))).unwrap().items.len(),
        ]
    };
    clock.advance(Duration::from_micros(9_999_999));
    assert_eq!(read(), [1; 5]);
    clock.advance(Duration::from_micros(1));
    assert_eq!(read(), [0; 5]);
    assert_eq!(now(store.batch_get(BatchGet::new(vec![key("A", "1")]))).unwrap().unprocessed, []);
}

#[test]
fn no_write_returns_an_expired_item() {
    let (store, _clock) = store_and_clock();
    put(&store, expiring("A", "1", 1));
    let refused = Write::put(item("A", "1")).when(Condition::item_absent()).returning_old();
    let outcome = try_write(&store, refused.clone()).unwrap();
    assert!(matches!(outcome, WriteOutcome::Refused { current: None, .. }), "the condition sees the item");
    let outcome = transact(&store, Transaction::new([refused]));
    assert!(matches!(outcome, TransactOutcome::Canceled { reasons, .. } if reasons[0].current.is_none()));
    let old = try_write(&store, Write::delete(key("A", "1")).returning_old()).unwrap().done().unwrap();
    assert_eq!(old, None);
}

#[test]
fn update_of_an_expired_item_may_revive_it() {
    let (store, _clock) = store_and_clock();
    put(&store, with(expiring("A", "1", 1), "n", n("5")));
    write(&store, Write::update(key("A", "1"), Update::new().add("n", 1).remove(EXPIRES_AT)));
    assert_eq!(get(&store, "A", "1").unwrap().get("n"), Some(&n("6")));
}

#[test]
fn expired_items_count_towards_the_limit() {
    let (store, _clock) = store_and_clock();
    put(&store, expiring("A", "1", 1));
    put(&store, expiring("A", "2", 1));
    put(&store, item("A", "3"));
    let first = query(&store, Query::table(partition("A")).limit(NonZeroU32::new(2).unwrap()));
    assert_eq!(first.items, [], "an empty page may have a next one");
    assert_eq!(first.next.clone().unwrap().key, key("A", "2"));
    let second = query(&store, Query::table(partition("A")).start(first.next));
    assert_eq!(sort_keys(&second.items), ["3"]);
}

#[test]
fn expired_items_cost_read_units() {
    let (store, _clock) = store_and_clock();
    put(&store, with(sized("A", "1", 5000), EXPIRES_AT, n("1")));
    assert_eq!(now(store.get(Get::new(key("A", "1")))).unwrap().capacity.to_string(), "1.0 RCU");
    assert_eq!(query(&store, Query::table(partition("A"))).capacity.to_string(), "1.0 RCU");
}

#[test]
fn sweep_deletes_expired_items_and_marks_the_changes() {
    let (store, clock) = store_and_clock();
    put(&store, expiring("A", "1", 1_000_001));
    put(&store, expiring("B", "1", 1_000_001));
    put(&store, expiring("A", "2", 1_000_002));
    assert_eq!(store.sweep_expired(), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.sweep_expired(), 2);
    assert_eq!(store.sweep_expired(), 0);
    let changes = store.records_after(Some(&3.into()), 10).unwrap();
    assert_eq!(changes.len(), 2);
    for change in changes {
        assert_eq!((change.kind, change.expired), (RecordKind::Remove, true));
        assert!(change.old.is_some() && change.new.is_none());
    }
    assert!(get(&store, "A", "2").is_some());
    assert_eq!(query(&store, Query::index(partition("I"))).items.len(), 1);
    // Conditions no longer see it either.
    let write = Write::put(item("A", "1")).when(Condition::item_absent());
    assert!(matches!(try_write(&store, write).unwrap(), WriteOutcome::Done { .. }));
}

#[test]
fn sweep_keeps_items_that_expired_over_five_years_ago() {
    let five_years = 5 * 365 * 24 * 60 * 60;
    let (store, clock) = store_and_clock();
    put(&store, expiring("A", "1", 1_000_001));
    clock.advance(Duration::from_secs(five_years + 2));
    assert_eq!(store.sweep_expired(), 0);
    assert_eq!(get(&store, "A", "1"), None, "it is expired all the same");
    put(&store, expiring("A", "1", 1_000_002));
    assert_eq!(store.sweep_expired(), 1);
}

#[test]
fn sweep_logs_the_whole_item_as_expired() {
    let (store, clock) = store_and_clock();
    let item = with(expiring("A", "1", 1_000_001), "x", s("content"));
    put(&store, item.clone());
    clock.advance(Duration::from_secs(5));
    store.sweep_expired();
    let record = store.records_after(Some(&1.into()), 1).unwrap().remove(0);
    assert_eq!((record.kind, record.expired), (RecordKind::Remove, true));
    assert_eq!((record.key().unwrap(), record.old, record.new), (key("A", "1"), Some(item), None));
}

#[test]
fn clock_set_back_revives_an_item_until_it_is_swept() {
    let (store, clock) = store_and_clock();
    put(&store, expiring("A", "1", 1_000_001));
    let before = clock.now();
    clock.advance(Duration::from_secs(1));
    assert_eq!(get(&store, "A", "1"), None);
    clock.set(before);
    assert!(get(&store, "A", "1").is_some());
    assert_eq!(store.sweep_expired(), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.sweep_expired(), 1);
    clock.set(before);
    assert_eq!(get(&store, "A", "1"), None);
}

#[test]
fn delete_of_an_expired_item_is_not_marked_as_expired() {
    let (store, _clock) = store_and_clock();
    put(&store, expiring("A", "1", 1));
    write(&store, Write::delete(key("A", "1")));
    let change = store.records_after(Some(&1.into()), 10).unwrap().remove(0);
    assert!(!change.expired);
}
