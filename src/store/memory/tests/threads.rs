//! Many threads at once.

use crate::store::StoreExt;
use std::sync::atomic::AtomicU64;
use std::sync::{Barrier, Mutex};
use std::thread;

use super::history::{Call, is_linearizable, recorded, store_at_start};
use super::*;
use crate::capacity::Units;
use crate::request::{BatchGet, Condition, Scan, TransactAction, Update};
use crate::store::memory::numbers::Numbers;
use crate::store::meter::Metered;

const THREADS: usize = 8;
const ROUNDS: usize = 200;

fn add(sk: &str, number: i64) -> Write {
    Write::update(key("A", sk), Update::new().add("n", number))
}

fn number(item: &Item) -> i64 {
    match item.get("n") {
        Some(AttributeValue::N(text)) => text.parse().unwrap(),
        _ => panic!("no number"),
    }
}

/// Runs the work in every thread, all starting together.
fn hammer(run: impl Fn(usize) + Sync) {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (run, barrier) = (&run, &barrier);
            scope.spawn(move || {
                barrier.wait();
                run(thread);
            });
        }
    });
}

#[test]
fn no_count_is_lost_and_the_meter_agrees() {
    let store = Metered::new(MemoryStore::new());
    hammer(|_| {
        let store = store.clone();
        for _ in 0..ROUNDS {
            now(store.write(add("1", 1))).unwrap().done().unwrap();
        }
    });
    let found = now(store.get(Get::new(key("A", "1")))).unwrap().item.unwrap();
    let writes = THREADS * ROUNDS;
    assert_eq!(number(&found), i64::try_from(writes).unwrap());
    assert_eq!(store.total().table_write, Units::whole(writes as u64));
    assert_eq!(store.take().table_read, Units::halves(1));
}

#[test]
fn transactions_are_seen_as_a_whole() {
    let store = MemoryStore::new();
    for sk in ["1", "2", "3"] {
        put(&store, with(indexed("A", sk, "I", sk), "n", n("100")));
    }
    hammer(|thread| {
        for round in 0..ROUNDS {
            let (from, to) = (["1", "2", "3"][(thread + round) % 3], ["1", "2", "3"][(thread + round + 1) % 3]);
            let guarded = add(from, -1).when(Condition::gt("n", n("0")));
            let _ = transact(&store, Transaction::new([guarded, add(to, 1)]));
            for query in [Query::table(partition("A")), Query::index(partition("I"))] {
                let page = now(store.query(query)).unwrap();
                let numbers: Vec<_> = page.items.iter().map(number).collect();
                assert_eq!(numbers.iter().sum::<i64>(), 300);
                assert!(numbers.iter().all(|number| *number >= 0));
            }
        }
    });
}

#[test]
fn only_one_of_many_wins_a_claim() {
    let store = MemoryStore::new();
    hammer(|thread| {
        for round in 0..ROUNDS {
            let claim = with(item("CLAIM", &round.to_string()), "by", n(&thread.to_string()));
            let claim = Write::put(claim).when(Condition::item_absent());
            let actions: [TransactAction; 2] = [claim.into(), add("won", 1).into()];
            let _ = transact(&store, Transaction::new(actions));
        }
    });
    assert_eq!(number(&get(&store, "A", "won").unwrap()), i64::try_from(ROUNDS).unwrap());
}

#[test]
fn answers_to_threads_are_linearizable() {
    const SEED: u64 = 20_230_626;
    for round in 0..ROUNDS as u64 {
        let (store, clock, events) = (store_at_start(), AtomicU64::new(0), Mutex::new(Vec::new()));
        hammer(|thread| {
            let mut numbers = Numbers::seeded(SEED + round * THREADS as u64 + thread as u64);
            for _ in 0..6 {
                let call = Call::drawn(&mut numbers);
                let event = recorded(call, &clock, || call.ask(&store));
                events.lock().unwrap().push(event);
            }
        });
        let events = events.into_inner().unwrap();
        assert!(is_linearizable(&events), "seed {SEED}, round {round}: {events:?}");
    }
}

#[test]
fn changes_are_numbered_without_gaps() {
    let store = MemoryStore::new();
    hammer(|thread| {
        for round in 0..ROUNDS {
            put(&store, item(&format!("P{thread}"), &round.to_string()));
        }
    });
    let changes = store.records_after(None, usize::MAX).unwrap();
    assert_eq!(changes.len(), THREADS * ROUNDS);
    assert!(
        (1..)
            .zip(&changes)
            .all(|(sequence, change)| change.sequence == Some(crate::stream::SequenceNumber::from(sequence)))
    );
}

#[test]
fn a_reader_blocks_no_other_read() {
    let store = MemoryStore::new();
    put(&store, indexed("A", "1", "I", "1"));
    // While this is held, a reader is active.
    let reading = store.state();
    let read = || {
        [
            usize::from(get(&store, "A", "1").is_some()),
            query(&store, Query::table_consistent(partition("A"))).items.len(),
            query(&store, Query::index(partition("I"))).items.len(),
            now(store.scan(Scan::new())).unwrap().items.len(),
            now(store.batch_get(BatchGet::new(vec![key("A", "1")]))).unwrap().items.len(),
        ]
    };
    assert_eq!(thread::scope(|scope| scope.spawn(read).join().unwrap()), [1; 5]);
    drop(reading);
}

#[test]
fn a_poisoned_lock_does_not_spread() {
    let store = MemoryStore::new();
    put(&store, item("A", "1"));
    let poisoning = store.clone();
    let panicked = thread::spawn(move || {
        let _state = poisoning.state_mut();
        panic!("on purpose, with the lock held");
    });
    assert!(panicked.join().is_err());
    assert!(store.state.is_poisoned());
    put(&store, item("A", "2"));
    assert_eq!(query(&store, Query::table(partition("A"))).items.len(), 2);
}
