//! Transactions and their tokens.

use crate::store::StoreExt;
use std::time::Duration;

use super::*;
use crate::error::ErrorKind;
use crate::request::{CancelCode, CancelReason, ClientToken, Condition, TransactAction, Update};

fn reasons(outcome: TransactOutcome) -> Vec<CancelReason> {
    match outcome {
        TransactOutcome::Canceled { reasons, .. } => reasons,
        TransactOutcome::Done { .. } => panic!("it was done"),
    }
}

fn add(sk: &str, number: i64) -> Write {
    Write::update(key("A", sk), Update::new().add("n", number))
}

fn token(text: &str) -> ClientToken {
    ClientToken::new(text).unwrap()
}

fn number(store: &MemoryStore, sk: &str) -> Option<AttributeValue> {
    get(store, "A", sk).and_then(|item| item.get("n").cloned())
}

#[test]
fn transaction_does_all_or_nothing() {
    let store = MemoryStore::new();
    put(&store, item("A", "2"));
    let absent = |sk: &str| Write::put(item("A", sk)).when(Condition::item_absent());
    let outcome = transact(&store, Transaction::new([absent("1"), absent("2"), absent("3")]));
    assert_eq!(reasons(outcome).len(), 3);
    assert_eq!((get(&store, "A", "1"), get(&store, "A", "3")), (None, None));
    transact(&store, Transaction::new([absent("1"), absent("3")])).done().unwrap();
    assert!(get(&store, "A", "1").is_some() && get(&store, "A", "3").is_some());
}

#[test]
fn reasons_have_the_order_of_the_request_and_requested_items() {
    let store = MemoryStore::new();
    let stored = with(item("A", "2"), "text", s("x"));
    put(&store, stored.clone());
    let actions: Vec<TransactAction> = vec![
        Write::put(item("A", "1")).returning_old().into(),
        Write::put(item("A", "2")).when(Condition::item_absent()).returning_old().into(),
        TransactAction::check(key("A", "3"), Condition::item_exists()),
        Write::delete(key("A", "4")).when(Condition::item_exists()).returning_old().into(),
        TransactAction::check(key("A", "5"), Condition::item_absent()),
    ];
    let found = reasons(transact(&store, Transaction::new(actions)));
    let codes: Vec<_> = found.iter().map(|reason| reason.code).collect();
    use CancelCode::{ConditionFailed, None as Nothing};
    assert_eq!(codes, [Nothing, ConditionFailed, ConditionFailed, ConditionFailed, Nothing]);
    let current: Vec<_> = found.into_iter().map(|reason| reason.current).collect();
    assert_eq!(current, [None, Some(stored), None, None, None]);
}

#[test]
fn item_that_was_not_requested_is_not_returned() {
    let store = MemoryStore::new();
    put(&store, item("A", "1"));
    let refused = Write::delete(key("A", "1")).when(Condition::item_absent());
    assert_eq!(reasons(transact(&store, Transaction::new([refused])))[0].current, None);
}

#[test]
fn impossible_action_cancels_the_transaction() {
    let store = MemoryStore::new();
    put(&store, with(item("A", "1"), "n", s("text")));
    put(&store, sized("A", "2", 409_600));
    let outcome = transact(&store, Transaction::new([add("1", 1), add("2", 1), add("4", 1)]));
    let codes: Vec<_> = reasons(outcome).iter().map(|reason| (reason.code, reason.current.is_some())).collect();
    let invalid = (CancelCode::Invalid, false);
    assert_eq!(codes, [invalid, invalid, (CancelCode::None, false)]);
    assert_eq!(get(&store, "A", "4"), None);
}

#[test]
fn oversized_put_is_refused_as_a_whole() {
    let store = MemoryStore::new();
    let transaction = Transaction::new([Write::put(sized("A", "1", 409_601)), add("2", 1)]);
    assert_eq!(now(store.transact(transaction)).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(get(&store, "A", "2"), None);
}

#[test]
fn transaction_that_grew_over_4_mb_after_its_check_is_refused() {
    let store = MemoryStore::new();
    let put = |place: u32| Write::put(sized("A", &place.to_string(), 400_000));
    let mut large = Transaction::new((10..20).map(put));
    large.actions.push(put(20).into());
    assert_eq!(now(store.transact(large)).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(store.records_after(None, 1).unwrap(), []);
}

#[test]
fn retry_with_the_same_token_changes_nothing_for_10_minutes() {
    let (store, clock) = store_and_clock();
    let transaction = Transaction::new([add("1", 1), add("2", 1)]).token(token("t"));
    transact(&store, transaction.clone()).done().unwrap();
    clock.advance(Duration::from_micros(600_000_000 - 1));
    transact(&store, transaction.clone()).done().unwrap();
    assert_eq!(number(&store, "1"), Some(n("1")));
    clock.advance(Duration::from_micros(1));
    transact(&store, transaction).done().unwrap();
    assert_eq!(number(&store, "1"), Some(n("2")), "the retry did not extend the token's lifetime");
}

#[test]
fn retry_succeeds_even_if_its_conditions_are_no_longer_met() {
    let store = MemoryStore::new();
    let create = Write::put(item("A", "1")).when(Condition::item_absent());
    let transaction = Transaction::new([create]).token(token("t"));
    transact(&store, transaction.clone()).done().unwrap();
    transact(&store, transaction.clone()).done().unwrap();
    write(&store, Write::delete(key("A", "1")));
    transact(&store, transaction).done().unwrap();
    assert_eq!(get(&store, "A", "1"), None);
}

#[test]
fn token_of_another_transaction_is_an_error_for_10_minutes() {
    let (store, clock) = store_and_clock();
    transact(&store, Transaction::new([add("1", 1)]).token(token("t"))).done().unwrap();
    let other = Transaction::new([add("1", 2)]).token(token("t"));
    let error = now(store.transact(other.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.service().unwrap().code.as_deref(), Some("IdempotentParameterMismatchException"));
    assert_eq!(number(&store, "1"), Some(n("1")));
    transact(&store, Transaction::new([add("1", 2)]).token(token("u"))).done().unwrap();
    clock.advance(Duration::from_secs(600));
    transact(&store, other).done().unwrap();
    assert_eq!(number(&store, "1"), Some(n("5")));
}

#[test]
fn token_of_a_canceled_transaction_is_not_remembered() {
    let store = MemoryStore::new();
    let guarded = add("1", 1).when(Condition::item_exists());
    let transaction = Transaction::new([guarded]).token(token("t"));
    assert!(transact(&store, transaction.clone()).done().is_err());
    put(&store, item("A", "1"));
    transact(&store, transaction).done().unwrap();
    assert_eq!(number(&store, "1"), Some(n("1")));
}
