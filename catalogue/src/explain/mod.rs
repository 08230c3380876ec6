//! Explanations: the exact requests of any code, recorded by a wrapper of a store.

mod partiql;
mod request;
mod text;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use threadline::card::{Card, Case};
use threadline::entity::GSI1;
use threadline::store::{Answer, Capacity, Checked, Request, Store, TransactOutcome, WriteOutcome};
use threadline::{MemoryStore, Result};
use threadline_testkit::scenario::{Scale, Scenario, World};

use crate::catalogue::Catalogue;
use crate::error::Error;
pub use partiql::Statement;
pub(crate) use request::item;
pub(crate) use text::caller;

/// A wrapper of a store that records an [explanation](Explained) of each request. Clones share the explanations.
///
/// With the in-memory store, the wrapper needs no network:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// use threadline::{MemoryStore, NewUser, Threadline};
/// use threadline_catalogue::Explain;
///
/// let store = Explain::new(MemoryStore::new());
/// let chat = Threadline::new(store.clone());
/// let user = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
/// store.take();
///
/// chat.user(user.id()).await?;
/// let explained = store.take();
/// let get = explained.first().expect("one request");
/// assert_eq!(get.operation, "GetItem");
/// assert_eq!(get.request["Key"]["sk"]["S"], "USER");
/// let statement = get.partiql.as_ref().expect("a read by key has a statement");
/// assert!(statement.to_string().starts_with(r#"SELECT * FROM "threadline" WHERE "pk" = ? AND "sk" = ?"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Explain<S> {
    store: S,
    requests: Arc<Mutex<Vec<Explained>>>,
}

impl<S: Store> Explain<S> {
    /// Creates a wrapper of a store.
    pub fn new(store: S) -> Self {
        Self { store, requests: Arc::default() }
    }

    /// Returns the explanations of the requests so far, and removes them from the wrapper.
    pub fn take(&self) -> Vec<Explained> {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<S: Store> Store for Explain<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let explained = Explained::of(self.table_name(), request.request())?;
        let answer = self.store.execute(request).await;
        let capacity = answer.as_ref().ok().map(Answer::capacity);
        let refused = answer.as_ref().is_ok_and(is_refused);
        let explained = Explained { capacity, refused, ..explained };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(explained);
        answer
    }
}

/// Returns `true` if a condition was not met, so nothing was written.
fn is_refused(answer: &Answer) -> bool {
    matches!(answer, Answer::Write(WriteOutcome::Refused { .. }) | Answer::Transact(TransactOutcome::Canceled { .. }))
}

/// The explanation of one request. `Debug` shows the operation only, because the request contains keys and content.
#[derive(Clone)]
#[non_exhaustive]
pub struct Explained {
    /// The operation of DynamoDB, such as `GetItem`.
    pub operation: &'static str,
    /// The request as JSON for `aws dynamodb .. --cli-input-json`. If a transaction has no client token, the JSON has
    /// none either. The DynamoDB store creates a token for each such request.
    pub request: Value,
    /// The PartiQL statement with the same effect, or the reason why there is none.
    pub partiql: std::result::Result<Statement, &'static str>,
    /// The name of the index that the request reads, if any.
    pub index: Option<&'static str>,
    /// The consumed capacity; `None` if the request failed.
    pub capacity: Option<Capacity>,
    /// `true` if a condition was not met, so nothing was written.
    pub refused: bool,
}

impl std::fmt::Debug for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { operation, index, capacity, refused, .. } = self;
        f.debug_struct("Explained")
            .field("operation", operation)
            .field("index", index)
            .field("capacity", capacity)
            .field("refused", refused)
            .finish_non_exhaustive()
    }
}

impl Explained {
    fn of(table: &str, request: &Request) -> Result<Self> {
        let (operation, json) = request::json(table, request)?;
        let reads_index = matches!(request, Request::Query(query) if query.reads_index());
        Ok(Self {
            operation,
            request: json,
            partiql: partiql::statement(table, request),
            index: reads_index.then_some(GSI1),
            capacity: None,
            refused: false,
        })
    }

    fn to_json(&self) -> Value {
        let partiql = match &self.partiql {
            Ok(statement) => json!({ "operation": statement.operation, "request": statement.request }),
            Err(reason) => json!({ "none": reason }),
        };
        let units = self.capacity.unwrap_or_default();
        json!({
            "operation": self.operation,
            "request": self.request,
            "partiql": partiql,
            "index": self.index,
            "refused": self.refused,
            "capacity": {
                "table_read": units.table_read.as_f64(), "table_write": units.table_write.as_f64(),
                "index_read": units.index_read.as_f64(), "index_write": units.index_write.as_f64(),
            },
        })
    }
}

/// One case of a pattern with its recorded requests.
struct ExplainedCase {
    case: &'static Case,
    /// The items of the table before the call, in the JSON of DynamoDB.
    items: Vec<Value>,
    /// The requests; empty for a pattern without a scenario.
    requests: Vec<Explained>,
}

impl Catalogue {
    /// Explains a pattern, as text: each case with its exact requests, PartiQL statements and consumed capacity.
    ///
    /// The requests are recorded from the scenario of each case, on the in-memory store. If a case has no
    /// [scenario](Self::scenarios), the text shows the requests that the pattern's card declares.
    ///
    /// # Errors
    /// [`Error::NoChoice`] for an unknown pattern; [`Error::Threadline`] if a scenario fails.
    pub async fn explain(&self, pattern: &str) -> std::result::Result<String, Error> {
        let card = self.card(pattern)?;
        Ok(text::explanation(card, &self.cases_of(card).await?))
    }

    /// Explains these patterns as JSON, for programs. Each case has the items of the table before its call, and the
    /// requests of the call. A case without a scenario has neither.
    ///
    /// # Errors
    /// The errors of [`explain`](Self::explain).
    pub async fn explain_json(&self, patterns: &[&str]) -> std::result::Result<String, Error> {
        let mut cases = Vec::new();
        for pattern in patterns {
            let card = self.card(pattern)?;
            for case in self.cases_of(card).await? {
                cases.push(json!({
                    "pattern": card.name,
                    "case": case.case.name,
                    "items": case.items,
                    "requests": case.requests.iter().map(Explained::to_json).collect::<Vec<_>>(),
                }));
            }
        }
        Ok(format!("{:#}\n", Value::Array(cases)))
    }

    async fn cases_of(&self, card: &'static Card) -> std::result::Result<Vec<ExplainedCase>, Error> {
        let mut cases = Vec::new();
        for case in card.cases {
            cases.push(match self.scenario(card.name, case.name) {
                Some(scenario) => recorded(scenario, case, self.get_table().name()).await?,
                None => ExplainedCase { case, items: Vec::new(), requests: Vec::new() },
            });
        }
        Ok(cases)
    }
}

/// Runs a scenario in a small world of two members, and records the requests of its call.
async fn recorded(scenario: &Scenario, case: &'static Case, table: &str) -> Result<ExplainedCase> {
    let clock = World::clock();
    let memory = MemoryStore::new().table(table).clock(clock.clone());
    let scale = Scale { members: 2, message_kb: 0 };
    let stage = scenario.stage(World::new(Arc::new(memory.clone()), clock, scale)).await?;
    let store = Explain::new(memory.clone());
    let session = stage.enter(store.clone(), World::CALLER).await?;
    let items = stored(&memory)?;
    store.take();
    stage.call(&session).await?;
    Ok(ExplainedCase { case, items, requests: store.take() })
}

/// Returns all items of the table in the JSON of DynamoDB, also expired ones.
fn stored(store: &MemoryStore) -> Result<Vec<Value>> {
    let mut items = BTreeMap::new();
    for record in store.records_after(None, usize::MAX)? {
        match &record.new {
            Some(item) => items.insert(record.key()?, request::item(item)),
            None => items.remove(&record.key()?),
        };
    }
    Ok(items.into_values().collect())
}
