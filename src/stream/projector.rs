//! `projector.advance`, `projector.refresh`, `projector.join`, `projector.rename`: apply a batch of records to inbox
//! entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};

use super::bounded::Bounded;
use super::entries;
use super::plan::{GroupWork, Plan, Subject};
use super::sink::DeadLetterSink;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::error::{Error, Recovery, Result};
use crate::id::GroupId;
use crate::model::{Membership, Message, User};
use crate::patterns::call::begin;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::record::{SequenceNumber, StreamRecord};

pub(crate) const ADVANCE: Card = Card::new("projector.advance", "Projector::advance", Caller::Projector)
    .cases(&[
        Case::new(&[MEMBERS, MOVE], MOVES),
        Case::named("redelivery", &[MEMBERS], Cost::of(&[Term::reads(1).per(Per::ReadBlock)])),
    ])
    .retry("updates the remaining memberships");

pub(crate) const REFRESH: Card = Card::new("projector.refresh", "Projector::project", Caller::Projector)
    .cases(&[Case::new(&[NEWEST, MEMBERS, MOVE], MOVES)])
    .retry("updates the remaining memberships");

pub(crate) const JOIN: Card = Card::new("projector.join", "Projector::project", Caller::Projector)
    .cases(&[
        Case::new(&[NEWEST, USERS], Cost::of(&[NEWEST_READ, USER_READS])),
        Case::named(
            "membership has moved",
            &[NEWEST, USERS, MEMBERSHIP, NEWEST],
            Cost::of(&[NEWEST_READ, USER_READS, Term::reads(1)]),
        ),
        Case::named(
            "membership is late",
            &[NEWEST, USERS, MEMBERSHIP, NEWEST, MOVE.times(Times::Once), NEWEST],
            Cost::of(&[NEWEST_READ, USER_READS, Term::reads(1), Term::writes(1), Term::index_writes(2)]),
        ),
        Case::named(
            "older names",
            &[NEWEST, USERS, MOVE.times(Times::Once)],
            Cost::of(&[NEWEST_READ, USER_READS, Term::writes(1), Term::index_writes(1)]),
        ),
    ])
    .retry("updates the remaining memberships");

pub(crate) const RENAME: Card = Card::new("projector.rename", "Projector::rename", Caller::Projector)
    .cases(&[
        Case::named(
            "groups",
            &[INBOX, MOVE.times(EACH)],
            Cost::of(&[
                Term::half_index_reads(1).per(Per::ReadBlock),
                Term::writes(1).per(PER_CONVERSATION),
                Term::index_writes(1).per(PER_CONVERSATION),
            ]),
        ),
        Case::named(
            "groups, previews may grow",
            &[INBOX, RequestCard::get(&Message::CARD).consistent().times(EACH), MOVE.times(EACH)],
            Cost::of(&[
                Term::half_index_reads(1).per(Per::ReadBlock),
                Term::reads(1).per(Per::ReadBlock),
                Term::writes(1).per(PER_CONVERSATION),
                Term::index_writes(1).per(PER_CONVERSATION),
            ]),
        ),
        Case::named(
            "direct conversations",
            &[INBOX, MOVE.times(EACH), MEMBERSHIP.times(EACH), MOVE.times(EACH)],
            Cost::of(&[
                Term::half_index_reads(1).per(Per::ReadBlock),
                Term::reads(1).per(PER_CONVERSATION),
                Term::writes(2).per(PER_CONVERSATION),
                Term::index_writes(2).per(PER_CONVERSATION),
            ]),
        ),
    ])
    .retry("updates the remaining memberships");

const EACH: Times = Times::Each("conversation");
const PER_CONVERSATION: Per = Per::Each("conversation");
const MOVES: Cost = Cost::of(&[NEWEST_READ, Term::writes(1).per(Per::Member), Term::index_writes(2).per(Per::Member)]);
const NEWEST_READ: Term = Term::reads(1).per(Per::ReadBlock);
const USER_READS: Term = Term::reads(1).per(Per::Each("user"));
const MEMBERS: RequestCard = RequestCard::query(&Membership::CARD).range("begins with USER#").consistent();
const NEWEST: RequestCard = RequestCard::query(&Message::CARD).consistent();
const USERS: RequestCard = RequestCard::get(&User::CARD).consistent().times(Times::Each("user"));
const INBOX: RequestCard = RequestCard::query(&Membership::CARD).on_index().range("begins with GRP#");
const MEMBERSHIP: RequestCard = RequestCard::get(&Membership::CARD).consistent();
const MOVE: RequestCard =
    RequestCard::update(&Membership::CARD).when("the membership is as it was read").times(Times::PerMember);

/// The part of Threadline that keeps inbox entries up to date. It applies the [records](StreamRecord) of the table's
/// stream to the entries. An inbox entry is a [`Membership`].
///
/// * **Idempotent**: one conditional update moves an entry forward, to a newer message or to a newer revision of the
///   same message. A redelivered, late or partial batch does no harm. An entry moves back in one case only: the message
///   that it shows is removed from the table, for example because it expired. The entry then moves to the newest
///   remaining message.
/// * **Expiry**: another program may set, change or remove the expiry of a message. The projector then updates the
///   entries that show the message.
/// * **Coalescing**: within a batch, the projector applies only the newest message of each group and the newest version
///   of each user. A message costs 3 [WCU](crate::guide::costs) per member: 1 in the table and 2 in the index. Reading
///   the memberships costs 1 RCU per 4 KB.
/// * **Edits and deletions**: a change of the newest message also changes the preview in the entries. A change of an
///   older message changes no entry.
/// * **Renames**: the projector copies a user's new names into the user's entries. In direct conversations, it also
///   copies the names into the other member's entry. Messages keep the names with which they were sent.
/// * **Independent of order**: an entry depends only on the newest message and on the current names of the users in the
///   entry. The order of the records does not matter.
/// * **Size**: an entry is at most 1 KB, because the projector cuts the preview to the space that the names leave.
/// * **New entries**: the projector compares the entry of a new member with the newest message, and with the users
///   whose names the entry contains. This costs 1 RCU for the message and 1 RCU per user. An update follows only if the
///   entry is outdated, which is rare.
/// * **Independent entries**: if an entry cannot be written, the projector still writes the others. A record with
///   several errors is a dead letter only if all its errors are permanent. Otherwise, it counts as failed.
/// * **No feedback**: the projector skips the records of its own writes. It also skips the records of entities that it
///   does not know.
#[derive(Clone, Debug)]
#[must_use]
pub struct Projector {
    store: Arc<dyn Store>,
    sink: Option<Arc<dyn DeadLetterSink>>,
}

/// The outcome of one record that a [`Projector`] has processed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// The inbox entries show the state in the record, or a newer one.
    Done,
    /// The projector has nothing to do for the record.
    Nothing,
    /// The record failed. A retry may succeed.
    Failed(Arc<Error>),
    /// The record is a dead letter: it will always fail. The projector has passed it to the
    /// [dead-letter sink](DeadLetterSink). Without a sink, only a log entry remains, without the record's content.
    DeadLetter(Arc<Error>),
}

/// The outcomes of a batch of records, which [`Projector::project`] returns.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "records may have failed and must be retried"]
pub struct Projection {
    /// One outcome per record, in the order of the records.
    pub outcomes: Vec<RecordOutcome>,
    /// The lowest sequence number of the failed records. Retry the batch from the record with this number.
    ///
    /// The field is `None` in two cases:
    ///
    /// * No record failed. [`has_failed`](Self::has_failed) then returns `false`.
    /// * A failed record has no sequence number. `has_failed` then returns `true`: retry the whole batch.
    pub lowest_failed: Option<SequenceNumber>,
}

impl Projection {
    /// Returns `true` if any record failed and must be retried.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::MemoryStore;
    /// use threadline::stream::Projector;
    ///
    /// let store = MemoryStore::new();
    /// let records = store.records_after(None, 100)?;
    /// let projection = Projector::new(store).project(&records).await;
    /// if projection.has_failed() {
    ///     // Retry the records from `lowest_failed`.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_failed(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, RecordOutcome::Failed(_)))
    }
}

impl Projector {
    /// Creates a projector on this store.
    ///
    /// The projector has no [dead-letter sink](DeadLetterSink). It logs an error for a record that will always fail,
    /// and does not keep the record.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::stream::Projector;
    ///
    /// let projector = Projector::new(MemoryStore::new());
    /// ```
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), sink: None }
    }

    /// Sets the sink that receives dead letters, which are records that will always fail. Default: none.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::stream::{JsonLinesSink, Projector};
    ///
    /// let projector = Projector::new(MemoryStore::new()).dead_letters(JsonLinesSink::new(std::io::stderr()));
    /// ```
    pub fn dead_letters(mut self, sink: impl DeadLetterSink + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Applies a batch of stream records to the inbox entries.
    ///
    /// Pass records of one shard, in the order of the stream. Every record gets an outcome. If a record fails, the
    /// projector still applies the others. The projector first applies the records of conversations, then those of
    /// users. It makes at most 8 requests at the same time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::{NewUser, Threadline};
    /// use threadline::MemoryStore;
    /// use threadline::stream::Projector;
    ///
    /// let store = MemoryStore::new();
    /// # let chat = Threadline::new(store.clone());
    /// # let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// # let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// # chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let records = store.records_after(None, 100)?;
    /// let projection = Projector::new(store).project(&records).await;
    /// assert_eq!(projection.outcomes.len(), records.len());
    /// assert_eq!(projection.lowest_failed, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn project(&self, records: &[StreamRecord]) -> Projection {
        let plan = Plan::of(records);
        let store = Bounded::new(&self.store);
        let groups = plan.groups.iter().map(|(id, work)| keyed(*id, project_group(&store, *id, work)).boxed());
        let groups: BTreeMap<_, _> = entries::concurrently(groups).collect().await;
        // After the groups: if both wrote an entry at once, one of the writes would be refused.
        let users = plan.users.iter().map(|(id, user)| keyed(*id, rename(&store, user)).boxed());
        let users: BTreeMap<_, _> = entries::concurrently(users).collect().await;

        let mut projection = Projection::default();
        let mut failed = Vec::new();
        for (record, subject) in records.iter().zip(&plan.subjects) {
            let outcome = match subject {
                Subject::Nothing => RecordOutcome::Nothing,
                Subject::Refused(error) => outcome(Some(&Err(Arc::clone(error)))),
                Subject::Group(group) => outcome(groups.get(group)),
                Subject::User(user) => outcome(users.get(user)),
            };
            let outcome = self.keep_dead_letter(record, outcome).await;
            if matches!(outcome, RecordOutcome::Failed(_)) {
                failed.push(record.sequence.as_ref());
            }
            projection.outcomes.push(outcome);
        }
        let failed: Option<Vec<_>> = failed.into_iter().collect();
        projection.lowest_failed = failed.and_then(|numbers| numbers.into_iter().min().cloned());
        projection
    }

    /// Applies all stream records of the [in-memory store](MemoryStore) to the inbox entries. Tests and examples use
    /// this method to update the inboxes.
    ///
    /// The store keeps its stream records for 24 hours by default. A record that was already applied changes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::stream::Projector;
    /// use threadline::{MemoryStore, NewUser, Threadline};
    ///
    /// let store = MemoryStore::new();
    /// let chat = Threadline::new(store.clone());
    /// let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// thread.send(chat.new_message_id(), "Are you there?").await?;
    ///
    /// let projection = Projector::new(store.clone()).catch_up(&store).await?;
    /// assert!(!projection.has_failed());
    /// let inbox = chat.inbox(bayko.id()).fetch().await?;
    /// assert_eq!(inbox.items[0].preview().map(|text| text.as_str()), Some("Are you there?"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No errors at present. If a record fails, the call still succeeds, and the returned projection contains a failed
    /// outcome.
    pub async fn catch_up(&self, store: &MemoryStore) -> Result<Projection> {
        Ok(self.project(&store.records_after(None, usize::MAX)?).await)
    }

    /// Moves the inbox entries of the message's conversation forward to this message. The message's stream record has
    /// the same effect.
    ///
    /// An entry does not change if it already shows this revision of the message, or something newer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::{MemoryStore, NewUser, Threadline};
    /// # let store = MemoryStore::new();
    /// # let chat = Threadline::new(store.clone());
    /// # let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// # let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// # let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// use threadline::stream::Projector;
    ///
    /// let message = thread.send(chat.new_message_id(), "Are you there?").await?;
    /// Projector::new(store).advance(&message).await?;
    ///
    /// let inbox = chat.inbox(bayko.id()).fetch().await?;
    /// assert_eq!(inbox.items[0].last_message(), Some(message.position()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`StoreExt::send`](crate::store::StoreExt::send) if a request fails. Some entries may have moved
    /// before the error. A retry moves the rest.
    pub async fn advance(&self, message: &Message) -> Result<()> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, ADVANCE);
        call.run(entries::advance(&call, message, &mut BTreeMap::new())).await
    }

    /// Copies a user's names into the user's inbox entries. In direct conversations, it also copies the names into the
    /// other member's entry. The stream record of a rename has the same effect.
    ///
    /// An entry does not change if it already has these names, or later names of the user.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// # use threadline::{MemoryStore, NewUser, Threadline, UserChange};
    /// # let store = MemoryStore::new();
    /// # let chat = Threadline::new(store.clone());
    /// # let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    /// # let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    /// # chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// use threadline::stream::Projector;
    ///
    /// let renamed = chat.update_user(&andrew, UserChange::new().display_name("Andrew B.")?).await?;
    /// Projector::new(store).rename(&renamed).await?;
    ///
    /// let inbox = chat.inbox(bayko.id()).fetch().await?;
    /// assert_eq!(inbox.items[0].other(), Some(renamed.profile()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`StoreExt::send`](crate::store::StoreExt::send) if a request fails. Some entries may have changed
    /// before the error. A retry changes the rest.
    pub async fn rename(&self, user: &User) -> Result<()> {
        rename(&Bounded::new(&self.store), user).await
    }

    /// Passes a dead letter to the sink. If that fails, the record counts as failed and is retried, so that it is not
    /// lost.
    async fn keep_dead_letter(&self, record: &StreamRecord, outcome: RecordOutcome) -> RecordOutcome {
        let RecordOutcome::DeadLetter(error) = &outcome else { return outcome };
        let Some(sink) = &self.sink else {
            tracing::error!(
                table = self.store.table_name(),
                kind = record.kind.as_str(),
                sequence = record.sequence.as_ref().map(SequenceNumber::as_str),
                error = ?error.kind(),
                "a record can never be projected, and the projector has no dead-letter sink",
            );
            return outcome;
        };
        match sink.keep(record, error).await {
            Ok(()) => outcome,
            Err(error) => RecordOutcome::Failed(Arc::new(error)),
        }
    }
}

async fn project_group(store: &dyn Store, group: GroupId, work: &GroupWork) -> Result<()> {
    let mut joined = work.joined.clone();
    let moved = if !work.removed.is_empty() {
        let call = begin!(store, REFRESH);
        // A refresh reads the newest message from the thread, so it also projects the newest message of the batch.
        call.run(entries::refresh(&call, group, &work.removed, &mut joined)).await
    } else if let Some(message) = &work.newest {
        let call = begin!(store, ADVANCE);
        call.run(entries::advance(&call, message, &mut joined)).await
    } else {
        Ok(())
    };
    if joined.is_empty() {
        return moved;
    }
    let call = begin!(store, JOIN);
    entries::merge(moved, call.run(entries::join(&call, group, joined)).await)
}

async fn rename(store: &dyn Store, user: &User) -> Result<()> {
    let call = begin!(store, RENAME);
    call.run(entries::rename(&call, user)).await
}

/// Returns the result of the work with its key.
async fn keyed<K>(key: K, work: impl Future<Output = Result<()>>) -> (K, Result<(), Arc<Error>>) {
    (key, work.await.map_err(Arc::new))
}

fn outcome(result: Option<&Result<(), Arc<Error>>>) -> RecordOutcome {
    match result {
        None | Some(Ok(())) => RecordOutcome::Done,
        Some(Err(error)) if error.recovery() == Recovery::Permanent => RecordOutcome::DeadLetter(Arc::clone(error)),
        Some(Err(error)) => RecordOutcome::Failed(Arc::clone(error)),
    }
}
