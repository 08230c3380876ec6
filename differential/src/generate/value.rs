//! Values of every type, from a small choice, so that they are often equal.

use std::collections::HashMap;

use fastrand::Rng;
use threadline::entity::AttributeValue::{self, B, Bool, Bs, L, M, N, Ns, Null, S, Ss};

use super::vocabulary::one;

const TEXTS: [&str; 12] =
    ["", "a", "aa", "b", "1", "1e3", "é", "e\u{301}", "\u{ffff}", "\u{10000}", "\u{0}\u{7f}\"\\", "日本語😀"];

/// Numbers in many forms, including equal ones, up to the limits.
const NUMBERS: [&str; 36] = [
    "0",
    "-0",
    "0.0",
    "0e5",
    "1",
    "1.0",
    "+1",
    "01",
    "-1",
    "2",
    "10",
    "1e1",
    "1E+1",
    "1000",
    "1e3",
    "0.5",
    ".5",
    "5.",
    "0.50",
    "-12.0",
    "1e-5",
    "0.00001",
    "9223372036854775807",
    "-9223372036854775808",
    "12345678901234567890123456789012345678",
    "-12345678901234567890.123456789012345678",
    "99999999999999999999999999999999999999",
    "0.99999999999999999999999999999999999999",
    "1e125",
    "-1e125",
    "9.9999999999999999999999999999999999999e125",
    "-9.9999999999999999999999999999999999999E+125",
    "1e-130",
    "-1e-130",
    "1.2345678901234567890123456789012345678e-100",
    "120000000000000000000000000000000000000000",
];

/// Texts that are no number of DynamoDB.
const NO_NUMBERS: [&str; 8] =
    ["", "NaN", "1e126", "1e-131", "123456789012345678901234567890123456789", "0x1", "1,0", "Infinity"];

/// Generates a valid value, with lists and maps up to this depth, and with empty maps only on request.
pub(crate) fn value(rng: &mut Rng, depth: u8, empty_maps: bool) -> AttributeValue {
    match rng.u8(0..if depth == 0 { 14 } else { 18 }) {
        0..=3 => S(text(rng)),
        4..=7 => N(number(rng)),
        8 | 9 => B(bytes(rng)),
        10 => Bool(rng.bool()),
        11 => Null(true),
        12 => set(rng),
        13 if empty_maps => M(HashMap::new()),
        13 => L(vec![]),
        14 | 15 => L((0..rng.usize(0..4)).map(|_| value(rng, depth - 1, empty_maps)).collect()),
        _ => M((0..rng.usize(1..4)).map(|_| (map_name(rng), value(rng, depth - 1, empty_maps))).collect()),
    }
}

/// Generates a value that can be compared by order.
pub(crate) fn ordered(rng: &mut Rng) -> AttributeValue {
    match rng.u8(0..5) {
        0 | 1 => S(text(rng)),
        2 | 3 => N(number(rng)),
        _ => B(bytes(rng)),
    }
}

/// Generates a value that is invalid, or just valid: at the maximum depth, with a duplicate member, without a member.
pub(crate) fn doubtful(rng: &mut Rng) -> AttributeValue {
    match rng.u8(0..7) {
        0 => N((*one(rng, &NO_NUMBERS)).to_owned()),
        1 => Ns(vec!["1".into(), "1.0".into()]),
        2 => Ss(vec!["a".into(), "a".into()]),
        3 => Bs(vec![]),
        4 => (0..31).fold(S("deep".into()), |inner, _| L(vec![inner])),
        5 => (0..32).fold(S("too deep".into()), |inner, _| L(vec![inner])),
        _ => Ns(vec![]),
    }
}

fn text(rng: &mut Rng) -> String {
    if rng.u8(0..30) == 0 {
        return "long ".repeat(rng.usize(1..600));
    }
    (*one(rng, &TEXTS)).to_owned()
}

fn number(rng: &mut Rng) -> String {
    if rng.u8(0..4) == 0 {
        // Up to 38 digits and any exponent, mostly within both limits.
        let digits: String = (0..rng.usize(1..=38)).map(|_| rng.digit(10)).collect();
        let exponent = rng.i32(-130..=88);
        let sign = if rng.bool() { "-" } else { "" };
        // 0.… times a power of ten.
        let first = digits.trim_start_matches('0');
        if first.is_empty() {
            return "0".into();
        }
        return if exponent > -91 { format!("{sign}{first}e{exponent}") } else { format!("{sign}{first}") };
    }
    (*one(rng, &NUMBERS)).to_owned()
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    const BYTES: [&[u8]; 6] = [b"", &[0], &[0, 0], &[1, 200], &[255], b"bytes"];
    one(rng, &BYTES).to_vec()
}

fn set(rng: &mut Rng) -> AttributeValue {
    let count = rng.usize(1..4);
    match rng.u8(0..3) {
        0 => Ss(unique((0..count).map(|_| text(rng)).collect(), |a, b| a == b)),
        1 => Bs(unique((0..count).map(|_| bytes(rng)).collect(), |a, b| a == b)),
        _ => Ns(unique((0..count).map(|_| number(rng)).collect(), |a, b| crate::answer::same_number(a, b))),
    }
}

fn unique<T>(members: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut unique: Vec<T> = Vec::new();
    for member in members {
        if !unique.iter().any(|other| same(other, &member)) {
            unique.push(member);
        }
    }
    unique
}

fn map_name(rng: &mut Rng) -> String {
    (*one(rng, &["x", "y", "é", "a.b", "pk"])).to_owned()
}
