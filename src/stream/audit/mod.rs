//! `audit.check` and `audit.rebuild`: do the inbox rows and the claims still say what the messages and the users say?

mod claims;
mod cursor;
mod drift;
mod groups;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::join_all;

pub use cursor::AuditCursor;
pub use drift::{Drift, Finding};

use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::id::GroupId;
use crate::item::Item;
use crate::key::Key;
use crate::model::{HandleClaim, IdentityClaim, KnownKey, Message, Ownership, User};
use crate::request::{Position, Scan};
use crate::store::Store;
use crate::store::call::{Call, begin};

/// The most items of the table that a page goes through.
const PAGE_ITEMS: u32 = 100;
/// The requests after which a page ends. A last step of up to 8 items may pass it.
const MAX_REQUESTS: usize = 200;
/// The most items that are audited at once.
const CONCURRENCY: usize = 8;

/// Compares what is derived (inbox rows, member counts, claims) with what it is derived from, page by page through the whole
/// table, and mends it.
///
/// For operators, after a fault: data older than 24 hours that a stopped projector did not see, or a change by hand. It scans the
/// table: 0.5 RCU per 4 KB, and for each group a consistent read of its members, their users (100 in a request) and its newest
/// message. A page goes through 100 items, 8 of them at once, and ends early after 200 requests.
///
/// It is safe beside live traffic: each mend is a conditional write that gives way to whatever changed in between. A row that is a
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
///     let page = auditor.check(cursor.as_ref()).await?;
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

/// What an audit does about what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Report,
    Mend,
}

impl Auditor {
    /// An auditor of this store.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Reports what differs in one page of the table, and changes nothing.
    ///
    /// # Errors
    /// As [`Store::scan`], [`Store::get`] and [`Store::query`]; [`Invalid`](crate::ErrorKind::Invalid) for a cursor that is none. An
    /// item that cannot be read is a finding. An error in the middle of a page ends the page before it, so that nothing that was
    /// found is lost: the next call meets it again, where it lasts.
    pub async fn check(&self, cursor: Option<&AuditCursor>) -> Result<AuditPage> {
        let call = begin!(&*self.store, "audit.check");
        call.run(page(&call, cursor, Mode::Report)).await
    }

    /// Reports what differs in one page of the table, and mends it where what it is derived from tells how.
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`Store::write`] and [`Store::transact`]. What was mended before stays so, and the page
    /// before the error tells of it; a repeat mends the rest. [`Conflict`](crate::ErrorKind::Conflict) and
    /// [`Throttled`](crate::ErrorKind::Throttled) are such errors too where the mend is a transaction; one that is refused alone is left
    /// as a finding that is not mended, since something changed meanwhile.
    pub async fn rebuild(&self, cursor: Option<&AuditCursor>) -> Result<AuditPage> {
        let call = begin!(&*self.store, "audit.rebuild");
        call.run(page(&call, cursor, Mode::Mend)).await
    }
}

async fn page(call: &Call<'_>, cursor: Option<&AuditCursor>, mode: Mode) -> Result<AuditPage> {
    let mut scan = Scan::new().start(cursor.map(AuditCursor::position).transpose()?.flatten());
    scan.limit = NonZeroU32::new(PAGE_ITEMS);
    let scanned = call.scan(scan).await?;
    let mut page = AuditPage::default();
    let mut reached = cursor.cloned().unwrap_or_else(AuditCursor::start);
    // A group's items stand together, so most pages meet each group once.
    let mut groups = BTreeSet::new();
    let mut items = scanned.items.into_iter().peekable();
    while items.peek().is_some() {
        if call.requests() >= MAX_REQUESTS {
            page.next = Some(reached);
            return Ok(page);
        }
        let mut audits = Vec::new();
        for item in items.by_ref().take(CONCURRENCY) {
            let key = item.key().map_err(other_keys)?;
            let whole = Whole::of(&Ownership::of(&key, Some(&item)), &mut groups);
            audits.push(async move {
                let mut findings = Vec::new();
                let audited = item_findings(call, &key, item, whole, mode, &mut findings).await;
                (key, findings, audited)
            });
        }
        let mut failed = None;
        for (key, findings, audited) in join_all(audits).await {
            // After an error, what was found is found once more by the next call, but for what was mended.
            match (failed.is_none(), audited) {
                (true, Ok(())) => {
                    page.findings.extend(findings);
                    page.items += 1;
                    reached = AuditCursor::after(&Position { key, index_key: None });
                }
                (is_first, audited) => {
                    page.findings.extend(findings.into_iter().filter(|finding| finding.mended));
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
    page.next = scanned.next.as_ref().map(AuditCursor::after);
    Ok(page)
}

fn other_keys(error: Error) -> Error {
    Error::new(ErrorKind::Misconfigured, format!("the table has other keys; verify the table: {error}"))
}

/// How much of a group is audited at one of its items: all of it at the group's own item, and whether there is a group at the
/// first other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Seen,
    First,
}

impl Whole {
    fn of(ownership: &Ownership, seen: &mut BTreeSet<GroupId>) -> Self {
        let is_first = match ownership {
            Ownership::Ours(KnownKey::MessageGroup(group) | KnownKey::Membership(group, _)) => seen.insert(*group),
            Ownership::Ours(KnownKey::Message(key)) => seen.insert(key.group),
            _ => false,
        };
        if is_first { Self::First } else { Self::Seen }
    }
}

async fn item_findings(
    call: &Call<'_>,
    key: &Key,
    item: Item,
    whole: Whole,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let known = match Ownership::of(key, Some(&item)) {
        Ownership::Foreign => return Ok(()),
        Ownership::Unreadable(error) => return readable::<()>(Err(error), findings).map(drop),
        Ownership::Ours(known) => known,
    };
    let is_first = whole == Whole::First;
    let audited = match known {
        KnownKey::MessageGroup(group) => groups::audit(call, group, mode, findings).await,
        KnownKey::Membership(group, user) => {
            // Its group's own item says the rest; here it matters only that there is one.
            if is_first && !groups::exists(call, group).await? {
                findings.push(Finding::found(Drift::OrphanRow { group, user }));
            }
            Ok(())
        }
        KnownKey::Message(key) => {
            if is_first && !groups::exists(call, key.group).await? {
                findings.push(Finding::found(Drift::OrphanThread { group: key.group }));
            }
            Message::from_item(item).map(drop)
        }
        KnownKey::User(_) => match User::from_item(item) {
            Ok(user) => claims::audit_user(call, user.id(), mode, findings).await,
            Err(error) => Err(error),
        },
        KnownKey::HandleClaim(_) => match HandleClaim::from_item(item) {
            Ok(claim) => claims::audit_handle(call, key, &claim, mode, findings).await,
            Err(error) => Err(error),
        },
        KnownKey::IdentityClaim(_) => match IdentityClaim::from_item(item) {
            Ok(claim) => claims::audit_identity(call, &claim, mode, findings).await,
            Err(error) => Err(error),
        },
    };
    readable(audited, findings).map(drop)
}

/// What was read; what can never be is a finding, and nothing.
fn readable<T>(read: Result<T>, findings: &mut Vec<Finding>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.recovery() == Recovery::Permanent => {
            findings.push(Finding::found(Drift::Unreadable { what: error.to_string() }));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What was written; what can never be is not mended, and nothing.
fn possible<T>(written: Result<T>) -> Result<Option<T>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.recovery() == Recovery::Permanent => {
            tracing::warn!(%error, "what was found cannot be mended");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
