//! A model of the Streams API with seeded misbehavior, and the poller's obligations.

use async_trait::async_trait;
use threadline::stream::DeadLetterSink;

use super::*;

/// A linear congruential generator with a seed.
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
    /// `true` if no list ever contains it.
    is_hidden: bool,
    was_listed: bool,
    /// `true` if the first list of the stream contained this shard, or a descendant after it was deleted.
    was_first: bool,
    was_gone_before: bool,
    /// The number of records when the poller started at the latest.
    latest: usize,
    records: Vec<usize>,
    /// The number of times in a row that it was missing from a list, and that it was refused, although it exists.
    false_denials: [u32; 2],
}

/// An enabled stream. It is listed late, and has no shards at first.
#[derive(Clone, Default)]
struct ModelStream {
    unlisted: usize,
    starting: usize,
    /// The number of times in a row that it was refused, although it exists.
    false_denials: u32,
}

/// The streams of a table. The model changes with each request, until it has all its records.
struct Model {
    random: Random,
    start: PollStart,
    streams: Vec<ModelStream>,
    shards: Vec<ModelShard>,
    records: usize,
    requests: usize,
    /// The first listed stream, and its number of records.
    first: Option<(usize, usize)>,
}

const MOVES: usize = 150;
const LEFT_OUT: usize = 0;
const REFUSED: usize = 1;

impl Model {
    fn new(seed: u64) -> Self {
        let start = if seed.is_multiple_of(2) { PollStart::Oldest } else { PollStart::Latest };
        let mut model = Self {
            random: Random(seed),
            start,
            streams: Vec::new(),
            shards: Vec::new(),
            records: 0,
            requests: 0,
            first: None,
        };
        model.turn_on();
        (0..model.random.below(30)).for_each(|_| model.happen());
        model.shards[0].is_gone = model.shards[0].is_closed;
        model
    }

    fn turn_on(&mut self) {
        self.shards.push(ModelShard { stream: self.streams.len(), ..ModelShard::default() });
        let (unlisted, starting) = (self.random.below(3), self.random.below(4));
        self.streams.push(ModelStream { unlisted, starting, false_denials: 0 });
    }

    /// Forgets the first list: another process starts with an empty table.
    fn forget(&mut self) {
        self.first = None;
        for shard in &mut self.shards {
            (shard.was_listed, shard.was_first, shard.latest) = (false, false, 0);
        }
    }

    fn is_at_rest(&self) -> bool {
        self.requests >= MOVES
    }

    /// Changes the table.
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
                for _ in 0..=self.random.below(2) {
                    self.shards.push(ModelShard { is_hidden: self.random.one_in(10), ..child.clone() });
                }
            }
            15 => {
                // The stream is disabled and enabled again.
                self.shards.iter_mut().for_each(|shard| shard.is_closed = true);
                self.turn_on();
            }
            16 if self.random.one_in(3) => {
                let old = self.random.below(self.shards.len());
                self.shards[old].is_gone |= self.shards[old].is_closed;
            }
            _ => {}
        }
    }

    /// Returns `true` if the service wrongly denies a shard, which it does at most twice in a row.
    fn denies_falsely(&mut self, shard: usize, how: usize) -> bool {
        let is_denied = self.shards[shard].false_denials[how] < 2 && self.random.one_in(6);
        if is_denied {
            self.shards[shard].false_denials[how] += 1;
        } else if how == LEFT_OUT {
            self.shards[shard].false_denials[how] = 0;
        }
        is_denied
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
                let listed = (0..self.streams.len()).rev().filter(|number| self.streams[*number].unlisted == 0);
                let reply = ok(json!({"Streams": listed.map(stream).collect::<Vec<_>>()}));
                self.streams.iter_mut().for_each(|stream| stream.unlisted = stream.unlisted.saturating_sub(1));
                reply
            }
            "DescribeStream" => self.describe(body),
            "GetShardIterator" => {
                let id: usize = body["ShardId"].as_str().unwrap()[5..].parse().unwrap();
                if self.shards[id].is_gone || self.denies_falsely(id, REFUSED) {
                    return fault(400, "ResourceNotFoundException");
                }
                if body["ShardIteratorType"] == "LATEST" {
                    self.shards[id].latest = self.records;
                    return iterator(&format!("{id} {}", self.shards[id].records.len()));
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
        if self.streams[stream].false_denials < 2 && self.random.one_in(10) {
            self.streams[stream].false_denials += 1;
            return gone();
        }
        self.streams[stream].false_denials = 0;
        let is_newest = stream + 1 == self.streams.len();
        let is_starting = is_newest && self.streams[stream].starting > 0;
        self.streams[stream].starting = self.streams[stream].starting.saturating_sub(1);
        let is_first = self.first.is_none();
        self.first.get_or_insert((stream, self.records));
        let mut listed = Vec::new();
        let of_stream: Vec<_> = (0..self.shards.len()).filter(|id| self.shards[*id].stream == stream).collect();
        let is_empty = self.random.one_in(8) && of_stream.iter().all(|id| self.shards[*id].false_denials[LEFT_OUT] < 2);
        for id in of_stream {
            let ModelShard { parent, is_closed, is_gone, is_hidden, .. } = self.shards[id].clone();
            if is_first {
                self.shards[id].was_gone_before = is_gone;
            }
            if is_starting || is_gone || is_hidden {
                continue;
            }
            if is_empty {
                self.shards[id].false_denials[LEFT_OUT] += 1;
            } else if !self.denies_falsely(id, LEFT_OUT) {
                self.shards[id].was_listed = true;
                self.shards[id].was_first |= is_first;
                let parent = parent.map(|parent| format!("shard{parent}"));
                listed.push(shard(&format!("shard{id}"), parent.as_deref(), is_closed));
            }
        }
        let statuses = match (is_starting, is_newest) {
            (true, _) => ["ENABLING", "CREATING"],
            (false, true) => ["ENABLED", "ENABLED"],
            (false, false) => ["DISABLING", "DISABLED"],
        };
        shards(statuses[usize::from(!self.random.one_in(3))], &listed)
    }

    fn children(&self, id: usize) -> impl Iterator<Item = usize> {
        (0..self.shards.len()).filter(move |child| self.shards[*child].parent == Some(id))
    }

    /// Returns `true` if the first list had the shard or a descendant of it.
    fn precedes_start(&self, id: usize) -> bool {
        self.shards[id].was_first || self.children(id).any(|child| self.precedes_start(child))
    }

    /// Returns `true` if the poller can know the shard, from a list or from a child. A shard missing from a first list
    /// may have been deleted.
    fn is_known(&self, id: usize) -> bool {
        let is_named = || self.children(id).any(|child| self.shards[child].was_listed);
        self.shards[id].was_listed || is_named() && !(self.shards[id].is_gone && self.precedes_start(id))
    }

    /// Returns the records of the shard that the poller must read.
    fn owed(&self, id: usize) -> Vec<usize> {
        let shard = &self.shards[id];
        let from = match (self.start, self.first) {
            (PollStart::Latest, Some((stream, records))) if stream == shard.stream => records.max(shard.latest),
            _ => 0,
        };
        shard.records.iter().copied().filter(|record| self.is_known(id) && *record >= from).collect()
    }

    fn read(&mut self, body: &Value) -> Reply {
        let (id, from) = body["ShardIterator"].as_str().unwrap().split_once(' ').unwrap();
        let (id, from): (usize, usize) = (id.parse().unwrap(), from.parse().unwrap());
        match self.random.below(12) {
            0 => return fault(400, "ExpiredIteratorException"),
            1 if self.denies_falsely(id, REFUSED) => return fault(400, "ResourceNotFoundException"),
            _ if self.shards[id].is_gone => return fault(400, "ResourceNotFoundException"),
            _ => {}
        }
        self.shards[id].false_denials[REFUSED] = 0;
        let ModelShard { records, is_closed, .. } = &self.shards[id];
        let to = (from + self.random.below(4)).min(records.len());
        let page_records: Vec<_> = records[from..to].iter().map(|number| unreadable(*number)).collect();
        let at_end = to == records.len() && (*is_closed || self.random.one_in(8));
        page(&page_records, (!at_end).then(|| format!("{id} {to}")).as_deref())
    }
}

/// Returns the dead letter with this number. A sequence number is not 0.
fn unreadable(number: usize) -> Value {
    let keys =
        json!({"pk": {"S": format!("MSG#{}", uuid::Uuid::nil())}, "sk": {"S": "2026-01-01T00:00:00.000000+00:00"}});
    let change = json!({"Keys": keys, "NewImage": {}, "SequenceNumber": (number + 1).to_string()});
    json!({"eventName": "INSERT", "dynamodb": change})
}

/// The numbers of the records that arrived, in order.
#[derive(Clone, Debug, Default)]
struct Arrived(Arc<Mutex<Vec<usize>>>);

#[async_trait]
impl DeadLetterSink for Arrived {
    async fn keep(&self, record: &StreamRecord, _: &Error) -> Result<(), Error> {
        let number: usize = record.sequence.as_ref().unwrap().as_str().parse().unwrap();
        self.0.lock().unwrap().push(number - 1);
        Ok(())
    }
}

/// Runs a poller over the seed's streams in several calls. Each call may be in another process.
async fn run(seed: u64) {
    let model = Arc::new(Mutex::new(Model::new(seed)));
    let served = model.clone();
    let server = Server::serving(move |operation, body| served.lock().unwrap().answer(operation, body));
    let (app, arrived) = (App::new(), Arrived::default());
    let trimmed = Arc::new(Mutex::new(Vec::new()));
    let start = model.lock().unwrap().start;
    let mut done = 0;
    for _ in 0..60 {
        if app.records(0).is_empty() {
            model.lock().unwrap().forget();
        }
        let trimmed = trimmed.clone();
        let projector = Projector::new(app.store.clone()).dead_letters(arrived.clone());
        let mut poller = Poller::new(app.client(&server), projector, app.store.clone())
            .start_at(start)
            .jitter(|_| std::time::Duration::ZERO)
            .observer(move |event| {
                if let PollEvent::Trimmed { shard, .. } = event {
                    trimmed.lock().unwrap().push(shard[5..].parse::<usize>().unwrap());
                }
            });
        for _ in 0..3 {
            let is_at_rest = model.lock().unwrap().is_at_rest();
            let is_done = poller.drain().await.is_ok() && is_at_rest;
            done = if is_done { done + 1 } else { 0 };
        }
        if done >= 6 {
            break;
        }
    }
    let (model, arrived, trimmed) = (model.lock().unwrap(), arrived.0.lock().unwrap(), trimmed.lock().unwrap());
    assert!(done >= 6, "seed {seed}: it does not end");
    for (id, shard) in model.shards.iter().enumerate() {
        let is_missed = model.owed(id).iter().any(|record| !arrived.contains(record));
        let reports = trimmed.iter().filter(|trimmed| **trimmed == id).count();
        assert!(!is_missed || reports > 0, "seed {seed}: records of shard {id} were missed and not reported");
        assert!(reports < 2, "seed {seed}: shard {id} was reported twice");
        assert!(shard.is_gone || reports == 0, "seed {seed}: shard {id} exists and was reported as trimmed");
        let was_gone_before = shard.was_gone_before && model.precedes_start(id);
        assert!(!was_gone_before || reports == 0, "seed {seed}: shard {id} was gone before the start");
        if !shard.was_listed || (start == PollStart::Latest && shard.was_first) {
            continue;
        }
        let first = |id: usize| arrived.iter().position(|record| model.shards[id].records.contains(record));
        let Some(parent) = shard.parent.filter(|parent| !model.shards[*parent].is_gone) else { continue };
        let last = model.shards[parent].records.last();
        let last = last.and_then(|last| arrived.iter().position(|record| record == last));
        if let (Some(last), Some(first)) = (last, first(id)) {
            assert!(last < first, "seed {seed}: shard {id} was read before its parent's end");
        }
    }
}

/// Returns the first 20 seeds, or those of the range `MODEL_SEEDS`, such as `0..2000`.
fn seeds() -> std::ops::Range<u64> {
    let Ok(range) = std::env::var("MODEL_SEEDS") else { return 0..20 };
    let (from, to) = range.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

#[tokio::test]
async fn a_faulty_service_loses_no_record_silently() {
    for seed in seeds() {
        let run = tokio::time::timeout(std::time::Duration::from_secs(60), run(seed));
        assert!(run.await.is_ok(), "seed {seed}: a drain does not end");
    }
}
