//! The differences between two answers to one operation.

use std::collections::HashMap;

use threadline::entity::AttributeValue::{self, Bs, L, M, N, Ns, Ss};
use threadline::entity::{Item, Key};
use threadline::store::Capacity;

use crate::answer::{Answer, Page, same_number};

/// An aspect in which two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// The outcome: done, refused, canceled, or an error of one kind.
    Outcome,
    /// The items, by value.
    Items,
    /// The text of a number with an equal value.
    NumberText,
    /// The order of items whose sort keys are equal. The other aspects are compared in the other store's order.
    OrderOfEqualKeys,
    /// The in-memory store's pages, against those that `order` computes from its own order. A difference is an error of
    /// the test.
    OwnPages,
    /// The boundaries of pages, and their continuations.
    PageEnds,
    /// The codes and items of a canceled transaction.
    Reasons,
    /// The unprocessed part of a batch.
    Left,
    TableCapacity,
    IndexCapacity,
    /// The records of the stream.
    Records,
}

/// Returns the aspects in which the second answer differs from that of the in-memory store.
pub(crate) fn compare(memory: &Answer, other: &Answer) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    match (memory, other) {
        (Answer::Found { item: a, capacity }, Answer::Found { item: b, capacity: other })
        | (Answer::Written { old: a, capacity }, Answer::Written { old: b, capacity: other }) => {
            compare_items(a.iter(), b.iter(), &mut aspects);
            compare_capacity(*capacity, *other, &mut aspects);
        }
        (Answer::Refused { current: a }, Answer::Refused { current: b }) => {
            compare_items(a.iter(), b.iter(), &mut aspects);
        }
        (Answer::Pages(a), Answer::Pages(b)) => compare_pages(a, b, &mut aspects),
        (Answer::Transacted { capacity }, Answer::Transacted { capacity: other }) => {
            compare_capacity(*capacity, *other, &mut aspects);
        }
        (Answer::Canceled { reasons: a }, Answer::Canceled { reasons: b }) => {
            if !a.iter().map(|reason| reason.code).eq(b.iter().map(|reason| reason.code)) {
                aspects.push(Aspect::Reasons);
            } else {
                for (a, b) in a.iter().zip(b) {
                    compare_items(a.current.iter(), b.current.iter(), &mut aspects);
                }
            }
        }
        (Answer::Batch { items: a, left, capacity }, Answer::Batch { items: b, left: other_left, capacity: other }) => {
            if left != other_left {
                aspects.push(Aspect::Left);
                // If only one store has done this part, only that store has answered and charged it.
                let is_left =
                    |item: &&Item| item.key().is_ok_and(|key| left.contains(&key) || other_left.contains(&key));
                let [a, b] = [a, b].map(|items| by_key(items).into_iter().filter(|item| !is_left(item)));
                compare_items(a, b, &mut aspects);
                return aspects;
            }
            // In no particular order.
            compare_items(by_key(a).into_iter(), by_key(b).into_iter(), &mut aspects);
            compare_capacity(*capacity, *other, &mut aspects);
        }
        (Answer::Failed { kind, code, .. }, Answer::Failed { kind: other, code: other_code, .. }) => {
            let mismatch = "IdempotentParameterMismatchException";
            let is_mismatch = |code: &Option<String>| code.as_deref() == Some(mismatch);
            if kind != other || is_mismatch(code) != is_mismatch(other_code) {
                aspects.push(Aspect::Outcome);
            }
        }
        _ => aspects.push(Aspect::Outcome),
    }
    aspects.sort();
    aspects.dedup();
    aspects
}

fn compare_pages(a: &[Page], b: &[Page], aspects: &mut Vec<Aspect>) {
    let items = |pages: &[Page]| pages.iter().flat_map(|page| page.items.clone()).collect::<Vec<_>>();
    compare_items(items(a).iter(), items(b).iter(), aspects);
    let is_same = |(a, b): (&Page, &Page)| a.items.len() == b.items.len() && a.next == b.next;
    let same = a.iter().zip(b).take_while(|(a, b)| is_same((a, b))).count();
    if same < a.len().max(b.len()) {
        aspects.push(Aspect::PageEnds);
    }
    // After the first page that differs, the pages are the same if only one store has a next page and that page is
    // empty.
    let is_all = |pages: &[Page]| pages.iter().skip(same + 1).all(|page| page.items.is_empty());
    let ends = a
        .get(same)
        .zip(b.get(same))
        .is_some_and(|(a, b)| a.items.len() == b.items.len() && (a.next.is_none() || b.next.is_none()));
    let comparable = same + usize::from(ends && is_all(a) && is_all(b));
    for (a, b) in a.iter().zip(b).take(comparable) {
        compare_capacity(a.capacity, b.capacity, aspects);
    }
}

fn by_key(items: &[Item]) -> Vec<&Item> {
    let mut items: Vec<&Item> = items.iter().collect();
    items.sort_by_key(|item| item.key().ok());
    items
}

fn compare_capacity(a: Capacity, b: Capacity, aspects: &mut Vec<Aspect>) {
    if (a.table_read, a.table_write) != (b.table_read, b.table_write) {
        aspects.push(Aspect::TableCapacity);
    }
    if (a.index_read, a.index_write) != (b.index_read, b.index_write) {
        aspects.push(Aspect::IndexCapacity);
    }
}

/// Compares the items one by one.
pub(crate) fn compare_items<'a>(
    a: impl Iterator<Item = &'a Item>,
    b: impl Iterator<Item = &'a Item>,
    aspects: &mut Vec<Aspect>,
) {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return,
            (Some(a), Some(b)) => match compare_item(a, b) {
                Same::Text => {}
                Same::Value => aspects.push(Aspect::NumberText),
                Same::Not => return aspects.push(Aspect::Items),
            },
            _ => return aspects.push(Aspect::Items),
        }
    }
}

/// The degree of equality of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Same {
    /// Equal in text, except the order of sets.
    Text,
    /// Equal except in the text of numbers.
    Value,
    Not,
}

fn compare_item(a: &Item, b: &Item) -> Same {
    if a.len() != b.len() {
        return Same::Not;
    }
    let same = |(name, a): (&str, &AttributeValue)| b.get(name).map_or(Same::Not, |b| same_value(a, b));
    a.iter().map(same).max().unwrap_or(Same::Text)
}

fn same_value(a: &AttributeValue, b: &AttributeValue) -> Same {
    let all = |same: bool| if same { Same::Text } else { Same::Not };
    let number = |a: &String, b: &String| match (a == b, same_number(a, b)) {
        (true, _) => Same::Text,
        (false, true) => Same::Value,
        (false, false) => Same::Not,
    };
    match (a, b) {
        (N(a), N(b)) => number(a, b),
        (L(a), L(b)) if a.len() == b.len() => {
            a.iter().zip(b).map(|(a, b)| same_value(a, b)).max().unwrap_or(Same::Text)
        }
        (M(a), M(b)) if a.len() == b.len() => {
            let same = |(name, a)| b.get(name).map_or(Same::Not, |b| same_value(a, b));
            a.iter().map(same).max().unwrap_or(Same::Text)
        }
        (Ss(a), Ss(b)) => all(sorted(a) == sorted(b)),
        (Bs(a), Bs(b)) => all(sorted(a) == sorted(b)),
        (Ns(a), Ns(b)) if a.len() == b.len() => {
            let best = |a| b.iter().map(|b| number(a, b)).min().unwrap_or(Same::Not);
            a.iter().map(best).max().unwrap_or(Same::Text)
        }
        (a, b) => all(a == b),
    }
}

fn sorted<T: Ord>(members: &[T]) -> Vec<&T> {
    let mut members: Vec<&T> = members.iter().collect();
    members.sort();
    members
}

/// Returns `true` if the predicate holds for the value or for one within it.
pub(crate) fn any_within(value: &AttributeValue, holds: impl Fn(&AttributeValue) -> bool + Copy) -> bool {
    holds(value)
        || match value {
            L(list) => list.iter().any(|value| any_within(value, holds)),
            M(map) => map.values().any(|value| any_within(value, holds)),
            _ => false,
        }
}

/// A record of any store's stream.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) kind: threadline::stream::RecordKind,
    pub(crate) old: Option<Item>,
    pub(crate) new: Option<Item>,
}

/// The records of each item, in order.
pub(crate) type Records = HashMap<Key, Vec<Record>>;

/// Returns the aspects in which two records of one item differ.
pub(crate) fn compare_records(a: &Record, b: &Record) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    if a.kind != b.kind {
        aspects.push(Aspect::Records);
    }
    compare_items(a.old.iter(), b.old.iter(), &mut aspects);
    compare_items(a.new.iter(), b.new.iter(), &mut aspects);
    aspects.sort();
    aspects.dedup();
    aspects
}
