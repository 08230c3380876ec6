//! The connection between a process and the table. Each call has two yield points: before it is done, and before its
//! answer arrives.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use threadline::entity::{Key, KnownKey, PartitionKey};
use threadline::store::{
    Answer, Checked, GetOutput, Operation, QuerySource, Request, Store, TransactOutcome, Write, WriteAction,
    WriteOutcome,
};
use threadline::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::executor::pause;
use crate::random::Random;

/// The state that all connections share: delays and the trace.
pub(super) struct Traffic {
    random: Random,
    pub(super) requests: u64,
    /// The number of reads of the index while it lagged.
    pub(super) stale_reads: u64,
    /// The number of requests for a further page.
    pub(super) continued_pages: u64,
    pub(super) late_writes: u64,
    pub(super) index_lags: bool,
    pub(super) step: u64,
    pub(super) trace: Option<Vec<String>>,
    /// The number of writes, per thousand, that arrive after their sender has given up.
    pub(super) late: u16,
    /// The writes that have not arrived yet.
    underway: Vec<Late>,
}

type Late = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Traffic {
    pub(super) fn new(random: Random, late: u16, traced: bool) -> Arc<Mutex<Self>> {
        let trace = traced.then(Vec::new);
        Arc::new(Mutex::new(Self {
            random,
            requests: 0,
            stale_reads: 0,
            continued_pages: 0,
            late_writes: 0,
            index_lags: false,
            step: 0,
            trace,
            late,
            underway: Vec::new(),
        }))
    }

    /// Removes and returns one of the late writes.
    pub(super) fn take_late(&mut self) -> Option<Late> {
        let place = self.random.below(self.underway.len());
        (place < self.underway.len()).then(|| {
            self.late_writes += 1;
            self.underway.swap_remove(place)
        })
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn trace_line(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>6}  {}", self.step, line()));
        }
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic").field("requests", &self.requests).finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // One thread, and no code panics between two changes of the state.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store whose calls take time, as over a network.
#[derive(Clone)]
pub(super) struct Network<S> {
    store: S,
    /// The name of the process.
    name: String,
    traffic: Arc<Mutex<Traffic>>,
}

impl<S> Network<S> {
    pub(super) fn new(store: S, name: String, traffic: &Arc<Mutex<Traffic>>) -> Self {
        Self { store, name, traffic: Arc::clone(traffic) }
    }

    /// Delays a request or an answer. The delay differs, so requests sent together arrive in any order.
    async fn travel(&self) {
        let times = {
            let mut traffic = lock(&self.traffic);
            1 + u32::from(traffic.random.chance(250)) + u32::from(traffic.random.chance(50)) * 8
        };
        pause(times).await;
    }

    /// Returns a description of the request, if there is a trace.
    fn note(&self, request: &Request) -> Option<String> {
        let is_traced = lock(&self.traffic).trace.is_some();
        is_traced.then(|| match request {
            Request::Get(get) => format!("get {}", kind(get.key())),
            Request::Write(write) => format!("{} {}", action(write), write.key().map_or_else(|_| String::new(), kind)),
            Request::Query(query) => match query.source() {
                QuerySource::Table { partition, .. } => format!("query {}", partition_of(partition)),
                QuerySource::Index { partition } => format!("query the index's {}", partition_of(partition)),
            },
            Request::Scan(_) => "scan".to_owned(),
            Request::Transact(transaction) => {
                let actions: Vec<_> =
                    transaction.actions().iter().filter_map(|action| action.key().ok()).map(kind).collect();
                format!("transact {}", actions.join(", "))
            }
            Request::BatchGet(_) => "batch get".to_owned(),
            Request::BatchWrite(_) => "batch write".to_owned(),
        })
    }
}

impl<S: Store> Network<S> {
    /// Decides if a write is late. If so, the sender waits, and its outcome is unknown.
    async fn is_late(&self, operation: Operation, what: Option<&String>, write: impl FnOnce() -> Late) -> Result<()> {
        {
            let mut traffic = lock(&self.traffic);
            let late = traffic.late;
            if !traffic.random.chance(late) {
                return Ok(());
            }
            traffic.underway.push(write());
            traffic.trace_line(|| format!("    {}: {}: is late", self.name, what.cloned().unwrap_or_default()));
        }
        self.travel().await;
        let error =
            Error::new(ErrorKind::OutcomeUnknown, "there was no answer in time: it may be done or not, now or later");
        Err(error.with_operation(operation.name()).with_table(self.store.table_name()))
    }
}

impl<S> fmt::Debug for Network<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

#[async_trait]
impl<S: Store + Clone + 'static> Store for Network<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let what = self.note(request.request());
        if matches!(request.operation(), Operation::Write | Operation::Transact) {
            let late = || -> Late {
                let (store, copy) = (self.store.clone(), request.clone());
                Box::pin(async move { drop(store.execute(copy).await) })
            };
            self.is_late(request.operation(), what.as_ref(), late).await?;
        }
        self.travel().await;
        if let Request::Query(query) = request.request() {
            let mut traffic = lock(&self.traffic);
            traffic.continued_pages += u64::from(query.get_start().is_some());
            traffic.stale_reads += u64::from(query.reads_index() && traffic.index_lags);
        }
        let answer = self.store.execute(request).await;
        {
            let mut traffic = lock(&self.traffic);
            traffic.requests += 1;
            traffic.trace_line(|| match &answer {
                Ok(answer) => format!("    {}: {}: {}", self.name, what.unwrap_or_default(), summary(answer)),
                Err(error) => format!("    {}: {}: {:?}", self.name, what.unwrap_or_default(), error.kind()),
            });
        }
        self.travel().await;
        answer
    }
}

/// Returns the trace's word for an answer.
fn summary(answer: &Answer) -> &'static str {
    match answer {
        Answer::Get(GetOutput { item: Some(_), .. }) => "found",
        Answer::Get(_) => "not found",
        Answer::Write(WriteOutcome::Done { .. }) | Answer::Transact(TransactOutcome::Done { .. }) => "done",
        Answer::Write(WriteOutcome::Refused { .. }) => "refused",
        Answer::Transact(TransactOutcome::Canceled { .. }) => "canceled",
        Answer::Query(_) | Answer::Scan(_) | Answer::BatchGet(_) | Answer::BatchWrite(_) => "answered",
    }
}

/// Returns the trace's text for a key: the kind of item and its owner.
fn kind(key: &Key) -> String {
    match KnownKey::parse(key) {
        Some(KnownKey::User(user)) => format!("user {}", short(user.as_uuid())),
        Some(KnownKey::HandleClaim(_)) => "handle".to_owned(),
        Some(KnownKey::IdentityClaim(_)) => "identity".to_owned(),
        Some(KnownKey::MessageGroup(group)) => format!("group {}", short(group.as_uuid())),
        Some(KnownKey::Membership(group, user)) => {
            format!("entry {}/{}", short(group.as_uuid()), short(user.as_uuid()))
        }
        Some(KnownKey::Message(key)) => format!("message of {}", short(key.group.as_uuid())),
        Some(_) | None => "another item".to_owned(),
    }
}

/// Returns a short form of an id: the first digits for a direct conversation, the source and the count for others.
pub(super) fn short(id: &Uuid) -> String {
    if id.get_version_num() == 5 {
        return id.to_string().chars().take(4).collect();
    }
    let (_, low) = id.as_u64_pair();
    format!("{}.{}", (low >> 32) & 0x3fff_ffff, low & 0xffff_ffff)
}

fn partition_of(partition: &PartitionKey) -> String {
    let (tag, id) = partition.as_str().split_once('#').unwrap_or_default();
    Uuid::try_parse(id).map_or_else(|_| tag.to_owned(), |id| format!("{tag} {}", short(&id)))
}

fn action(write: &Write) -> &'static str {
    match write.action() {
        WriteAction::Put(_) => "put",
        WriteAction::Update(_) => "update",
        WriteAction::Delete => "delete",
    }
}
