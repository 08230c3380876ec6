//! The few keys and names of one episode, so that its operations often meet.

use fastrand::Rng;
use threadline::entity::{
    IndexKey, Key, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, PartitionKey, SortKey, SortKeyPrefix,
};

/// Attributes for any value, besides the keys and `expires_at`.
pub(crate) const ATTRIBUTES: [&str; 8] = ["a", "b", "count", "title", "list", "type", "né é", "😀"];

/// Segments of keys: adjacent in the order of bytes, beyond ASCII, and two that UTF-16 would order differently.
const SEGMENTS: [&str; 14] =
    ["M", "M!", "M1", "M10", "m", "é", "e\u{301}", "\u{ffff}", "\u{10000}", "😀", "日本", " ", "~", "\u{a0}"];

/// The keys that an episode's operations use.
pub(crate) struct Vocabulary {
    partitions: Vec<PartitionKey>,
    sorts: Vec<SortKey>,
    index_partitions: Vec<PartitionKey>,
    index_sorts: Vec<SortKey>,
    /// `true` if items are so large that pages end at 1 MB.
    pub(crate) heavy: bool,
    /// `true` if empty maps are written.
    pub(crate) empty_maps: bool,
}

impl Vocabulary {
    pub(crate) fn draw(rng: &mut Rng, heavy: bool, empty_maps: bool) -> Self {
        let sorts = if heavy { 14 } else { 9 };
        Self {
            partitions: (0..if heavy { 2 } else { 3 }).map(|_| partition(rng)).collect(),
            sorts: (0..sorts).map(|_| sort(rng)).collect(),
            index_partitions: (0..2).map(|_| partition(rng)).collect(),
            index_sorts: (0..6).map(|_| sort(rng)).collect(),
            heavy,
            empty_maps,
        }
    }

    pub(crate) fn key(&self, rng: &mut Rng) -> Key {
        Key::new(self.partition(rng), one(rng, &self.sorts).clone())
    }

    /// Draws distinct keys, at most this many.
    pub(crate) fn keys(&self, rng: &mut Rng, most: usize) -> Vec<Key> {
        let mut keys = Vec::new();
        for _ in 0..rng.usize(1..=most) {
            let key = self.key(rng);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    pub(crate) fn partition(&self, rng: &mut Rng) -> PartitionKey {
        one(rng, &self.partitions).clone()
    }

    pub(crate) fn index_partition(&self, rng: &mut Rng) -> PartitionKey {
        one(rng, &self.index_partitions).clone()
    }

    /// Draws a position in the index, mostly one with items.
    pub(crate) fn index_key(&self, rng: &mut Rng) -> IndexKey {
        IndexKey::new(self.index_partition(rng), self.any_sort(rng, true))
    }

    /// Draws a sort key, mostly one with items, of the index or of the table.
    pub(crate) fn any_sort(&self, rng: &mut Rng, in_index: bool) -> SortKey {
        if rng.u8(0..10) == 0 {
            return sort(rng);
        }
        one(rng, if in_index { &self.index_sorts } else { &self.sorts }).clone()
    }

    /// Draws a prefix of some of the sort keys.
    pub(crate) fn prefix(&self, rng: &mut Rng) -> SortKeyPrefix {
        let first = threadline::entity::KeySegment::new(*one(rng, &SEGMENTS)).expect("a segment is one");
        if rng.bool() {
            return SortKeyPrefix::new((first,));
        }
        let second = threadline::entity::KeySegment::new(*one(rng, &SEGMENTS)).expect("a segment is one");
        SortKeyPrefix::new((first, second))
    }
}

pub(crate) fn one<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

fn text(rng: &mut Rng, most: usize) -> String {
    if rng.u8(0..40) == 0 {
        // As long as a key may be, to the byte; half of the time with characters of two bytes.
        return if rng.bool() { "k".repeat(most) } else { "é".repeat(most / 2) };
    }
    let segments: Vec<&str> = (0..rng.usize(1..=3)).map(|_| *one(rng, &SEGMENTS)).collect();
    segments.join("#")
}

fn partition(rng: &mut Rng) -> PartitionKey {
    PartitionKey::parse(text(rng, MAX_PARTITION_KEY_BYTES)).expect("the text is a key's")
}

fn sort(rng: &mut Rng) -> SortKey {
    SortKey::parse(text(rng, MAX_SORT_KEY_BYTES)).expect("the text is a key's")
}
