//! The in-memory store beside a bare map of the same items: `cargo bench --bench memory`. The ratios of the two are in the
//! benchmark `ratios`, which lets them take turns.

mod support;

use divan::Bencher;
use divan::counter::ItemsCount;
use threadline::{Entity, MemoryStore, Message};

use support::memory::{Bare, InMemory};
use support::{MESSAGES, Ours, Thread, block_on};

fn main() {
    divan::main();
}

#[divan::bench(types = [Ours<MemoryStore>, Bare])]
fn put_1000_messages<T: InMemory>(bencher: Bencher) {
    let thread = Thread::new();
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(T::default).bench_local_refs(|table| {
        for message in &thread.messages {
            assert!(block_on(table.put(message)));
        }
    });
}

#[divan::bench(types = [Ours<MemoryStore>, Bare])]
fn get_a_message<T: InMemory>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::with(&thread);
    let mut keys = thread.messages.iter().map(Entity::key_parts).cycle();
    bencher.with_inputs(|| keys.next().unwrap()).bench_local_values(|key| block_on(table.get(key)).unwrap());
}

#[divan::bench(types = [Ours<MemoryStore>, Bare])]
fn read_the_newest_20<T: InMemory>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::with(&thread);
    bencher.bench_local(|| block_on(table.newest(thread.group())));
}

#[divan::bench(types = [Ours<MemoryStore>, Bare])]
fn advance_a_row_1000_times<T: InMemory>(bencher: Bencher) {
    let thread = Thread::new();
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(|| T::with(&thread)).bench_local_refs(|table| {
        for message in &thread.messages {
            assert!(block_on(table.advance(&thread.row, message)));
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
