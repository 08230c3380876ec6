//! The requests that the patterns really make, recorded in their scenarios, as questions to IAM.

use std::collections::BTreeSet;
use std::sync::Arc;

use threadline::MemoryStore;
use threadline::card::{Card, RequestCard};
use threadline::store::{BatchAction, QuerySource, Request, TransactAction, Write, WriteAction};
use threadline_testkit::scenario::{Recorder, Scale, Scenario, World};

use super::grant::{Grant, filled};
use crate::catalogue::Catalogue;
use crate::error::Error;

/// An action on the table or its index, with the partition keys of one request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    /// The name of the action: `GetItem`.
    pub(super) action: &'static str,
    /// `true` for the index, `false` for the table.
    pub(super) on_index: bool,
    /// The partition keys. A scan has none.
    pub(super) keys: Vec<String>,
}

impl Asked {
    fn on_table(action: &'static str, keys: impl IntoIterator<Item = String>) -> Self {
        Self { action, on_index: false, keys: keys.into_iter().collect() }
    }

    /// Returns the question for a declared request. Each variable part of its key is its name.
    pub(super) fn declared(request: &RequestCard) -> Result<Self, Error> {
        let Grant { action, on_index, pk } = Grant::of(request)?;
        Ok(Self { action, on_index, keys: pk.map(|pk| filled(pk, str::to_owned)).into_iter().collect() })
    }
}

/// Returns the questions of all cases of these cards, each once. A case without a scenario has its declared requests.
pub(super) async fn asked(catalogue: &Catalogue, cards: &[&Card]) -> Result<BTreeSet<Asked>, Error> {
    let mut all = BTreeSet::new();
    for card in cards {
        for case in card.cases {
            match catalogue.scenario(card.name, case.name) {
                Some(scenario) => all.extend(recorded(scenario).await?),
                None => all.extend(case.requests.iter().map(Asked::declared).collect::<Result<Vec<_>, _>>()?),
            }
        }
    }
    Ok(all)
}

async fn recorded(scenario: &Scenario) -> Result<Vec<Asked>, Error> {
    let clock = World::clock();
    let store = MemoryStore::new().clock(clock.clone());
    let world = World::new(Arc::new(store.clone()), clock, Scale { members: 3, message_kb: 1 });
    let stage = scenario.stage(world).await?;
    let recorder = Recorder::new(store);
    // Opening the conversation is a request of the pattern `groups.open`.
    let session = stage.enter(recorder.clone(), World::CALLER).await?;
    recorder.take();
    stage.call(&session).await?;
    let mut all = Vec::new();
    for request in recorder.take() {
        all.extend(of_request(request.request())?);
    }
    Ok(all)
}

/// Returns the questions of a request. IAM asks one for each action of a transaction, and one for a batch.
pub(super) fn of_request(request: &Request) -> Result<Vec<Asked>, Error> {
    Ok(match request {
        Request::Get(get) => vec![Asked::on_table("GetItem", [get.key().pk.as_str().to_owned()])],
        Request::Scan(_) => vec![Asked::on_table("Scan", [])],
        Request::Query(query) => {
            let on_index = matches!(query.source(), QuerySource::Index { .. });
            vec![Asked { on_index, ..Asked::on_table("Query", [query.partition().as_str().to_owned()]) }]
        }
        Request::Write(write) => vec![of_write(write)?],
        Request::Transact(transaction) => transaction.actions().iter().map(of_action).collect::<Result<_, _>>()?,
        Request::BatchGet(batch) => {
            vec![Asked::on_table("BatchGetItem", batch.keys().iter().map(|key| key.pk.as_str().to_owned()))]
        }
        Request::BatchWrite(batch) => {
            let keys = batch.writes().iter().map(BatchAction::key).collect::<Result<Vec<_>, _>>()?;
            vec![Asked::on_table("BatchWriteItem", keys.iter().map(|key| key.pk.as_str().to_owned()))]
        }
    })
}

fn of_action(action: &TransactAction) -> Result<Asked, Error> {
    match action {
        TransactAction::Write(write) => of_write(write),
        TransactAction::Check { key, .. } => Ok(Asked::on_table("ConditionCheckItem", [key.pk.as_str().to_owned()])),
    }
}

fn of_write(write: &Write) -> Result<Asked, Error> {
    let action = match write.action() {
        WriteAction::Put(_) => "PutItem",
        WriteAction::Update(_) => "UpdateItem",
        WriteAction::Delete => "DeleteItem",
    };
    Ok(Asked::on_table(action, [write.key()?.pk.as_str().to_owned()]))
}
