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

/// Keeps the inbox entries up to date with the messages and the users, from the [records](StreamRecord) of the table's
/// stream. An inbox entry is a [`Membership`].
///
/// * **Monotonic and idempotent**: an entry only moves forward, by one conditional update: to a newer message, or to a
///   newer revision of the same message. So a redelivered, late or partial batch does no harm. An entry moves back only
///   if the message that it shows expired or was removed, and then to the newest remaining message.
/// * **Expiry**: if another program sets, changes or removes the expiry of a message, the entries that show the message
///   follow.
/// * **Coalescing**: within a batch, the projector projects only the newest message of each group and the newest
///   version of each user. A message costs 3 [WCU](crate::guide::costs) per member (1 in the table, 2 in the index) and
///   1 RCU per 4 KB of members.
/// * **Edits and deletions** of the newest message refresh the preview. Those of an older message change no entry.
/// * **Renames**: a user's new names reach the user's entries and the other member's entries of direct conversations.
///   Messages keep the names with which they were sent.
/// * **Independent of order**: an entry depends only on the newest message and on its users' names, not on the order of
///   the records. The preview is cut to fit beside the current names, so that an entry stays under 1 KB.
/// * **New entries** are compared with the newest message and their users: 1 RCU for the message and 1 RCU per user.
///   The projector writes only the few entries that are outdated.
/// * **Independent entries**: if an entry cannot be written, the projector still writes the others. If a record has
///   several errors, its outcome is one that is not permanent.
/// * **No feedback**: the projector skips the records of its own writes, and those of entities that it does not know.
#[derive(Clone, Debug)]
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
    /// The record concerns nothing that the projector handles.
    Nothing,
    /// The record failed. A retry may succeed.
    Failed(Arc<Error>),
    /// The record will always fail, so it is a dead letter. The [dead-letter sink](DeadLetterSink) has it. Without a
    /// sink, only a log entry without content remains.
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
    /// The number is `None` if no record failed, or if a failed record has no number. In the second case,
    /// [`has_failed`](Self::has_failed) returns `true`, and the whole batch must be retried.
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
    /// Creates a projector on this store, without a [dead-letter sink](DeadLetterSink). A dead letter, which is a
    /// record that will always fail, then leaves only an error in the log.
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
    #[must_use]
    pub fn dead_letters(mut self, sink: impl DeadLetterSink + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Projects a batch of records of one shard, in the order of the stream, onto the inbox entries.
    ///
    /// Every record gets an outcome. If a record fails, the others are still projected. The projector works on groups,
    /// users and entries concurrently, with at most 8 requests at once.
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

    /// Projects all records of the [in-memory store](MemoryStore), in the order of its stream. Tests and examples use
    /// this method to update the inboxes.
    ///
    /// Records that were projected before change nothing.
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
    /// The errors of [`MemoryStore::records_after`] if the store no longer keeps all records. A failed record is an
    /// outcome in the returned projection, not an error.
    pub async fn catch_up(&self, store: &MemoryStore) -> Result<Projection> {
        Ok(self.project(&store.records_after(None, usize::MAX)?).await)
    }

    /// Moves the inbox entries of a conversation forward to this message, as the message's stream record does.
    ///
    /// Entries that show this message, or a newer one, do not change.
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
    /// The errors of [`StoreExt::send`](crate::store::StoreExt::send) if a request fails. By then, all entries that can
    /// be moved have moved. A retry moves the rest.
    pub async fn advance(&self, message: &Message) -> Result<()> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, ADVANCE);
        call.run(entries::advance(&call, message, &mut BTreeMap::new())).await
    }

    /// Copies a user's names into the inbox entries that contain them, as the stream record of a rename does.
    ///
    /// Entries with these names, or with later ones, do not change.
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
    /// The errors of [`StoreExt::send`](crate::store::StoreExt::send) if a request fails. By then, all entries that can
    /// be changed have changed. A retry changes the rest.
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
