//! What this crate costs beside doing the same work by hand, as ratios of CPU time:
//! `cargo bench --features dynamodb --bench ratios`.
//!
//! Both sides do the same work and take turns in one thread, so that a busy machine slows both alike. It prints, and does not
//! judge: the targets are for a quiet machine. That both sides give the same results is checked, though.

mod support;

use cpu_time::ThreadTime;
use threadline::{Entity, Membership, MemoryStore, Message};

use support::memory::{Bare, InMemory};
use support::{Ours, Table, Thread, block_on};

/// Each round measures either side once. An odd number of rounds has one in its middle.
const ROUNDS: usize = 201;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        ROUNDS
    } else {
        println!("This is a test that it works: one round, from which nothing follows.");
        1
    };
    let thread = Thread::new();
    println!("{:<28} {:>13} {:>13} {:>7} {:>8}", "CPU time of one", "threadline", "by hand", "ratio", "target");
    in_memory(&thread, rounds);
    #[cfg(feature = "dynamodb")]
    on_dynamodb(&thread, rounds);
}

fn in_memory(thread: &Thread, rounds: usize) {
    let (ours, bare) = (Ours::<MemoryStore>::with(thread), Bare::with(thread));
    same_in_memory(&ours, &bare, thread);

    let messages = &thread.messages;
    let (new_ours, new_bare) = (Ours::<MemoryStore>::default, Bare::default);
    compare("memory: put", "1.50", rounds, || put(&new_ours(), messages), || put(&new_bare(), messages));
    compare("memory: get", "1.50", rounds, || get(&ours, messages), || get(&bare, messages));
    compare("memory: newest 20 of 1,000", "1.50", rounds, || newest(&ours, thread), || newest(&bare, thread));
    let (new_ours, new_bare) = (|| Ours::<MemoryStore>::with(thread), || Bare::with(thread));
    let row = &thread.row;
    compare(
        "memory: advance",
        "1.50",
        rounds,
        || advance(&new_ours(), row, messages),
        || advance(&new_bare(), row, messages),
    );
}

/// Both sides do the same, to the last attribute.
fn same_in_memory(ours: &Ours<MemoryStore>, bare: &Bare, thread: &Thread) {
    block_on(async {
        let newest = ours.newest(thread.group()).await;
        assert_eq!(newest.len(), 20);
        assert!(newest.iter().eq(thread.messages.iter().rev().take(20)));
        assert_eq!(newest, bare.newest(thread.group()).await);
        for message in &thread.messages {
            let key = message.key_parts();
            assert_eq!(ours.get(key).await.as_ref(), Some(message));
            assert_eq!(bare.get(key).await.as_ref(), Some(message));
            assert!(!ours.put(message).await && !bare.put(message).await, "it is there already");
        }
        for message in [&thread.messages[1], &thread.messages[0]] {
            let done = ours.advance(&thread.row, message).await;
            assert_eq!(done, message == &thread.messages[1], "a row moves forward only");
            assert_eq!(done, bare.advance(&thread.row, message).await);
            assert_eq!(ours.item(thread.row.key()), bare.item(thread.row.key()));
        }
    });
}

#[cfg(feature = "dynamodb")]
fn on_dynamodb(thread: &Thread, rounds: usize) {
    let _runtime = support::canned::enter_runtime();
    let answers = support::canned::Canned::new(thread);
    let (ours, raw) = (Ours(answers.store()), support::raw::Raw(answers.client()));
    let (group, row, message) = (thread.group(), &thread.row, &thread.messages[0]);
    // Both sides send the same request, and make the same of the answer.
    assert_eq!(answers.exchange(ours.put(message)), answers.exchange(raw.put(message)));
    assert_eq!(answers.exchange(ours.get(message.key_parts())), answers.exchange(raw.get(message.key_parts())));
    assert_eq!(answers.exchange(ours.newest(group)), answers.exchange(raw.newest(group)));
    assert_eq!(answers.exchange(ours.advance(row, message)), answers.exchange(raw.advance(row, message)));

    let messages = &thread.messages[..100];
    compare("dynamodb: put", "1.20", rounds, || put(&ours, messages), || put(&raw, messages));
    compare("dynamodb: get", "1.10", rounds, || get(&ours, messages), || get(&raw, messages));
    compare("dynamodb: newest 20", "0.95", rounds, || newest(&ours, thread), || newest(&raw, thread));
    compare("dynamodb: advance", "1.20", rounds, || advance(&ours, row, messages), || advance(&raw, row, messages));
}

fn put(table: &impl Table, messages: &[Message]) -> f64 {
    timed(messages, |message| assert!(block_on(table.put(message))))
}

fn get(table: &impl Table, messages: &[Message]) -> f64 {
    timed(messages, |message| assert!(block_on(table.get(message.key_parts())).is_some()))
}

fn newest(table: &impl Table, thread: &Thread) -> f64 {
    timed(&[(); 50], |()| assert_eq!(block_on(table.newest(thread.group())).len(), 20))
}

fn advance(table: &impl Table, row: &Membership, messages: &[Message]) -> f64 {
    timed(messages, |message| assert!(block_on(table.advance(row, message))))
}

/// The nanoseconds of CPU time that the work took for one of these.
fn timed<T>(inputs: &[T], mut work: impl FnMut(&T)) -> f64 {
    let start = ThreadTime::now();
    inputs.iter().for_each(&mut work);
    start.elapsed().as_nanos() as f64 / inputs.len() as f64
}

/// Measures both sides in turns and prints how they compare. The ratio is the median of the rounds' own, so that a machine
/// that becomes slower or faster on the way does not matter.
fn compare(name: &str, target: &str, rounds: usize, ours: impl Fn() -> f64, other: impl Fn() -> f64) {
    let mut measured: Vec<(f64, f64)> = Vec::with_capacity(rounds);
    for round in 0..rounds {
        // Each side goes first in half of the rounds.
        let other_first = (round % 2 == 1).then(&other);
        let ours = ours();
        measured.push((ours, other_first.unwrap_or_else(&other)));
    }
    let median_of = |value: fn(&(f64, f64)) -> f64| median(measured.iter().map(value).collect());
    let (ours, other) = (median_of(|pair| pair.0), median_of(|pair| pair.1));
    let ratio = median_of(|pair| pair.0 / pair.1);
    println!("{name:<28} {ours:>10.0} ns {other:>10.0} ns {ratio:>7.2} {target:>8}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
