//! The stream's shards, and the projectors that work on them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use threadline::stream::{Projector, RecordOutcome, StreamRecord};

use super::executor::pause;
use super::extra_items::{is_extra_item, is_foreign};
use super::violation::Breach;
use super::world::World;
use crate::ShuffledStream;
use crate::random::Random;

/// The stream, and the projectors of its shards.
#[derive(Debug)]
pub(super) struct Shards {
    delivery: RefCell<ShuffledStream>,
    shards: Vec<Shard>,
    /// The number of projectors that process a batch.
    busy: Cell<usize>,
    pub(super) delivered: Cell<u64>,
    /// The number of times that the stream moved back.
    pub(super) rewinds: Cell<u64>,
}

#[derive(Debug, Default)]
struct Shard {
    /// The number of takeovers. A projector with an older number stops after its current batch.
    lease: Cell<u32>,
    /// `true` if the last read found nothing.
    is_empty: Cell<bool>,
}

impl Shards {
    pub(super) fn new(world: &World, random: &mut Random) -> Self {
        let count = world.parameters.shards;
        let delivery = ShuffledStream::seeded(world.store.clone(), random.next()).shards(count);
        let shards = (0..count).map(|_| Shard::default()).collect();
        let (busy, delivered, rewinds) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { delivery: RefCell::new(delivery), shards, busy, delivered, rewinds }
    }

    /// Records that something was written.
    pub(super) fn have_more(&self) {
        for shard in &self.shards {
            shard.is_empty.set(false);
        }
    }

    /// Returns `true` if everything is delivered and no projector is busy.
    pub(super) fn are_empty(&self) -> bool {
        self.busy.get() == 0 && self.shards.iter().all(|shard| shard.is_empty.get())
    }

    /// Assigns the shard to another projector, and returns its lease number.
    pub(super) fn take_over(&self, shard: usize) -> u32 {
        let Some(shard) = self.shards.get(shard) else { return 0 };
        shard.lease.set(shard.lease.get().wrapping_add(1));
        shard.lease.get()
    }
}

/// Projects a shard's records until another projector takes over.
pub(super) async fn work(
    world: Rc<World>,
    shards: Rc<Shards>,
    projector: Projector,
    (number, lease): (usize, u32),
    keeps: Rc<dyn Fn(&StreamRecord) -> bool>,
    mut random: Random,
) {
    let Some(shard) = shards.shards.get(number) else { return };
    while shard.lease.get() == lease {
        let size = random.between(1, world.parameters.batch);
        let batch = shards.delivery.borrow_mut().batch_of(number, size);
        let mut batch = match batch {
            Ok(batch) => batch,
            Err(error) => return world.report(Breach::unexpected(format!("the stream: {error}"))),
        };
        if batch.records.is_empty() {
            shard.is_empty.set(true);
            pause(4).await;
            continue;
        }
        let count = batch.records.len();
        shards.delivered.set(shards.delivered.get().saturating_add(u64::try_from(count).unwrap_or(0)));
        world.trace(|| {
            let sequences: Vec<_> = batch.records.iter().filter_map(|record| record.sequence.as_ref()).collect();
            format!("shard {number}: projector {number}/{lease} has records {sequences:?}")
        });
        batch.records.retain(|record| keeps(record));
        let busy = Busy::new(&shards);
        let projection = projector.project(&batch.records).await;
        drop(busy);
        for (record, outcome) in batch.records.iter().zip(&projection.outcomes) {
            let is_unreadable = record.new.as_ref().is_some_and(|new| is_extra_item(new) && !is_foreign(new));
            if let RecordOutcome::DeadLetter(error) = outcome {
                if is_unreadable {
                    continue;
                }
                world.report(Breach::unexpected(format!("a record can never be projected: {error}")));
            } else if is_unreadable {
                world.report(Breach::unexpected("an item that cannot be read is no dead letter"));
            }
        }
        let mut delivery = shards.delivery.borrow_mut();
        delivery.acknowledge(&batch, projection.lowest_failed.as_ref());
        if !world.faults_over.get() && random.chance(world.parameters.redelivery) {
            shard.is_empty.set(false);
            delivery.rewind(number, random.between(1, 15));
            shards.rewinds.set(shards.rewinds.get().saturating_add(1));
        }
    }
}

/// Marks a projector as busy until it is dropped, which also happens if the work is dropped.
struct Busy(Rc<Shards>);

impl Busy {
    fn new(shards: &Rc<Shards>) -> Self {
        shards.busy.set(shards.busy.get().saturating_add(1));
        Self(Rc::clone(shards))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get().saturating_sub(1));
    }
}
