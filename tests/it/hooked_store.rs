//! A store for tests of races. It runs work between a caller's reads and writes, returns short pages, fails chosen
//! writes, and counts concurrent requests.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use threadline::entity::Key;
use threadline::store::{Answer, Checked, PageOutput, Request, Store};
use threadline::{Error, ErrorKind, MemoryStore, Result};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone)]
pub(crate) struct HookedStore {
    store: MemoryStore,
    before_write: Arc<Mutex<Option<Work>>>,
    before_each_write: Option<Arc<dyn Fn() -> Work + Send + Sync>>,
    before_query: Arc<Mutex<Option<(String, Work)>>>,
    hides_index: bool,
    page: Option<NonZeroU32>,
    failing: BTreeMap<Key, ErrorKind>,
    in_progress: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl HookedStore {
    /// Wraps the table, without any hook.
    pub(crate) fn new(store: &MemoryStore) -> Self {
        Self {
            store: store.clone(),
            before_write: Arc::default(),
            before_each_write: None,
            before_query: Arc::default(),
            hides_index: false,
            page: None,
            failing: BTreeMap::new(),
            in_progress: Arc::default(),
            most: Arc::default(),
        }
    }

    /// Sets the work that happens just before the first write.
    pub(crate) fn before_write(self, work: impl Future<Output = ()> + Send + 'static) -> Self {
        *self.before_write.lock().unwrap() = Some(Box::pin(work));
        self
    }

    /// Sets the work that happens just before each write.
    pub(crate) fn before_each_write<W>(mut self, work: impl Fn() -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        self.before_each_write = Some(Arc::new(move || Box::pin(work())));
        self
    }

    /// Sets the work that happens just before the first query of this partition.
    pub(crate) fn before_query(self, partition: &str, work: impl Future<Output = ()> + Send + 'static) -> Self {
        *self.before_query.lock().unwrap() = Some((partition.to_owned(), Box::pin(work)));
        self
    }

    /// Makes the index lag so far that it is empty.
    pub(crate) fn lagging_index(mut self) -> Self {
        self.hides_index = true;
        self
    }

    /// Sets the maximum number of items on a page.
    pub(crate) fn pages_of(mut self, items: u32) -> Self {
        self.page = NonZeroU32::new(items);
        self
    }

    /// Fails each write of this item with this kind of error.
    pub(crate) fn failing(mut self, key: Key, kind: ErrorKind) -> Self {
        self.failing.insert(key, kind);
        self
    }

    /// Returns `true` once the work has happened.
    pub(crate) fn has_run(&self) -> bool {
        self.before_write.lock().unwrap().is_none() && self.before_query.lock().unwrap().is_none()
    }

    /// Returns the maximum number of concurrent requests, except transactions and batches.
    pub(crate) fn max_concurrent(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Counts a request, and lets others start before it ends.
    async fn counted<T>(&self, request: impl Future<Output = T>) -> T {
        let in_progress = 1 + self.in_progress.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(in_progress, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let answer = request.await;
        self.in_progress.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    async fn interfere(&self) {
        let work = self.before_write.lock().unwrap().take();
        if let Some(work) = work {
            work.await;
        }
        if let Some(work) = &self.before_each_write {
            work().await;
        }
    }
}

impl fmt::Debug for HookedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookedStore")
    }
}

#[async_trait]
impl Store for HookedStore {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let request = match request.into_request() {
            Request::Write(write) => {
                self.interfere().await;
                if let Some(kind) = self.failing.get(write.key()?) {
                    return Err(Error::new(*kind, "this item cannot be written"));
                }
                Request::Write(write)
            }
            Request::Transact(transaction) => {
                self.interfere().await;
                Request::Transact(transaction)
            }
            Request::Query(query) => {
                let partition = query.partition().as_str();
                let work = self.before_query.lock().unwrap().take_if(|(of, _)| of == partition);
                if let Some((_, work)) = work {
                    work.await;
                }
                if self.hides_index && query.reads_index() {
                    return Ok(Answer::Query(PageOutput::default()));
                }
                Request::Query(match self.page {
                    Some(page) => query.limit(page),
                    None => query,
                })
            }
            Request::Scan(scan) => Request::Scan(match self.page {
                Some(page) => scan.limit(page),
                None => scan,
            }),
            other => other,
        };
        let is_counted = matches!(request, Request::Get(_) | Request::Write(_) | Request::Query(_));
        let sending = self.store.execute(Checked::new(request)?);
        if is_counted { self.counted(sending).await } else { sending.await }
    }
}
