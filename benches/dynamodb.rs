//! The store on DynamoDB beside the SDK with serde_dynamo, both with prepared HTTP answers:
//! `cargo bench --features dynamodb --bench dynamodb`. The ratios of the two are in the benchmark `ratios`, which lets them
//! take turns.

mod support;

use divan::Bencher;
use threadline::{DynamoDbStore, Entity};

use support::canned::Canned;
use support::raw::Raw;
use support::{Ours, Table, Thread, block_on};

fn main() {
    let _runtime = support::canned::enter_runtime();
    divan::main();
}

/// One side, over prepared answers.
trait OverCanned: Table {
    fn over(answers: &Canned) -> Self;
}

impl OverCanned for Ours<DynamoDbStore> {
    fn over(answers: &Canned) -> Self {
        Self(answers.store())
    }
}

impl OverCanned for Raw {
    fn over(answers: &Canned) -> Self {
        Self(answers.client())
    }
}

#[divan::bench(types = [Ours<DynamoDbStore>, Raw])]
fn put_a_message<T: OverCanned>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::over(&Canned::new(&thread));
    bencher.bench_local(|| block_on(table.put(&thread.messages[0])));
}

#[divan::bench(types = [Ours<DynamoDbStore>, Raw])]
fn get_a_message<T: OverCanned>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::over(&Canned::new(&thread));
    let key = thread.messages[0].key_parts();
    bencher.bench_local(|| block_on(table.get(key)));
}

#[divan::bench(types = [Ours<DynamoDbStore>, Raw])]
fn read_the_newest_20<T: OverCanned>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::over(&Canned::new(&thread));
    bencher.bench_local(|| block_on(table.newest(thread.group())));
}

#[divan::bench(types = [Ours<DynamoDbStore>, Raw])]
fn advance_a_row<T: OverCanned>(bencher: Bencher) {
    let thread = Thread::new();
    let table = T::over(&Canned::new(&thread));
    bencher.bench_local(|| block_on(table.advance(&thread.row, &thread.messages[0])));
}
