//! Histories of calls from several threads, and a check that they are linearizable. A history is linearizable if one
//! order of the calls explains all answers (Wing and Gong, "Testing and Verifying Concurrent Objects", 1993).

use crate::store::StoreExt;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::request::{Condition, Update};
use crate::store::memory::numbers::Numbers;

/// The numbers of two items; `None` for a missing item.
pub(super) type Pair = [Option<i64>; 2];

/// The initial items.
pub(super) const START: Pair = [Some(2), Some(0)];

/// A call on one of the two items, or on both.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Get(usize),
    GetBoth,
    Put(usize, i64),
    /// A put of an item that must be missing.
    Claim(usize, i64),
    /// An update of an item that must exist.
    Add(usize, i64),
    /// A delete of an item that must have this number.
    Delete(usize, i64),
    /// A transaction that moves 1 from this item, which must be positive, to the other, which must exist.
    Give(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Read(Pair),
    /// `true` if it was done, and the old item, which a transaction does not return.
    Written(bool, Option<i64>),
}

impl Call {
    pub(super) fn drawn(numbers: &mut Numbers) -> Self {
        let (item, number) = (numbers.below(2), [0, 1, 2][numbers.below(3)]);
        match numbers.below(9) {
            0 => Self::Get(item),
            1 => Self::GetBoth,
            2 => Self::Put(item, number),
            3 => Self::Claim(item, number),
            4 | 5 => Self::Add(item, number),
            6 => Self::Delete(item, number),
            _ => Self::Give(item),
        }
    }

    /// Applies the call to the items and returns its answer, without concurrent calls.
    fn alone(self, items: &mut Pair) -> Answer {
        let [one, other] = *items;
        let found = |item: usize| if item == 0 { one } else { other };
        let mut write = |item: usize, done: bool, number: Option<i64>| {
            if done {
                items[item] = number;
            }
            Answer::Written(done, found(item))
        };
        match self {
            Self::Get(0) => Answer::Read([one, None]),
            Self::Get(_) => Answer::Read([None, other]),
            Self::GetBoth => Answer::Read([one, other]),
            Self::Put(item, number) => write(item, true, Some(number)),
            Self::Claim(item, number) => write(item, found(item).is_none(), Some(number)),
            Self::Add(item, number) => write(item, found(item).is_some(), found(item).map(|old| old + number)),
            Self::Delete(item, number) => write(item, found(item) == Some(number), None),
            Self::Give(item) => {
                let (Some(from @ 1..), Some(to)) = (found(item), found(1 - item)) else {
                    return Answer::Written(false, None);
                };
                (items[item], items[1 - item]) = (Some(from - 1), Some(to + 1));
                Answer::Written(true, None)
            }
        }
    }

    pub(super) fn ask(self, store: &MemoryStore) -> Answer {
        let read = |items: Vec<Item>| {
            let mut pair = [None; 2];
            for item in items {
                pair[usize::from(item.get_s(SK) != Some("0"))] = Some(number(&item));
            }
            Answer::Read(pair)
        };
        let written = |write: Write| match try_write(store, write.returning_old()).unwrap() {
            WriteOutcome::Done { old, .. } => Answer::Written(true, old.as_ref().map(number)),
            WriteOutcome::Refused { current, .. } => Answer::Written(false, current.as_ref().map(number)),
        };
        let add = |item: usize, number: i64, condition: Condition| {
            Write::update(place(item), Update::new().add("n", number)).when(condition)
        };
        match self {
            Self::Get(item) => {
                read(now(store.get(Get::new(place(item)).consistent())).unwrap().item.into_iter().collect())
            }
            Self::GetBoth => read(query(store, Query::table_consistent(partition("A"))).items),
            Self::Put(item, number) => written(put_of(item, number)),
            Self::Claim(item, number) => written(put_of(item, number).when(Condition::item_absent())),
            Self::Add(item, number) => written(add(item, number, Condition::item_exists())),
            Self::Delete(item, number) => {
                written(Write::delete(place(item)).when(Condition::eq("n", n(&number.to_string()))))
            }
            Self::Give(item) => {
                let give = add(item, -1, Condition::gt("n", n("0")));
                let take = add(1 - item, 1, Condition::item_exists());
                let outcome = transact(store, Transaction::new([give, take]));
                Answer::Written(outcome.done().is_ok(), None)
            }
        }
    }
}

fn place(item: usize) -> Key {
    key("A", &item.to_string())
}

fn put_of(item: usize, number: i64) -> Write {
    Write::put(with(super::item("A", &item.to_string()), "n", n(&number.to_string())))
}

fn number(item: &Item) -> i64 {
    match item.get("n") {
        Some(AttributeValue::N(text)) => text.parse().unwrap(),
        _ => panic!("no number"),
    }
}

/// A table with the two items.
pub(super) fn store_at_start() -> MemoryStore {
    let store = MemoryStore::new();
    for (item, number) in START.into_iter().enumerate() {
        write(&store, put_of(item, number.unwrap()));
    }
    store
}

/// A call with its answer and the times of both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) call: Call,
    pub(super) answer: Answer,
    pub(super) asked: u64,
    pub(super) answered: u64,
}

/// Makes a call and records its times, by a clock that all threads share.
pub(super) fn recorded(call: Call, clock: &AtomicU64, ask: impl FnOnce() -> Answer) -> Event {
    let asked = clock.fetch_add(1, Ordering::SeqCst);
    let answer = ask();
    Event { call, answer, asked, answered: clock.fetch_add(1, Ordering::SeqCst) }
}

/// Returns `true` if some order explains the answers: each call takes effect at one moment between its start and its
/// answer.
pub(super) fn is_linearizable(events: &[Event]) -> bool {
    assert!(events.len() < 64, "a history is small");
    let all = (1_u64 << events.len()) - 1;
    let mut tried = HashSet::new();
    // The events done so far, as a bit set, and the items after them.
    let mut open = vec![(0_u64, START)];
    while let Some((done, items)) = open.pop() {
        if done == all {
            return true;
        }
        if !tried.insert((done, items)) {
            continue;
        }
        let rest = || (0..events.len()).filter(|event| done & (1 << event) == 0);
        let first_answer = rest().map(|event| events[event].answered).min();
        // A call that started after another was answered took effect after it.
        for event in rest().filter(|event| Some(events[*event].asked) < first_answer) {
            let mut items = items;
            if events[event].call.alone(&mut items) == events[event].answer {
                open.push((done | (1 << event), items));
            }
        }
    }
    false
}

#[test]
fn history_is_linearizable_only_if_an_order_explains_it() {
    let event = |call, answer, (asked, answered)| Event { call, answer, asked, answered };
    let read = |number| Answer::Read([Some(number), None]);
    let (before, during, after) = ((0, 1), (2, 7), (8, 9));
    let put = event(Call::Put(0, 5), Answer::Written(true, Some(2)), during);

    // During the put, a read may see either item, but never the old one after the new one.
    let get = |number, when| event(Call::Get(0), read(number), when);
    assert!(is_linearizable(&[get(2, before), put, get(2, (3, 4)), get(5, (5, 6)), get(5, after)]));
    assert!(!is_linearizable(&[put, get(5, (3, 4)), get(2, (5, 6))]), "a read returned an older item");
    assert!(!is_linearizable(&[put, get(2, after)]), "a read was stale");
    assert!(!is_linearizable(&[put, get(5, before)]), "a read saw a later write");
    assert!(!is_linearizable(&[put, get(7, (3, 4))]), "a read saw a number that was never written");

    let add = event(Call::Add(0, 1), Answer::Written(true, Some(2)), during);
    assert!(!is_linearizable(&[add, add]), "an update was lost");
    let refused = event(Call::Add(0, 1), Answer::Written(false, Some(2)), during);
    assert!(!is_linearizable(&[refused]), "a condition was ignored");

    let give = event(Call::Give(0), Answer::Written(true, None), during);
    let both = |pair, when| event(Call::GetBoth, Answer::Read(pair), when);
    assert!(is_linearizable(&[give, both([Some(2), Some(0)], (3, 4)), both([Some(1), Some(1)], (5, 6))]));
    assert!(!is_linearizable(&[give, both([Some(1), Some(0)], (3, 4))]), "a transaction was seen half done");
    let second = event(Call::Get(1), Answer::Read([None, Some(1)]), (3, 4));
    assert!(!is_linearizable(&[give, second, get(2, (5, 6))]), "a transaction was visible one item after the other");
    assert!(!is_linearizable(&[give, give, give]), "three transactions spent two");
}
