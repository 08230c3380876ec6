//! Puts, deletes and their conditions.

use super::*;
use crate::error::ErrorKind;
use crate::key::EXPIRES_AT;
use crate::request::Condition;

#[test]
fn a_put_item_reads_back_equal() {
    let store = MemoryStore::new();
    let item = with(item("A", "1"), "message", s("opa"));
    put(&store, item.clone());
    assert_eq!(get(&store, "A", "1"), Some(item));
    assert_eq!(get(&store, "A", "2"), None);
    assert_eq!(get(&store, "B", "1"), None);
}

#[test]
fn a_put_replaces_the_whole_item() {
    let store = MemoryStore::new();
    put(&store, with(item("A", "1"), "old", s("x")));
    put(&store, with(item("A", "1"), "new", s("y")));
    assert_eq!(get(&store, "A", "1"), Some(with(item("A", "1"), "new", s("y"))));
}

#[test]
fn numbers_are_normalized_also_inside_other_values() {
    let store = MemoryStore::new();
    let nested = |a: &str, b: &str| AttributeValue::L(vec![n(a), AttributeValue::Ns(vec![b.to_owned()])]);
    put(&store, with(with(item("A", "1"), "n", n("1e3")), "l", nested("007", "1.50")));
    let found = get(&store, "A", "1").unwrap();
    assert_eq!(found.get("n"), Some(&n("1000")));
    assert_eq!(found.get("l"), Some(&nested("7", "1.5")));
}

#[test]
fn a_clone_is_the_same_table() {
    let store = MemoryStore::new();
    let renamed = store.clone().table("another");
    put(&renamed, item("A", "1"));
    assert!(get(&store, "A", "1").is_some());
    assert_eq!((store.table_name(), renamed.table_name()), ("threadline", "another"));
}

#[test]
fn a_refused_write_changes_nothing_and_returns_the_item_on_request() {
    let store = MemoryStore::new();
    let first = with(item("A", "1"), "v", n("1"));
    put(&store, first.clone());
    let second = Write::put(with(item("A", "1"), "v", n("2"))).when(Condition::item_absent());
    let outcome = try_write(&store, second.clone()).unwrap();
    assert!(matches!(outcome, WriteOutcome::Refused { current: None, .. }));
    let outcome = try_write(&store, second.returning_old()).unwrap();
    assert!(matches!(outcome, WriteOutcome::Refused { current: Some(current), .. } if current == first));
    assert_eq!(get(&store, "A", "1"), Some(first));
}

#[test]
fn the_old_item_is_returned_only_on_request() {
    let store = MemoryStore::new();
    let first = with(item("A", "1"), "v", n("1"));
    let old = |write: Write| try_write(&store, write).unwrap().done().unwrap();
    assert_eq!(old(Write::put(first.clone()).returning_old()), None);
    assert_eq!(old(Write::put(first.clone())), None);
    assert_eq!(old(Write::put(first.clone()).returning_old()), Some(first.clone()));
    assert_eq!(old(Write::delete(key("A", "1")).returning_old()), Some(first));
    assert_eq!(old(Write::delete(key("A", "1")).returning_old()), None);
}

#[test]
fn deleting_a_missing_item_is_no_error() {
    let store = MemoryStore::new();
    write(&store, Write::delete(key("A", "1")));
    let guarded = Write::delete(key("A", "1")).when(Condition::item_exists());
    assert!(matches!(try_write(&store, guarded).unwrap(), WriteOutcome::Refused { current: None, .. }));
}

#[test]
fn an_empty_partition_is_dropped() {
    let store = MemoryStore::new();
    put(&store, indexed("A", "1", "I", "1"));
    put(&store, indexed("A", "2", "I", "2"));
    let partitions = || {
        let state = store.state();
        let in_index = state.table.index().partition("I").is_some();
        (state.table.partition("A").is_some(), state.table.scan_order().len(), in_index)
    };
    write(&store, Write::delete(key("A", "1")));
    assert_eq!(partitions(), (true, 1, true));
    write(&store, Write::delete(key("A", "2")));
    assert_eq!(partitions(), (false, 0, false));
}

#[test]
fn an_item_of_400_kb_is_the_largest() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 409_600));
    let too_large = Write::put(sized("A", "2", 409_601));
    assert_eq!(try_write(&store, too_large).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(get(&store, "A", "2"), None);
}

#[test]
fn an_error_names_the_operation_and_the_table() {
    let store = MemoryStore::new().table("messages");
    let mut bad = Write::delete(key("A", "1"));
    bad.condition = Some(Condition::Any(vec![]));
    let error = try_write(&store, bad).unwrap_err();
    assert_eq!((error.operation(), error.table()), (Some("write"), Some("messages")));
}

#[test]
fn an_item_whose_expiry_is_no_number_never_expires() {
    let store = MemoryStore::new();
    put(&store, with(item("A", "1"), EXPIRES_AT, s("1")));
    assert!(get(&store, "A", "1").is_some());
}

#[test]
fn debug_shows_no_stored_content() {
    let store = MemoryStore::new();
    put(&store, with(item("SECRET", "SECRET"), "message", s("SECRET")));
    let debug = format!("{store:?}");
    assert_eq!(debug, r#"MemoryStore { table_name: "threadline", .. }"#);
}
