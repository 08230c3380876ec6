//! `projector.advance`, `projector.refresh`, `projector.join`, `projector.rename`: what a batch of records does to the inbox rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};

use super::bounded::Bounded;
use super::plan::{GroupWork, Plan, Subject};
use super::rows;
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

/// Keeps the inbox rows true to the messages and the users, from the table's stream.
///
/// * **Monotonic and idempotent**: a row only moves forward, by one conditional update, to a newer message or a newer revision
///   of the one it shows. A record may come again, late or in a cut batch, and does no harm. Only where a message has expired or is
///   gone from the table does a row that shows it go back, to the newest that is left.
/// * An expiry that another program sets, changes or removes reaches the rows that show the message.
/// * **Coalescing**: of a batch, only the newest message of each group and the newest version of each user are projected. A
///   message costs 3 WCU a member (1 of the table, 2 of the index) and 1 RCU per 4 KB of members.
/// * An edit or deletion of the newest message refreshes the rows' preview; one of an older message changes no row.
/// * A user's new names reach the user's rows and the other side of the user's direct conversations. Messages keep the names they
///   were sent with.
/// * A row follows from the newest message and the names of its users alone. So the order does not matter in which they come, the
///   preview is cut for the names of now, and a row stays under 1 KB.
/// * A new row is compared with the thread and its users, and set right where what its writer knew is behind: 1 RCU for the thread and
///   1 for each user. A row that is right, as nearly all are, is not written.
/// * A row that cannot be written does not keep the others from it. Of several failures a record gets one that may pass.
/// * It skips the records of its own writes, so it never feeds itself, and those of entities that it does not know.
#[derive(Clone, Debug)]
pub struct Projector {
    store: Arc<dyn Store>,
    sink: Option<Arc<dyn DeadLetterSink>>,
}

/// What became of one record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// The rows show it, or something newer.
    Done,
    /// It is none of the projector's business.
    Nothing,
    /// It failed and may succeed when it is tried again.
    Failed(Arc<Error>),
    /// It can never succeed. The sink has it; where there is none, the log says that it was, and not what was in it.
    DeadLetter(Arc<Error>),
}

/// What became of a batch: one outcome for each record, in their order.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "some of the records may have failed, and must be tried again"]
pub struct Projection {
    /// The outcomes.
    pub outcomes: Vec<RecordOutcome>,
    /// The lowest sequence number that failed: the batch has to be tried again from there on. `None` where nothing failed, and
    /// where a record failed that has no number: then [`has_failed`](Self::has_failed) tells that the whole batch has to be.
    pub lowest_failed: Option<SequenceNumber>,
}

impl Projection {
    /// Whether any record failed, to be tried again.
    pub fn has_failed(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, RecordOutcome::Failed(_)))
    }
}

impl Projector {
    /// A projector on this store, without a sink: of a record that can never succeed, an error in the log is all that is left.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), sink: None }
    }

    /// The same, with a sink for records that can never succeed.
    #[must_use]
    pub fn dead_letters(mut self, sink: impl DeadLetterSink + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Projects a batch of records of one shard, in their order. Every record has an outcome; a record that fails does not keep
    /// the others from being projected. Groups, users and rows are projected side by side, with at most 8 requests at once.
    pub async fn project(&self, records: &[StreamRecord]) -> Projection {
        let plan = Plan::of(records);
        let store = Bounded::new(&self.store);
        let groups = plan.groups.iter().map(|(id, work)| keyed(*id, project_group(&store, *id, work)).boxed());
        let groups: BTreeMap<_, _> = rows::at_once(groups).collect().await;
        // Behind the groups: one row is seldom written for both at once then, which would cost a refused write.
        let users = plan.users.iter().map(|(id, user)| keyed(*id, rename(&store, user)).boxed());
        let users: BTreeMap<_, _> = rows::at_once(users).collect().await;

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

    /// Projects all records that the in-memory store has, as its stream would bring them: what moves the inboxes in tests and
    /// examples. What was projected before changes nothing.
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
    /// As [`MemoryStore::records_after`]. A record that fails is no error: it has an outcome of its own.
    pub async fn catch_up(&self, store: &MemoryStore) -> Result<Projection> {
        Ok(self.project(&store.records_after(None, usize::MAX)?).await)
    }

    /// Moves the rows of the message's group forward to it: what a record of the message does. Rows that show it, or something
    /// newer, stay as they are.
    ///
    /// # Errors
    /// As [`StoreExt::send`](crate::store::StoreExt::send). The rows that could be moved have moved then; a repeat moves the rest.
    pub async fn advance(&self, message: &Message) -> Result<()> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, ADVANCE);
        call.run(rows::advance(&call, message, &mut BTreeMap::new())).await
    }

    /// Gives a user's names to the rows they stand in: what a record of a change of the user does. Rows with these names, or later
    /// ones, stay as they are.
    ///
    /// # Errors
    /// As [`StoreExt::send`](crate::store::StoreExt::send). The rows that could be changed have changed then; a repeat changes
    /// the rest.
    pub async fn rename(&self, user: &User) -> Result<()> {
        rename(&Bounded::new(&self.store), user).await
    }

    /// Hands a record that can never succeed to the sink. Where that fails, the record is tried again, so that it is not lost.
    async fn keep_dead_letter(&self, record: &StreamRecord, outcome: RecordOutcome) -> RecordOutcome {
        let RecordOutcome::DeadLetter(error) = &outcome else { return outcome };
        let Some(sink) = &self.sink else {
            tracing::error!(
                table = self.store.table_name(),
                kind = record.kind.as_str(),
                sequence = record.sequence.as_ref().map(SequenceNumber::as_str),
                error = ?error.kind(),
                "a record can never be projected, and there is no sink to keep it",
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
        // The thread itself tells what is newest, so this is also what the batch's newest message asks for.
        call.run(rows::refresh(&call, group, &work.removed, &mut joined)).await
    } else if let Some(message) = &work.newest {
        let call = begin!(store, ADVANCE);
        call.run(rows::advance(&call, message, &mut joined)).await
    } else {
        Ok(())
    };
    if joined.is_empty() {
        return moved;
    }
    let call = begin!(store, JOIN);
    rows::worst(moved, call.run(rows::join(&call, group, joined)).await)
}

async fn rename(store: &dyn Store, user: &User) -> Result<()> {
    let call = begin!(store, RENAME);
    call.run(rows::rename(&call, user)).await
}

/// What the work comes to, beside what it is about.
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
