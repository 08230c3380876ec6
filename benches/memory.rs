//! Measures the in-memory store and the codec of a message: `cargo bench --bench memory`. The differential's benchmark
//! `embedded` compares the store with another emulator.

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use support::{MESSAGES, Ours, Table, Thread, block_on};
use threadline::entity::Entity;
use threadline::{MemoryStore, Message};

fn main() {
    divan::main();
}

#[divan::bench]
fn put_1000_messages(bencher: Bencher) {
    let thread = Thread::new();
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(Ours::<MemoryStore>::default).bench_local_refs(|table| {
        for message in &thread.messages {
            assert!(block_on(table.put(message)));
        }
    });
}

#[divan::bench]
fn get_a_message(bencher: Bencher) {
    let thread = Thread::new();
    let table = Ours::with(&thread);
    let mut keys = thread.messages.iter().map(Entity::key_parts).cycle();
    bencher.with_inputs(|| keys.next().unwrap()).bench_local_values(|key| block_on(table.get(key)).unwrap());
}

#[divan::bench]
fn read_the_newest_20(bencher: Bencher) {
    let thread = Thread::new();
    let table = Ours::with(&thread);
    bencher.bench_local(|| block_on(table.newest(thread.group())));
}

#[divan::bench]
fn advance_an_entry_1000_times(bencher: Bencher) {
    let thread = Thread::new();
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(|| Ours::with(&thread)).bench_local_refs(|table| {
        for message in &thread.messages {
            assert!(block_on(table.advance(&thread.entry, message)));
        }
    });
}

#[divan::bench]
fn encode_a_message(bencher: Bencher) {
    let thread = Thread::new();
    bencher.bench_local(|| thread.messages[0].to_item().unwrap());
}

#[divan::bench]
fn decode_a_message(bencher: Bencher) {
    let item = Thread::new().messages[0].to_item().unwrap();
    bencher.with_inputs(|| item.clone()).bench_local_values(|item| Message::from_item(item).unwrap());
}
