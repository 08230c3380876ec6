//! `audit.check` and `audit.repair`: do the inbox rows and the claims still say what the messages and the users say?

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
    .cases(&[Case::new(READS, Cost::of(&[SCANNED, READ]))])
    .retry("reads again");

pub(crate) const REPAIR: Card = Card::new("audit.repair", "Auditor::repair", Caller::Operator)
    .cases(&[
        Case::new(READS, Cost::of(&[SCANNED, READ])),
        Case::named("one miscounted group", REPAIRS, Cost::of(&[SCANNED, READ, Term::writes(1)])),
    ])
    .retry("repairs the remaining discrepancies");

const SCANNED: Term = Term::half_reads(1).per(Per::ReadBlock);
const READ: Term = Term::reads(1).per(Per::Each("consistent read"));
const REPAIRS: &[RequestCard] = &[
    RequestCard::scan(),
    GROUP,
    GROUP_OF_MESSAGES,
    MEMBERS,
    NEWEST,
    MEMBERS_USERS,
    USER,
    HANDLE_CLAIM,
    IDENTITY_CLAIM,
    CLAIMS_USER,
    RequestCard::update(&MessageGroup::CARD).when("the group is as it was read"),
];
/// The requests of an audit that repairs nothing.
const READS: &[RequestCard] = match REPAIRS {
    [reads @ .., _] => reads,
    [] => &[],
};
const EACH_GROUP: Times = Times::Each("group");
const EACH_USER: Times = Times::Each("user");
const GROUP: RequestCard = RequestCard::get(&MessageGroup::CARD).consistent().times(EACH_GROUP);
const GROUP_OF_MESSAGES: RequestCard =
    RequestCard::get(&MessageGroup::CARD).consistent().times(Times::OnlyIf("its messages are scanned first"));
const MEMBERS: RequestCard =
    RequestCard::query(&Membership::CARD).range("begins with USER#").consistent().times(EACH_GROUP);
const NEWEST: RequestCard = RequestCard::query(&Message::CARD).consistent().times(EACH_GROUP);
const MEMBERS_USERS: RequestCard = RequestCard::batch_get(&User::CARD).consistent().times(Times::Each("100 members"));
const USER: RequestCard = RequestCard::get(&User::CARD).consistent().times(EACH_USER);
const HANDLE_CLAIM: RequestCard = RequestCard::get(&HandleClaim::CARD).consistent().times(EACH_USER);
const IDENTITY_CLAIM: RequestCard = RequestCard::get(&IdentityClaim::CARD).consistent().times(EACH_USER);
const CLAIMS_USER: RequestCard = RequestCard::get(&User::CARD).consistent().times(Times::Each("claim"));

/// The most items of the table that a page goes through.
const PAGE_ITEMS: u32 = 100;
/// The most requests of a page, unless its first item alone needs more. The audit ends a page before the item that would pass it.
const MAX_REQUESTS: usize = 200;
/// The most items, and memberships of a group, that are audited at once.
const CONCURRENCY: usize = 8;

/// Compares what is derived (inbox rows, member counts, claims) with what it is derived from, page by page through the whole
/// table, and repairs it.
///
/// For operators, after a fault: data older than 24 hours that a stopped projector did not see, or a change by hand. It scans the
/// table: 0.5 RCU per 4 KB, and for each group a consistent read of its members, their users (100 in a request) and its newest
/// message. A page goes through 100 items and makes 200 requests at most, 8 of them at once. A group that alone needs more has a
/// page of its own: `repair` of a group of 1,000 members makes up to 4 requests a member where each entry is wrong. `check` of one
/// makes less than 20.
///
/// It is safe beside live traffic: each repair is a conditional write that gives way to whatever changed in between. A row that is a
/// moment behind its stream is reported too, so check what was found once more.
///
/// An item that cannot be read is a finding, and all that does not depend on it is compared.
///
/// ```
/// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap() }
/// # async fn run() -> threadline::Result<()> {
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
///     cursor = page.next; // keep it, to go on from here after an interruption
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

/// One page of an audit.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditPage {
    /// What was found to differ.
    pub findings: Vec<Finding>,
    /// How many items of the table were gone through to the end.
    pub items: usize,
    /// Where the audit goes on; `None` at the end of the table.
    pub next: Option<AuditCursor>,
}

impl Auditor {
    /// An auditor of this store.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Reports what differs in one page of the table, and changes nothing.
    ///
    /// # Errors
    /// As [`StoreExt::send`](crate::store::StoreExt::send); [`Invalid`](crate::ErrorKind::Invalid) for a cursor that is none. An
    /// item that cannot be read is a finding. An error in the middle of a page ends the page before it, so that nothing that was
    /// found is lost: the next call meets it again, where it lasts.
    pub async fn check(&self, cursor: impl Into<Option<AuditCursor>>) -> Result<AuditPage> {
        let store = Bounded::new(&self.store);
        let call = begin!(&store, CHECK);
        let cursor = cursor.into();
        call.run(page(&call, cursor.as_ref(), false)).await
    }

    /// Reports what differs in one page of the table, and repairs it where what it is derived from tells how.
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`StoreExt::send`](crate::store::StoreExt::send). What was repaired before stays so, and the page
    /// before the error tells of it; a repeat repairs the rest. [`Conflict`](crate::ErrorKind::Conflict) and
    /// [`Throttled`](crate::ErrorKind::Throttled) are such errors too where the repair is a transaction; one that is refused alone is left
    /// as a finding that is not repaired, since something changed meanwhile.
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
            // After an error, what was found is found once more by the next call, but for what was repaired.
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
    Error::new(ErrorKind::Misconfigured, format!("the table has other keys; verify the table: {error}"))
}

/// An item to audit.
struct Task {
    key: Key,
    known: Ownership,
    item: Item,
    /// Whether it is the first of its group on the page, whose items are together. All of a group is audited at its own item, and
    /// whether there is a group at the first other one.
    is_first: bool,
}

impl Task {
    /// Returns the first items of a page, those that together need no more requests than a page may make, and whether there are
    /// more. The first item is among them, no matter what it needs.
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

    /// Returns the number of requests that the item may need: reads and, for a repair, writes.
    fn requests(&self, repairs: bool) -> usize {
        let (reads, writes) = match &self.known {
            Ownership::Foreign | Ownership::Unreadable(_) => (0, 0),
            // The group, its memberships, its newest message, its users, and the two of one that is missing.
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

    /// Returns the number of members, as a group counts them.
    fn members(&self) -> usize {
        match self.item.get(MessageGroup::MEMBER_COUNT) {
            Some(AttributeValue::N(count)) => {
                count.parse().unwrap_or(MessageGroup::MAX_MEMBERS).min(MessageGroup::MAX_MEMBERS)
            }
            _ => MessageGroup::MAX_MEMBERS,
        }
    }
}

/// The audit of one item, or of one row of a group.
struct Audit<'a> {
    call: &'a Call<'a>,
    /// What is found is repaired too.
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
                // Its group's own item says the rest; here it matters only that there is one.
                if is_first && !self.has_group(group).await? {
                    self.found(Discrepancy::OrphanRow { group, user }, false);
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

    /// What was read; what can never be is a finding, and nothing.
    fn readable<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.recovery() == Recovery::Permanent => {
                self.found(Discrepancy::Unreadable { what: error.to_string() }, false);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// What was written; what can never be is not repaired, and nothing.
fn possible<T>(written: Result<T>) -> Result<Option<T>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.recovery() == Recovery::Permanent => {
            tracing::warn!(%error, "what was found cannot be repaired");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
