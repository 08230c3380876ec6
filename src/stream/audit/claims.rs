//! Audits users and their claims. An unreadable item is a finding of its own task, and the rest is still audited.

use super::discrepancy::Discrepancy;
use super::{Audit, possible};
use crate::error::Result;
use crate::id::UserId;
use crate::key::{Key, PK};
use crate::model::{HandleClaim, IdentityClaim, User, read_own};
use crate::patterns::users::claims::{is_of, is_unchanged};
use crate::request::{Condition, TransactAction, Transaction, Write};
use crate::stored::Entity;

impl Audit<'_> {
    /// Finds a user whose handle or identity is not claimed.
    pub(super) async fn user(&mut self, id: UserId) -> Result<()> {
        let Some(Some(user)) = self.read::<User>(User::key_from(id)).await? else { return Ok(()) };
        self.handle_of(&user).await?;
        if let Some(subject) = user.identity()
            && let Some(claim) = self.read::<IdentityClaim>(IdentityClaim::key_from(subject)).await?
            && claim.map(IdentityClaim::into_profile).as_ref() != Some(&user.profile())
        {
            self.claim_missing(&user, &IdentityClaim::new(subject.clone(), user.profile())).await?;
        }
        Ok(())
    }

    /// Finds a user whose handle is not claimed, or is claimed with the key of version 0.1 only.
    ///
    /// An old claim is no discrepancy if another user holds the current key.
    async fn handle_of(&mut self, user: &User) -> Result<()> {
        let is_right = |claim: &HandleClaim| !claim.is_reserved() && claim.clone().into_profile() == user.profile();
        let Some(claim) = self.read::<HandleClaim>(HandleClaim::key_from(user.handle())).await? else {
            return Ok(());
        };
        if claim.as_ref().is_some_and(is_right) {
            return Ok(());
        }
        let right = HandleClaim::new(user.profile());
        let Some(before) = HandleClaim::legacy_key(user.handle()) else {
            return self.claim_missing(user, &right).await;
        };
        let Some(held) = self.read::<HandleClaim>(before.clone()).await? else { return Ok(()) };
        let Some(held) = held.filter(|held| held.user_id() == user.id()) else {
            return self.claim_missing(user, &right).await;
        };
        let is_of_other_user = claim.is_some_and(|claim| claim.user_id() != user.id());
        let discrepancy = match is_right(&held) {
            // In version 0.1, two users could have two forms of a handle that are equal now.
            true if is_of_other_user => return Ok(()),
            true => Discrepancy::OldClaim { user: user.id() },
            false => Discrepancy::MissingClaim { entity: HandleClaim::TYPE, user: user.id() },
        };
        let mut item = right.to_item()?;
        let mut actions = vec![TransactAction::check(user.key(), is_unchanged(user))];
        if is_of_other_user {
            item.insert(PK, before.pk.as_str());
            actions.push(Write::put(item).when(is_of::<HandleClaim>(user.id())).into());
        } else {
            actions.push(Write::put(item).when(Condition::item_absent().or(is_of::<HandleClaim>(user.id()))).into());
            actions.push(Write::delete(before).when(is_of::<HandleClaim>(user.id())).into());
        }
        self.repair_together(discrepancy, actions).await
    }

    /// Finds a claim on a handle that its user does not have. A reservation is no discrepancy, because it expires.
    pub(super) async fn handle(&mut self, key: Key, claim: &HandleClaim) -> Result<()> {
        if claim.is_reserved() {
            return Ok(());
        }
        let has_claim = |user: &User, key: &Key| {
            HandleClaim::key_from(user.handle()) == *key || HandleClaim::legacy_key(user.handle()).as_ref() == Some(key)
        };
        self.unowned_claim::<HandleClaim>(key, claim.user_id(), has_claim).await
    }

    /// Finds a claim on an identity that its user does not have.
    pub(super) async fn identity(&mut self, key: Key, claim: &IdentityClaim) -> Result<()> {
        let has_claim =
            |user: &User, key: &Key| user.identity().is_some_and(|subject| IdentityClaim::key_from(subject) == *key);
        self.unowned_claim::<IdentityClaim>(key, claim.user_id(), has_claim).await
    }

    /// Finds a claim whose key is none of its user's keys.
    async fn unowned_claim<E: Entity>(
        &mut self,
        key: Key,
        claimed_for: UserId,
        has_claim: impl Fn(&User, &Key) -> bool + Send,
    ) -> Result<()> {
        let Some(user) = self.read::<User>(User::key_from(claimed_for)).await? else { return Ok(()) };
        if user.as_ref().is_some_and(|user| has_claim(user, &key)) {
            return Ok(());
        }
        // The scan may be late, and a rename may have deleted the claim.
        if self.call.item(key.clone()).await?.is_none() {
            return Ok(());
        }
        let discrepancy = Discrepancy::WrongClaim { entity: E::TYPE, user: claimed_for };
        let as_read = match &user {
            Some(user) => TransactAction::check(user.key(), is_unchanged(user)),
            None => TransactAction::check(User::key_from(claimed_for), Condition::item_absent()),
        };
        let delete = Write::delete(key).when(is_of::<E>(claimed_for));
        self.repair_together(discrepancy, vec![as_read, delete.into()]).await
    }

    async fn claim_missing<E: Entity>(&mut self, user: &User, claim: &E) -> Result<()> {
        let discrepancy = Discrepancy::MissingClaim { entity: E::TYPE, user: user.id() };
        // Another user's claim stays, and the finding is not repaired.
        let free = Condition::item_absent().or(is_of::<E>(user.id()));
        let put = Write::put(claim.to_item()?).when(free);
        self.repair_together(discrepancy, vec![TransactAction::check(user.key(), is_unchanged(user)), put.into()]).await
    }

    /// Reports a discrepancy, and repairs it in one transaction if the user is unchanged since it was read.
    async fn repair_together(&mut self, discrepancy: Discrepancy, actions: Vec<TransactAction>) -> Result<()> {
        let repaired = self.repairs
            && possible(self.call.transact(Transaction::new(actions)).await)?
                .is_some_and(|outcome| outcome.done().is_ok());
        self.found(discrepancy, repaired);
        Ok(())
    }

    /// Reads an entity. Returns `None` if it is unreadable, and `Some(None)` if there is none.
    async fn read<E: Entity>(&self, key: Key) -> Result<Option<Option<E>>> {
        Ok(read_own(self.call.item(key).await?).ok())
    }
}
