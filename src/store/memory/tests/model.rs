//! Random writes, compared with a plain model: a list of items that is searched from start to end.

use crate::store::StoreExt;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::capacity::{Consistency, Units, read_units, write_units};
use crate::key::SortKeyPrefix;
use crate::request::{Condition, Order, QuerySource, Scan, SortRange, Update};
use crate::tag::tag;

const PARTITIONS: [&str; 3] = ["A", "AB", "B"];
const SORT_KEYS: [&str; 8] = ["M#1", "M#10", "M#2", "M", "MM", "M$", "ä", "\u{10000}"];
pub(super) const INDEX_PARTITIONS: [&str; 2] = ["I", "J"];
const INDEX_SORT_KEYS: [&str; 3] = ["M#1", "M#2", "Z"];

#[derive(Clone, Debug)]
pub(super) enum Op {
    Put {
        key: (usize, usize),
        index: Option<(usize, usize)>,
        n: i64,
        only_new: bool,
    },
    Add {
        key: (usize, usize),
        n: i64,
        only_old: bool,
    },
    /// Sets or removes one of the index keys, or both.
    Move {
        key: (usize, usize),
        index_pk: Option<Option<usize>>,
        index_sk: Option<Option<usize>>,
    },
    Delete {
        key: (usize, usize),
    },
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => put_op(),
        2 => (key_of_op(), 0..2_i64, any::<bool>()).prop_map(|(key, n, only_old)| Op::Add { key, n, only_old }),
        4 => move_op(),
        1 => key_of_op().prop_map(|key| Op::Delete { key }),
    ]
}

fn key_of_op() -> impl Strategy<Value = (usize, usize)> {
    (0..PARTITIONS.len(), 0..SORT_KEYS.len())
}

fn put_op() -> impl Strategy<Value = Op> {
    let index = proptest::option::of((0..INDEX_PARTITIONS.len(), 0..INDEX_SORT_KEYS.len()));
    (key_of_op(), index, 0..3_i64, any::<bool>()).prop_map(|(key, index, n, only_new)| Op::Put {
        key,
        index,
        n,
        only_new,
    })
}

fn move_op() -> impl Strategy<Value = Op> {
    let pk = || proptest::option::weighted(0.8, 0..INDEX_PARTITIONS.len());
    let sk = || proptest::option::weighted(0.8, 0..INDEX_SORT_KEYS.len());
    prop_oneof![
        2 => sk().prop_map(|sk| (None, Some(sk))),
        1 => pk().prop_map(|pk| (Some(pk), None)),
        1 => (pk(), sk()).prop_map(|(pk, sk)| (Some(pk), Some(sk))),
    ]
    .prop_flat_map(|(index_pk, index_sk)| key_of_op().prop_map(move |key| Op::Move { key, index_pk, index_sk }))
}

#[derive(Default)]
struct Model {
    items: Vec<Item>,
}

impl Model {
    fn take(&mut self, pk: &str, sk: &str) -> Option<Item> {
        let place = self.items.iter().position(|item| item.get_s(PK) == Some(pk) && item.get_s(SK) == Some(sk))?;
        Some(self.items.swap_remove(place))
    }

    /// Does the write. Returns its capacity, and `true` if it changed anything.
    fn write(&mut self, op: &Op) -> (Capacity, bool) {
        let (Op::Put { key, .. } | Op::Add { key, .. } | Op::Move { key, .. } | Op::Delete { key }) = op;
        let (pk, sk) = (PARTITIONS[key.0], SORT_KEYS[key.1]);
        let old = self.take(pk, sk);
        let new = match (op, old.clone()) {
            (Op::Put { only_new: true, .. }, Some(old)) => Some(old),
            (Op::Put { index: Some(index), n: number, .. }, _) => Some(with(
                indexed(pk, sk, INDEX_PARTITIONS[index.0], INDEX_SORT_KEYS[index.1]),
                "n",
                n(&number.to_string()),
            )),
            (Op::Put { index: None, n: number, .. }, _) => Some(with(item(pk, sk), "n", n(&number.to_string()))),
            (Op::Add { only_old: true, .. }, None) => None,
            (Op::Add { n: number, .. }, old) => {
                let old = old.unwrap_or_else(|| item(pk, sk));
                let sum = number
                    + old.get("n").map_or(0, |found| match found {
                        AttributeValue::N(text) => text.parse::<i64>().unwrap(),
                        _ => 0,
                    });
                Some(with(old, "n", n(&sum.to_string())))
            }
            (Op::Move { .. }, old) => {
                let moves = moves_of(op);
                let sets = moves.iter().any(|(_, text)| text.is_some());
                old.or_else(|| sets.then(|| item(pk, sk))).map(|mut moved| {
                    for (name, text) in moves {
                        match text {
                            Some(text) => moved.insert(name, s(text)),
                            None => moved.remove(name),
                        };
                    }
                    moved
                })
            }
            (Op::Delete { .. }, _) => None,
        };
        let size = |item: &Option<Item>| item.as_ref().map_or(0, Item::size);
        let place = |item: &Option<Item>| item.as_ref().and_then(|item| item.index_key().unwrap());
        let index_write = match (place(&old), place(&new)) {
            (None, None) => Units::ZERO,
            _ if old == new => Units::ZERO,
            (Some(_), None) => write_units(size(&old), 0),
            (None, Some(_)) => write_units(0, size(&new)),
            (from, to) if from == to => write_units(size(&old), size(&new)),
            _ => write_units(size(&old), 0) + write_units(0, size(&new)),
        };
        let table_write = write_units(size(&old), size(&new));
        let changed = old != new;
        self.items.extend(new);
        (Capacity { table_write, index_write, ..Capacity::default() }, changed)
    }

    /// Returns all items of the query.
    fn query(&self, query: &Query) -> Vec<Item> {
        let (pk, sk) = match query.source {
            QuerySource::Table { .. } => (PK, SK),
            QuerySource::Index { .. } => (GSI1PK, GSI1SK),
        };
        let within = |item: &&Item| {
            item.get_s(pk) == Some(query.partition().as_str())
                && item.get_s(sk).is_some_and(|sk| query.range.contains(&sort_key(sk)))
        };
        let mut found: Vec<Item> = self.items.iter().filter(within).cloned().collect();
        found.sort_by_key(|item| [sk, PK, SK].map(|name| item.get_s(name).unwrap().to_owned()));
        if query.order == Order::Descending {
            found.reverse();
        }
        found
    }
}

/// The index keys that a move changes. A key without text is removed.
fn moves_of(op: &Op) -> Vec<(&'static str, Option<&'static str>)> {
    let Op::Move { index_pk, index_sk, .. } = op else { return Vec::new() };
    let pk = index_pk.map(|pk| (GSI1PK, pk.map(|place| INDEX_PARTITIONS[place])));
    let sk = index_sk.map(|sk| (GSI1SK, sk.map(|place| INDEX_SORT_KEYS[place])));
    pk.into_iter().chain(sk).collect()
}

pub(super) fn write_of(op: &Op) -> Write {
    let key_of = |place: &(usize, usize)| key(PARTITIONS[place.0], SORT_KEYS[place.1]);
    match op {
        Op::Put { key, index, n: number, only_new } => {
            let (pk, sk) = (PARTITIONS[key.0], SORT_KEYS[key.1]);
            let item = match index {
                Some(index) => indexed(pk, sk, INDEX_PARTITIONS[index.0], INDEX_SORT_KEYS[index.1]),
                None => item(pk, sk),
            };
            let put = Write::put(with(item, "n", n(&format!("{number}.0"))));
            if *only_new { put.when(Condition::item_absent()) } else { put }
        }
        Op::Add { key, n: number, only_old } => {
            let add = Write::update(key_of(key), Update::new().add("n", *number));
            if *only_old { add.when(Condition::item_exists()) } else { add }
        }
        Op::Move { key, .. } => {
            let update = moves_of(op).into_iter().fold(Update::new(), |update, (name, text)| match text {
                Some(text) => update.set(name, s(text)),
                None => update.remove(name),
            });
            Write::update(key_of(key), update)
        }
        Op::Delete { key } => Write::delete(key_of(key)),
    }
}

/// The items of all pages, each of which is checked.
pub(super) fn pages(store: &MemoryStore, mut request: Query) -> Vec<Item> {
    let mut found = Vec::new();
    loop {
        let page = query(store, request.clone());
        let most = request.limit.map_or(usize::MAX, |limit| limit.get() as usize);
        assert!(page.items.len() <= most);
        assert!(page.items.len() == most || page.next.is_none(), "no page is short before the end");
        let bytes = page.items.iter().map(Item::size).sum();
        assert_eq!(page.capacity.read(), read_units(bytes, Consistency::Eventual));
        found.extend(page.items);
        match page.next {
            Some(next) => request.start = Some(next),
            None => return found,
        }
    }
}

fn ranges() -> Vec<SortRange> {
    let mut ranges = vec![SortRange::All, SortRange::BeginsWith(SortKeyPrefix::new((tag!("M"),)))];
    ranges.push(SortRange::Between(sort_key("M#10"), sort_key("MM")));
    for sk in ["M#1", "N", "ä"] {
        ranges.extend([SortRange::Before(sort_key(sk)), SortRange::After(sort_key(sk))]);
    }
    ranges
}

/// Every query without a limit.
fn queries() -> Vec<Query> {
    let table = PARTITIONS.iter().map(|pk| Query::table(partition(pk)));
    let index = INDEX_PARTITIONS.iter().map(|pk| Query::index(partition(pk)));
    let mut queries = Vec::new();
    for query in table.chain(index) {
        for range in ranges() {
            for order in [Order::Ascending, Order::Descending] {
                queries.push(query.clone().range(range.clone()).order(order));
            }
        }
    }
    queries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // Many moves of few items, so that items return to partitions that they and others have left.
    #[test]
    fn index_reads_equal_those_of_a_plain_list(
        ops in proptest::collection::vec((prop_oneof![1 => put_op(), 4 => move_op()], 0..2_usize), 0..40)
    ) {
        let store = MemoryStore::new();
        let mut model = Model::default();
        for (mut op, item) in ops {
            let (Op::Put { key, .. } | Op::Add { key, .. } | Op::Move { key, .. } | Op::Delete { key }) = &mut op;
            *key = (0, item);
            let outcome = try_write(&store, write_of(&op)).unwrap();
            prop_assert_eq!(outcome.capacity(), model.write(&op).0, "{:?}", op);
            for pk in INDEX_PARTITIONS {
                let query = Query::index(partition(pk));
                prop_assert_eq!(pages(&store, query.clone()), model.query(&query), "{:?}", op);
            }
        }
    }

    #[test]
    fn table_reads_equal_those_of_a_plain_list(ops in proptest::collection::vec(op(), 0..60), pause in 1..20_usize) {
        let store = MemoryStore::new();
        let mut model = Model::default();
        let mut changes = 0;
        for (place, op) in ops.iter().enumerate() {
            if place % pause == 0 {
                // Reading the changes in between must make no difference.
                store.records_after(None, 1).unwrap();
            }
            let outcome = try_write(&store, write_of(op)).unwrap();
            let (capacity, changed) = model.write(op);
            prop_assert_eq!(outcome.capacity(), capacity, "{:?}", op);
            changes += usize::from(changed);
        }
        for query in queries() {
            let expected = model.query(&query);
            prop_assert_eq!(&pages(&store, query.clone()), &expected, "{:?}", query);
            for limit in 1..=u32::try_from(expected.len()).unwrap() + 1 {
                let limited = query.clone().limit(NonZeroU32::new(limit).unwrap());
                prop_assert_eq!(&pages(&store, limited), &expected, "{:?} by {}", query, limit);
            }
        }
        let mut scanned = now(store.scan(Scan::new())).unwrap().items;
        let by_key = |item: &Item| item.key().unwrap();
        scanned.sort_by_key(by_key);
        model.items.sort_by_key(by_key);
        prop_assert_eq!(&scanned, &model.items);

        // Replaying the change log creates the same table.
        let log = store.records_after(None, usize::MAX).unwrap();
        prop_assert_eq!(log.len(), changes);
        let mut replayed = BTreeMap::new();
        for change in log {
            let key = change.key().unwrap();
            let old = match change.new {
                Some(new) => replayed.insert(key, new),
                None => replayed.remove(&key),
            };
            prop_assert_eq!(old, change.old);
        }
        let replayed: Vec<Item> = replayed.into_values().collect();
        prop_assert_eq!(replayed, model.items);
    }
}
