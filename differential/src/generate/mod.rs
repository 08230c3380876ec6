//! The operations of an episode. All follow from the seed, and none depends on an answer.

mod condition;
mod value;
mod vocabulary;
mod write;

use std::num::NonZeroU32;

use fastrand::Rng;
use threadline::store::{
    BatchAction, BatchGet, BatchWrite, Get, Order, Position, Query, Scan, SortRange, TransactAction, Transaction,
};

use crate::operation::Operation;
use condition::condition;
use vocabulary::Vocabulary;
use write::{any_write, item};

/// The number of operations in an episode.
pub(crate) const EPISODE: u64 = 2_000;
/// One of this many episodes has large items, and fewer operations.
const HEAVY: u64 = 5;
const HEAVY_EPISODE: u64 = 400;
/// One of this many episodes has a stream on DynamoDB Local. From the episode `MANY` on, it is one of ten times as
/// many.
const STREAM: u64 = 12;
const MANY: u64 = 60;

/// Generates the operations of the episode with this number.
pub(crate) fn operations(seed: u64, episode: u64) -> Vec<Operation> {
    let mut rng = Rng::with_seed(seed);
    // Episodes of one seed, and adjacent seeds, must be independent.
    let mut rng = Rng::with_seed(rng.u64(..) ^ episode.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let heavy = is_heavy(episode);
    let words = Vocabulary::draw(&mut rng, heavy, !has_stream(episode));
    let mut sent = Vec::new();
    (0..length(episode)).map(|_| operation(&mut rng, &words, &mut sent)).collect()
}

/// Returns the number of operations of the episode with this number.
pub(crate) fn length(episode: u64) -> u64 {
    if is_heavy(episode) { HEAVY_EPISODE } else { EPISODE }
}

/// Returns `true` if the episode with this number has a stream on DynamoDB Local. There, each request to a table with a
/// stream reads all records of all streams since the server's start. So they must be few and small. A record with an
/// empty map has no type, so no client can read it.
pub(crate) fn has_stream(episode: u64) -> bool {
    let one_of = if episode < MANY { STREAM } else { 10 * STREAM };
    episode.is_multiple_of(one_of) && !is_heavy(episode)
}

fn is_heavy(episode: u64) -> bool {
    episode % HEAVY == HEAVY - 1
}

fn operation(rng: &mut Rng, words: &Vocabulary, sent: &mut Vec<Transaction>) -> Operation {
    match rng.u8(0..100) {
        0..=11 => Operation::Get(get(rng, words)),
        12..=47 => Operation::Write(any_write(rng, words)),
        48..=69 => Operation::Query(query(rng, words)),
        70..=72 => Operation::Scan(scan(rng, words)),
        73..=87 => transact(rng, words, sent),
        88..=93 => Operation::BatchGet(batch_get(rng, words)),
        _ => Operation::BatchWrite(batch_write(rng, words)),
    }
}

fn get(rng: &mut Rng, words: &Vocabulary) -> Get {
    let get = Get::new(words.key(rng));
    if rng.bool() { get.consistent() } else { get }
}

fn query(rng: &mut Rng, words: &Vocabulary) -> Query {
    let query = match rng.u8(0..3) {
        0 => Query::table(words.partition(rng)),
        1 => Query::table_consistent(words.partition(rng)),
        _ => Query::index(words.index_partition(rng)),
    };
    let in_index = query.reads_index();
    let range = match rng.u8(0..10) {
        0..=3 => SortRange::All,
        4 | 5 => SortRange::BeginsWith(words.prefix(rng)),
        6 => SortRange::Before(words.any_sort(rng, in_index)),
        7 => SortRange::After(words.any_sort(rng, in_index)),
        _ => {
            let (one, other) = (words.any_sort(rng, in_index), words.any_sort(rng, in_index));
            // In the wrong order at times.
            let swap = (one > other) != (rng.u8(0..20) == 0);
            if swap { SortRange::Between(other, one) } else { SortRange::Between(one, other) }
        }
    };
    let order = if rng.bool() { Order::Ascending } else { Order::Descending };
    let start = (rng.u8(0..4) == 0).then(|| {
        let mut key = words.key(rng);
        let mut index_key = None;
        // Mostly within the partition and the range of the read.
        if rng.u8(0..20) > 0 {
            if in_index {
                index_key =
                    Some(threadline::entity::IndexKey::new(query.partition().clone(), words.any_sort(rng, true)));
            } else {
                key = threadline::entity::Key::new(query.partition().clone(), words.any_sort(rng, false));
            }
        } else if rng.bool() {
            index_key = Some(words.index_key(rng));
        }
        Position { key, index_key }
    });
    let query = query.range(range).order(order).start(start);
    match limit(rng) {
        Some(limit) => query.limit(limit),
        None => query,
    }
}

fn scan(rng: &mut Rng, words: &Vocabulary) -> Scan {
    let scan = match limit(rng) {
        Some(limit) => Scan::new().limit(limit),
        None => Scan::new(),
    };
    let start = match rng.u8(0..20) {
        0 => Some(Position { key: words.key(rng), index_key: Some(words.index_key(rng)) }),
        // Within the table, mostly at an item.
        1..=5 => Some(Position { key: words.key(rng), index_key: None }),
        6 => Some(Position {
            key: threadline::entity::Key::new(words.partition(rng), words.any_sort(rng, true)),
            index_key: None,
        }),
        _ => None,
    };
    scan.start(start)
}

fn limit(rng: &mut Rng) -> Option<NonZeroU32> {
    match rng.u32(0..20) {
        0..=3 => None,
        4 => NonZeroU32::new(100),
        // Every limit up to one more than the most sort keys of a partition, so that every page size is tested.
        number => NonZeroU32::new(number - 4),
    }
}

fn transact(rng: &mut Rng, words: &Vocabulary, sent: &mut Vec<Transaction>) -> Operation {
    // A retry of a recent one, unchanged or, with its token, as another. The number of a token is its index.
    if !sent.is_empty() && rng.u8(0..4) == 0 {
        let place = sent.len() - 1 - rng.usize(..sent.len().min(4));
        let token = u32::try_from(place).expect("an episode is short");
        let transaction = if rng.u8(0..4) == 0 { transaction(rng, words) } else { sent[place].clone() };
        return Operation::Transact(transaction, Some(token));
    }
    let transaction = transaction(rng, words);
    if rng.u8(0..3) == 0 {
        let token = u32::try_from(sent.len()).expect("an episode is short");
        sent.push(transaction.clone());
        return Operation::Transact(transaction, Some(token));
    }
    Operation::Transact(transaction, None)
}

fn transaction(rng: &mut Rng, words: &Vocabulary) -> Transaction {
    let mut actions: Vec<TransactAction> = Vec::new();
    for _ in 0..rng.usize(1..=5) {
        let action = if rng.u8(0..5) == 0 {
            TransactAction::check(words.key(rng), condition(rng))
        } else {
            any_write(rng, words).into()
        };
        // Two actions on one item at times.
        if rng.u8(0..30) == 0 || actions.iter().all(|other| other.key().ok() != action.key().ok()) {
            actions.push(action);
        }
    }
    Transaction::new(actions)
}

fn batch_get(rng: &mut Rng, words: &Vocabulary) -> BatchGet {
    let mut keys = words.keys(rng, 12);
    if rng.u8(0..20) == 0 {
        keys.push(keys[0].clone());
    }
    let batch = BatchGet::new(keys);
    if rng.bool() { batch.consistent() } else { batch }
}

fn batch_write(rng: &mut Rng, words: &Vocabulary) -> BatchWrite {
    let mut keys = words.keys(rng, 8);
    if rng.u8(0..20) == 0 {
        keys.push(keys[0].clone());
    }
    let write =
        |key| if rng.u8(0..3) == 0 { BatchAction::Delete(key) } else { BatchAction::Put(item(rng, words, &key)) };
    BatchWrite::new(keys.into_iter().map(write))
}
