//! The claims against the users they are for. Where one of them cannot be read, that is a finding at its own place, and what does
//! not depend on it is audited.

use super::discrepancy::{Discrepancy, Finding};
use super::{Call, Mode, possible};
use crate::error::Result;
use crate::id::UserId;
use crate::key::{Key, PK};
use crate::model::{HandleClaim, IdentityClaim, Profile, User, read_own};
use crate::patterns::call::is_own;
use crate::request::{Condition, Get, TransactAction, Transaction, Write};
use crate::stored::Entity;
use crate::text::Handle;

/// A user whose handle or identity is not claimed.
pub(super) async fn audit_user(call: &Call<'_>, id: UserId, mode: Mode, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(Some(user)) = read_user(call, id).await? else { return Ok(()) };
    audit_handle_of(call, &user, mode, findings).await?;
    if let Some(subject) = user.identity()
        && let Some(claim) = read::<IdentityClaim>(call, IdentityClaim::key_from(subject)).await?
        && claim.map(IdentityClaim::into_profile).as_ref() != Some(&user.profile())
    {
        let claim = IdentityClaim::new(subject.clone(), user.profile());
        claim_missing(call, &user, &claim, mode, findings).await?;
    }
    Ok(())
}

/// A user whose handle is not claimed, or is claimed by the key of version 0.1, though nobody else has the other one.
async fn audit_handle_of(call: &Call<'_>, user: &User, mode: Mode, findings: &mut Vec<Finding>) -> Result<()> {
    let is_right = |claim: &HandleClaim| !claim.is_reserved() && claim.clone().into_profile() == user.profile();
    let Some(claim) = read::<HandleClaim>(call, HandleClaim::key_from(user.handle())).await? else { return Ok(()) };
    if claim.as_ref().is_some_and(is_right) {
        return Ok(());
    }
    let right = HandleClaim::new(user.profile());
    let Some(before) = HandleClaim::key_before(user.handle()) else {
        return claim_missing(call, user, &right, mode, findings).await;
    };
    let Some(held) = read::<HandleClaim>(call, before.clone()).await? else { return Ok(()) };
    let Some(held) = held.filter(|held| held.user_id() == user.id()) else {
        return claim_missing(call, user, &right, mode, findings).await;
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
    finish(call, actions, discrepancy, mode, findings).await
}

/// A claim on a handle that its user does not have. A reservation is none.
pub(super) async fn audit_handle(
    call: &Call<'_>,
    key: &Key,
    claim: &HandleClaim,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    if claim.is_reserved() {
        // It ends by itself.
        return Ok(());
    }
    let user = claim.clone().into_profile();
    let Some(stored) = read_user(call, user.id()).await? else { return Ok(()) };
    let is_of = |handle: &Handle| {
        HandleClaim::key_from(handle) == *key || HandleClaim::key_before(handle).as_ref() == Some(key)
    };
    if stored.as_ref().is_some_and(|stored| is_of(stored.handle())) {
        return Ok(());
    }
    doubled::<HandleClaim>(call, key.clone(), &user, stored.as_ref(), mode, findings).await
}

/// A claim on an identity that its user does not have.
pub(super) async fn audit_identity(
    call: &Call<'_>,
    claim: &IdentityClaim,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let user = claim.clone().into_profile();
    let Some(stored) = read_user(call, user.id()).await? else { return Ok(()) };
    let key = claim.key();
    if stored.as_ref().and_then(User::identity).is_some_and(|subject| IdentityClaim::key_from(subject) == key) {
        return Ok(());
    }
    doubled::<IdentityClaim>(call, key, &user, stored.as_ref(), mode, findings).await
}

async fn claim_missing<E: Entity>(
    call: &Call<'_>,
    user: &User,
    claim: &E,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let discrepancy = Discrepancy::MissingClaim { entity: E::TYPE, user: user.id() };
    // Somebody else's claim stays; then there is nothing to be done but to tell.
    let free = Condition::item_absent().or(is_for::<E>(user.id()));
    let put = Write::put(claim.to_item()?).when(free);
    finish(call, vec![unchanged(user), put.into()], discrepancy, mode, findings).await
}

async fn doubled<E: Entity>(
    call: &Call<'_>,
    key: Key,
    claimed_for: &Profile,
    user: Option<&User>,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    // The scan may have been behind, and the claim have gone with a rename.
    if call.get(Get::new(key.clone()).consistent()).await?.item.is_none() {
        return Ok(());
    }
    let discrepancy = Discrepancy::DoubledClaim { entity: E::TYPE, user: claimed_for.id() };
    let as_read = match user {
        Some(user) => unchanged(user),
        None => TransactAction::check(User::key_from(claimed_for.id()), Condition::item_absent()),
    };
    let delete = Write::delete(key).when(is_for::<E>(claimed_for.id()));
    finish(call, vec![as_read, delete.into()], discrepancy, mode, findings).await
}

/// Reports, or repairs all at once, and only where the user is still as it was read.
async fn finish(
    call: &Call<'_>,
    actions: Vec<TransactAction>,
    discrepancy: Discrepancy,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let repaired = mode == Mode::Repair
        && possible(call.transact(Transaction::new(actions)).await)?.is_some_and(|outcome| outcome.done().is_ok());
    findings.push(Finding { discrepancy, repaired });
    Ok(())
}

fn unchanged(user: &User) -> TransactAction {
    TransactAction::check(user.key(), Condition::eq("version", user.version()).and(is_own::<User>()))
}

fn is_for<E: Entity>(user: UserId) -> Condition {
    Condition::eq("user_uuid", user).and(is_own::<E>())
}

async fn read_user(call: &Call<'_>, id: UserId) -> Result<Option<Option<User>>> {
    read(call, User::key_from(id)).await
}

/// The item, where there is one; `None` for one that cannot be read.
async fn read<E: Entity>(call: &Call<'_>, key: Key) -> Result<Option<Option<E>>> {
    let item = call.get(Get::new(key).consistent()).await?.item;
    Ok(read_own(item).ok())
}
