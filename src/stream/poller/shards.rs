//! Which shards there are, how far each has been read, and which may be read now.
//!
//! A shard gets records for some hours, then ends and has children. An item's records lie in one shard after the other, so a
//! parent is read to its end before its children are begun.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{Checkpoint, Position};
use crate::text::KeySegment;

/// How many times in a row the service must say the same before it is believed: that a shard is gone, or that nothing is left.
pub(super) const CONFIRMATIONS: u32 = 3;

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
    /// After the newest record: what is written from now on. A shard is read from its oldest record instead if a list left it out at
    /// first, or if its first iterator failed, so that nothing that is written later is missed.
    Latest,
}

/// A shard, and how far it has been read.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: KeySegment,
    pub(super) parent: Option<KeySegment>,
    /// It gets no more records.
    pub(super) is_closed: bool,
    /// A list had it, or the service has given a page of it.
    pub(super) is_listed: bool,
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
    /// How many times in a row the service said that there is no such shard.
    pub(super) refused: u32,
    /// How many lists in a row did not have it.
    unlisted: u32,
    /// The first list of the stream had it, or it is an ancestor of one of those. What was gone before is not missed.
    pub(super) is_first: bool,
    /// The records after its position are gone, which was reported. It is read from the oldest record that is left.
    pub(super) is_trimmed: bool,
}

/// All shards of a stream.
#[derive(Debug, Default)]
pub(super) struct Shards {
    shards: BTreeMap<KeySegment, Shard>,
    /// The stream has been listed, or follows another, so that a shard listed later was born later.
    was_listed: bool,
    /// How many lists in a row left nothing to read.
    pub(super) idle: u32,
    /// How many times in a row the service said that there is no such stream.
    refused: u32,
}

impl Shard {
    fn new(id: KeySegment, position: Position, is_saved: bool) -> Self {
        Self {
            id,
            parent: None,
            is_closed: false,
            is_listed: false,
            position,
            is_saved,
            from_latest: false,
            iterator: None,
            empty_reads: 0,
            failed: 0,
            refused: 0,
            unlisted: 0,
            is_first: false,
            is_trimmed: false,
        }
    }

    /// Returns `true` while there may be records that a drain has not read: it reads a closed shard to its end, an open one
    /// until so many reads in a row had no record.
    pub(super) fn is_undrained(&self, most_empty_reads: u32) -> bool {
        self.is_closed || self.empty_reads < most_empty_reads
    }

    /// Returns `true` for the parent of an unread shard that no list had.
    fn is_guess(&self) -> bool {
        !self.is_saved && !self.is_listed
    }

    /// Returns `true` if records are lost with the shard: not if it was gone before the stream was begun. A shard that the first
    /// list left out counts as born later, so a parent that was gone by then counts as lost.
    pub(super) fn loses_records(&self) -> bool {
        !self.is_guess() || !self.is_first
    }

    fn awaits_list(&self) -> bool {
        self.is_guess() && self.position != Position::End && self.unlisted < CONFIRMATIONS
    }
}

impl Shards {
    /// Restores what the checkpoints know. Each shard has still to be listed. `None` stands for a stream to begin: it does
    /// not follow another, and has not been begun.
    pub(super) fn of(checkpoints: Option<Vec<Checkpoint>>) -> Self {
        let was_listed = checkpoints.is_some();
        let shard = |Checkpoint { shard_id, parent, position, is_first, .. }: Checkpoint| {
            (shard_id.clone(), Shard { parent, is_first, ..Shard::new(shard_id, position, true) })
        };
        Self { shards: checkpoints.into_iter().flatten().map(shard).collect(), was_listed, ..Self::default() }
    }

    /// Adds the shards that the service lists, and returns those whose checkpoints are no longer needed.
    ///
    /// A list may be incomplete. So a shard that it leaves out is kept until it was read to its end or the service refuses it. A
    /// parent that it leaves out is waited for, and then tried, before the child is read.
    pub(super) fn update(&mut self, listed: Vec<Listed>, is_disabled: bool, start: PollStart) -> Vec<KeySegment> {
        let is_first = !std::mem::replace(&mut self.was_listed, true);
        let from_latest = start == PollStart::Latest && is_first;
        for shard in self.shards.values_mut() {
            shard.unlisted = shard.unlisted.saturating_add(1);
            shard.is_closed |= is_disabled;
            // What is the latest record now, was not when the stream was begun.
            shard.from_latest = false;
        }
        for Listed { id, parent, is_closed } in listed {
            let is_closed = is_closed || is_disabled;
            let shard = self.shards.entry(id.clone()).or_insert_with(|| {
                let position = if from_latest && is_closed { Position::End } else { Position::TrimHorizon };
                Shard { from_latest, is_first, ..Shard::new(id, position, false) }
            });
            shard.parent = parent.or(shard.parent.take());
            (shard.is_listed, shard.unlisted) = (true, 0);
            shard.is_closed |= is_closed;
        }
        let has_parent = |shard: &Shard| {
            let is_begun = shard.from_latest || shard.position != Position::TrimHorizon;
            Some((shard.parent.clone()?, shard.is_first, is_begun))
        };
        let parents: Vec<_> = self.shards.values().filter_map(has_parent).collect();
        for (parent, is_first, is_begun) in parents {
            if !is_begun {
                let unlisted = || Shard::new(parent.clone(), Position::TrimHorizon, false);
                self.shards.entry(parent.clone()).or_insert_with(unlisted);
            }
            if let Some(shard) = self.shards.get_mut(&parent) {
                shard.is_first |= is_first;
                // A shard that has a child gets no more records, even if no list says so.
                shard.is_closed = true;
            }
        }
        self.idle = if self.unread().next().is_some() { 0 } else { self.idle.saturating_add(1) };
        self.refused = 0;
        // A finished shard is remembered as long as a child would be kept waiting for it otherwise, and in a disabled stream, so
        // that another process knows that this stream was begun, not the next.
        let unread = self.shards.values().filter(|shard| shard.position == Position::TrimHorizon);
        let awaited: BTreeSet<_> = unread.filter_map(|shard| shard.parent.clone()).collect();
        let is_done = |shard: &Shard| {
            let is_awaited = is_disabled || awaited.contains(&shard.id);
            shard.position == Position::End && shard.unlisted >= CONFIRMATIONS && !is_awaited
        };
        let saved = self.shards.values().filter(|shard| is_done(shard) && shard.is_saved);
        let saved = saved.map(|shard| shard.id.clone()).collect();
        self.shards.retain(|_, shard| !is_done(shard));
        saved
    }

    /// Returns the shards with records to come.
    fn unread(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values().filter(|shard| shard.position != Position::End)
    }

    /// Returns the shards whose records are lost if the stream is.
    pub(super) fn lost(&self) -> impl Iterator<Item = &Shard> {
        self.unread().filter(|shard| shard.loses_records())
    }

    /// Returns the shards that may be read now: those with records to come, whose parent has been read to its end, or is gone.
    pub(super) fn readable(&mut self) -> impl Iterator<Item = &mut Shard> {
        let unread: BTreeSet<_> = self.unread().map(|shard| shard.id.clone()).collect();
        let ready: BTreeSet<_> = unread.iter().filter(|id| !self.waits(id, &unread)).cloned().collect();
        self.shards.values_mut().filter(move |shard| ready.contains(&shard.id) && !shard.awaits_list())
    }

    /// Returns `true` while a parent that no list had is waited for: with it, a list would tell the parent's own parent.
    pub(super) fn awaits_list(&self) -> bool {
        self.shards.values().any(Shard::awaits_list)
    }

    /// Returns `true` if the shard's parent is to be read first. Shards that name each other as parents do not wait.
    fn waits(&self, id: &KeySegment, unread: &BTreeSet<KeySegment>) -> bool {
        let parent_of = |id: &KeySegment| self.shards.get(id).and_then(|shard| shard.parent.clone());
        let mut ancestor = parent_of(id).filter(|parent| unread.contains(parent));
        let waits = ancestor.is_some();
        for _ in 0..unread.len() {
            match ancestor {
                Some(found) if found == *id => return false,
                Some(found) => ancestor = parent_of(&found).filter(|parent| unread.contains(parent)),
                None => break,
            }
        }
        waits
    }

    /// Returns the listed shards whose position is not in the table yet.
    pub(super) fn unsaved(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.shards.values_mut().filter(|shard| !shard.is_saved && shard.is_listed)
    }

    /// Notes that the service says that there is no such stream. Returns `true` if it is to be believed: at once, if the stream has
    /// never been there for the poller and none follows it.
    pub(super) fn refuse(&mut self, has_next: bool) -> bool {
        self.refused = self.refused.saturating_add(1);
        self.refused >= CONFIRMATIONS || !(self.was_listed || has_next)
    }

    /// Forgets how many reads had no record, how many failed, and how many lists left nothing to read.
    pub(super) fn begin(&mut self) {
        self.idle = 0;
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
        Checkpoint::new("arn", &id(name), None, position)
    }

    fn readable(shards: &mut Shards) -> Vec<String> {
        shards.readable().map(|shard| shard.id.to_string()).collect()
    }

    fn end(shards: &mut Shards, name: &str) {
        let shard = shards.readable().find(|shard| shard.id == id(name)).unwrap();
        shard.position = Position::End;
    }

    #[test]
    fn parents_are_read_before_their_children() {
        let mut shards = Shards::default();
        // Listed in no particular order: a splits into b and c, b goes on as d.
        let listed = [open("d", Some("b")), closed("b", Some("a")), open("c", Some("a")), closed("a", None)];
        assert_eq!(shards.update(listed.to_vec(), false, PollStart::Oldest), []);
        assert_eq!(readable(&mut shards), ["a"]);
        end(&mut shards, "a");
        assert_eq!(readable(&mut shards), ["b", "c"]);
        end(&mut shards, "b");
        assert_eq!(readable(&mut shards), ["c", "d"]);
    }

    #[test]
    fn a_parent_that_no_list_has_is_tried_first() {
        let mut shards = Shards::default();
        shards.update(vec![open("b", Some("a"))], false, PollStart::Oldest);
        for _ in 0..CONFIRMATIONS {
            assert_eq!(readable(&mut shards), Vec::<String>::new());
            assert!(shards.awaits_list());
            shards.update(vec![open("b", Some("a"))], false, PollStart::Oldest);
        }
        assert_eq!(readable(&mut shards), ["a"]);
        assert!(shards.readable().all(|shard| !shard.loses_records()), "it was gone before the stream was begun");
        end(&mut shards, "a");
        assert_eq!(readable(&mut shards), ["b"]);
    }

    #[test]
    fn shards_that_name_each_other_as_parents_are_read() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", Some("b")), open("b", Some("a")), open("c", Some("b"))], false, PollStart::Oldest);
        assert_eq!(readable(&mut shards), ["a", "b"]);
    }

    #[test]
    fn all_shards_of_a_disabled_stream_are_closed() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", None)], true, PollStart::Oldest);
        assert!(shards.readable().all(|shard| shard.is_closed));
    }

    #[test]
    fn reading_goes_on_from_the_checkpoints() {
        let position = Position::After(7.into());
        let mut shards = Shards::of(Some(vec![checkpoint("a", Position::End), checkpoint("b", position.clone())]));
        shards.update(vec![closed("a", None), open("b", Some("a")), open("c", Some("a"))], false, PollStart::Latest);
        let places: Vec<_> = shards.readable().map(|shard| (shard.position.clone(), shard.is_saved)).collect();
        assert_eq!(places, [(position, true), (Position::TrimHorizon, false)], "the start is for new streams alone");
    }

    #[test]
    fn a_checkpoint_keeps_the_parent_that_a_list_leaves_out() {
        let child = Checkpoint::new("arn", &id("b"), Some(id("a")), Position::TrimHorizon);
        let mut shards = Shards::of(Some(vec![checkpoint("a", Position::After(7.into())), child]));
        shards.update(vec![closed("a", None), open("b", None)], false, PollStart::Oldest);
        assert_eq!(readable(&mut shards), ["a"]);
    }

    #[test]
    fn a_listing_does_not_move_a_shard() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", None)], false, PollStart::Oldest);
        shards.readable().for_each(|shard| shard.position = Position::After(3.into()));
        shards.update(vec![closed("a", None)], false, PollStart::Oldest);
        let places: Vec<_> = shards.readable().map(|shard| shard.position.clone()).collect();
        assert_eq!(places, [Position::After(3.into())]);
    }

    #[test]
    fn a_shard_that_a_list_leaves_out_is_kept() {
        let mut shards =
            Shards::of(Some(vec![checkpoint("a", Position::End), checkpoint("b", Position::After(7.into()))]));
        let mut update = || shards.update(vec![open("c", Some("b"))], false, PollStart::Oldest);
        assert_eq!((update(), update()), (vec![], vec![]));
        assert_eq!(update(), [id("a")], "it is finished, and three lists in a row did not have it");
        assert_eq!(update(), []);
        assert_eq!(readable(&mut shards), ["b"], "it was not read to its end");
    }

    #[test]
    fn a_start_at_the_latest_is_for_the_first_list_alone() {
        for first in [vec![], vec![open("a", None)]] {
            let mut shards = Shards::default();
            shards.update(first, false, PollStart::Latest);
            shards.update(vec![open("a", None), open("b", None)], false, PollStart::Latest);
            let born_later = shards.readable().find(|shard| shard.id == id("b")).unwrap();
            assert_eq!((born_later.from_latest, &born_later.position), (false, &Position::TrimHorizon));
        }
    }

    #[test]
    fn a_start_at_the_latest_passes_over_what_has_ended() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", Some("a"))], false, PollStart::Latest);
        let from: Vec<_> = shards.readable().map(|shard| (shard.id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("b".to_owned(), true)]);
        // What comes later is read from its beginning.
        shards.update(vec![closed("a", None), closed("b", Some("a")), open("c", Some("b"))], false, PollStart::Latest);
        end(&mut shards, "b");
        let from: Vec<_> = shards.readable().map(|shard| (shard.id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("c".to_owned(), false)]);
    }

    #[test]
    fn a_drain_leaves_an_open_shard_after_some_empty_reads_and_a_closed_one_at_its_end() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", None)], false, PollStart::Oldest);
        shards.readable().for_each(|shard| shard.empty_reads = 5);
        let left: Vec<_> =
            shards.readable().filter(|shard| shard.is_undrained(5)).map(|shard| shard.id.to_string()).collect();
        assert_eq!(left, ["a"]);
        shards.begin();
        assert!(shards.readable().all(|shard| shard.is_undrained(5)));
    }
}
