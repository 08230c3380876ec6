//! Content must not appear in what is printed: a canary in the input is looked for there.

use std::error::Error as _;
use std::fmt::Debug;

use serde_dynamo::AttributeValue;
use threadline::Error;
use threadline::entity::Item;

/// Longer than any text that a message of the crate shares with an input by chance.
const CANARY: &str = "canary7f3a9c";

/// Whether the input holds the canary by itself, in a place where it may be printed.
pub(super) fn is_spoilt(input: &str) -> bool {
    input.contains(CANARY)
}

/// The text with the canary before it, within it and behind it.
pub(super) fn marked(text: &str) -> [String; 3] {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = text.split_at(middle);
    [format!("{CANARY}{text}"), format!("{head}{CANARY}{tail}"), format!("{text}{CANARY}")]
}

/// The item with the canary in every text and number, but for its `type`, which is the program's own.
pub(super) fn marked_item(item: &Item) -> Item {
    let mut marked = item.clone();
    let names: Vec<String> = item.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names.into_iter().filter(|name| name != threadline::entity::TYPE) {
        if let Some(mut value) = marked.remove(&name) {
            mark(&mut value);
            marked.insert(name, value);
        }
    }
    marked
}

fn mark(value: &mut AttributeValue) {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.push_str(CANARY),
        AttributeValue::B(bytes) => bytes.extend(CANARY.as_bytes()),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter_mut().for_each(|text| text.push_str(CANARY));
        }
        AttributeValue::Bs(bytes) => bytes.iter_mut().for_each(|bytes| bytes.extend(CANARY.as_bytes())),
        AttributeValue::L(values) => values.iter_mut().for_each(mark),
        AttributeValue::M(values) => values.values_mut().for_each(mark),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => {}
    }
}

/// Puts the canary into every text of an event that is content. What says where a record belongs stays as it is, so that the
/// record still leads somewhere.
#[cfg(feature = "lambda")]
pub(super) fn mark_json(value: &mut serde_json::Value) {
    use serde_json::Value;
    const KEPT: [&str; 5] =
        [threadline::entity::PK, threadline::entity::SK, threadline::entity::TYPE, "eventName", "SequenceNumber"];
    match value {
        Value::String(text) => text.push_str(CANARY),
        Value::Array(values) => values.iter_mut().for_each(mark_json),
        Value::Object(fields) => {
            let content = fields.iter_mut().filter(|(name, _)| !KEPT.contains(&name.as_str()));
            content.for_each(|(_, value)| mark_json(value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The error, its causes and its `Debug` hold nothing of the canary.
pub(super) fn assert_silent(error: &Error) {
    assert_clean(&error.to_string());
    assert_silent_debug(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        assert_clean(&error.to_string());
        cause = error.source();
    }
}

/// Neither form of `Debug` holds anything of the canary.
pub(super) fn assert_silent_debug(value: &impl Debug) {
    assert_clean(&format!("{value:?}"));
    assert_clean(&format!("{value:#?}"));
}

fn assert_clean(printed: &str) {
    assert!(!printed.contains(CANARY), "printed: {printed}");
}
