//! Compares the DynamoDB store with the SDK and serde_dynamo, both with prepared HTTP answers, by CPU time: `cargo
//! bench --features dynamodb --bench dynamodb`.

mod canned;
mod raw;
#[path = "../support/mod.rs"]
mod support;

use canned::Canned;
use raw::{Raw, RawMessage};
use support::turns::Target::AtMost;
use support::turns::{Turns, advance, get, newest, put};
use support::{Ours, Table, Thread};
use threadline::entity::Entity;

/// The number of messages in a round.
const COUNT: usize = 100;

fn main() {
    let _runtime = canned::enter_runtime();
    let thread = Thread::new();
    let answers = Canned::new(&thread);
    let (ours, raw) = (Ours(answers.store()), Raw(answers.client()));
    check_that_both_do_the_same(&answers, &ours, &raw, &thread);

    let turns = Turns::against("raw SDK");
    turns.compare("put", AtMost(1.20), || put(&ours, &thread, COUNT), || put(&raw, &thread, COUNT));
    turns.compare("get", AtMost(1.10), || get(&ours, &thread, COUNT), || get(&raw, &thread, COUNT));
    turns.compare("newest 20", AtMost(0.95), || newest(&ours, &thread), || newest(&raw, &thread));
    turns.compare("advance", AtMost(1.20), || advance(&ours, &thread, COUNT), || advance(&raw, &thread, COUNT));
}

/// Checks that both sides send the same requests and return the same output.
fn check_that_both_do_the_same(answers: &Canned, ours: &Ours<threadline::DynamoDbStore>, raw: &Raw, thread: &Thread) {
    let (group, entry, message) = (thread.group(), &thread.entry, &thread.messages[0]);
    let key = message.key_parts();
    assert_eq!(answers.exchange(ours.put(message)), answers.exchange(raw.put(message)));
    let get = async { ours.get(key).await.map(RawMessage::from) };
    assert_eq!(answers.exchange(get), answers.exchange(raw.get(key)));
    let newest = async { ours.newest(group).await.into_iter().map(RawMessage::from).collect() };
    assert_eq!(answers.exchange(newest), answers.exchange(raw.newest(group)));
    assert_eq!(answers.exchange(ours.advance(entry, message)), answers.exchange(raw.advance(entry, message)));
}
