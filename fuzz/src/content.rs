//! Checks that content is not printed: a canary from the input must not appear.

use std::error::Error as _;
use std::fmt::Debug;

use serde_dynamo::AttributeValue;
use threadline::Error;
use threadline::entity::Item;

/// Longer than any text that the crate's messages share with an input by chance.
const CANARY: &str = "canary7f3a9c";

/// Returns `true` if the input contains the canary already, where it may be printed.
pub(super) fn has_canary(input: &str) -> bool {
    input.contains(CANARY)
}

/// Returns the text with the canary before it, within it and after it.
pub(super) fn marked(text: &str) -> [String; 3] {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = text.split_at(middle);
    [format!("{CANARY}{text}"), format!("{head}{CANARY}{tail}"), format!("{text}{CANARY}")]
}

/// Returns the item with the canary in every string and number except its `type`, which is the program's own.
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

/// Puts the canary into every content text of an event. The texts that identify the record stay unchanged.
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

/// Checks that the error, its causes and its `Debug` do not contain the canary.
pub(super) fn assert_silent(error: &Error) {
    assert_clean(&error.to_string());
    assert_silent_debug(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        assert_clean(&error.to_string());
        cause = error.source();
    }
}

/// Checks that neither form of `Debug` contains the canary.
pub(super) fn assert_silent_debug(value: &impl Debug) {
    assert_clean(&format!("{value:?}"));
    assert_clean(&format!("{value:#?}"));
}

fn assert_clean(printed: &str) {
    assert!(!printed.contains(CANARY), "printed: {printed}");
}
