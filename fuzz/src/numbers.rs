//! Numbers: the stored value equals the input in one normal form, and values compare and add like numbers.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_dynamo::AttributeValue;
use threadline::entity::{Item, Key, PartitionKey, SortKey};
use threadline::store::{Checked, Condition, Get, StoreExt, Update, Write, WriteOutcome};
use threadline::{ManualClock, MemoryStore, Timestamp};

use super::content;
use super::run::block_on;

/// The input is a number, or two that are separated by a line break.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    let store = MemoryStore::new().clock(Arc::new(ManualClock::starting_at(Timestamp::MIN)));
    let a = stored(&store, one);
    let b = stored(&store, other);
    if let (Some(a), Some(b)) = (a, b) {
        compared(&store, &a, other, &b);
        added(&store, &a, other, &b);
        in_a_set(one, &a, other, &b);
    }
    expiring(&store, one);
}

/// Returns the stored text of this number; `None` if it is refused.
fn stored(store: &MemoryStore, text: &str) -> Option<String> {
    let value = AttributeValue::N(text.to_owned());
    let write = Write::put(item(value.clone()));
    if Checked::new(write.clone()).is_err() {
        assert!(!is_a_number(text), "a number was refused: {text}");
        refused(text);
        return None;
    };
    assert!(is_a_number(text), "a text that is no number was accepted: {text}");
    let size = item(value).size();
    assert!(size <= item(AttributeValue::Null(true)).size() + 21, "38 digits, the exponent and the sign");
    block_on(store.write(write))
        .expect("the store accepts what the check accepts")
        .done()
        .expect("without a condition");
    let kept = read(store);
    // It has the input's value, as far as another parser can check.
    assert_eq!(kept.parse::<f64>().expect("plain"), text.parse::<f64>().expect("plain"), "{text} became {kept}");
    assert_eq!(item(AttributeValue::N(kept.clone())).size(), size, "{text} and {kept}");
    block_on(store.write(put(&kept)))
        .expect("a stored number can be stored again")
        .done()
        .expect("without a condition");
    assert_eq!(read(store), kept, "the form is the same the second time");
    Some(kept)
}

/// Checks that an invalid number is refused everywhere, and not repeated.
fn refused(text: &str) {
    if content::has_canary(text) {
        return;
    }
    for marked in content::marked(text) {
        let value = AttributeValue::N(marked.clone());
        let refused = |write: Write| Checked::new(write).expect_err("the canary is no number");
        content::assert_silent(&refused(Write::put(item(value.clone()))));
        content::assert_silent(&refused(Write::delete(key()).when(Condition::lt("number", value.clone()))));
        content::assert_silent(&refused(Write::update(key(), Update::new().set("number", value))));
    }
}

/// Conditions compare the two by value, in any form of the second one.
fn compared(store: &MemoryStore, a: &str, other: &str, b: &str) {
    block_on(store.write(put(a))).expect("a number").done().expect("without a condition");
    // An update without an effect, so that each condition tests the same number.
    let is = |condition: fn(&'static str, AttributeValue) -> Condition| {
        let given = condition("number", AttributeValue::N(other.to_owned()));
        let same = Update::new().set("number", AttributeValue::N(a.to_owned()));
        let write = Write::update(key(), same).when(given);
        matches!(block_on(store.write(write)).expect("an answer"), WriteOutcome::Done { .. })
    };
    let expected = aligned(a).cmp(&aligned(b));
    assert_eq!(is(Condition::lt), expected == Ordering::Less, "{a} < {other}");
    assert_eq!(is(Condition::gt), expected == Ordering::Greater, "{a} > {other}");
    assert_eq!(is(Condition::eq), expected == Ordering::Equal, "{a} = {other}");
    assert_eq!(is(Condition::ne), expected != Ordering::Equal, "{a} != {other}");
}

/// An update adds exactly.
fn added(store: &MemoryStore, a: &str, other: &str, b: &str) {
    let (Ok(number), Ok(whole)) = (other.parse::<i64>(), a.parse::<i128>()) else { return };
    assert_eq!(b.parse::<i64>().expect("a whole number is stored as one"), number);
    let Some(sum) = whole.checked_add(i128::from(number)).map(|sum| sum.to_string()) else { return };
    block_on(store.write(put(a))).expect("a number").done().expect("without a condition");
    let update = Write::update(key(), Update::new().add("number", number));
    match block_on(store.write(update)) {
        Ok(_) => assert_eq!(read(store), sum, "{a} + {number}"),
        Err(error) => {
            content::assert_silent(&error);
            let digits = sum.trim_start_matches('-').trim_end_matches('0').len();
            assert!(digits > 38, "{a} + {number} has {digits} digits");
        }
    }
}

/// Members of a set are equal by value.
fn in_a_set(one: &str, a: &str, other: &str, b: &str) {
    let set = item(AttributeValue::Ns(vec![one.to_owned(), other.to_owned()]));
    assert_eq!(Checked::new(Write::put(set)).is_ok(), a != b, "{one} and {other}");
}

/// An item expires at the whole second before the number.
fn expiring(store: &MemoryStore, text: &str) {
    let mut expiring = item(AttributeValue::Null(true));
    expiring.insert(threadline::entity::EXPIRES_AT, AttributeValue::N(text.to_owned()));
    if let Some(seconds) = expiring.expires_at() {
        let exact: f64 = text.parse().expect("a number");
        // Up to here, an `f64` represents each whole number and its half.
        if exact.abs() < (1_u64 << 52) as f64 {
            assert!((seconds as f64) <= exact && exact <= seconds as f64 + 1.0, "{text} is cut to {seconds}");
        }
        assert!(text.parse::<i64>().is_ok_and(|whole| whole == seconds) || text.parse::<i64>().is_err(), "{text}");
        let is_expired = expiring.is_expired(Timestamp::MIN);
        assert_eq!(is_expired, seconds <= Timestamp::MIN.unix_seconds());
        block_on(store.write(Write::put(expiring))).expect("a put").done().expect("no condition");
        let read = block_on(store.get(Get::new(key()))).expect("an answer").item;
        assert_eq!(read.is_none(), is_expired, "an expired item is never returned");
    }
}

fn key() -> Key {
    Key::new(PartitionKey::parse("A").expect("a key"), SortKey::parse("1").expect("a key"))
}

fn item(number: AttributeValue) -> Item {
    let mut item = Item::new();
    item.insert(threadline::entity::PK, AttributeValue::S("A".into()));
    item.insert(threadline::entity::SK, AttributeValue::S("1".into()));
    item.insert("number", number);
    item
}

fn put(number: &str) -> Write {
    Write::put(item(AttributeValue::N(number.to_owned())))
}

fn read(store: &MemoryStore) -> String {
    match block_on(store.get(Get::new(key()))).expect("an answer").item.as_ref().and_then(|item| item.get("number")) {
        Some(AttributeValue::N(number)) => number.clone(),
        other => panic!("no number: {:?}", other.is_some()),
    }
}

/// Returns `true` if the text is a number that DynamoDB stores, by other code than the crate's: by its form, then by
/// its digits.
fn is_a_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        None => (unsigned, "0"),
    };
    let points = mantissa.matches('.').count();
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    // An exponent has at most five characters, including the sign: four digits are more than a number can use.
    if points > 1 || !all_digits(&digits) || !all_digits(exponent_digits) || exponent.len() > 5 {
        return false;
    }
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return true;
    }
    let whole = mantissa.find('.').unwrap_or(mantissa.len());
    let leading = digits.len() - digits.trim_start_matches('0').len();
    // The power of ten of the first significant digit.
    let magnitude = whole as i64 - leading as i64 - 1 + exponent.parse::<i64>().expect("digits");
    significant.len() <= 38 && (-130..=125).contains(&magnitude)
}

/// Returns the plain decimal number as text that sorts by value.
fn aligned(number: &str) -> (i8, String) {
    let (sign, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (i8::from(number != "0"), number),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole:0>126}{fraction:0<170}");
    // Of two negative numbers, the one with the greater digits is smaller.
    let turned = |c: char| char::from(b'0' + b'9' - c as u8);
    (sign, if sign < 0 { digits.chars().map(turned).collect() } else { digits })
}
