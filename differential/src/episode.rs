//! An episode: operations on a new table of each store. The answers are compared one by one, and the streams at the
//! end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use indicatif::ProgressBar;
use threadline::entity::{Item, Key};
use threadline::store::{Get, Store, StoreExt, Write};
use threadline::stream::StreamRecord;
use threadline::{ManualClock, MemoryStore, Timestamp};

use crate::answer::{Answer, ask};
use crate::compare::{Aspect, Record, Records, compare, compare_records};
use crate::engine::{Engine, Failed, Table};
use crate::operation::Operation;
use crate::order::{is_open, reading};
use crate::show;
use crate::tally::Tally;
use crate::tolerated::{Images, Seen, row};

/// The time at which all stores evaluate expiry. It does not move.
const NOW: &str = "2026-01-01T00:00:00Z";

/// The environment of episodes.
pub(crate) struct Lab {
    /// The address of DynamoDB Local.
    pub(crate) local: String,
    /// A name that no other run on that server has: it keeps tables and remembers tokens.
    pub(crate) run: String,
    pub(crate) tables: AtomicU64,
}

/// A difference that is not tolerated.
pub(crate) struct Difference {
    pub(crate) engine: Engine,
    /// The number of the operation, from 0; `None` for a difference of the streams.
    pub(crate) at: Option<usize>,
    /// The partition, for a difference of the streams.
    pub(crate) partition: Option<String>,
    pub(crate) aspects: Vec<Aspect>,
    /// Both answers.
    pub(crate) text: String,
}

impl Lab {
    /// Runs the operations until a difference, with or without a stream on DynamoDB Local.
    pub(crate) async fn play(
        &self,
        engines: &[Engine],
        operations: &[Operation],
        stream: bool,
        tally: &mut Tally,
        bar: &ProgressBar,
    ) -> Result<Option<Difference>, Failed> {
        let clock = Arc::new(ManualClock::starting_at(NOW.parse()?));
        let memory = MemoryStore::new().clock(clock.clone());
        let name = format!("{}-{:x}", self.run, self.tables.fetch_add(1, Ordering::Relaxed));
        let tables = engines.iter().map(|engine| {
            let stream = stream || *engine != Engine::Local;
            Table::create(*engine, &self.local, &name, stream, clock.clone())
        });
        let tables = join_all(tables).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let difference = play_on(&memory, &tables, operations, &name, tally, bar).await?;
        for table in tables {
            table.delete().await?;
        }
        Ok(difference)
    }
}

async fn play_on(
    memory: &MemoryStore,
    tables: &[Table],
    operations: &[Operation],
    tokens: &str,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> Result<Option<Difference>, Failed> {
    // The table at a time at which nothing has expired.
    let beginning = Arc::new(ManualClock::starting_at(Timestamp::from_unix_micros(-1_000_000_000_000)?));
    let all = memory.clone().clock(beginning.clone());
    let mut restored = HashSet::new();
    let mut spoiled: HashMap<u32, u32> = HashMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let named = operation.named();
        let token = operation.token();
        let times = token.and_then(|token| spoiled.get(&token)).copied().unwrap_or_default();
        let tokens = &format!("{tokens}-{times}");
        let before = items(&all, &named).await?;
        let expected = ask(memory, operation, tokens).await;
        let images = Images { before, after: items(&all, &named).await? };
        let answers = join_all(tables.iter().map(|table| ask(&table.store, operation, tokens))).await;
        tally.count(operation, &expected);
        for (table, answer) in tables.iter().zip(&answers) {
            let aspects = compare(&expected, answer);
            if aspects.is_empty() {
                continue;
            }
            let others = table.store.clone().clock(beginning.clone());
            let Judged { aspects, must_be, read } = judge(operation, &expected, &all, answer, &others, aspects).await?;
            let seen = Seen::Answers { operation, memory: &must_be, other: answer, images: &images, read: &read };
            let aspects = untolerated(table.engine, aspects, &seen, tally);
            if !aspects.is_empty() {
                let text = format!(
                    "memory: {}\nin the order of the other: {}\n{}: {}",
                    show::answer(&expected),
                    show::answer(&must_be),
                    table.engine.name(),
                    show::answer(answer)
                );
                return Ok(Some(Difference { engine: table.engine, at: Some(at), partition: None, aspects, text }));
            }
            // After a tolerated difference, the item may differ from that of the in-memory store.
            if std::mem::discriminant(&expected) != std::mem::discriminant(answer) {
                for (key, item) in named.iter().zip(&images.after) {
                    restore(&table.store, key, item.as_ref()).await?;
                    restored.insert((table.engine, key.clone()));
                }
                // A token that only one store knows cannot be compared, so it is replaced.
                spoiled.extend(token.map(|token| (token, times + 1)));
            }
        }
        bar.inc(1);
    }
    let (expected, count) = changes(memory)?;
    tally.changes += u64::try_from(count).unwrap_or(u64::MAX);
    for table in tables {
        let Some(found) = table.records(count).await? else { continue };
        // The records of restored items differ from those of the in-memory store.
        let is_compared = |key: &Key| !restored.contains(&(table.engine, key.clone()));
        if let Some(difference) = compare_streams(table.engine, &expected, found, is_compared, tally) {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

/// Returns the items with these keys.
async fn items(store: &MemoryStore, keys: &[Key]) -> Result<Vec<Option<Item>>, Failed> {
    let mut items = Vec::with_capacity(keys.len());
    for key in keys {
        items.push(store.get(Get::new(key.clone())).await?.item);
    }
    Ok(items)
}

/// The expected answer of another store, and the aspects in which its answer differs.
struct Judged {
    aspects: Vec<Aspect>,
    must_be: Answer,
    /// The items that each expected page reads, expired or not.
    read: Vec<Vec<Item>>,
}

/// Examines an answer that differs in these aspects. If only an undefined order differs, the answer must equal that of
/// the in-memory store in the other store's order. `all` and `others` are the two stores at a time at which nothing has
/// expired.
async fn judge(
    operation: &Operation,
    memory: &Answer,
    all: &MemoryStore,
    other: &Answer,
    others: &dyn Store,
    aspects: Vec<Aspect>,
) -> Result<Judged, Failed> {
    let mut judged = Judged { aspects, must_be: memory.clone(), read: pages_read(all, operation).await };
    if !is_open(operation) || !matches!((memory, other), (Answer::Pages(_), Answer::Pages(_))) {
        return Ok(judged);
    }
    let now = NOW.parse()?;
    match (reading(operation, all, all, now).await?, reading(operation, all, others, now).await?) {
        (Some(own), Some(_)) if !compare(&own.answer, memory).is_empty() => {
            (judged.aspects, judged.must_be) = (vec![Aspect::OwnPages], own.answer);
        }
        (Some(own), Some(theirs)) => {
            if !own.keys().eq(theirs.keys()) {
                judged.aspects = compare(&theirs.answer, other);
                if matches!(operation, Operation::Query(_)) {
                    judged.aspects.push(Aspect::OrderOfEqualKeys);
                }
                (judged.must_be, judged.read) = (theirs.answer, theirs.read);
            }
        }
        // Other items, or an order that is not allowed.
        _ => judged.aspects = vec![Aspect::Items],
    }
    Ok(judged)
}

/// Returns the items that each page of a query or scan reads, expired or not. Other operations are not repeated.
async fn pages_read(all: &MemoryStore, operation: &Operation) -> Vec<Vec<Item>> {
    if !matches!(operation, Operation::Query(_) | Operation::Scan(_)) {
        return Vec::new();
    }
    match ask(all, operation, "").await {
        Answer::Pages(pages) => pages.into_iter().map(|page| page.items).collect(),
        _ => Vec::new(),
    }
}

/// Restores the item to that of the in-memory store.
async fn restore(store: &dyn Store, key: &Key, item: Option<&Item>) -> Result<(), Failed> {
    let write = match item {
        Some(item) => Write::put(item.clone()),
        None => Write::delete(key.clone()),
    };
    store.write(write).await?.done()?;
    Ok(())
}

/// Returns the aspects that no rule tolerates, and counts the others.
fn untolerated(engine: Engine, aspects: Vec<Aspect>, seen: &Seen<'_>, tally: &mut Tally) -> Vec<Aspect> {
    let mut left = Vec::new();
    for aspect in aspects {
        match row(engine, aspect, seen) {
            Some(row) => tally.met[row] += 1,
            None => left.push(aspect),
        }
    }
    left
}

/// Returns the changes of the in-memory store as records, and their number.
fn changes(memory: &MemoryStore) -> Result<(Records, usize), Failed> {
    let found = memory.records_after(None, usize::MAX)?;
    let count = found.len();
    let mut records = Records::new();
    for StreamRecord { kind, old, new, keys, .. } in found {
        records.entry(keys.key()?).or_default().push(Record { kind, old, new });
    }
    Ok((records, count))
}

fn compare_streams(
    engine: Engine,
    memory: &Records,
    mut found: Records,
    is_compared: impl Fn(&Key) -> bool,
    tally: &mut Tally,
) -> Option<Difference> {
    let none = Vec::new();
    let mut keys: Vec<_> = memory.keys().chain(found.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(is_compared);
    for key in keys {
        let expected = memory.get(&key).unwrap_or(&none);
        let mut records = found.remove(&key).unwrap_or_default();
        // Records that the in-memory store did not write, if that is tolerated.
        records.retain(|record| match row(engine, Aspect::Records, &Seen::Records { memory: None, other: record }) {
            Some(row) => {
                tally.met[row] += 1;
                false
            }
            None => true,
        });
        let mut aspects = Vec::new();
        if expected.len() != records.len() {
            aspects.push(Aspect::Records);
        }
        for (expected, record) in expected.iter().zip(&records) {
            let seen = Seen::Records { memory: Some(expected), other: record };
            aspects.extend(untolerated(engine, compare_records(expected, record), &seen, tally));
        }
        if !aspects.is_empty() {
            let text = format!(
                "the stream's records of {}\ntwin: {}\n{}: {}",
                show::key(&key),
                show::records(expected),
                engine.name(),
                show::records(&records)
            );
            let partition = Some(key.pk.as_str().to_owned());
            return Some(Difference { engine, at: None, partition, aspects, text });
        }
    }
    None
}
