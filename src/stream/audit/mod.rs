//! `audit.check` and `audit.repair`: compare inbox entries and claims with the messages and the users.

mod claims;
mod cursor;
mod discrepancy;
mod groups;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_dynamo::AttributeValue;

pub use cursor::AuditCursor;
pub use discrepancy::{Discrepancy, Finding};

use super::bounded::Bounded;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::item::Item;
use crate::key::Key;
use crate::model::{
    HandleClaim, IdentityClaim, KnownKey, Membership, Message, MessageGroup, MessageKey, Ownership, User,
};
use crate::patterns::call::{Call, begin};
use crate::request::{MAX_BATCH_GETS, Position, Scan};
use crate::store::Store;
use crate::stored::Entity;

pub(crate) const CHECK: Card = Card::new("audit.check", "Auditor::check", Caller::Operator)
    .cases(&[Case::new(&READS, Cost::of(&[SCANNED, READ]))])
    .retry("reads again");

pub(crate) const REPAIR: Card = Card::new("audit.repair", "Auditor::repair", Caller::Operator)
    .cases(&[
        Case::new(&READS, Cost::of(&[SCANNED, READ])),
        Case::named("one wrong recency", &reads_and::<12>(&[ENTRY, NEWEST]), MOVES_ENTRY),
        Case::named("one wrong index key", &reads_and::<11>(&[ENTRY]), MOVES_ENTRY),
        Case::named("one stale preview", &reads_and::<12>(&[ENTRY, NEWEST]), WRITES_ENTRY),
        Case::named("one stale name", &reads_and::<11>(&[ENTRY]), WRITES_ENTRY),
        Case::named("one stale name, preview may grow", &reads_and::<12>(&[MESSAGE, ENTRY]), WRITES_ENTRY),
        Case::named("one missing entry", &reads_and::<13>(&[USER, USER, MISSING_ENTRY]), WRITES_ENTRY),
        Case::named("one wrong member count", &reads_and::<11>(&[COUNT]), Cost::of(&[SCANNED, READ, Term::writes(1)])),
        Case::named("one missing handle claim", &reads_and::<12>(&[SAME_USER, PUT_HANDLE]), WRITES_CLAIM),
        Case::named("one missing identity claim", &reads_and::<12>(&[SAME_USER, PUT_IDENTITY]), WRITES_CLAIM),
        Case::named("one wrong handle claim", &reads_and::<13>(&[HANDLE, SAME_USER, DELETE_HANDLE]), WRITES_CLAIM),
        Case::named(
            "one wrong identity claim",
            &reads_and::<13>(&[IDENTITY, SAME_USER, DELETE_IDENTITY]),
            WRITES_CLAIM,
        ),
        Case::named(
            "one handle claim with an old key",
            &reads_and::<14>(&[HANDLE, SAME_USER, PUT_HANDLE, DELETE_HANDLE]),
            Cost::of(&[SCANNED, READ, Term::writes(6)]),
        ),
    ])
    .retry("repairs the remaining discrepancies");

const SCANNED: Term = Term::half_reads(1).per(Per::ReadBlock);
const READ: Term = Term::reads(1).per(Per::Each("consistent read"));
const MOVES_ENTRY: Cost = Cost::of(&[SCANNED, READ, Term::writes(1), Term::index_writes(2)]);
const WRITES_ENTRY: Cost = Cost::of(&[SCANNED, READ, Term::writes(1), Term::index_writes(1)]);
/// A transaction charges a write twice, and its check of the user too.
const WRITES_CLAIM: Cost = Cost::of(&[SCANNED, READ, Term::writes(4)]);

/// The requests of an audit that repairs nothing.
const READS: [RequestCard; 10] = [
    RequestCard::scan(),
    GROUP.times(EACH_GROUP),
    GROUP.times(Times::OnlyIf("its messages are scanned first")),
    RequestCard::query(&Membership::CARD).range("begins with USER#").consistent().times(EACH_GROUP),
    NEWEST.times(EACH_GROUP),
    RequestCard::batch_get(&User::CARD).consistent().times(Times::Each("100 members")),
    USER.times(EACH_USER),
    HANDLE.times(EACH_USER),
    IDENTITY.times(EACH_USER),
    USER.times(Times::Each("claim")),
];

/// Returns the requests of an audit, followed by those of its repair: `N` in total.
const fn reads_and<const N: usize>(repair: &[RequestCard]) -> [RequestCard; N] {
    let mut all = [RequestCard::scan(); N];
    let (first, last) = all.split_at_mut(READS.len());
    first.copy_from_slice(&READS);
    last.copy_from_slice(repair);
    all
}

const EACH_GROUP: Times = Times::Each("group");
const EACH_USER: Times = Times::Each("user");
const GROUP: RequestCard = RequestCard::get(&MessageGroup::CARD).consistent();
const NEWEST: RequestCard = RequestCard::query(&Message::CARD).consistent();
const MESSAGE: RequestCard = RequestCard::get(&Message::CARD).consistent();
const USER: RequestCard = RequestCard::get(&User::CARD).consistent();
const HANDLE: RequestCard = RequestCard::get(&HandleClaim::CARD).consistent();
const IDENTITY: RequestCard = RequestCard::get(&IdentityClaim::CARD).consistent();
const ENTRY: RequestCard = RequestCard::update(&Membership::CARD).when("the membership is as it was read");
const MISSING_ENTRY: RequestCard = RequestCard::put(&Membership::CARD).when("the membership is absent");
const COUNT: RequestCard = RequestCard::update(&MessageGroup::CARD).when("the group is as it was read");
const SAME_USER: RequestCard = RequestCard::check(&User::CARD).when("the user is as it was read");
const PUT_HANDLE: RequestCard =
    RequestCard::put(&HandleClaim::CARD).when("the handle is free or the user's").in_transaction();
const PUT_IDENTITY: RequestCard =
    RequestCard::put(&IdentityClaim::CARD).when("the identity is free or the user's").in_transaction();
const DELETE_HANDLE: RequestCard =
    RequestCard::delete(&HandleClaim::CARD).when("the claim is the user's").in_transaction();
const DELETE_IDENTITY: RequestCard =
    RequestCard::delete(&IdentityClaim::CARD).when("the claim is the user's").in_transaction();

/// The maximum number of items in a page.
const PAGE_ITEMS: u32 = 100;
/// The maximum number of requests of a page. Only a page of a single item may make more.
const MAX_REQUESTS: usize = 200;
/// The number of items, or of memberships of a group, that are audited at once.
const CONCURRENCY: usize = 8;

/// An auditor of derived data: inbox entries, member counts and claims. It compares this data with the messages,
/// memberships and users from which it is derived, and repairs the differences. One call audits one page of the table.
///
/// Run an audit after a [projector](super::Projector) was off for over 24 hours, or after a manual change of the table.
///
/// * **Cost**: a scan of the table costs 0.5 [RCU](crate::guide::costs) per 4 KB. All other reads are strongly
///   consistent, at 1 RCU per 4 KB. For each group, the audit reads the group, its memberships, their users (100 per
///   request) and the newest message. For each user, it reads the user and the user's claims. For each claim, it reads
///   the claim's user.
/// * **Page size**: a page has at most 100 items and 200 requests, of which at most 8 are sent at the same time. One
///   item may need more than 200 requests. It then is the only item of its page. For a group of 1,000 members, `check`
///   makes fewer than 20 requests. If every entry is wrong, `repair` makes up to 4 more requests per member.
/// * **Live traffic**: each repair is a conditional write, which is refused if the data changed in the meantime. If the
///   projector has not applied a new message yet, the audit reports the outdated entries. Check again a moment later.
/// * **Unreadable items**: each unreadable item is a finding. The audit still compares all data that does not depend on
///   the item.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> threadline::Result<()> {
/// use threadline::MemoryStore;
/// use threadline::stream::Auditor;
///
/// let auditor = Auditor::new(MemoryStore::new());
/// let mut cursor = None;
/// loop {
///     let page = auditor.check(cursor).await?;
///     for finding in &page.findings {
///         println!("{finding}");
///     }
///     cursor = page.next; // Store it to continue after an interruption.
///     if cursor.is_none() {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Auditor {
    store: Arc<dyn Store>,
}

/// The result of auditing one page of the table, from [`Auditor::check`] or [`Auditor::repair`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditPage {
    /// The discrepancies that the audit found on this page.
    pub findings: Vec<Finding>,
    /// The number of items on this page that were audited completely.
    pub items: usize,
    /// The cursor of the next page, or `None` at the end of the table.
    pub next: Option<AuditCursor>,
}

impl Auditor {
    /// Creates an auditor of the table in this store.
    ///
    /// ```
    /// use threadline::MemoryStore;
    /// use threadline::stream::Auditor;
    ///
    /// let auditor = Auditor::new(MemoryStore::new());
    /// ```
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Reports the discrepancies in one page of the table, and writes nothing. Without a cursor, the page is the first
    /// one.
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
    /// use threadline::stream::{Auditor, Discrepancy};
    ///
    /// // No projector runs, so both inbox entries still show the first message.
    /// thread.send(chat.new_message_id(), "Are you there?").await?;
    ///
    /// let page = Auditor::new(store).check(None).await?;
    /// assert_eq!(page.findings.len(), 2);
    /// assert!(matches!(page.findings[0].discrepancy, Discrepancy::WrongRecency { .. }));
    /// assert_eq!(page.next, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the cursor is not from an audit.
    /// * [`Misconfigured`](crate::ErrorKind::Misconfigured) if the table's key attributes are not `pk` and `sk`.
    /// * The errors of [`StoreExt::send`](crate::store::StoreExt::send) if a request fails.
    ///
    /// An unreadable item is a finding, not an error. If the audit of an item fails, the page ends before this item.
    /// The call then returns the findings of the earlier items, and the next call starts with the failed item. If the
    /// audit of the first item of a page fails, the call returns the error.
    pub async fn check(&self, cursor: impl Into<Option<AuditCursor>>) -> Result<AuditPage> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, CHECK);
        let cursor = cursor.into();
        call.run(page(&call, cursor.as_ref(), false)).await
    }

    /// Reports the discrepancies in one page of the table, and repairs those that have a known right value. Without a
    /// cursor, the page is the first one.
    ///
    /// [`Finding::repaired`] is `true` for a repaired discrepancy. A discrepancy without a known right value is only
    /// reported, such as a membership without a group.
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
    /// # thread.send(chat.new_message_id(), "Are you there?").await?;
    /// use threadline::stream::Auditor;
    ///
    /// let auditor = Auditor::new(store);
    /// let page = auditor.repair(None).await?;
    /// assert!(page.findings.iter().all(|finding| finding.repaired));
    /// assert!(auditor.check(None).await?.findings.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction of a repair.
    /// * Otherwise the errors of [`check`](Self::check).
    ///
    /// If the call has repaired a discrepancy before an error, it returns a page with this repair, not the error. The
    /// cursor of this page continues with the rest.
    ///
    /// A repair is refused if the data changed in the meantime. The call does not fail in this case: see
    /// [`Finding::repaired`].
    pub async fn repair(&self, cursor: impl Into<Option<AuditCursor>>) -> Result<AuditPage> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, REPAIR);
        let cursor = cursor.into();
        call.run(page(&call, cursor.as_ref(), true)).await
    }
}

async fn page(call: &Call<'_>, cursor: Option<&AuditCursor>, repairs: bool) -> Result<AuditPage> {
    let mut scan = Scan::new().start(cursor.map(AuditCursor::position).transpose()?.flatten());
    scan.limit = NonZeroU32::new(PAGE_ITEMS);
    let scanned = call.scan(scan).await?;
    let mut page = AuditPage::default();
    let mut reached = cursor.cloned().unwrap_or_else(AuditCursor::start);
    let (within_limit, is_cut) = Task::within_limit(scanned.items, repairs)?;
    let mut tasks = within_limit.into_iter().peekable();
    while tasks.peek().is_some() {
        let mut audits = Vec::new();
        for task in tasks.by_ref().take(CONCURRENCY) {
            audits.push(async move {
                let mut audit = Audit { call, repairs, findings: Vec::new() };
                let key = task.key.clone();
                let audited = audit.item(task).await;
                let audited = audit.readable(audited);
                (key, audit.findings, audited)
            });
        }
        let mut failed = None;
        for (key, findings, audited) in join_all(audits).await {
            // After an error, the next call finds everything again, except what was repaired.
            match (failed.is_none(), audited) {
                (true, Ok(_)) => {
                    page.findings.extend(findings);
                    page.items += 1;
                    reached = AuditCursor::after(&Position { key, index_key: None });
                }
                (is_first, audited) => {
                    page.findings.extend(findings.into_iter().filter(|finding| finding.repaired));
                    if is_first {
                        failed = audited.err();
                    }
                }
            }
        }
        if let Some(error) = failed {
            if page.items == 0 && page.findings.is_empty() {
                return Err(error);
            }
            page.next = Some(reached);
            return Ok(page);
        }
    }
    page.next = if is_cut { Some(reached) } else { scanned.next.as_ref().map(AuditCursor::after) };
    Ok(page)
}

fn other_keys(error: Error) -> Error {
    Error::new(ErrorKind::Misconfigured, format!("table has other keys: {error}; verify the table"))
}

/// An item to audit.
struct Task {
    key: Key,
    known: Ownership,
    item: Item,
    /// `true` for the first item of its group on the page. The group's own item audits the whole group. The first of
    /// the other items only checks that the group exists.
    is_first: bool,
}

impl Task {
    /// Returns the first items of a page that stay within the limit of requests, and `true` if there are more items.
    ///
    /// The first item is always among them.
    fn within_limit(items: Vec<Item>, repairs: bool) -> Result<(Vec<Self>, bool)> {
        let (mut tasks, mut seen) = (Vec::new(), BTreeSet::new());
        // The scan is the first request.
        let mut requests = 1;
        for item in items {
            let key = item.key().map_err(other_keys)?;
            let known = Ownership::of(&key, Some(&item));
            let is_first = match &known {
                Ownership::Ours(KnownKey::MessageGroup(group) | KnownKey::Membership(group, _)) => seen.insert(*group),
                Ownership::Ours(KnownKey::Message(key)) => seen.insert(key.group),
                _ => false,
            };
            let task = Self { key, known, item, is_first };
            requests += task.requests(repairs);
            if requests > MAX_REQUESTS && !tasks.is_empty() {
                return Ok((tasks, true));
            }
            tasks.push(task);
        }
        Ok((tasks, false))
    }

    /// Returns the maximum number of requests for the item: reads and, for a repair, writes.
    fn requests(&self, repairs: bool) -> usize {
        let (reads, writes) = match &self.known {
            Ownership::Foreign | Ownership::Unreadable(_) => (0, 0),
            // The group, its memberships, its newest message, its users, and the two users of a missing entry.
            Ownership::Ours(KnownKey::MessageGroup(_)) => {
                let members = self.members();
                (6 + members / MAX_BATCH_GETS, 1 + 4 * members)
            }
            Ownership::Ours(KnownKey::Membership(..) | KnownKey::Message(_)) => (usize::from(self.is_first), 0),
            Ownership::Ours(KnownKey::User(_)) => (4, 2),
            Ownership::Ours(KnownKey::HandleClaim(_) | KnownKey::IdentityClaim(_)) => (2, 1),
        };
        if repairs { reads + writes } else { reads }
    }

    /// Returns the member count of the group, or the maximum if it is unreadable.
    fn members(&self) -> usize {
        match self.item.get(MessageGroup::MEMBER_COUNT) {
            Some(AttributeValue::N(count)) => {
                count.parse().unwrap_or(MessageGroup::MAX_MEMBERS).min(MessageGroup::MAX_MEMBERS)
            }
            _ => MessageGroup::MAX_MEMBERS,
        }
    }
}

/// The audit of one item, or of one membership of a group.
struct Audit<'a> {
    call: &'a Call<'a>,
    /// `true` to repair the findings.
    repairs: bool,
    findings: Vec<Finding>,
}

impl Audit<'_> {
    async fn item(&mut self, task: Task) -> Result<()> {
        let Task { key, known, item, is_first } = task;
        let known = match known {
            Ownership::Foreign => return Ok(()),
            Ownership::Unreadable(error) => return Err(error),
            Ownership::Ours(known) => known,
        };
        match known {
            KnownKey::MessageGroup(group) => self.group(group).await,
            KnownKey::Membership(group, user) => {
                // The group's own item audits the entry. This only checks that the group exists.
                if is_first && !self.has_group(group).await? {
                    self.found(Discrepancy::OrphanEntry { group, user }, false);
                }
                Membership::from_item(item).map(drop)
            }
            KnownKey::Message(MessageKey { group, .. }) => {
                if is_first && !self.has_group(group).await? {
                    self.found(Discrepancy::OrphanThread { group }, false);
                }
                Message::from_item(item).map(drop)
            }
            KnownKey::User(_) => self.user(User::from_item(item)?.id()).await,
            KnownKey::HandleClaim(_) => self.handle(key, &HandleClaim::from_item(item)?).await,
            KnownKey::IdentityClaim(_) => self.identity(key, &IdentityClaim::from_item(item)?).await,
        }
    }

    fn found(&mut self, discrepancy: Discrepancy, repaired: bool) {
        self.findings.push(Finding { discrepancy, repaired });
    }

    /// Returns the result. A permanent error becomes a finding and `None`.
    fn readable<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.recovery() == Recovery::Permanent => {
                self.found(Discrepancy::Unreadable { reason: error.to_string() }, false);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Returns the result of a repair. A permanent error becomes a warning in the log and `None`.
fn possible<T>(written: Result<T>) -> Result<Option<T>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.recovery() == Recovery::Permanent => {
            tracing::warn!(%error, "a finding cannot be repaired");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
