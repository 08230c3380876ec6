//! Which shards there are, how far each has been read, and which may be read now.
//!
//! A shard gets records for some hours, then ends and has children. An item's records lie in one shard after the other, so a
//! parent is read to its end before its children are begun.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{Checkpoint, Position};
use crate::text::KeySegment;

/// A shard as the service lists it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: KeySegment,
    pub(super) parent: Option<KeySegment>,
    /// It gets no more records.
    pub(super) is_closed: bool,
}

/// Where to begin in a stream that was never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollStart {
    /// At the oldest record that is left: the stream keeps them for 24 hours.
    #[default]
    Oldest,
    /// Behind the newest record: what is written from now on.
    Latest,
}

/// A shard, and how far it has been read.
#[derive(Debug)]
pub(super) struct Shard {
    parent: Option<KeySegment>,
    is_closed: bool,
    pub(super) position: Position,
    /// Whether its position is in the table.
    pub(super) is_saved: bool,
    /// Whether its first iterator begins behind the newest record.
    pub(super) from_latest: bool,
    /// Where the next read begins, when that is known.
    pub(super) iterator: Option<String>,
    /// How many reads in a row had no record.
    pub(super) empty_reads: u32,
    /// How many steps in a row failed.
    pub(super) failed: u32,
}

/// All shards of a stream.
#[derive(Debug, Default)]
pub(super) struct Shards {
    shards: BTreeMap<KeySegment, Shard>,
}

/// A shard that is not listed any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) id: KeySegment,
    /// It had not been read to its end.
    pub(super) lost_records: bool,
}

impl Shard {
    fn new(position: Position, is_saved: bool) -> Self {
        Self {
            parent: None,
            is_closed: false,
            position,
            is_saved,
            from_latest: false,
            iterator: None,
            empty_reads: 0,
            failed: 0,
        }
    }

    /// Whether there may be records that a drain has not read: it reads a closed shard to its end, an open one until so many
    /// reads in a row had no record.
    pub(super) fn is_undrained(&self, most_empty_reads: u32) -> bool {
        self.is_closed || self.empty_reads < most_empty_reads
    }
}

impl Shards {
    /// What the checkpoints know. Each shard has still to be listed.
    pub(super) fn of(checkpoints: Vec<Checkpoint>) -> Self {
        let shard = |checkpoint: Checkpoint| (checkpoint.shard_id, Shard::new(checkpoint.position, true));
        Self { shards: checkpoints.into_iter().map(shard).collect() }
    }

    /// Takes in the shards that the service lists, all of them, and gives back those that are gone.
    pub(super) fn update(&mut self, listed: Vec<Listed>, start: PollStart) -> Vec<Gone> {
        let from_latest = start == PollStart::Latest && self.shards.is_empty();
        let ids: BTreeSet<_> = listed.iter().map(|listed| listed.id.clone()).collect();
        for Listed { id, parent, is_closed } in listed {
            let shard = self.shards.entry(id).or_insert_with(|| {
                let position = if from_latest && is_closed { Position::End } else { Position::TrimHorizon };
                Shard { from_latest, ..Shard::new(position, false) }
            });
            shard.parent = parent;
            shard.is_closed = is_closed;
        }
        let mut gone = Vec::new();
        self.shards.retain(|id, shard| {
            let is_listed = ids.contains(id);
            if !is_listed {
                gone.push(Gone { id: id.clone(), lost_records: shard.position != Position::End });
            }
            is_listed
        });
        gone
    }

    /// The shards that may be read now: those with records to come, whose parent has been read to its end, or is gone.
    pub(super) fn readable(&mut self) -> impl Iterator<Item = (&KeySegment, &mut Shard)> {
        let unread: BTreeSet<_> =
            self.shards.iter().filter(|(_, shard)| shard.position != Position::End).map(|(id, _)| id.clone()).collect();
        self.shards.iter_mut().filter(move |(id, shard)| {
            unread.contains(*id) && !shard.parent.as_ref().is_some_and(|parent| unread.contains(parent))
        })
    }

    /// The shards whose position is not in the table yet.
    pub(super) fn unsaved(&mut self) -> impl Iterator<Item = (&KeySegment, &mut Shard)> {
        self.shards.iter_mut().filter(|(_, shard)| !shard.is_saved)
    }

    /// Forgets how many reads had no record, and how many failed.
    pub(super) fn begin(&mut self) {
        self.shards.values_mut().for_each(|shard| (shard.empty_reads, shard.failed) = (0, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> KeySegment {
        KeySegment::new(name).unwrap()
    }

    fn open(name: &str, parent: Option<&str>) -> Listed {
        Listed { id: id(name), parent: parent.map(id), is_closed: false }
    }

    fn closed(name: &str, parent: Option<&str>) -> Listed {
        Listed { is_closed: true, ..open(name, parent) }
    }

    fn checkpoint(name: &str, position: Position) -> Checkpoint {
        Checkpoint::new("arn", &id(name), position)
    }

    fn readable(shards: &mut Shards) -> Vec<String> {
        shards.readable().map(|(id, _)| id.to_string()).collect()
    }

    fn end(shards: &mut Shards, name: &str) {
        let (_, shard) = shards.readable().find(|(shard, _)| **shard == id(name)).unwrap();
        shard.position = Position::End;
    }

    #[test]
    fn parents_are_read_before_their_children() {
        let mut shards = Shards::default();
        // Listed in no particular order: a splits into b and c, b goes on as d.
        let listed = [open("d", Some("b")), closed("b", Some("a")), open("c", Some("a")), closed("a", None)];
        assert_eq!(shards.update(listed.to_vec(), PollStart::Oldest), []);
        assert_eq!(readable(&mut shards), ["a"]);
        end(&mut shards, "a");
        assert_eq!(readable(&mut shards), ["b", "c"]);
        end(&mut shards, "b");
        assert_eq!(readable(&mut shards), ["c", "d"]);
    }

    #[test]
    fn a_shard_whose_parent_is_not_listed_is_read_at_once() {
        let mut shards = Shards::default();
        shards.update(vec![open("b", Some("trimmed"))], PollStart::Oldest);
        assert_eq!(readable(&mut shards), ["b"]);
    }

    #[test]
    fn two_shards_that_name_each_other_as_parent_are_never_read_and_nothing_hangs() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", Some("b")), open("b", Some("a"))], PollStart::Oldest);
        assert_eq!(readable(&mut shards), Vec::<String>::new());
    }

    #[test]
    fn reading_goes_on_from_the_checkpoints() {
        let position = Position::After(7.into());
        let mut shards = Shards::of(vec![checkpoint("a", Position::End), checkpoint("b", position.clone())]);
        shards.update(vec![closed("a", None), open("b", Some("a")), open("c", Some("a"))], PollStart::Latest);
        let places: Vec<_> = shards.readable().map(|(_, shard)| (shard.position.clone(), shard.is_saved)).collect();
        assert_eq!(places, [(position, true), (Position::TrimHorizon, false)], "the start is for new streams alone");
    }

    #[test]
    fn a_listing_does_not_move_a_shard() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", None)], PollStart::Oldest);
        shards.readable().for_each(|(_, shard)| shard.position = Position::After(3.into()));
        shards.update(vec![closed("a", None)], PollStart::Oldest);
        let places: Vec<_> = shards.readable().map(|(_, shard)| shard.position.clone()).collect();
        assert_eq!(places, [Position::After(3.into())]);
    }

    #[test]
    fn a_shard_that_went_before_its_end_lost_records() {
        let mut shards = Shards::of(vec![checkpoint("a", Position::End), checkpoint("b", Position::After(7.into()))]);
        let gone = shards.update(vec![open("c", Some("b"))], PollStart::Oldest);
        let expected = [Gone { id: id("a"), lost_records: false }, Gone { id: id("b"), lost_records: true }];
        assert_eq!(gone, expected);
        assert_eq!(readable(&mut shards), ["c"]);
        assert_eq!(shards.update(vec![open("c", Some("b"))], PollStart::Oldest), [], "and is told of once");
    }

    #[test]
    fn a_start_at_the_latest_passes_over_what_has_ended() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", Some("a"))], PollStart::Latest);
        let from: Vec<_> = shards.readable().map(|(id, shard)| (id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("b".to_owned(), true)]);
        // What comes later is read from its beginning.
        shards.update(vec![closed("a", None), closed("b", Some("a")), open("c", Some("b"))], PollStart::Latest);
        end(&mut shards, "b");
        let from: Vec<_> = shards.readable().map(|(id, shard)| (id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("c".to_owned(), false)]);
    }

    #[test]
    fn a_drain_leaves_an_open_shard_after_some_empty_reads_and_a_closed_one_at_its_end() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", None)], PollStart::Oldest);
        shards.readable().for_each(|(_, shard)| shard.empty_reads = 5);
        let left: Vec<_> =
            shards.readable().filter(|(_, shard)| shard.is_undrained(5)).map(|(id, _)| id.to_string()).collect();
        assert_eq!(left, ["a"]);
        shards.begin();
        assert!(shards.readable().all(|(_, shard)| shard.is_undrained(5)));
    }
}
