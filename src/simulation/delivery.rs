//! The stream's shards, and the projectors that work on them.

use std::cell::RefCell;
use std::rc::Rc;

use super::executor::pause;
use super::random::Random;
use super::violation::Broken;
use super::world::World;
use crate::store::memory::Change;
use crate::stream::{Projector, RecordOutcome, SequenceNumber, StreamRecord};

/// The stream: each shard has the changes of its partitions, in their order.
#[derive(Debug)]
pub(super) struct Delivery {
    shards: Vec<Shard>,
    pub(super) delivered: u64,
}

#[derive(Debug, Default)]
struct Shard {
    log: Vec<StreamRecord>,
    /// Where the next batch begins: what was acknowledged.
    next: usize,
    /// How often the shard changed hands: a projector of an earlier time may not acknowledge any more.
    lease: u32,
}

impl Delivery {
    pub(super) fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| Shard::default()).collect(), delivered: 0 }
    }

    /// Takes in what was written.
    pub(super) fn fill(&mut self, changes: Vec<Change>, keeps: &dyn Fn(&StreamRecord) -> bool) {
        for change in changes {
            let key = change.key.pk.as_str();
            let hash =
                key.bytes().fold(0, |hash: usize, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)) % 65_521);
            let place = hash.checked_rem(self.shards.len()).unwrap_or(0);
            if let Some(shard) = self.shards.get_mut(place) {
                let mut record = StreamRecord::from(change);
                record.sequence = u64::try_from(shard.log.len()).ok().map(SequenceNumber::from);
                if keeps(&record) {
                    shard.log.push(record);
                }
            }
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.shards.iter().all(|shard| shard.next == shard.log.len())
    }

    /// Hands the shard to another projector, and says by which number it may acknowledge.
    pub(super) fn take_over(&mut self, shard: usize) -> u32 {
        let Some(shard) = self.shards.get_mut(shard) else { return 0 };
        shard.lease = shard.lease.wrapping_add(1);
        shard.lease
    }

    fn holds(&self, shard: usize, lease: u32) -> bool {
        self.shards.get(shard).is_some_and(|shard| shard.lease == lease)
    }

    fn batch(&mut self, shard: usize, size: usize) -> (usize, Vec<StreamRecord>) {
        let Some(shard) = self.shards.get(shard) else { return (0, Vec::new()) };
        let batch: Vec<_> = shard.log.iter().skip(shard.next).take(size).cloned().collect();
        self.delivered += u64::try_from(batch.len()).unwrap_or(0);
        (shard.next, batch)
    }

    fn acknowledge(&mut self, shard: usize, lease: u32, next: usize) {
        if let Some(shard) = self.shards.get_mut(shard).filter(|shard| shard.lease == lease) {
            shard.next = next;
        }
    }

    /// The service goes back in the shard, and everything from there on comes again.
    fn go_back(&mut self, shard: usize, records: usize) {
        if let Some(shard) = self.shards.get_mut(shard) {
            shard.next = shard.next.saturating_sub(records);
        }
    }
}

/// Projects a shard's records until another one does.
pub(super) async fn work(
    world: Rc<World>,
    delivery: Rc<RefCell<Delivery>>,
    projector: Projector,
    (shard, lease): (usize, u32),
    mut random: Random,
) {
    loop {
        let size = random.between(1, world.knobs.batch);
        let (start, batch) = delivery.borrow_mut().batch(shard, size);
        if batch.is_empty() {
            pause(4).await;
        } else {
            world.tell(|| format!("shard {shard}: delivers records {start} to {}", start + batch.len()));
            let busy = Busy::new(&world);
            let projection = projector.project(&batch).await;
            drop(busy);
            for outcome in &projection.outcomes {
                if let RecordOutcome::Impossible(error) = outcome {
                    world.is_broken(Broken::unexpected(format!("a record can never be projected: {error}")));
                }
            }
            let failed = projection.lowest_failed.as_ref().and_then(|lowest| lowest.as_str().parse().ok());
            let next = failed.unwrap_or(start + batch.len());
            let mut delivery = delivery.borrow_mut();
            delivery.acknowledge(shard, lease, next);
            if !world.calm.get() && random.chance(world.knobs.again) {
                delivery.go_back(shard, random.between(1, 15));
            }
        }
        if !delivery.borrow().holds(shard, lease) {
            return;
        }
    }
}

/// Somebody is at work. Told also where the work is dropped.
struct Busy(Rc<World>);

impl Busy {
    fn new(world: &Rc<World>) -> Self {
        world.busy.set(world.busy.get() + 1);
        Self(Rc::clone(world))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get().saturating_sub(1));
    }
}
