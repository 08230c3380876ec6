//! Keys, ids, times and texts: a parsed text prints back unchanged or in its normal form, and an invalid one is refused
//! without being repeated.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use threadline::entity::{FoldedHandle, Key, KeySegment, KnownKey, PartitionKey, SortKey, SortKeyPrefix};
use threadline::store::SortRange;
use threadline::stream::SequenceNumber;
use threadline::{
    DisplayName, Error, ErrorKind, GroupId, GroupTitle, Handle, IdentitySubject, MessageBody, MessageId,
    MessagePosition, Preview, Timestamp, UserId,
};

use super::content;

/// The input is a text, or two that are separated by a line break.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    for text in [&text, one, other] {
        texts(text);
        ids(text);
        times(text);
        keys(text);
    }
    orders(one, other);
    known_keys(one, other);
    segments(one, other);
}

fn texts(text: &str) {
    printed_in_one_form::<DisplayName>(text);
    taken_as_it_is(text, FoldedHandle::new);
    printed_in_one_form::<GroupTitle>(text);
    taken_as_it_is(text, IdentitySubject::new);
    taken_as_it_is(text, KeySegment::new);
    taken_as_it_is(text, MessageBody::new);
    taken_as_it_is(text, Preview::new);
    if let Some(handle) = taken_as_it_is(text, Handle::new) {
        let folded = handle.folded();
        assert_eq!(FoldedHandle::new(folded.as_str()).expect("a folded handle is one"), folded);
        // A folded handle may be longer than a handle.
        if let Ok(handle) = Handle::new(folded.as_str()) {
            assert_eq!(handle.folded(), folded);
        }
    }
}

fn ids(text: &str) {
    printed_in_one_form::<UserId>(text);
    printed_in_one_form::<GroupId>(text);
    if let Some(id) = printed_in_one_form::<MessageId>(text) {
        let position = MessagePosition::try_from(id);
        assert_eq!(position.is_ok(), id.time().is_some(), "only an id with a time has a position");
    }
}

fn times(text: &str) {
    if let Some(time) = printed_in_one_form::<Timestamp>(text) {
        assert_eq!(time.to_string().len(), 32);
        assert_eq!(Timestamp::from_unix_micros(time.unix_micros()).expect("it is a time"), time);
    }
    if let Some(position) = printed_in_one_form::<MessagePosition>(text) {
        assert_eq!(position.to_string(), text, "a position has one form only");
    }
    if let Some(number) = parsed::<SequenceNumber>(text) {
        assert_eq!(number.as_str(), text);
    }
}

fn keys(text: &str) {
    taken_as_a_key(text, PartitionKey::parse, PartitionKey::as_str);
    taken_as_a_key(text, SortKey::parse, SortKey::as_str);
}

/// Values compare like their texts; sequence numbers compare as numbers.
fn orders(one: &str, other: &str) {
    if let (Ok(a), Ok(b)) = (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
    if let (Ok(a), Ok(b)) = (one.parse::<MessagePosition>(), other.parse::<MessagePosition>()) {
        assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
    if let (Ok(a), Ok(b)) = (one.parse::<SequenceNumber>(), other.parse::<SequenceNumber>()) {
        assert_eq!(a.cmp(&b), format!("{one:0>40}").cmp(&format!("{other:0>40}")));
    }
}

/// A known key equals the key of its parts, in every letter.
fn known_keys(pk: &str, sk: &str) {
    if let (Ok(pk), Ok(sk)) = (PartitionKey::parse(pk), SortKey::parse(sk)) {
        let key = Key::new(pk, sk);
        if let Some(known) = KnownKey::parse(&key) {
            assert_eq!(known.to_key(), key);
            assert_eq!(KnownKey::parse(&known.to_key()), Some(known));
        }
    }
}

/// A key that was built reads back into its segments.
fn segments(one: &str, other: &str) {
    let (Ok(a), Ok(b)) = (KeySegment::new(one), KeySegment::new(other)) else { return };
    let key = SortKey::new((&a, &b));
    assert_eq!(key.as_str().split('#').collect::<Vec<_>>(), [one, other]);
    assert_eq!(SortKey::parse(key.as_str()).expect("it was built"), key);
    assert_eq!(key == SortKey::new((&b, &a)), a == b);
    let range = SortRange::BeginsWith(SortKeyPrefix::new((&a,)));
    assert!(range.contains(&key), "it begins with its first segment");
    assert!(!range.contains(&SortKey::new((&b,))), "it has one segment only");
    assert_eq!(range.contains(&SortKey::new((&b, &a))), a == b);
}

/// Parses the text. The error of an invalid one does not contain it.
fn parsed<T: FromStr<Err = Error>>(text: &str) -> Option<T> {
    if !content::has_canary(text) {
        for error in content::marked(text).iter().filter_map(|marked| marked.parse::<T>().err()) {
            content::assert_silent(&error);
        }
    }
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            None
        }
    }
}

/// Parses a value with one normal form.
fn printed_in_one_form<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = Error> + Display + Debug + PartialEq + Serialize + DeserializeOwned,
{
    let value = parsed::<T>(text)?;
    let printed = value.to_string();
    let again: T = printed.parse().expect("a printed value parses");
    assert_eq!(again, value);
    assert_eq!(again.to_string(), printed);
    let json = serde_json::to_value(&value).expect("it is a string");
    assert_eq!(json, *printed);
    assert_eq!(serde_json::from_value::<T>(json).expect("a written value is read"), value);
    Some(value)
}

/// Accepts a text unchanged, or refuses it.
fn taken_as_it_is<T>(text: &str, new: fn(String) -> Result<T, Error>) -> Option<T>
where
    T: FromStr<Err = Error> + Display + Debug + PartialEq + Serialize + DeserializeOwned + Clone + Into<String>,
{
    let value = printed_in_one_form::<T>(text)?;
    assert_eq!(new(text.to_owned()).expect("every constructor has the same check"), value);
    assert_eq!(value.to_string(), text);
    assert_eq!(value.clone().into(), *text);
    if !content::has_canary(text) {
        for value in content::marked(text).iter().filter_map(|marked| marked.parse::<T>().ok()) {
            content::assert_silent_debug(&value);
        }
    }
    Some(value)
}

fn taken_as_a_key<K: Debug + PartialEq>(text: &str, parse: fn(String) -> Result<K, Error>, as_str: fn(&K) -> &str) {
    match parse(text.to_owned()) {
        Ok(key) => assert_eq!(as_str(&key), text),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid),
    }
    if !content::has_canary(text) {
        for marked in content::marked(text) {
            match parse(marked) {
                Ok(key) => content::assert_silent_debug(&key),
                Err(error) => content::assert_silent(&error),
            }
        }
    }
}
