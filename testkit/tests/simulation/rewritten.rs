//! A store that rewrites requests, as an application or a projector with a bug would send them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use threadline::Result;
use threadline::store::{Answer, Checked, PageOutput, Request, Store, TransactAction, Transaction, Write, WriteAction};

pub(crate) struct Rewritten {
    table: Arc<dyn Store>,
    write: fn(&mut Write),
    transact: fn(&mut Vec<TransactAction>),
    answer: fn(&mut PageOutput),
}

impl Rewritten {
    pub(crate) fn new(table: Arc<dyn Store>) -> Self {
        Self { table, write: |_| {}, transact: |_| {}, answer: |_| {} }
    }

    /// Sets the change of each single write.
    pub(crate) fn writes(self, write: fn(&mut Write)) -> Self {
        Self { write, ..self }
    }

    /// Sets the change of each transaction.
    pub(crate) fn transactions(self, transact: fn(&mut Vec<TransactAction>)) -> Self {
        Self { transact, ..self }
    }

    /// Sets the change of each page of a query.
    pub(crate) fn pages(self, answer: fn(&mut PageOutput)) -> Self {
        Self { answer, ..self }
    }

    pub(crate) fn shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }
}

impl fmt::Debug for Rewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewritten")
    }
}

#[async_trait]
impl Store for Rewritten {
    fn table_name(&self) -> &str {
        self.table.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let mut request = request.into_request();
        match &mut request {
            Request::Write(write) => (self.write)(write),
            Request::Transact(transaction) => {
                let mut actions = transaction.actions().to_vec();
                (self.transact)(&mut actions);
                *transaction = Transaction::new(actions);
            }
            _ => {}
        }
        let mut answer = self.table.execute(Checked::new(request)?).await?;
        if let Answer::Query(page) = &mut answer {
            (self.answer)(page);
        }
        Ok(answer)
    }
}

/// Returns the write without its condition.
pub(crate) fn unconditional(write: &Write) -> Write {
    let key = write.key().expect("a store gets no write without a key").clone();
    let plain = match write.action() {
        WriteAction::Put(item) => Write::put(item.clone()),
        WriteAction::Update(update) => Write::update(key, update.clone()),
        WriteAction::Delete => Write::delete(key),
    };
    if write.returns_old() { plain.returning_old() } else { plain }
}
