//! A model of the Streams API that misbehaves by a seed, and what the poller owes it.

use async_trait::async_trait;
use threadline::stream::Sink;

use super::*;

/// Numbers from a seed: a linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

#[derive(Clone, Default)]
struct ModelShard {
    stream: usize,
    parent: Option<usize>,
    is_closed: bool,
    is_gone: bool,
    was_listed: bool,
    records: Vec<usize>,
    /// How many times in a row it was left out of a list, and refused, although it is there.
    lies: [u32; 2],
}

/// The streams of a table. It moves on with each request, until it has had all of its records.
struct Model {
    random: Random,
    streams: usize,
    shards: Vec<ModelShard>,
    records: usize,
    requests: usize,
}

const MOVES: usize = 150;
const LEFT_OUT: usize = 0;
const REFUSED: usize = 1;

impl Model {
    fn new(seed: u64) -> Self {
        let shards = vec![ModelShard::default()];
        Self { random: Random(seed), streams: 1, shards, records: 0, requests: 0 }
    }

    fn is_at_rest(&self) -> bool {
        self.requests >= MOVES
    }

    /// Something happens to the table.
    fn happen(&mut self) {
        self.requests += 1;
        let open: Vec<_> = (0..self.shards.len()).filter(|shard| !self.shards[*shard].is_closed).collect();
        let shard = open[self.random.below(open.len())];
        match self.random.below(40) {
            0..12 => {
                self.shards[shard].records.push(self.records);
                self.records += 1;
            }
            12..15 => {
                self.shards[shard].is_closed = true;
                let child =
                    ModelShard { parent: Some(shard), stream: self.shards[shard].stream, ..ModelShard::default() };
                self.shards.extend(vec![child; 1 + self.random.below(2)]);
            }
            15 => {
                // The stream is turned off and on.
                self.shards.iter_mut().for_each(|shard| shard.is_closed = true);
                self.shards.push(ModelShard { stream: self.streams, ..ModelShard::default() });
                self.streams += 1;
            }
            16 if self.random.one_in(3) => {
                let old = self.random.below(self.shards.len());
                self.shards[old].is_gone |= self.shards[old].is_closed;
            }
            _ => {}
        }
    }

    /// Whether the service says so of a shard, wrongly: not more than twice in a row, which the poller is owed.
    fn lies_about(&mut self, shard: usize, how: usize) -> bool {
        let lies = self.shards[shard].lies[how] < 2 && self.random.one_in(6);
        if lies {
            self.shards[shard].lies[how] += 1;
        } else if how == LEFT_OUT {
            self.shards[shard].lies[how] = 0;
        }
        lies
    }

    fn answer(&mut self, operation: &str, body: &Value) -> Reply {
        if !self.is_at_rest() {
            self.happen();
        }
        if self.random.one_in(12) {
            let faults =
                ["LimitExceededException", "SomethingNewException", "ExpiredTokenException", "ThrottlingException"];
            return fault([400, 408, 500][self.random.below(3)], faults[self.random.below(faults.len())]);
        }
        match operation {
            "ListStreams" => {
                let stream =
                    |number| json!({"StreamArn": format!("{ARN}-{number}"), "StreamLabel": format!("{number:04}")});
                ok(json!({"Streams": (0..self.streams).rev().map(stream).collect::<Vec<_>>()}))
            }
            "DescribeStream" => self.describe(body),
            "GetShardIterator" => {
                let id: usize = body["ShardId"].as_str().unwrap()[5..].parse().unwrap();
                if self.shards[id].is_gone || self.lies_about(id, REFUSED) {
                    return fault(400, "ResourceNotFoundException");
                }
                let from = match body["SequenceNumber"].as_str() {
                    Some(number) => {
                        let after: usize = number.parse().unwrap();
                        self.shards[id].records.iter().take_while(|record| **record < after).count()
                    }
                    None => 0,
                };
                iterator(&format!("{id} {from}"))
            }
            _ => self.read(body),
        }
    }

    fn describe(&mut self, body: &Value) -> Reply {
        let stream: usize = body["StreamArn"].as_str().unwrap()[ARN.len() + 1..].parse().unwrap();
        let mut listed = Vec::new();
        for id in 0..self.shards.len() {
            let ModelShard { parent, is_closed, is_gone, .. } = self.shards[id].clone();
            if self.shards[id].stream == stream && !is_gone && !self.lies_about(id, LEFT_OUT) {
                self.shards[id].was_listed = true;
                let parent = parent.map(|parent| format!("shard{parent}"));
                listed.push(shard(&format!("shard{id}"), parent.as_deref(), is_closed));
            }
        }
        shards(if stream + 1 == self.streams { "ENABLED" } else { "DISABLED" }, &listed)
    }

    fn read(&mut self, body: &Value) -> Reply {
        let (id, from) = body["ShardIterator"].as_str().unwrap().split_once(' ').unwrap();
        let (id, from): (usize, usize) = (id.parse().unwrap(), from.parse().unwrap());
        match self.random.below(12) {
            0 => return fault(400, "ExpiredIteratorException"),
            1 if self.lies_about(id, REFUSED) => return fault(400, "ResourceNotFoundException"),
            _ if self.shards[id].is_gone => return fault(400, "ResourceNotFoundException"),
            _ => {}
        }
        self.shards[id].lies[REFUSED] = 0;
        let ModelShard { records, is_closed, .. } = &self.shards[id];
        let to = (from + self.random.below(4)).min(records.len());
        let page_records: Vec<_> = records[from..to].iter().map(|number| unreadable(*number)).collect();
        let at_end = to == records.len() && (*is_closed || self.random.one_in(8));
        page(&page_records, (!at_end).then(|| format!("{id} {to}")).as_deref())
    }
}

/// A record that goes to the sink, by its number. A sequence number is not 0.
fn unreadable(number: usize) -> Value {
    let keys =
        json!({"pk": {"S": format!("MSG#{}", uuid::Uuid::nil())}, "sk": {"S": "2026-01-01T00:00:00.000000+00:00"}});
    let change = json!({"Keys": keys, "NewImage": {}, "SequenceNumber": (number + 1).to_string()});
    json!({"eventName": "INSERT", "dynamodb": change})
}

/// The numbers of the records that arrived, in their order.
#[derive(Clone, Debug, Default)]
struct Arrived(Arc<Mutex<Vec<usize>>>);

#[async_trait]
impl Sink for Arrived {
    async fn keep(&self, record: &StreamRecord, _: &Error) -> Result<(), Error> {
        let number: usize = record.sequence.as_ref().unwrap().as_str().parse().unwrap();
        self.0.lock().unwrap().push(number - 1);
        Ok(())
    }
}

/// Runs a poller over the seed's streams, in several calls, each of which another process may make.
async fn run(seed: u64) {
    let model = Arc::new(Mutex::new(Model::new(seed)));
    let served = model.clone();
    let server = Server::serving(move |operation, body| served.lock().unwrap().answer(operation, body));
    let (app, arrived) = (App::new(), Arrived::default());
    let trimmed = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..40 {
        let trimmed = trimmed.clone();
        let projector = Projector::new(app.store.clone()).with_sink(arrived.clone());
        let mut poller = Poller::new(app.client(&server), projector, app.store.clone())
            .with_jitter(|_| std::time::Duration::ZERO)
            .with_observer(move |event| {
                if let PollEvent::Trimmed { shard, .. } = event {
                    trimmed.lock().unwrap().push(shard[5..].parse::<usize>().unwrap());
                }
            });
        for _ in 0..3 {
            poller.drain().await.ok();
        }
        if model.lock().unwrap().is_at_rest() && poller.drain().await.is_ok() {
            break;
        }
    }
    let (model, arrived, trimmed) = (model.lock().unwrap(), arrived.0.lock().unwrap(), trimmed.lock().unwrap());
    assert!(model.is_at_rest(), "seed {seed}: it does not end");
    for (id, shard) in model.shards.iter().enumerate() {
        let missed = shard.was_listed && shard.records.iter().any(|record| !arrived.contains(record));
        assert!(!missed || trimmed.contains(&id), "seed {seed}: records of shard {id} were missed and not reported");
        assert!(
            shard.is_gone || !trimmed.contains(&id),
            "seed {seed}: shard {id} is there and was reported as trimmed"
        );
        let first = |id: usize| arrived.iter().position(|record| model.shards[id].records.contains(record));
        let Some(parent) = shard.parent.filter(|parent| !model.shards[*parent].is_gone) else { continue };
        let last = model.shards[parent].records.last();
        let last = last.and_then(|last| arrived.iter().position(|record| record == last));
        if let (Some(last), Some(first)) = (last, first(id)) {
            assert!(last < first, "seed {seed}: shard {id} was read before its parent's end");
        }
    }
}

#[tokio::test]
async fn a_misbehaving_service_loses_no_record_in_silence() {
    for seed in 0..20 {
        run(seed).await;
    }
}
