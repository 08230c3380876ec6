//! The items of the golden conversation as item collections, with short keys and texts.

use threadline::entity::{AttributeValue, Entity, Item};
use threadline::{Membership, Message, MessageGroup, Result, Timestamp, User};

use crate::golden::Golden;

/// The items of one partition key, in the order of their sort keys. In the index: newest first.
pub(crate) struct Collection {
    /// The shortened partition key.
    pub(crate) partition: String,
    pub(crate) lines: Vec<Line>,
}

/// One item.
pub(crate) struct Line {
    /// The type of the item.
    pub(crate) entity: String,
    /// The shortened sort key.
    pub(crate) sort_key: String,
    pub(crate) text: String,
}

/// Returns the item collections of the table.
///
/// # Errors
/// [`Corrupt`](threadline::ErrorKind::Corrupt) for an item without a key.
pub(crate) fn of_table(golden: &Golden) -> Result<Vec<Collection>> {
    let mut keyed = Vec::new();
    for item in &golden.items {
        let key = item.key()?;
        keyed.push((key.pk.as_str().to_owned(), line(golden, item, key.sk.as_str(), describe(golden, item))));
    }
    Ok(collections(golden, keyed))
}

/// Returns the item collections of the index.
///
/// # Errors
/// [`Corrupt`](threadline::ErrorKind::Corrupt) for an item with half of an index key.
pub(crate) fn of_index(golden: &Golden) -> Result<Vec<Collection>> {
    let mut keyed = Vec::new();
    for item in &golden.items {
        if let Some(key) = item.index_key()? {
            keyed.push((key.pk.as_str().to_owned(), line(golden, item, key.sk.as_str(), preview(item))));
        }
    }
    keyed.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| other.1.sort_key.cmp(&one.1.sort_key)));
    Ok(collections(golden, keyed))
}

fn collections(golden: &Golden, keyed: Vec<(String, Line)>) -> Vec<Collection> {
    let mut collections: Vec<Collection> = Vec::new();
    for (partition, line) in keyed {
        let partition = short(golden, &partition);
        match collections.last_mut().filter(|last| last.partition == partition) {
            Some(last) => last.lines.push(line),
            None => collections.push(Collection { partition, lines: vec![line] }),
        }
    }
    collections
}

fn line(golden: &Golden, item: &Item, sort_key: &str, text: String) -> Line {
    Line { entity: item.type_name().unwrap_or_default().to_owned(), sort_key: short(golden, sort_key), text }
}

/// Shortens a key: users to their handles, ids to four digits, times to the time of day.
fn short(golden: &Golden, key: &str) -> String {
    let segment = |segment: &str| match (golden.names.get(segment), segment.parse::<Timestamp>()) {
        (Some(name), _) => name.clone(),
        (None, Ok(_)) => segment.chars().skip(11).take(12).collect(),
        (None, Err(_)) if segment.len() == 36 => segment.chars().skip(32).collect(),
        (None, Err(_)) => segment.to_owned(),
    };
    key.split('#').map(segment).collect::<Vec<_>>().join("#")
}

fn describe(golden: &Golden, item: &Item) -> String {
    let text = |name| item.get_s(name).unwrap_or_default();
    let sender = |name| golden.names.get(text(name)).cloned().unwrap_or_default();
    match item.type_name().unwrap_or_default() {
        entity if entity == User::TYPE => format!("{} · {}", text("handle"), text("display_name")),
        entity if entity == Message::TYPE => format!("{}: {}", sender("user_uuid"), text("message")),
        entity if entity == Membership::TYPE => format!("inbox entry · {}", preview(item)),
        entity if entity == MessageGroup::TYPE => match item.get("member_count") {
            Some(AttributeValue::N(count)) => format!("{count} members"),
            _ => String::new(),
        },
        _ => format!("handle of {}", sender("user_uuid")),
    }
}

fn preview(item: &Item) -> String {
    item.get_s("message").unwrap_or_default().to_owned()
}
