//! The shards of a stream, their positions, and the choice of the shards to read.
//!
//! A shard gets records for some hours, then ends and has children. An item's later records are in a child of the
//! earlier shard, so a parent is read to its end before its children.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{Checkpoint, Position};
use crate::text::KeySegment;

/// The number of equal answers in a row that confirm that a shard or stream is gone, or that no shard is left to read.
pub(super) const CONFIRMATIONS: u32 = 3;

/// A shard as the service lists it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: KeySegment,
    pub(super) parent: Option<KeySegment>,
    /// `true` if the shard gets no more records.
    pub(super) is_closed: bool,
}

/// The start position of a [`Poller`](super::Poller) in a stream that it has never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollStart {
    /// At the oldest available record. The stream keeps records for 24 hours.
    #[default]
    Oldest,
    /// After the newest record.
    ///
    /// The poller misses no record that is written after it has started. Therefore, it reads a shard from its oldest
    /// record if the first list omits the shard, or if the shard's first iterator fails.
    Latest,
}

/// A shard and its position.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: KeySegment,
    pub(super) parent: Option<KeySegment>,
    /// `true` if the shard gets no more records.
    pub(super) is_closed: bool,
    /// `true` if a list had the shard, or the service returned a page of it.
    pub(super) is_listed: bool,
    pub(super) position: Position,
    /// `true` if the position is in the table.
    pub(super) is_saved: bool,
    /// `true` if the first iterator starts after the newest record.
    pub(super) from_latest: bool,
    /// The iterator of the next read, if known.
    pub(super) iterator: Option<String>,
    /// The number of reads without a record, in a row.
    pub(super) empty_reads: u32,
    /// The number of failed steps in a row.
    pub(super) failed: u32,
    /// The number of consecutive answers by which the shard does not exist.
    pub(super) refused: u32,
    /// The number of consecutive lists of shards without this shard.
    unlisted: u32,
    /// `true` if the first list had the shard or a descendant. Then records that were gone at the time of that list do
    /// not count as lost.
    pub(super) is_first: bool,
    /// `true` if the records after the position are gone, and this was reported. The poller then reads the shard
    /// from its oldest available record.
    pub(super) is_trimmed: bool,
}

/// All shards of a stream.
#[derive(Debug, Default)]
pub(super) struct Shards {
    shards: BTreeMap<KeySegment, Shard>,
    /// `true` if the stream's shards were listed before, or if the stream replaces another. Then a further shard is
    /// new.
    was_listed: bool,
    /// The number of consecutive lists of shards after which nothing was left to read.
    pub(super) idle: u32,
    /// The number of consecutive answers by which the stream does not exist.
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

    /// Returns `true` while a drain must read the shard: a closed one to its end, an open one until `max_empty_reads`.
    pub(super) fn is_undrained(&self, max_empty_reads: u32) -> bool {
        self.is_closed || self.empty_reads < max_empty_reads
    }

    /// Returns `true` for a parent that is known only from its unread child: no list had it.
    fn is_inferred(&self) -> bool {
        !self.is_saved && !self.is_listed
    }

    /// Returns `true` if records are lost with the shard. Those of a shard that was gone before the first list are not.
    ///
    /// A shard that the first list left out counts as new, so its missing parent counts as lost.
    pub(super) fn loses_records(&self) -> bool {
        !self.is_inferred() || !self.is_first
    }

    fn awaits_list(&self) -> bool {
        self.is_inferred() && self.position != Position::End && self.unlisted < CONFIRMATIONS
    }
}

impl Shards {
    /// Restores the shards from the checkpoints of a stream. `None` means that the stream is the first and was never
    /// read.
    pub(super) fn of(checkpoints: Option<Vec<Checkpoint>>) -> Self {
        let was_listed = checkpoints.is_some();
        let shard = |Checkpoint { shard_id, parent, position, is_first, .. }: Checkpoint| {
            (shard_id.clone(), Shard { parent, is_first, ..Shard::new(shard_id, position, true) })
        };
        Self { shards: checkpoints.into_iter().flatten().map(shard).collect(), was_listed, ..Self::default() }
    }

    /// Adds the shards that the service lists, and returns those whose checkpoints are no longer needed.
    ///
    /// A list may be incomplete. So a shard that it leaves out is kept until it is read to its end, or the service
    /// refuses it. For a missing parent, the poller waits for some lists and then tries to read it, before it reads
    /// the child.
    pub(super) fn update(&mut self, listed: Vec<Listed>, is_disabled: bool, start: PollStart) -> Vec<KeySegment> {
        let is_first = !std::mem::replace(&mut self.was_listed, true);
        let from_latest = start == PollStart::Latest && is_first;
        for shard in self.shards.values_mut() {
            shard.unlisted = shard.unlisted.saturating_add(1);
            shard.is_closed |= is_disabled;
            // The latest record now is another one than at the first list.
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
                // A shard with a child gets no more records, even if no list shows it as closed.
                shard.is_closed = true;
            }
        }
        self.idle = if self.unread().next().is_some() { 0 } else { self.idle.saturating_add(1) };
        self.refused = 0;
        // A finished shard is kept while an unread child would wait for it otherwise. In a disabled stream all are
        // kept, so that another process finds the checkpoints of this stream, not of the next.
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

    /// Returns the shards that are not read to their end.
    fn unread(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values().filter(|shard| shard.position != Position::End)
    }

    /// Returns the shards whose records are lost with the stream.
    pub(super) fn lost(&self) -> impl Iterator<Item = &Shard> {
        self.unread().filter(|shard| shard.loses_records())
    }

    /// Returns the shards that may be read now: unread ones whose parent is read to its end or gone.
    pub(super) fn readable(&mut self) -> impl Iterator<Item = &mut Shard> {
        let unread: BTreeSet<_> = self.unread().map(|shard| shard.id.clone()).collect();
        let ready: BTreeSet<_> = unread.iter().filter(|id| !self.waits(id, &unread)).cloned().collect();
        self.shards.values_mut().filter(move |shard| ready.contains(&shard.id) && !shard.awaits_list())
    }

    /// Returns `true` while the poller waits for a list with a missing parent. Only a list names the parent's own
    /// parent.
    pub(super) fn awaits_list(&self) -> bool {
        self.shards.values().any(Shard::awaits_list)
    }

    /// Returns `true` if the shard's parent must be read first. Shards that name each other as parents do not wait.
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

    /// Returns the listed shards without a checkpoint.
    pub(super) fn unsaved(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.shards.values_mut().filter(|shard| !shard.is_saved && shard.is_listed)
    }

    /// Counts an answer that the stream does not exist. Returns `true` if this is certain.
    ///
    /// It is certain at once if the poller never saw the stream and none follows it.
    pub(super) fn refuse(&mut self, has_next: bool) -> bool {
        self.refused = self.refused.saturating_add(1);
        self.refused >= CONFIRMATIONS || !(self.was_listed || has_next)
    }

    /// Resets the counters of empty reads, failed steps and idle lists.
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
        // In no particular order: a has the children b and c, and b has the child d.
        let listed = [open("d", Some("b")), closed("b", Some("a")), open("c", Some("a")), closed("a", None)];
        assert_eq!(shards.update(listed.to_vec(), false, PollStart::Oldest), []);
        assert_eq!(readable(&mut shards), ["a"]);
        end(&mut shards, "a");
        assert_eq!(readable(&mut shards), ["b", "c"]);
        end(&mut shards, "b");
        assert_eq!(readable(&mut shards), ["c", "d"]);
    }

    #[test]
    fn unlisted_parent_is_tried_first() {
        let mut shards = Shards::default();
        shards.update(vec![open("b", Some("a"))], false, PollStart::Oldest);
        for _ in 0..CONFIRMATIONS {
            assert_eq!(readable(&mut shards), Vec::<String>::new());
            assert!(shards.awaits_list());
            shards.update(vec![open("b", Some("a"))], false, PollStart::Oldest);
        }
        assert_eq!(readable(&mut shards), ["a"]);
        assert!(shards.readable().all(|shard| !shard.loses_records()), "it was gone before the first list");
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
    fn reading_continues_from_the_checkpoints() {
        let position = Position::After(7.into());
        let mut shards = Shards::of(Some(vec![checkpoint("a", Position::End), checkpoint("b", position.clone())]));
        shards.update(vec![closed("a", None), open("b", Some("a")), open("c", Some("a"))], false, PollStart::Latest);
        let positions: Vec<_> = shards.readable().map(|shard| (shard.position.clone(), shard.is_saved)).collect();
        assert_eq!(
            positions,
            [(position, true), (Position::TrimHorizon, false)],
            "the start applies to new streams only"
        );
    }

    #[test]
    fn checkpoint_keeps_the_parent_that_a_list_leaves_out() {
        let child = Checkpoint::new("arn", &id("b"), Some(id("a")), Position::TrimHorizon);
        let mut shards = Shards::of(Some(vec![checkpoint("a", Position::After(7.into())), child]));
        shards.update(vec![closed("a", None), open("b", None)], false, PollStart::Oldest);
        assert_eq!(readable(&mut shards), ["a"]);
    }

    #[test]
    fn list_does_not_move_a_shard() {
        let mut shards = Shards::default();
        shards.update(vec![open("a", None)], false, PollStart::Oldest);
        shards.readable().for_each(|shard| shard.position = Position::After(3.into()));
        shards.update(vec![closed("a", None)], false, PollStart::Oldest);
        let positions: Vec<_> = shards.readable().map(|shard| shard.position.clone()).collect();
        assert_eq!(positions, [Position::After(3.into())]);
    }

    #[test]
    fn shard_that_a_list_leaves_out_is_kept() {
        let mut shards =
            Shards::of(Some(vec![checkpoint("a", Position::End), checkpoint("b", Position::After(7.into()))]));
        let mut update = || shards.update(vec![open("c", Some("b"))], false, PollStart::Oldest);
        assert_eq!((update(), update()), (vec![], vec![]));
        assert_eq!(update(), [id("a")], "it is finished, and three lists in a row left it out");
        assert_eq!(update(), []);
        assert_eq!(readable(&mut shards), ["b"], "it was not read to its end");
    }

    #[test]
    fn start_at_latest_applies_to_the_first_list_only() {
        for first in [vec![], vec![open("a", None)]] {
            let mut shards = Shards::default();
            shards.update(first, false, PollStart::Latest);
            shards.update(vec![open("a", None), open("b", None)], false, PollStart::Latest);
            let later = shards.readable().find(|shard| shard.id == id("b")).unwrap();
            assert_eq!((later.from_latest, &later.position), (false, &Position::TrimHorizon));
        }
    }

    #[test]
    fn start_at_latest_skips_closed_shards() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", Some("a"))], false, PollStart::Latest);
        let from: Vec<_> = shards.readable().map(|shard| (shard.id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("b".to_owned(), true)]);
        // A later shard is read from its oldest record.
        shards.update(vec![closed("a", None), closed("b", Some("a")), open("c", Some("b"))], false, PollStart::Latest);
        end(&mut shards, "b");
        let from: Vec<_> = shards.readable().map(|shard| (shard.id.to_string(), shard.from_latest)).collect();
        assert_eq!(from, [("c".to_owned(), false)]);
    }

    #[test]
    fn drain_ends_at_empty_reads_of_an_open_shard_or_the_end_of_a_closed_one() {
        let mut shards = Shards::default();
        shards.update(vec![closed("a", None), open("b", None)], false, PollStart::Oldest);
        shards.readable().for_each(|shard| shard.empty_reads = 5);
        let undrained: Vec<_> =
            shards.readable().filter(|shard| shard.is_undrained(5)).map(|shard| shard.id.to_string()).collect();
        assert_eq!(undrained, ["a"]);
        shards.begin();
        assert!(shards.readable().all(|shard| shard.is_undrained(5)));
    }
}
