//! Updates.

use super::*;
use crate::error::ErrorKind;
use crate::request::{Condition, Update};

fn update(store: &MemoryStore, update: Update) -> Result<WriteOutcome, Error> {
    try_write(store, Write::update(key("A", "1"), update))
}

fn done(store: &MemoryStore, changes: Update) {
    update(store, changes).unwrap().done().unwrap();
}

#[test]
fn an_update_changes_only_the_attributes_it_names() {
    let store = MemoryStore::new();
    put(&store, with(with(with(item("A", "1"), "a", s("1")), "b", s("1")), "c", s("1")));
    done(&store, Update::new().set("a", s("2")).remove("b").remove("missing"));
    assert_eq!(get(&store, "A", "1"), Some(with(with(item("A", "1"), "a", s("2")), "c", s("1"))));
}

#[test]
fn an_update_of_a_missing_item_creates_it_with_its_key() {
    let store = MemoryStore::new();
    done(&store, Update::new().set("a", s("1")).remove("b"));
    assert_eq!(get(&store, "A", "1"), Some(with(item("A", "1"), "a", s("1"))));
}

#[test]
fn an_update_that_only_removes_does_not_create_the_item() {
    let store = MemoryStore::new();
    done(&store, Update::new().remove("a").remove("b"));
    assert_eq!(get(&store, "A", "1"), None);
    assert_eq!(store.records_after(None, 10).unwrap(), []);
}

#[test]
fn set_if_absent_keeps_what_is_there() {
    let store = MemoryStore::new();
    done(&store, Update::new().set_if_absent("a", s("1")));
    done(&store, Update::new().set_if_absent("a", s("2")).set_if_absent("b", n("2e1")));
    assert_eq!(get(&store, "A", "1"), Some(with(with(item("A", "1"), "a", s("1")), "b", n("20"))));
}

#[test]
fn add_starts_at_zero_and_is_exact() {
    let store = MemoryStore::new();
    done(&store, Update::new().add("n", -3));
    assert_eq!(get(&store, "A", "1").unwrap().get("n"), Some(&n("-3")));
    done(&store, Update::new().set("n", n("9007199254740993.25")));
    done(&store, Update::new().add("n", i64::MAX));
    assert_eq!(get(&store, "A", "1").unwrap().get("n"), Some(&n("9232379236109516800.25")));
    done(&store, Update::new().add("zero", 0));
    assert_eq!(get(&store, "A", "1").unwrap().get("zero"), Some(&n("0")));
}

#[test]
fn adding_to_another_type_is_invalid_and_changes_nothing() {
    let store = MemoryStore::new();
    let before = with(with(item("A", "1"), "text", s("5")), "large", n("1e40"));
    put(&store, before);
    let before = get(&store, "A", "1");
    for name in ["text", "large", "pk"] {
        // The failing change comes after one without effect and one that succeeds.
        let update = Update::new().remove("missing").set("other", s("x")).add(name, 1).set("later", s("6"));
        let write = Write::update(key("A", "1"), update);
        assert_eq!(try_write(&store, write).unwrap_err().kind(), ErrorKind::Invalid, "{name}");
    }
    assert_eq!(get(&store, "A", "1"), before);
}

#[test]
fn an_update_moves_an_item_in_the_index_and_takes_it_out() {
    let store = MemoryStore::new();
    let read = |pk: &str| query(&store, Query::index(partition(pk))).items.len();
    done(&store, Update::new().set(GSI1PK, s("I")));
    assert_eq!(read("I"), 0, "with one key only, it is not in the index");
    done(&store, Update::new().set(GSI1SK, s("1")));
    assert_eq!(read("I"), 1);
    done(&store, Update::new().set(GSI1PK, s("J")));
    assert_eq!((read("I"), read("J")), (0, 1));
    done(&store, Update::new().set("other", s("new")));
    let found = query(&store, Query::index(partition("J"))).items;
    assert_eq!(found[0].get_s("other"), Some("new"), "the index shows the item as it is");
    done(&store, Update::new().remove(GSI1SK));
    assert_eq!(read("J"), 0);
}

#[test]
fn an_item_in_a_new_index_partition_moves_within_it() {
    let store = MemoryStore::new();
    let read = |pk: &str| {
        let found = query(&store, Query::index(partition(pk))).items;
        found.iter().map(|item| item.get_s(GSI1SK).unwrap().to_owned()).collect::<Vec<_>>()
    };
    put(&store, indexed("B", "1", "I", "2"));
    put(&store, indexed("B", "2", "J", "2"));
    done(&store, Update::new().set(GSI1PK, s("I")).set(GSI1SK, s("1")));
    done(&store, Update::new().set(GSI1SK, s("3")));
    assert_eq!((read("I"), read("J")), (vec!["2".into(), "3".into()], vec!["2".into()]));
    done(&store, Update::new().set(GSI1PK, s("J")));
    done(&store, Update::new().set(GSI1SK, s("1")));
    assert_eq!((read("I"), read("J")), (vec!["2".into()], vec!["1".into(), "2".into()]));
    // Again, through no partition at all.
    done(&store, Update::new().remove(GSI1SK));
    done(&store, Update::new().set(GSI1PK, s("I")));
    done(&store, Update::new().set(GSI1SK, s("1")));
    done(&store, Update::new().set(GSI1SK, s("3")));
    assert_eq!((read("I"), read("J")), (vec!["2".into(), "3".into()], vec!["2".into()]));
}

#[test]
fn an_item_may_be_too_large_for_an_update_but_not_for_a_put() {
    // The key has 6 bytes, the overhead of an update 3, and of each change 19 or 2.
    for (size, changes, fits) in [
        (409_584, Update::new().set("absent", s("")).remove("absent2"), false),
        (409_600 - 16, Update::new().set("x", s(&"y".repeat(409_600 - 16 - 7))), true),
        (409_600 - 15, Update::new().set("x", s(&"y".repeat(409_600 - 15 - 7))), false),
        (409_600 - 16, Update::new().set_if_absent("x", s("")), true),
        (409_600 - 15, Update::new().set_if_absent("x", s("")), false),
        (409_600, Update::new().remove("absent"), true),
        (409_599, Update::new().remove("absent").remove("absent2"), true),
        (409_600, Update::new().remove("absent").remove("absent2"), false),
    ] {
        let store = MemoryStore::new();
        put(&store, sized("A", "1", size));
        let outcome = update(&store, changes.clone());
        assert_eq!(outcome.is_ok(), fits, "{size}: {changes:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}

#[test]
fn an_update_cannot_make_an_item_larger_than_400_kb() {
    let store = MemoryStore::new();
    put(&store, sized("A", "1", 300_000));
    let error = update(&store, Update::new().set("y", s(&"y".repeat(110_000)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    done(&store, Update::new().set("x", s("")).set("y", s(&"y".repeat(110_000))));
}

#[test]
fn the_size_kept_through_updates_is_the_size_of_the_item() {
    let store = MemoryStore::new();
    put(&store, with(with(item("A", "1"), "n", n("99")), "gone", s("some text")));
    done(&store, Update::new().add("n", 1).remove("gone").set("new", n("1e3")).set_if_absent("more", s("x")));
    let state = store.state();
    let stored = state.table.get(&key("A", "1")).unwrap();
    assert_eq!(stored.size, stored.item.size());
}

#[test]
fn the_condition_is_tested_before_the_changes() {
    let store = MemoryStore::new();
    put(&store, with(item("A", "1"), "text", s("x")));
    let write = Write::update(key("A", "1"), Update::new().add("text", 1));
    let outcome = try_write(&store, write.when(Condition::item_absent())).unwrap();
    assert!(matches!(outcome, WriteOutcome::Refused { .. }));
}

#[test]
fn conditions_and_changes_see_the_item_as_it_was() {
    let store = MemoryStore::new();
    done(&store, Update::new().set("version", n("1")));
    let next = || {
        let update = Update::new().add("version", 1).set("title", s("x"));
        Write::update(key("A", "1"), update).when(Condition::eq("version", n("1.0")))
    };
    assert!(matches!(try_write(&store, next()).unwrap(), WriteOutcome::Done { .. }));
    assert!(matches!(try_write(&store, next()).unwrap(), WriteOutcome::Refused { .. }));
    assert_eq!(get(&store, "A", "1").unwrap().get("version"), Some(&n("2")));
}
