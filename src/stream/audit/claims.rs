//! The claims against the users they are for. Where one of them cannot be read, that is a finding at its own place, and what does
//! not depend on it is audited.

use super::discrepancy::Discrepancy;
use super::{Audit, possible};
use crate::error::Result;
use crate::id::UserId;
use crate::key::{Key, PK};
use crate::model::{HandleClaim, IdentityClaim, User, read_own};
use crate::patterns::call::is_own;
use crate::request::{Condition, TransactAction, Transaction, Write};
use crate::stored::Entity;

impl Audit<'_> {
    /// A user whose handle or identity is not claimed.
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

    /// A user whose handle is not claimed, or is claimed by the key of version 0.1, though nobody else has the other one.
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
        let is_anothers = claim.is_some_and(|claim| claim.user_id() != user.id());
        let discrepancy = match is_right(&held) {
            // Version 0.1 gave each of two users one form of what is the same handle now.
            true if is_anothers => return Ok(()),
            true => Discrepancy::OldClaim { user: user.id() },
            false => Discrepancy::MissingClaim { entity: HandleClaim::TYPE, user: user.id() },
        };
        let mut item = right.to_item()?;
        let mut actions = vec![unchanged(user)];
        if is_anothers {
            item.insert(PK, before.pk.as_str());
            actions.push(Write::put(item).when(is_for::<HandleClaim>(user.id())).into());
        } else {
            actions.push(Write::put(item).when(Condition::item_absent().or(is_for::<HandleClaim>(user.id()))).into());
            actions.push(Write::delete(before).when(is_for::<HandleClaim>(user.id())).into());
        }
        self.mend_together(discrepancy, actions).await
    }

    /// A claim on a handle that its user does not have. A reservation is none, and ends by itself.
    pub(super) async fn handle(&mut self, key: Key, claim: &HandleClaim) -> Result<()> {
        if claim.is_reserved() {
            return Ok(());
        }
        let is_of = |user: &User, key: &Key| {
            HandleClaim::key_from(user.handle()) == *key || HandleClaim::legacy_key(user.handle()).as_ref() == Some(key)
        };
        self.doubled::<HandleClaim>(key, claim.user_id(), is_of).await
    }

    /// A claim on an identity that its user does not have.
    pub(super) async fn identity(&mut self, key: Key, claim: &IdentityClaim) -> Result<()> {
        let is_of =
            |user: &User, key: &Key| user.identity().is_some_and(|subject| IdentityClaim::key_from(subject) == *key);
        self.doubled::<IdentityClaim>(key, claim.user_id(), is_of).await
    }

    /// A claim for a user, unless its key is one of the user's.
    async fn doubled<E: Entity>(
        &mut self,
        key: Key,
        claimed_for: UserId,
        is_of: impl Fn(&User, &Key) -> bool + Send,
    ) -> Result<()> {
        let Some(user) = self.read::<User>(User::key_from(claimed_for)).await? else { return Ok(()) };
        if user.as_ref().is_some_and(|user| is_of(user, &key)) {
            return Ok(());
        }
        // The scan may have been behind, and the claim have gone with a rename.
        if self.call.item(key.clone()).await?.is_none() {
            return Ok(());
        }
        let discrepancy = Discrepancy::DoubledClaim { entity: E::TYPE, user: claimed_for };
        let as_read = match &user {
            Some(user) => unchanged(user),
            None => TransactAction::check(User::key_from(claimed_for), Condition::item_absent()),
        };
        let delete = Write::delete(key).when(is_for::<E>(claimed_for));
        self.mend_together(discrepancy, vec![as_read, delete.into()]).await
    }

    async fn claim_missing<E: Entity>(&mut self, user: &User, claim: &E) -> Result<()> {
        let discrepancy = Discrepancy::MissingClaim { entity: E::TYPE, user: user.id() };
        // Somebody else's claim stays; then there is nothing to be done but to tell.
        let free = Condition::item_absent().or(is_for::<E>(user.id()));
        let put = Write::put(claim.to_item()?).when(free);
        self.mend_together(discrepancy, vec![unchanged(user), put.into()]).await
    }

    /// Reports, or repairs all at once, and only where the user is still as it was read.
    async fn mend_together(&mut self, discrepancy: Discrepancy, actions: Vec<TransactAction>) -> Result<()> {
        let repaired = self.repairs
            && possible(self.call.transact(Transaction::new(actions)).await)?
                .is_some_and(|outcome| outcome.done().is_ok());
        self.found(discrepancy, repaired);
        Ok(())
    }

    /// The item, where there is one; `None` for one that cannot be read.
    async fn read<E: Entity>(&self, key: Key) -> Result<Option<Option<E>>> {
        Ok(read_own(self.call.item(key).await?).ok())
    }
}

fn unchanged(user: &User) -> TransactAction {
    TransactAction::check(user.key(), Condition::eq("version", user.version()).and(is_own::<User>()))
}

fn is_for<E: Entity>(user: UserId) -> Condition {
    Condition::eq("user_uuid", user).and(is_own::<E>())
}
