//! Conversion of items, keys, positions and capacity between this crate's types and the SDK's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue as SdkValue, Capacity as SdkCapacity, ConsumedCapacity};
use serde_dynamo::AttributeValue;

use crate::aws::Effect;
use crate::capacity::{Capacity, Units};
use crate::error::{Error, ErrorKind, Result};
use crate::item::Item;
use crate::key::{GSI1PK, GSI1SK, Key, PK, SK};
use crate::request::{Order, Position, Query, Scan};

/// An item in the SDK's types.
pub(super) type SdkItem = HashMap<String, SdkValue>;

pub(super) fn item_to_sdk(item: Item) -> SdkItem {
    item.into_attributes().map(|(name, value)| (name, value.into())).collect()
}

/// Converts the values of a request's expressions.
pub(super) fn values_to_sdk(values: HashMap<String, AttributeValue>) -> SdkItem {
    values.into_iter().map(|(placeholder, value)| (placeholder, value.into())).collect()
}

/// Converts an item. The result omits attributes of types that this crate does not know. None of this crate's own
/// attributes has such a type.
pub(super) fn item_from_sdk(item: SdkItem) -> Item {
    item.into_iter().filter_map(|(name, value)| Some((name, value_from_sdk(value)?))).collect()
}

/// Converts a value. Returns `None` for a type that this crate does not know, also inside a list or map. serde_dynamo's
/// own conversion would panic on it.
fn value_from_sdk(value: SdkValue) -> Option<AttributeValue> {
    Some(match value {
        SdkValue::S(text) => AttributeValue::S(text),
        SdkValue::N(number) => AttributeValue::N(number),
        SdkValue::B(bytes) => AttributeValue::B(bytes.into_inner()),
        SdkValue::Bool(flag) => AttributeValue::Bool(flag),
        SdkValue::Null(null) => AttributeValue::Null(null),
        SdkValue::Ss(set) => AttributeValue::Ss(set),
        SdkValue::Ns(set) => AttributeValue::Ns(set),
        SdkValue::Bs(set) => AttributeValue::Bs(set.into_iter().map(|bytes| bytes.into_inner()).collect()),
        SdkValue::L(list) => AttributeValue::L(list.into_iter().map(value_from_sdk).collect::<Option<_>>()?),
        SdkValue::M(map) => AttributeValue::M(
            map.into_iter().map(|(name, value)| Some((name, value_from_sdk(value)?))).collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

pub(super) fn key_to_sdk(key: &Key) -> SdkItem {
    HashMap::from([
        (PK.to_owned(), SdkValue::S(key.pk.as_str().to_owned())),
        (SK.to_owned(), SdkValue::S(key.sk.as_str().to_owned())),
    ])
}

pub(super) fn position_to_sdk(position: &Position) -> SdkItem {
    let mut item = key_to_sdk(&position.key);
    if let Some(index_key) = &position.index_key {
        item.insert(GSI1PK.to_owned(), SdkValue::S(index_key.pk.as_str().to_owned()));
        item.insert(GSI1SK.to_owned(), SdkValue::S(index_key.sk.as_str().to_owned()));
    }
    item
}

/// Returns the start of the query's next page, if there is one.
///
/// # Errors
/// `Unavailable` if the query cannot start at the position, or if the position is not after the last one: paging would
/// never end.
pub(super) fn next_of_query(query: &Query, answer: Option<SdkItem>) -> Result<Option<Position>> {
    let sort_key = |position: &Position| match &position.index_key {
        Some(index_key) => index_key.sk.clone(),
        None => position.key.sk.clone(),
    };
    next_page(query.start.as_ref(), answer, |next| {
        // Items of the index may have equal sort keys, whose order DynamoDB does not document.
        let is_forward = query.start.as_ref().is_none_or(|start| match query.order {
            Order::Ascending => sort_key(start) <= sort_key(next),
            Order::Descending => sort_key(start) >= sort_key(next),
        });
        is_forward && query.check_start(next).is_ok()
    })
}

/// Returns the start of the scan's next page, if there is one.
///
/// # Errors
/// `Unavailable` for a position in the index, and for the position at which this page started.
pub(super) fn next_of_scan(scan: &Scan, answer: Option<SdkItem>) -> Result<Option<Position>> {
    next_page(scan.start.as_ref(), answer, |next| next.index_key.is_none())
}

/// Returns the start of the next page, if there is one. An empty position ends the list, like a missing one.
fn next_page(
    start: Option<&Position>,
    answer: Option<SdkItem>,
    is_valid: impl Fn(&Position) -> bool,
) -> Result<Option<Position>> {
    let Some(answer) = answer.filter(|position| !position.is_empty()) else { return Ok(None) };
    let next = position_from_sdk(answer)?;
    if start == Some(&next) || !is_valid(&next) {
        let message = "the service returned a page whose end is not after its start; try again later";
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    Ok(Some(next))
}

/// Converts a position.
///
/// # Errors
/// `Misconfigured` if the position lacks this crate's key attributes.
fn position_from_sdk(item: SdkItem) -> Result<Position> {
    let item = item_from_sdk(item);
    let other_keys = |error: Error| {
        Error::new(ErrorKind::Misconfigured, format!("the table has other keys; verify the table: {error}"))
    };
    Ok(Position { key: item.key().map_err(other_keys)?, index_key: item.index_key().map_err(other_keys)? })
}

/// Returns the capacity that a request consumed, from its answer.
pub(super) fn capacity<'a>(effect: Effect, consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> Capacity {
    consumed.into_iter().map(|consumed| capacity_of(effect, consumed)).sum()
}

fn capacity_of(effect: Effect, consumed: &ConsumedCapacity) -> Capacity {
    let no_indexes = HashMap::new();
    let global = consumed.global_secondary_indexes.as_ref().unwrap_or(&no_indexes);
    let local = consumed.local_secondary_indexes.as_ref().unwrap_or(&no_indexes);
    let (mut index_read, mut index_write) = (0.0, 0.0);
    for index in global.values().chain(local.values()) {
        let (read, write) = arm(effect, index);
        index_read += read;
        index_write += write;
    }
    let (table_read, table_write) = match &consumed.table {
        Some(table) => arm(effect, table),
        // An emulator may omit the parts. The table's units are then the rest of the total.
        None => split(
            effect,
            consumed.capacity_units.map(|total| total - index_read - index_write),
            consumed.read_capacity_units,
            consumed.write_capacity_units,
        ),
    };
    Capacity {
        table_read: Units::from_f64(table_read),
        table_write: Units::from_f64(table_write),
        index_read: Units::from_f64(index_read),
        index_write: Units::from_f64(index_write),
    }
}

fn arm(effect: Effect, arm: &SdkCapacity) -> (f64, f64) {
    split(effect, arm.capacity_units, arm.read_capacity_units, arm.write_capacity_units)
}

/// Returns read and write units. Only transactions report them separately, because a retry with the same token is
/// charged as reads.
fn split(effect: Effect, total: Option<f64>, read: Option<f64>, write: Option<f64>) -> (f64, f64) {
    match (read, write, effect) {
        (None, None, Effect::Read) => (total.unwrap_or(0.0), 0.0),
        (None, None, _) => (0.0, total.unwrap_or(0.0)),
        (read, write, _) => (read.unwrap_or(0.0), write.unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PartitionKey, SortKey};
    use aws_sdk_dynamodb::primitives::Blob;

    fn units(total: f64) -> SdkCapacity {
        SdkCapacity::builder().capacity_units(total).build()
    }

    #[test]
    fn every_type_of_attribute_round_trips() {
        let mut item = Item::new();
        for (name, value) in [
            ("s", AttributeValue::S("opa".into())),
            ("n", AttributeValue::N("1.5".into())),
            ("b", AttributeValue::B(vec![0, 255])),
            ("bool", AttributeValue::Bool(true)),
            ("null", AttributeValue::Null(true)),
            ("ss", AttributeValue::Ss(vec!["a".into()])),
            ("ns", AttributeValue::Ns(vec!["1".into()])),
            ("bs", AttributeValue::Bs(vec![vec![1]])),
            ("l", AttributeValue::L(vec![AttributeValue::Bool(false)])),
            ("m", AttributeValue::M(HashMap::from([("k".into(), AttributeValue::L(vec![]))]))),
        ] {
            item.insert(name, value);
        }
        let converted = item_to_sdk(item.clone());
        assert_eq!(converted["b"], SdkValue::B(Blob::new([0, 255])));
        assert_eq!(item_from_sdk(converted), item);
    }

    #[test]
    fn position_in_the_index_has_four_attributes_and_round_trips() {
        let key = Key::new(PartitionKey::parse("GRP#1").unwrap(), SortKey::parse("USER#2").unwrap());
        let index_key =
            crate::key::IndexKey::new(PartitionKey::parse("USER#2").unwrap(), SortKey::parse("GRP#9#1").unwrap());
        let position = Position { key: key.clone(), index_key: Some(index_key) };
        let converted = position_to_sdk(&position);
        assert_eq!(converted.len(), 4);
        assert_eq!(position_from_sdk(converted).unwrap(), position);
        assert_eq!(position_from_sdk(key_to_sdk(&key)).unwrap(), Position { key, index_key: None });
    }

    #[test]
    fn a_position_without_the_keys_is_misconfigured() {
        let id = SdkItem::from([("Id".to_owned(), SdkValue::N("101".into()))]);
        assert_eq!(position_from_sdk(id).unwrap_err().kind(), ErrorKind::Misconfigured);
    }

    #[test]
    fn units_of_the_index_are_separate_from_the_table() {
        let consumed = ConsumedCapacity::builder()
            .capacity_units(3.0)
            .table(units(1.0))
            .global_secondary_indexes("gsi1", units(2.0))
            .build();
        assert_eq!(
            capacity(Effect::Write, [&consumed]),
            Capacity { index_write: Units::whole(2), ..Capacity::writes(Units::whole(1)) }
        );
        assert_eq!(
            capacity(Effect::Read, [&consumed]),
            Capacity { index_read: Units::whole(2), ..Capacity::reads(Units::whole(1)) }
        );
    }

    #[test]
    fn an_answer_without_parts_counts_for_the_table() {
        let consumed = ConsumedCapacity::builder().capacity_units(0.5).build();
        assert_eq!(capacity(Effect::Read, [&consumed]), Capacity::reads(Units::halves(1)));
        assert_eq!(capacity(Effect::Read, []), Capacity::default());
    }

    #[test]
    fn retry_of_a_done_transaction_consumes_reads() {
        let table = SdkCapacity::builder().capacity_units(4.0).read_capacity_units(4.0).build();
        let consumed = ConsumedCapacity::builder().capacity_units(4.0).table(table).build();
        assert_eq!(capacity(Effect::Write, [&consumed]), Capacity::reads(Units::whole(4)));
    }
}
