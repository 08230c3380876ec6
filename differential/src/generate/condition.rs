//! Conditions of every kind, nested.

use std::borrow::Cow;

use fastrand::Rng;
use threadline::entity::AttributeValue::S;
use threadline::store::{Comparison, Condition};

use super::value::{ordered, value};
use super::vocabulary::{ATTRIBUTES, one};

const KEYS: [&str; 5] = ["pk", "sk", "gsi1pk", "gsi1sk", "expires_at"];

pub(crate) fn condition(rng: &mut Rng) -> Condition {
    match rng.u8(0..200) {
        // As many parts and as deep as possible, and one more.
        0 => Condition::All((0..*one(rng, &[100, 101])).map(|_| leaf(rng)).collect()),
        1 => (0..*one(rng, &[32, 33])).fold(leaf(rng), |inner, _| inner.not()),
        2 => Condition::All(vec![]),
        _ => nested(rng, 3),
    }
}

fn nested(rng: &mut Rng, depth: u8) -> Condition {
    if depth == 0 {
        return leaf(rng);
    }
    match rng.u8(0..8) {
        0 => Condition::All((0..rng.usize(1..=3)).map(|_| nested(rng, depth - 1)).collect()),
        1 => Condition::Any((0..rng.usize(1..=3)).map(|_| nested(rng, depth - 1)).collect()),
        2 => nested(rng, depth - 1).not(),
        _ => leaf(rng),
    }
}

fn leaf(rng: &mut Rng) -> Condition {
    use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
    let name = name(rng);
    match rng.u8(0..10) {
        0 | 1 => Condition::Exists(name),
        2 | 3 => Condition::Absent(name),
        4..=6 => Condition::Compare(name, *one(rng, &[Eq, Ne]), value(rng, 2, true)),
        7 | 8 => Condition::Compare(name, *one(rng, &[Lt, Le, Gt, Ge]), ordered(rng)),
        // Any key.
        _ => Condition::Compare(name, *one(rng, &[Eq, Ne, Lt, Le, Gt, Ge]), S("M#1".into())),
    }
}

fn name(rng: &mut Rng) -> Cow<'static, str> {
    if rng.u8(0..5) == 0 { one(rng, &KEYS) } else { one(rng, &ATTRIBUTES) }.to_owned().into()
}
