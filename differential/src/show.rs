//! Shows operations and answers with their values, which are all made up.

use std::fmt::Write as _;

use threadline::entity::AttributeValue::{self, B, Bool, Bs, L, M, N, Ns, Null, S, Ss};
use threadline::entity::{Item, Key};
use threadline::store::{
    AttributeChange, BatchAction, Capacity, Condition, Position, SortRange, TransactAction, Write, WriteAction,
};

use crate::answer::{Answer, Page};
use crate::compare::Record;
use crate::operation::Operation;

/// The longest text that is shown completely.
const MOST_SHOWN: usize = 120;

pub(crate) fn operation(operation: &Operation) -> String {
    match operation {
        Operation::Get(get) => format!("get {} {:?}", key(get.key()), get.get_consistency()),
        Operation::Write(request) => write(request),
        Operation::Query(query) => format!(
            "query {} {:?} of {:?}, limit {:?}, from {}, {:?}",
            match query.source() {
                threadline::store::QuerySource::Table { consistency, .. } => format!("table {consistency:?}"),
                threadline::store::QuerySource::Index { .. } => "index".to_owned(),
            },
            query.partition().as_str(),
            range(query.get_range()),
            query.get_limit().map(u32::from),
            query.get_start().map_or_else(|| "the beginning".to_owned(), position),
            query.get_order(),
        ),
        Operation::Scan(scan) => {
            format!("scan, limit {:?}, from {:?}", scan.get_limit().map(u32::from), scan.get_start().map(position))
        }
        Operation::Transact(transaction, token) => {
            let actions: Vec<String> = transaction.actions().iter().map(action).collect();
            format!("transact, token {token:?}:\n    {}", actions.join("\n    "))
        }
        Operation::BatchGet(batch) => {
            let keys: Vec<String> = batch.keys().iter().map(key).collect();
            format!("batch_get {:?}: {}", batch.get_consistency(), keys.join(", "))
        }
        Operation::BatchWrite(batch) => {
            let writes: Vec<String> = batch
                .writes()
                .iter()
                .map(|write| match write {
                    BatchAction::Put(put) => format!("put {}", item(put)),
                    BatchAction::Delete(deleted) => format!("delete {}", key(deleted)),
                })
                .collect();
            format!("batch_write:\n    {}", writes.join("\n    "))
        }
    }
}

pub(crate) fn answer(answer: &Answer) -> String {
    let maybe = |found: &Option<Item>| found.as_ref().map_or_else(|| "no item".to_owned(), item);
    match answer {
        Answer::Found { item, capacity } => format!("found {}, {}", maybe(item), units(capacity)),
        Answer::Written { old, capacity } => format!("done, before: {}, {}", maybe(old), units(capacity)),
        Answer::Refused { current } => format!("refused, now: {}", maybe(current)),
        Answer::Pages(pages) => {
            let mut text = format!("{} pages", pages.len());
            for page in pages {
                text.push_str("\n    ");
                text.push_str(&self::page(page));
            }
            text
        }
        Answer::Transacted { capacity } => format!("done, {}", units(capacity)),
        Answer::Canceled { reasons } => {
            let reasons: Vec<String> =
                reasons.iter().map(|reason| format!("{:?} {}", reason.code, maybe(&reason.current))).collect();
            format!("canceled: {}", reasons.join("; "))
        }
        Answer::Batch { items, left, capacity } => {
            let items: Vec<String> = items.iter().map(item).collect();
            format!("{} items, {} left, {}\n    {}", items.len(), left.len(), units(capacity), items.join("\n    "))
        }
        Answer::Failed { text, kind, .. } => format!("failed, {kind:?}: {text}"),
    }
}

pub(crate) fn records(records: &[Record]) -> String {
    let mut text = String::new();
    for Record { kind, old, new } in records {
        let show = |image: &Option<Item>| image.as_ref().map_or_else(|| "-".to_owned(), item);
        let _ = write!(text, "\n    {} {} => {}", kind.as_str(), show(old), show(new));
    }
    text
}

pub(crate) fn key(key: &Key) -> String {
    format!("{} / {}", text(key.pk.as_str()), text(key.sk.as_str()))
}

fn page(page: &Page) -> String {
    let keys: Vec<String> = page.items.iter().map(item).collect();
    let next = page.next.as_ref().map_or_else(|| "the end".to_owned(), position);
    format!("[{}] then {next}, {}", keys.join("; "), units(&page.capacity))
}

fn units(capacity: &Capacity) -> String {
    let Capacity { table_read, table_write, index_read, index_write, .. } = capacity;
    format!("read {table_read} + {index_read}, written {table_write} + {index_write}")
}

fn position(position: &Position) -> String {
    match &position.index_key {
        Some(place) => format!("{} at {} / {}", key(&position.key), text(place.pk.as_str()), text(place.sk.as_str())),
        None => key(&position.key),
    }
}

fn range(range: &SortRange) -> String {
    match range {
        SortRange::BeginsWith(prefix) => format!("begins with {}", text(prefix.as_str())),
        SortRange::Before(end) => format!("before {}", text(end.as_str())),
        SortRange::After(start) => format!("after {}", text(start.as_str())),
        SortRange::Between(low, high) => format!("from {} to {}", text(low.as_str()), text(high.as_str())),
        _ => "all".to_owned(),
    }
}

fn action(action: &TransactAction) -> String {
    match action {
        TransactAction::Write(request) => write(request),
        TransactAction::Check { key: of, condition: checked } => format!("check {} {}", key(of), condition(checked)),
    }
}

fn write(request: &Write) -> String {
    let of = request.key().map_or_else(|_| "an item without a key".to_owned(), key);
    let mut shown = match request.action() {
        WriteAction::Put(put) => format!("put {}", item(put)),
        WriteAction::Delete => format!("delete {of}"),
        WriteAction::Update(update) => {
            let mut shown = format!("update {of}:");
            for (name, change) in update.changes() {
                let _ = match change {
                    AttributeChange::Set(set) => write!(shown, " {name} = {};", value(set)),
                    AttributeChange::SetIfAbsent(set) => write!(shown, " {name} ?= {};", value(set)),
                    AttributeChange::Add(number) => write!(shown, " {name} += {number};"),
                    _ => write!(shown, " remove {name};"),
                };
            }
            shown
        }
    };
    if let Some(when) = request.condition() {
        let _ = write!(shown, " when {}", condition(when));
    }
    if request.returns_old() {
        shown.push_str(", returning the old");
    }
    shown
}

fn condition(shown: &Condition) -> String {
    let joined = |conditions: &[Condition]| conditions.iter().map(condition).collect::<Vec<_>>().join(", ");
    match shown {
        Condition::Exists(name) => format!("exists {name}"),
        Condition::Absent(name) => format!("absent {name}"),
        Condition::Compare(name, comparison, with) => format!("{name} {comparison:?} {}", value(with)),
        Condition::All(conditions) => format!("all({})", joined(conditions)),
        Condition::Any(conditions) => format!("any({})", joined(conditions)),
        Condition::Not(inner) => format!("not({})", condition(inner)),
        _ => "a condition that is not known here".to_owned(),
    }
}

fn item(shown: &Item) -> String {
    let mut attributes: Vec<_> = shown.iter().collect();
    attributes.sort_by_key(|(name, _)| (*name != threadline::entity::PK, *name != threadline::entity::SK, *name));
    let attributes: Vec<String> = attributes.iter().map(|(name, held)| format!("{name}: {}", value(held))).collect();
    format!("{{{}}} ({} B)", attributes.join(", "), shown.size())
}

fn value(shown: &AttributeValue) -> String {
    let list = |members: Vec<String>| members.join(" ");
    match shown {
        S(shown) => text(shown),
        N(number) => number.clone(),
        B(bytes) => format!("b{bytes:?}"),
        Bool(flag) => flag.to_string(),
        Null(_) => "null".to_owned(),
        Ss(set) => format!("ss<{}>", list(set.iter().map(|member| text(member)).collect())),
        Ns(set) => format!("ns<{}>", list(set.clone())),
        Bs(set) => format!("bs<{}>", list(set.iter().map(|member| format!("{member:?}")).collect())),
        L(shown) => format!("[{}]", list(shown.iter().map(value).collect())),
        M(map) => format!("{{{}}}", list(map.iter().map(|(name, held)| format!("{name}: {}", value(held))).collect())),
    }
}

fn text(text: &str) -> String {
    if text.len() <= MOST_SHOWN {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(10).collect();
    format!("{start:?}… ({} bytes)", text.len())
}
