//! Puts, updates and deletes, with and without a condition.

use std::collections::HashMap;

use fastrand::Rng;
use threadline::entity::AttributeValue::{N, Ns, S};
use threadline::entity::{AttributeValue, EXPIRES_AT, GSI1PK, GSI1SK, Item, Key, PK, SK};
use threadline::store::{AttributeChange, Update, Write};

use super::condition::condition;
use super::value::{doubtful, value};
use super::vocabulary::{ATTRIBUTES, Vocabulary, one};
use crate::compare::any_within;

/// The maximum size of an item, in bytes.
const MAX_ITEM: usize = 409_600;
/// The attribute that pads an item to a size.
const PAD: &str = "pad";
/// Seconds: past, in the far future, with a fraction, and invalid.
const EXPIRIES: [&str; 6] = ["1", "99999999999", "1.5", "-1", "1e125", "0"];

pub(crate) fn any_write(rng: &mut Rng, words: &Vocabulary) -> Write {
    let key = words.key(rng);
    let mut write = match rng.u8(0..10) {
        0..=3 => Write::put(item(rng, words, &key)),
        4..=7 => {
            let update = update(rng, words);
            // A separate case tests if an update that only removes creates an item.
            let only_removes = update.changes().iter().all(|(_, change)| matches!(change, AttributeChange::Remove));
            let write = Write::update(key, update);
            if only_removes { write.when(threadline::store::Condition::item_exists()) } else { write }
        }
        _ => Write::delete(key),
    };
    if write.condition().is_none() && rng.u8(0..3) == 0 {
        write = write.when(condition(rng));
    }
    if rng.bool() { write.returning_old() } else { write }
}

fn bare(key: &Key) -> Item {
    let mut item = Item::new();
    item.insert(PK, S(key.pk.as_str().to_owned()));
    item.insert(SK, S(key.sk.as_str().to_owned()));
    item
}

pub(crate) fn item(rng: &mut Rng, words: &Vocabulary, key: &Key) -> Item {
    let mut item = bare(key);
    for _ in 0..rng.usize(0..5) {
        item.insert(*one(rng, &ATTRIBUTES), value(rng, 3, words.empty_maps));
    }
    let place = words.index_key(rng);
    if rng.u8(0..10) < 7 {
        item.insert(GSI1PK, S(place.pk.into()));
    }
    if rng.u8(0..10) < 7 {
        item.insert(GSI1SK, S(place.sk.into()));
    }
    if rng.u8(0..12) == 0 {
        item.insert(EXPIRES_AT, expiry(rng));
    }
    if rng.u8(0..100) == 0 {
        item.insert(*one(rng, &[GSI1PK, GSI1SK, "a"]), doubtful(rng));
    }
    if let Some(size) = size(rng, words.heavy) {
        if size > MAX_ITEM - 1024 {
            // To the byte, so without numbers: AWS documents the size of a number only approximately.
            let mut attributes: HashMap<String, AttributeValue> = item.into();
            attributes.retain(|_, value| !any_within(value, |value| matches!(value, N(_) | Ns(_))));
            item = attributes.into();
        }
        let rest = size.saturating_sub(item.size() + PAD.len());
        item.insert(PAD, S("x".repeat(rest)));
    }
    item
}

/// Draws a size in bytes near a step of the capacity units, or near the maximum; `None` leaves the item as it is.
fn size(rng: &mut Rng, heavy: bool) -> Option<usize> {
    let close_to = |rng: &mut Rng, size: usize| size + rng.usize(0..3) - 1;
    match rng.u8(0..if heavy { 10 } else { 100 }) {
        0 if heavy => Some(close_to(rng, MAX_ITEM)),
        // So near the maximum that an update of some bytes may exceed it.
        1 | 2 if heavy => Some(MAX_ITEM - rng.usize(0..80)),
        3..5 if heavy => Some(rng.usize(100_000..MAX_ITEM)),
        5..8 if heavy => None,
        _ if heavy => {
            let steps = rng.usize(1..300);
            Some(close_to(rng, 1024 * steps))
        }
        0..8 => {
            let steps = rng.usize(1..10);
            Some(close_to(rng, 1024 * steps))
        }
        _ => None,
    }
}

fn expiry(rng: &mut Rng) -> AttributeValue {
    let text = (*one(rng, &EXPIRIES)).to_owned();
    if rng.u8(0..8) == 0 { S(text) } else { N(text) }
}

fn update(rng: &mut Rng, words: &Vocabulary) -> Update {
    let mut update = Update::new();
    for _ in 0..rng.usize(1..=4) {
        let (name, set) = match rng.u8(0..20) {
            0..=1 => (GSI1PK, S(words.index_partition(rng).into())),
            2..=4 => (GSI1SK, S(words.any_sort(rng, true).into())),
            5 => (EXPIRES_AT, expiry(rng)),
            6 if words.heavy => (PAD, S("y".repeat(rng.usize(1..MAX_ITEM)))),
            6 => (PAD, S("y".repeat(rng.usize(1..5000)))),
            _ => (*one(rng, &ATTRIBUTES), value(rng, 2, words.empty_maps)),
        };
        // One attribute twice at times, which is refused.
        if rng.u8(0..30) > 0 && update.changes().iter().any(|(other, _)| other == name) {
            continue;
        }
        let set = if rng.u8(0..150) == 0 { doubtful(rng) } else { set };
        let change = match rng.u8(0..8) {
            0..=2 => AttributeChange::Set(set),
            3 => AttributeChange::SetIfAbsent(set),
            4 | 5 if ![GSI1PK, GSI1SK, EXPIRES_AT].contains(&name) => {
                AttributeChange::Add(*one(rng, &[1, 1, -1, 0, 1_000_000, i64::MAX, i64::MIN]))
            }
            4 | 5 => AttributeChange::Set(set),
            _ => AttributeChange::Remove,
        };
        update = update.change(name, change);
    }
    update
}
