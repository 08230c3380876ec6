//! `audit.check` and `audit.rebuild`: do the inbox rows and the claims still say what the messages and the users say?

mod claims;
mod cursor;
mod drift;
mod groups;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

pub use cursor::AuditCursor;
pub use drift::{Drift, Finding};

use crate::entity::Entity;
use crate::error::{Recovery, Result};
use crate::id::GroupId;
use crate::item::Item;
use crate::model::{HandleClaim, IdentityClaim, KnownKey, Message, User};
use crate::request::{Position, Scan};
use crate::store::Store;
use crate::store::call::{Call, begin};

/// How many items of the table a page goes through.
const PAGE_ITEMS: u32 = 100;

/// Compares what is derived (inbox rows, member counts, claims) with what it is derived from, page by page through the whole
/// table, and mends it.
///
/// For operators, after trouble: data older than 24 hours that a stopped projector did not see, or a change by hand. It scans the
/// table: 0.5 RCU per 4 KB, and for each group a consistent read of its members, their users and its newest message.
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
    for item in scanned.items {
        let (key, found) = (item.key(), page.findings.len());
        if let Err(error) = item_findings(call, item, mode, &mut groups, &mut page.findings).await {
            // What was found at this item is found once more, but for what was mended.
            let partly = page.findings.split_off(found);
            page.findings.extend(partly.into_iter().filter(|finding| finding.mended));
            if page.items == 0 && page.findings.is_empty() {
                return Err(error);
            }
            page.next = Some(reached);
            return Ok(page);
        }
        page.items += 1;
        if let Ok(key) = key {
            reached = AuditCursor::after(&Position { key, index_key: None });
        }
    }
    page.next = scanned.next.as_ref().map(AuditCursor::after);
    Ok(page)
}

async fn item_findings(
    call: &Call<'_>,
    item: Item,
    mode: Mode,
    seen: &mut BTreeSet<GroupId>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let Some(known) = item.key().ok().and_then(|key| KnownKey::parse(&key)) else { return Ok(()) };
    let audited = match known {
        KnownKey::MessageGroup(group) => {
            seen.insert(group);
            groups::audit(call, group, mode, findings).await
        }
        KnownKey::Membership(group, user) => {
            // Its group's own item says the rest; here it matters only that there is one.
            if seen.insert(group) && !groups::exists(call, group).await? {
                findings.push(Finding::found(Drift::OrphanRow { group, user }));
            }
            Ok(())
        }
        KnownKey::Message(key) => {
            if seen.insert(key.group) && !groups::exists(call, key.group).await? {
                findings.push(Finding::found(Drift::OrphanThread { group: key.group }));
            }
            // An application's own entity may stand in a thread.
            if Message::is_in(&item) { Message::from_item(item).map(drop) } else { Ok(()) }
        }
        KnownKey::User(_) => match User::from_item(item) {
            Ok(user) => claims::audit_user(call, user.id(), mode, findings).await,
            Err(error) => Err(error),
        },
        KnownKey::HandleClaim(_) => match HandleClaim::from_item(item) {
            Ok(claim) => claims::audit_handle(call, &claim, mode, findings).await,
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
