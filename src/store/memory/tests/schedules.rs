//! The store's lock under every schedule of a few threads, or under many, as [shuttle](https://docs.rs/shuttle) chooses
//! them. shuttle replaces the lock, so these tests are built separately:
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --lib --target-dir target/shuttle schedules`

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use shuttle::scheduler::{DfsScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use super::history::{Answer, Call, Event, START, is_linearizable, recorded, store_at_start};
use super::*;
use crate::store::memory::numbers::Numbers;

const CALLS: [Call; 8] = [
    Call::Get(0),
    Call::GetBoth,
    Call::Put(0, 1),
    Call::Claim(0, 3),
    Call::Add(0, 1),
    Call::Delete(0, 2),
    Call::Give(0),
    Call::Give(1),
];

/// Runs the test under the schedules, and returns their number.
fn under(scheduler: impl Scheduler + 'static, run: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    // A real thread has 2 MB.
    config.stack_size = 1024 * 1024;
    Runner::new(scheduler, config).run(run)
}

/// Runs the calls of each thread in order, through `ask`.
fn history(threads: Vec<Vec<Call>>, ask: fn(Call, &MemoryStore) -> Answer) -> Vec<Event> {
    let (store, clock) = (store_at_start(), Arc::new(AtomicU64::new(0)));
    let run = |calls: Vec<Call>| {
        let (store, clock) = (store.clone(), clock.clone());
        shuttle::thread::spawn(move || -> Vec<Event> {
            calls.into_iter().map(|call| recorded(call, &clock, || ask(call, &store))).collect()
        })
    };
    let threads: Vec<_> = threads.into_iter().map(run).collect();
    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn any_two_calls_and_a_read_are_serial_in_every_schedule() {
    for one in CALLS {
        for other in CALLS {
            let schedules = under(DfsScheduler::new(None, false), move || {
                let events = history(vec![vec![one], vec![other, Call::GetBoth]], Call::ask);
                assert!(is_linearizable(&events), "{events:?}");
            });
            assert!(schedules > 100, "{schedules} schedules of {one:?} and {other:?}");
        }
    }
}

#[test]
fn many_calls_of_many_threads_are_serial() {
    const SEED: u64 = 20_230_626;
    let numbers = std::sync::Mutex::new(Numbers::seeded(SEED));
    under(RandomScheduler::new_from_seed(SEED, 3000), move || {
        let calls = {
            let mut numbers = numbers.lock().unwrap();
            (0..4).map(|_| (0..4).map(|_| Call::drawn(&mut numbers)).collect()).collect()
        };
        let events = history(calls, Call::ask);
        assert!(is_linearizable(&events), "seed {SEED}: {events:?}");
    });
}

/// A careless alternative to an update: reads the item, and then puts it.
fn ask_in_two(call: Call, store: &MemoryStore) -> Answer {
    let Call::Add(item, number) = call else { return call.ask(store) };
    let Answer::Read(found) = Call::Get(item).ask(store) else { unreachable!() };
    let old = found[item].unwrap();
    Call::Put(item, old + number).ask(store);
    Answer::Written(true, Some(old))
}

#[test]
fn a_call_that_is_not_atomic_is_found() {
    let found = Arc::new(AtomicBool::new(false));
    let seen = found.clone();
    under(DfsScheduler::new(None, false), move || {
        let events = history(vec![vec![Call::Add(0, 1)], vec![Call::Add(0, 1)]], ask_in_two);
        if !is_linearizable(&events) {
            seen.store(true, Ordering::SeqCst);
        }
    });
    assert!(found.load(Ordering::SeqCst));
}

#[test]
fn a_reader_blocks_no_other_reader() {
    under(DfsScheduler::new(None, false), || {
        let store = store_at_start();
        let reading = store.state();
        let other = store.clone();
        // If they blocked each other, shuttle would find a deadlock.
        let read = shuttle::thread::spawn(move || Call::GetBoth.ask(&other)).join().unwrap();
        drop(reading);
        assert_eq!(read, Answer::Read(START));
    });
}
