//! The stream of the in-memory table, delivered as DynamoDB may deliver it: late, cut, shuffled and repeated, by a
//! seed.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use threadline::entity::Key;
use threadline::stream::{SequenceNumber, StreamRecord};
use threadline::{MemoryStore, Result};

use crate::random::Random;

/// The default number of shards.
const SHARDS: usize = 3;
/// The largest random batch, and the most records of a random rewind.
const MOST_DRAWN: usize = 10;
/// The number of acknowledged records of a shard that are kept for redelivery.
const REPEATABLE: usize = 1000;

/// The stream of a [`MemoryStore`], delivered as DynamoDB may deliver it. Use it to test a consumer of the stream, such
/// as a [`Projector`](threadline::stream::Projector).
///
/// [DynamoDB Streams](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html) guarantees that
/// the records of one item arrive complete and in order, at least once. `ShuffledStream` keeps these guarantees and no
/// other:
///
/// * A shard contains the records of some of the partitions. Records of different items arrive in any order. The
///   records of a transaction may arrive separately, and an old change may arrive after a recent one.
/// * A batch may end after any record.
/// * The records of a batch are redelivered until they are [acknowledged](Self::acknowledge). If a record failed, this
///   record and all later ones of the shard are redelivered. At times, acknowledged records are redelivered too.
///
/// The batches depend only on the seed and the calls. A batch may contain any change that was made before the call
/// of [`next_batch`](Self::next_batch).
/// Shards never split. Up to 1,000 acknowledged records of each shard are kept for redelivery.
///
/// ```
/// use threadline::stream::Projector;
/// use threadline::{MemoryStore, NewUser, Threadline};
/// use threadline_testkit::ShuffledStream;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// let store = MemoryStore::new();
/// let chat = Threadline::new(store.clone());
/// chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
///
/// let projector = Projector::new(store.clone());
/// let mut delivery = ShuffledStream::seeded(store, 7);
/// while let Some(batch) = delivery.next_batch()? {
///     let projection = projector.project(&batch.records).await;
///     delivery.acknowledge(&batch, projection.lowest_failed.as_ref());
/// }
/// # Ok(())
/// # }
/// ```
pub struct ShuffledStream {
    store: MemoryStore,
    seed: u64,
    numbers: Random,
    /// The last change that was read.
    read: Option<SequenceNumber>,
    /// The number of records that have a position in a shard.
    placed: u64,
    shards: Vec<Shard>,
}

/// A batch of records of one shard, in order. [`ShuffledStream::next_batch`] returns it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The number of the shard, from 0.
    pub shard: usize,
    /// The records of the batch, with ascending sequence numbers. Each number is unique in the stream, and a
    /// redelivered record keeps its number.
    pub records: Vec<StreamRecord>,
    /// The original number of records: a test may change the list.
    count: usize,
    turn: u64,
}

#[derive(Default)]
struct Shard {
    /// The records without a position yet, in order for each item.
    unplaced: BTreeMap<Key, VecDeque<StreamRecord>>,
    log: VecDeque<StreamRecord>,
    /// The index in the log where the next batch begins.
    next: usize,
    /// Grows with each batch and each rewind, so that a late acknowledgment is recognized.
    turn: u64,
}

impl ShuffledStream {
    /// Creates the stream of this store in three shards, from the oldest change that the store keeps. The seed
    /// determines the batches.
    pub fn seeded(store: MemoryStore, seed: u64) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { store, seed, numbers: Random::seeded(seed), read: None, placed: 0, shards }
    }

    /// Sets the number of shards, at least 1. The stream starts again at the oldest change. Default: 3.
    #[must_use]
    pub fn shards(self, count: usize) -> Self {
        let shards = (0..count.max(1)).map(|_| Shard::default()).collect();
        Self { shards, ..Self::seeded(self.store, self.seed) }
    }

    /// Returns a batch of up to 10 records from a random shard. Returns `None` once all records are acknowledged. The
    /// batch may repeat acknowledged records. It is redelivered if you do not [acknowledge](Self::acknowledge) it.
    ///
    /// # Errors
    /// Returns the errors of [`MemoryStore::records_after`].
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.read_records()?;
        if self.numbers.below(4) == 0 {
            let shard = self.numbers.below(self.shards.len());
            let records = self.numbers.below(MOST_DRAWN).saturating_add(1);
            self.rewind(shard, records);
        }
        let open = self.shards.iter().enumerate().filter(|(_, shard)| !shard.is_at_end());
        let open: Vec<usize> = open.map(|(number, _)| number).collect();
        let Some(shard) = open.get(self.numbers.below(open.len())) else { return Ok(None) };
        let most = self.numbers.below(MOST_DRAWN).saturating_add(1);
        self.batch_of(*shard, most).map(Some)
    }

    /// Returns up to `most` records of the shard with this number, from its first record that is not acknowledged. The
    /// shards are numbered from 0. Larger numbers wrap around.
    ///
    /// # Errors
    /// Returns the errors of [`MemoryStore::records_after`].
    pub fn batch_of(&mut self, shard: usize, most: usize) -> Result<Batch> {
        self.read_records()?;
        let number = shard.checked_rem(self.shards.len()).unwrap_or_default();
        let mut batch = Batch { shard: number, records: Vec::new(), count: 0, turn: 0 };
        if let Some(shard) = self.shards.get_mut(number) {
            let waiting = shard.log.len().saturating_sub(shard.next);
            for _ in waiting..most {
                let Some(mut record) = shard.draw(&mut self.numbers) else { break };
                self.placed = self.placed.saturating_add(1);
                record.sequence = Some(SequenceNumber::from(self.placed));
                shard.log.push_back(record);
            }
            shard.turn = shard.turn.saturating_add(1);
            batch.turn = shard.turn;
            batch.records.extend(shard.log.iter().skip(shard.next).take(most).cloned());
            batch.count = batch.records.len();
        }
        Ok(batch)
    }

    /// Acknowledges those records of the batch that come before the record with the sequence number `lowest_failed`.
    /// The other records are redelivered. With `None`, the call acknowledges all records. If no record of the batch has
    /// this number, the whole batch is redelivered, as on [Lambda][lambda].
    ///
    /// The call has no effect if the shard has returned a newer batch or was [rewound](Self::rewind).
    ///
    /// [lambda]: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    pub fn acknowledge(&mut self, batch: &Batch, lowest_failed: Option<&SequenceNumber>) {
        let Some(shard) = self.shards.get_mut(batch.shard).filter(|shard| shard.turn == batch.turn) else { return };
        let done = match lowest_failed {
            None => batch.count,
            Some(lowest) => {
                let mut records = shard.log.iter().skip(shard.next).take(batch.count);
                records.position(|record| record.sequence.as_ref() == Some(lowest)).unwrap_or_default()
            }
        };
        shard.next = shard.next.saturating_add(done).min(shard.log.len());
        while shard.next > REPEATABLE {
            shard.log.pop_front();
            shard.next -= 1;
        }
    }

    /// Moves the shard with this number back by this many records. These records and all later ones are redelivered, as
    /// after a lost checkpoint. The shards are numbered from 0. Larger numbers wrap around.
    pub fn rewind(&mut self, shard: usize, records: usize) {
        let number = shard.checked_rem(self.shards.len()).unwrap_or_default();
        if let Some(shard) = self.shards.get_mut(number) {
            shard.next = shard.next.saturating_sub(records);
            shard.turn = shard.turn.saturating_add(1);
        }
    }

    /// Reads the new records and assigns each to its shard.
    fn read_records(&mut self) -> Result<()> {
        for record in self.store.records_after(self.read.as_ref(), usize::MAX)? {
            self.read.clone_from(&record.sequence);
            let key = record.key()?;
            let hash = hash(key.pk.as_str());
            let number = hash.checked_rem(self.shards.len()).unwrap_or_default();
            if let Some(shard) = self.shards.get_mut(number) {
                shard.unplaced.entry(key).or_default().push_back(record);
            }
        }
        Ok(())
    }
}

impl Shard {
    /// Removes and returns the oldest record of a random item.
    fn draw(&mut self, numbers: &mut Random) -> Option<StreamRecord> {
        let key = self.unplaced.keys().nth(numbers.below(self.unplaced.len()))?.clone();
        let records = self.unplaced.get_mut(&key)?;
        let record = records.pop_front();
        if records.is_empty() {
            self.unplaced.remove(&key);
        }
        record
    }

    fn is_at_end(&self) -> bool {
        self.unplaced.is_empty() && self.next == self.log.len()
    }
}

/// Returns the same hash in every run and on every machine ([FNV-1a](http://www.isthe.com/chongo/tech/comp/fnv/)).
fn hash(pk: &str) -> usize {
    let hash = pk.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    usize::try_from(hash).unwrap_or_default()
}

// Hand-written: the records are content.
impl fmt::Debug for ShuffledStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShuffledStream")
            .field("seed", &self.seed)
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use threadline::store::StoreExt;

    use proptest::prelude::*;

    use super::*;
    use threadline::entity::Item;
    use threadline::store::Write;

    fn now<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    /// Puts this version of the item.
    fn put(store: &MemoryStore, pk: &str, sk: &str, version: usize) {
        let mut item = Item::new();
        for (name, value) in [("pk", pk), ("sk", sk), ("version", version.to_string().as_str())] {
            item.insert(name, threadline::entity::AttributeValue::S(value.to_owned()));
        }
        now(store.write(Write::put(item))).unwrap().done().unwrap();
    }

    /// Creates a store with items of one partition: all items in version 1, then all in version 2, and so on.
    fn store_of(items: &[&str], versions: usize) -> MemoryStore {
        let store = MemoryStore::new();
        for version in 1..=versions {
            for sk in items {
                put(&store, "A", sk, version);
            }
        }
        store
    }

    /// Returns the sort key and the version of each record.
    fn shown(batch: &Batch) -> Vec<String> {
        let text = |record: &StreamRecord| {
            let item = record.new.as_ref().unwrap();
            format!("{}.{}", item.get_s("sk").unwrap(), item.get_s("version").unwrap())
        };
        batch.records.iter().map(text).collect()
    }

    /// Takes and acknowledges records of the first shard.
    fn take(delivery: &mut ShuffledStream, most: usize) -> Vec<String> {
        let batch = delivery.batch_of(0, most).unwrap();
        delivery.acknowledge(&batch, None);
        shown(&batch)
    }

    #[test]
    fn items_arrive_in_any_order_and_the_records_of_each_in_order() {
        let store = store_of(&["a", "b"], 2);
        let order = |seed| take(&mut ShuffledStream::seeded(store.clone(), seed).shards(1), 10);
        let orders: BTreeSet<_> = (0..100).map(order).collect();
        let expected = [
            ["a.1", "a.2", "b.1", "b.2"],
            ["a.1", "b.1", "a.2", "b.2"],
            ["a.1", "b.1", "b.2", "a.2"],
            ["b.1", "a.1", "a.2", "b.2"],
            ["b.1", "a.1", "b.2", "a.2"],
            ["b.1", "b.2", "a.1", "a.2"],
        ];
        assert_eq!(orders, expected.map(|order| order.map(str::to_owned).to_vec()).into());
        assert_eq!(order(7), order(7), "they follow from the seed");
    }

    #[test]
    fn a_batch_continues_after_the_last_one_with_new_records() {
        let store = store_of(&["a"], 3);
        let mut delivery = ShuffledStream::seeded(store.clone(), 1).shards(1);
        assert_eq!(take(&mut delivery, 2), ["a.1", "a.2"]);
        put(&store, "A", "a", 4);
        assert_eq!(take(&mut delivery, 1), ["a.3"]);
        assert_eq!(take(&mut delivery, 5), ["a.4"]);
        assert!(take(&mut delivery, 5).is_empty());
    }

    #[test]
    fn an_unacknowledged_batch_is_redelivered() {
        let mut delivery = ShuffledStream::seeded(store_of(&["a"], 3), 1).shards(1);
        let lost = delivery.batch_of(0, 2).unwrap();
        let again = delivery.batch_of(0, 3).unwrap();
        assert_eq!(
            (shown(&lost), shown(&again)),
            (vec!["a.1".into(), "a.2".into()], vec!["a.1".into(), "a.2".into(), "a.3".into()])
        );
        delivery.acknowledge(&lost, None);
        assert_eq!(shown(&delivery.batch_of(0, 1).unwrap()), ["a.1"], "it was acknowledged too late");
    }

    #[test]
    fn a_batch_is_redelivered_from_its_first_failed_record() {
        let mut delivery = ShuffledStream::seeded(store_of(&["a"], 4), 1).shards(1);
        let batch = delivery.batch_of(0, 3).unwrap();
        delivery.acknowledge(&batch, batch.records[1].sequence.as_ref());
        assert_eq!(take(&mut delivery, 9), ["a.2", "a.3", "a.4"]);
    }

    #[test]
    fn a_batch_with_an_unknown_failure_is_redelivered_as_a_whole() {
        let mut delivery = ShuffledStream::seeded(store_of(&["a"], 4), 1).shards(1);
        take(&mut delivery, 1);
        let batch = delivery.batch_of(0, 2).unwrap();
        delivery.acknowledge(&batch, Some(&SequenceNumber::from(1)));
        assert_eq!(take(&mut delivery, 9), ["a.2", "a.3", "a.4"]);
    }

    #[test]
    fn a_rewind_redelivers_all_later_records() {
        let mut delivery = ShuffledStream::seeded(store_of(&["a"], 3), 1).shards(1);
        take(&mut delivery, 3);
        delivery.rewind(0, 2);
        assert_eq!(take(&mut delivery, 9), ["a.2", "a.3"]);
        delivery.rewind(0, 9);
        assert_eq!(take(&mut delivery, 9), ["a.1", "a.2", "a.3"]);
    }

    #[test]
    fn a_thousand_acknowledged_records_can_be_redelivered() {
        let mut delivery = ShuffledStream::seeded(store_of(&["a"], 1005), 1).shards(1);
        take(&mut delivery, 1003);
        delivery.rewind(0, usize::MAX);
        let again = take(&mut delivery, usize::MAX);
        assert_eq!((again.len(), again[0].as_str()), (1002, "a.4"));
    }

    #[test]
    fn debug_shows_no_content() {
        let mut delivery = ShuffledStream::seeded(store_of(&["canary"], 1), 5);
        assert_eq!(format!("{delivery:?}"), "ShuffledStream { seed: 5, shards: 3, .. }");
        assert!(!format!("{:?}", delivery.next_batch()).contains("canary"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn all_records_arrive_in_item_order_despite_failures(
            writes in proptest::collection::vec((0..4_usize, 0..3_usize), 0..40),
            seed in any::<u64>(),
            shards in 1..4_usize,
            failures in proptest::collection::vec(0..12_usize, 0..20),
        ) {
            let store = MemoryStore::new();
            let mut delivery = ShuffledStream::seeded(store.clone(), seed).shards(shards);
            let (mut writes_left, mut failures) = (writes.iter().enumerate(), failures.into_iter());
            // For each shard: its records without redeliveries, and the end of the last batch.
            let mut brought: BTreeMap<usize, (Vec<StreamRecord>, usize)> = BTreeMap::new();
            let mut handled: BTreeSet<String> = BTreeSet::new();
            let mut batches = 0;
            loop {
                for (version, (pk, sk)) in writes_left.by_ref().take(3) {
                    put(&store, &pk.to_string(), &sk.to_string(), version);
                }
                let Some(batch) = delivery.next_batch().unwrap() else { break };
                batches += 1;
                prop_assert!(batches < 10_000 && (1..=MOST_DRAWN).contains(&batch.records.len()), "seed {}", seed);
                let (log, end) = brought.entry(batch.shard).or_default();
                let start = log.partition_point(|record| record.sequence < batch.records[0].sequence);
                prop_assert!(start <= *end, "a batch lacks a record, seed {}", seed);
                for (place, record) in (start..).zip(&batch.records) {
                    match log.get(place) {
                        Some(known) => prop_assert_eq!(known, record),
                        None => log.push(record.clone()),
                    }
                }
                *end = start + batch.records.len();
                let failed = failures.next().and_then(|place| batch.records.get(place));
                let done = batch.records.iter().take_while(|record| failed != Some(record));
                handled.extend(done.map(|record| record.sequence.as_ref().unwrap().to_string()));
                delivery.acknowledge(&batch, failed.and_then(|record| record.sequence.as_ref()));
            }
            prop_assert_eq!(writes_left.len(), 0);
            let records = store.records_after(None, usize::MAX).unwrap();
            prop_assert_eq!(handled.len(), records.len(), "seed {}", seed);
            let by_item = |records: &mut dyn Iterator<Item = (Key, Option<Item>)>| {
                let mut items: BTreeMap<Key, Vec<Option<Item>>> = BTreeMap::new();
                records.for_each(|(key, image)| items.entry(key).or_default().push(image));
                items
            };
            let came = brought.values().flat_map(|(log, _)| log);
            let mut came = came.map(|record| (record.key().unwrap(), record.new.clone()));
            let mut wrote = records.into_iter().map(|record| (record.key().unwrap(), record.new));
            prop_assert_eq!(by_item(&mut came), by_item(&mut wrote), "seed {}", seed);
            // A partition is in one shard only.
            let mut place = BTreeMap::new();
            for (shard, (log, _)) in &brought {
                for record in log {
                    prop_assert_eq!(*place.entry(record.key().unwrap().pk).or_insert(*shard), *shard);
                }
            }
        }
    }
}
