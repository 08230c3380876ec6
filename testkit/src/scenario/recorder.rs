//! A store that records its requests, and the comparison of these requests with a card.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use threadline::Result;
use threadline::card::{RequestCard, RequestKind, Source};
use threadline::entity::{Item, Key};
use threadline::store::{
    Answer, BatchAction, Checked, Consistency, Query, QuerySource, Request, SortRange, Store, TransactAction, Write,
    WriteAction,
};

/// A store that records each request, and then sends it to another store. A clone shares the records.
#[derive(Clone, Debug)]
pub struct Recorder<S> {
    store: S,
    requests: Arc<Mutex<Vec<Checked>>>,
}

impl<S: Store> Recorder<S> {
    /// Wraps this store. The list of recorded requests is empty.
    pub fn new(store: S) -> Self {
        Self { store, requests: Arc::default() }
    }

    /// Returns the recorded requests and empties the list.
    pub fn take(&self) -> Vec<Checked> {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<S: Store> Store for Recorder<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        self.store.execute(request).await
    }
}

/// Compares recorded requests with the requests of a card. Returns a description of the first difference, if any.
///
/// If the access pattern makes several requests at once, pass `false` for `in_order`. Adjacent transaction actions
/// of the card match only the actions of one recorded transaction.
pub fn mismatch(expected: &[RequestCard], recorded: &[Checked], in_order: bool) -> Option<String> {
    let requests = recorded.iter().enumerate();
    let mut seen: Vec<Seen<'_>> = requests.flat_map(|(number, request)| Seen::of(number, request.request())).collect();
    let mut transactions = Vec::new();
    let mut is_in_transaction = false;
    for request in expected {
        let current = transactions.last().filter(|_| is_in_transaction && request.transaction);
        let belongs = |seen: &Seen<'_>| match (&seen.transaction, current) {
            (None, _) => true,
            (Some(number), Some(current)) => number == current,
            (Some(number), None) => !transactions.contains(number),
        };
        let fits = |seen: &Seen<'_>| seen.is(request) && belongs(seen);
        let found =
            if in_order { seen.first().filter(|seen| fits(seen)).map(|_| 0) } else { seen.iter().position(fits) };
        let Some(place) = found else {
            return Some(format!("the card declares {request:?}, but the next of these was seen: {seen:#?}"));
        };
        transactions.extend(seen.remove(place).transaction);
        is_in_transaction = request.transaction;
    }
    if seen.is_empty() { None } else { Some(format!("the card does not declare {seen:#?}")) }
}

/// A recorded request, or an action of a recorded transaction, in the terms of a card.
#[derive(Debug)]
struct Seen<'a> {
    kind: RequestKind,
    source: Source,
    keys: Vec<Key>,
    query: Option<&'a Query>,
    put: Option<&'a Item>,
    consistency: Consistency,
    has_condition: bool,
    /// The number of the request, for an action of a transaction.
    transaction: Option<usize>,
}

impl<'a> Seen<'a> {
    fn of(number: usize, request: &'a Request) -> Vec<Self> {
        match request {
            Request::Get(get) => vec![Self::read(RequestKind::Get, vec![get.key().clone()], get.get_consistency())],
            Request::BatchGet(batch) => {
                vec![Self::read(RequestKind::BatchGet, batch.keys().to_vec(), batch.get_consistency())]
            }
            Request::Scan(_) => vec![Self::read(RequestKind::Scan, Vec::new(), Consistency::Eventual)],
            Request::Query(query) => {
                let (source, consistency) = match query.source() {
                    QuerySource::Table { consistency, .. } => (Source::Table, *consistency),
                    QuerySource::Index { .. } => (Source::Index, Consistency::Eventual),
                };
                vec![Self { source, query: Some(query), ..Self::read(RequestKind::Query, Vec::new(), consistency) }]
            }
            Request::Write(write) => vec![Self::write(write)],
            Request::Transact(transaction) => {
                transaction.actions().iter().map(|action| Self::action(number, action)).collect()
            }
            Request::BatchWrite(batch) => batch.writes().iter().map(Self::batched).collect(),
        }
    }

    fn read(kind: RequestKind, keys: Vec<Key>, consistency: Consistency) -> Self {
        let (source, query, put) = (Source::Table, None, None);
        Self { kind, source, keys, query, put, consistency, has_condition: false, transaction: None }
    }

    fn write(write: &'a Write) -> Self {
        let (kind, put) = match write.action() {
            WriteAction::Put(item) => (RequestKind::Put, Some(item)),
            WriteAction::Update(_) => (RequestKind::Update, None),
            WriteAction::Delete => (RequestKind::Delete, None),
        };
        let seen = Self::read(kind, write.key().into_iter().cloned().collect(), Consistency::Eventual);
        Self { put, has_condition: write.condition().is_some(), ..seen }
    }

    fn action(number: usize, action: &'a TransactAction) -> Self {
        let seen = match action {
            TransactAction::Write(write) => Self::write(write),
            TransactAction::Check { key, .. } => {
                let seen = Self::read(RequestKind::Check, vec![key.clone()], Consistency::Eventual);
                Self { has_condition: true, ..seen }
            }
        };
        Self { transaction: Some(number), ..seen }
    }

    fn batched(action: &'a BatchAction) -> Self {
        let (kind, put) = match action {
            BatchAction::Put(item) => (RequestKind::Put, Some(item)),
            BatchAction::Delete(_) => (RequestKind::Delete, None),
        };
        Self { put, ..Self::read(kind, action.key().into_iter().collect(), Consistency::Eventual) }
    }

    /// Returns `true` if the card declares this request.
    fn is(&self, card: &RequestCard) -> bool {
        let is_keyed = match (card.key(), self.query) {
            (Some((pk, range)), Some(query)) => {
                key_fits(pk, query.partition().as_str()) && is_range(range, query.get_range())
            }
            (Some((pk, sk)), None) => {
                let fits = |key: &Key| key_fits(pk, key.pk.as_str()) && key_fits(sk, key.sk.as_str());
                !self.keys.is_empty() && self.keys.iter().all(fits)
            }
            (None, _) => self.keys.is_empty() && self.query.is_none(),
        };
        let is_entity = self.put.is_none_or(|item| item.type_name() == card.entity.map(|entity| entity.name));
        is_keyed
            && is_entity
            && self.kind == card.kind
            && self.source == card.source
            && self.consistency == card.consistency
            && self.has_condition != card.condition.is_empty()
            && self.transaction.is_some() == card.transaction
    }
}

/// Returns `true` if a key fits a template of an [`EntityCard`](threadline::card::EntityCard), such as `USER#<user>`.
/// The key must have the template's constant segments, and one segment for each `<part>`.
pub fn key_fits(template: &str, key: &str) -> bool {
    let (template, key): (Vec<_>, Vec<_>) = (template.split('#').collect(), key.split('#').collect());
    template.len() == key.len() && template.iter().zip(key).all(|(part, key)| part.starts_with('<') || *part == key)
}

/// Returns `true` if the range agrees with the words. Words other than `begins with` agree with any bounds, since the
/// caller chooses those.
fn is_range(words: &str, range: &SortRange) -> bool {
    match (words.strip_prefix("begins with "), range) {
        (Some(prefix), SortRange::BeginsWith(seen)) => seen.as_str() == prefix,
        (Some(_), _) | (None, SortRange::BeginsWith(_)) => false,
        (None, SortRange::All) => true,
        (None, _) => !words.is_empty(),
    }
}
