//! `projector.advance`: a message moves its group's inbox rows.

use std::collections::HashMap;
use std::sync::Arc;

use serde_dynamo::AttributeValue;

use super::record::{RecordKind, SequenceNumber, StreamRecord};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::key::GSI1SK;
use crate::model::{KnownKey, Membership, Message};
use crate::request::{Condition, Query, SortRange, Update, Write};
use crate::store::Store;
use crate::store::call::{Call, begin};

/// Keeps the inbox rows true to the messages, from the table's stream.
///
/// * **Monotonic and idempotent**: a row only moves forward, by one conditional update. A record may come again, late or in a
///   cut batch, and does no harm.
/// * **Coalescing**: of a batch, only the newest message of each group moves the rows, for 3 WCU a member (1 of the table, 2 of
///   the index) and 1 RCU per 4 KB of members.
/// * It skips the records of its own writes, so it never feeds itself.
#[derive(Clone, Debug)]
pub struct Projector {
    store: Arc<dyn Store>,
}

/// What became of one record.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// The rows show it, or something newer.
    Done,
    /// It is none of the projector's business.
    Nothing,
    /// It failed and may succeed when it is tried again.
    Failed(Arc<Error>),
    /// It can never succeed. Keep it elsewhere, and go on.
    Impossible(Arc<Error>),
}

/// What became of a batch: one outcome for each record, in their order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Projection {
    /// The outcomes.
    pub outcomes: Vec<RecordOutcome>,
    /// The lowest sequence number that failed: the batch has to be tried again from there on.
    pub lowest_failed: Option<SequenceNumber>,
}

impl Projector {
    /// A projector on this store.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Projects a batch of records. Every record has an outcome; a record that fails does not keep the others from being
    /// projected.
    pub async fn project(&self, records: &[StreamRecord]) -> Projection {
        let plans: Vec<_> = records.iter().map(plan).collect();
        let mut newest: HashMap<GroupId, &Message> = HashMap::new();
        for message in plans.iter().filter_map(Plan::message) {
            let shown = newest.entry(message.group_id()).or_insert(message);
            if shown.position() < message.position() {
                *shown = message;
            }
        }
        // In the order of the batch, so that a run is the same each time.
        let mut failures: HashMap<GroupId, Arc<Error>> = HashMap::new();
        for message in plans.iter().filter_map(Plan::message) {
            if let Some(newest) = newest.remove(&message.group_id())
                && let Err(error) = self.advance(newest).await
            {
                failures.insert(newest.group_id(), Arc::new(error));
            }
        }

        let mut projection = Projection::default();
        for (record, plan) in records.iter().zip(plans) {
            let outcome = match plan {
                Plan::Skip => RecordOutcome::Nothing,
                Plan::Impossible(error) => RecordOutcome::Impossible(Arc::new(error)),
                Plan::Advance(message) => match failures.get(&message.group_id()) {
                    None => RecordOutcome::Done,
                    Some(error) if is_permanent(error) => RecordOutcome::Impossible(Arc::clone(error)),
                    Some(error) => RecordOutcome::Failed(Arc::clone(error)),
                },
            };
            if matches!(outcome, RecordOutcome::Failed(_)) {
                let lowest = projection.lowest_failed.get_or_insert_with(|| record.sequence.clone());
                if record.sequence < *lowest {
                    *lowest = record.sequence.clone();
                }
            }
            projection.outcomes.push(outcome);
        }
        projection
    }

    /// Moves the rows of the message's group forward to it: what a batch of its record alone does. Rows that show it, or
    /// something newer, stay as they are.
    ///
    /// # Errors
    /// As [`Store::query`] and [`Store::write`]. Some rows may have moved then; a repeat moves the rest.
    pub async fn advance(&self, message: &Message) -> Result<()> {
        let call = begin!(&*self.store, "projector.advance");
        call.run(advance(&call, message)).await
    }
}

/// What is to be done for a record.
enum Plan {
    Skip,
    Advance(Message),
    Impossible(Error),
}

impl Plan {
    fn message(&self) -> Option<&Message> {
        match self {
            Self::Advance(message) => Some(message),
            Self::Skip | Self::Impossible(_) => None,
        }
    }
}

fn plan(record: &StreamRecord) -> Plan {
    if record.kind != RecordKind::Insert || !matches!(KnownKey::parse(&record.key), Some(KnownKey::Message(_))) {
        return Plan::Skip;
    }
    let Some(image) = &record.new else {
        return Plan::Impossible(
            Error::invalid(
                "the record of a new message has no new image: the stream must be NEW_IMAGE or NEW_AND_OLD_IMAGES",
            )
            .with_entity(Message::TYPE),
        );
    };
    match Message::from_item(image.clone()) {
        Ok(message) => Plan::Advance(message),
        Err(error) => Plan::Impossible(error),
    }
}

/// Whether the same call would fail in the same way for ever.
fn is_permanent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Corrupt)
}

async fn advance(call: &Call<'_>, message: &Message) -> Result<()> {
    let mut query = Query::table_consistent(Membership::partition(message.group_id()))
        .range(SortRange::BeginsWith(Membership::members()));
    loop {
        let page = call.query(query.clone()).await?;
        for item in page.items {
            let row = Membership::from_item(item)?;
            // Not met by a row that is newer already, or that has gone since; both are as they should be.
            let _ = call.write(show(&row, message)?).await?;
        }
        match page.next {
            Some(next) => query.start = Some(next),
            None => return Ok(()),
        }
    }
}

/// The one update that moves a row forward to a message.
fn show(row: &Membership, message: &Message) -> Result<Write> {
    let position = || AttributeValue::S(message.position().to_string());
    let recency = Membership::recency(message.created_at(), message.group_id());
    let update = Update::new()
        .set(Membership::LAST_MESSAGE, position())
        .set(Membership::LAST_SENDER, AttributeValue::S(message.sender_id().to_string()))
        .set(GSI1SK, AttributeValue::S(recency.into()));
    let update = match row.preview_of(message) {
        Some(preview) => update.set(Membership::PREVIEW, AttributeValue::S(preview.into())),
        None => update.remove(Membership::PREVIEW),
    };
    let forward = Condition::absent(Membership::LAST_MESSAGE).or(Condition::lt(Membership::LAST_MESSAGE, position()));
    Write::update(row.key(), update)?.when(Condition::item_exists().and(forward))
}
