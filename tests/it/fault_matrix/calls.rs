//! The calls that no scenario covers: those without the caller's id, and the pages of an audit.

use std::fmt::Debug;

use threadline::stream::{AuditPage, Auditor, Finding};
use threadline::{NewGroup, NewUser, Result};
use threadline_testkit::scenario::Outcome;

use super::world::{Table, Untidy};

pub(super) async fn users_create_without_an_id(world: &Untidy) -> Result<Outcome> {
    world.chat.create_user(NewUser::new("cotto", "Vir Cotto")?).await.map(Outcome::entity)
}

pub(super) async fn groups_start_direct_without_an_id(world: &Untidy) -> Result<Outcome> {
    world.chat.start_direct(&world.andrew, &world.londo, "opa").await.map(Outcome::thread)
}

pub(super) async fn groups_create_without_an_id(world: &Untidy) -> Result<Outcome> {
    let new = NewGroup::new("Crusade", &world.andrew)?.member(&world.londo);
    world.chat.create_group(new, "opa").await.map(Outcome::thread)
}

pub(super) async fn messages_send_without_an_id(world: &Untidy) -> Result<Outcome> {
    world.group.send_draft("opa").await.map(Outcome::entity)
}

/// The answer of a call.
pub(super) trait Answer: Debug + PartialEq + Sized {
    /// Returns the number of audited items, if the call ended before the last.
    fn ended_after(&self) -> Option<usize> {
        None
    }

    /// Continues to the end.
    async fn continued(self, _: &Table) -> Result<Self> {
        Ok(self)
    }
}

impl Answer for Outcome {}

/// A page of an audit. Two pages are equal if they leave the same discrepancies and, without a repair, cover equally
/// many items. A claim that a repair puts may come before or after the current position.
#[derive(Debug)]
pub(super) struct Audited {
    page: AuditPage,
    is_repair: bool,
}

impl Audited {
    fn summary(&self) -> (Vec<&Finding>, usize) {
        let unmended = self.page.findings.iter().filter(|finding| !finding.repaired).collect();
        (unmended, if self.is_repair { 0 } else { self.page.items })
    }
}

impl PartialEq for Audited {
    fn eq(&self, other: &Self) -> bool {
        self.summary() == other.summary()
    }
}

impl Answer for Audited {
    fn ended_after(&self) -> Option<usize> {
        self.page.next.as_ref().map(|_| self.page.items)
    }

    async fn continued(mut self, table: &Table) -> Result<Self> {
        let auditor = Auditor::new(table.store.clone());
        while let Some(next) = self.page.next.take() {
            let page =
                if self.is_repair { auditor.repair(next.clone()).await? } else { auditor.check(next.clone()).await? };
            self.page.findings.extend(page.findings);
            self.page.items += page.items;
            self.page.next = page.next;
        }
        Ok(self)
    }
}

pub(super) async fn audit_check(world: &Untidy) -> Result<Audited> {
    let page = Auditor::new(world.store.clone()).check(None).await?;
    Ok(Audited { page, is_repair: false })
}

pub(super) async fn audit_repair(world: &Untidy) -> Result<Audited> {
    let page = Auditor::new(world.store.clone()).repair(None).await?;
    Ok(Audited { page, is_repair: true })
}
