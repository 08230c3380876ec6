//! `users.by_handle`

use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{HandleClaim, Profile};
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::stored::Entity;
use crate::text::Handle;

pub(crate) const CARD: Card = Card::new("users.by_handle", "Threadline::user_by_handle", Caller::Anyone)
    .cases(&[
        Case::new(&[CLAIM], Cost::of(&[Term::half_reads(1)])),
        Case::named("old key, typed otherwise", &[CLAIM, CLAIM], Cost::of(&[Term::half_reads(2)])),
    ])
    .retry("reads again");

const CLAIM: RequestCard = RequestCard::get(&HandleClaim::CARD);

impl Threadline {
    /// Returns who has this handle, by its [folded](Handle::folded) form; `None` if nobody has. 0.5 RCU.
    ///
    /// Version 0.1 folded ASCII letters alone. A user whose claim it wrote is found by the handle as typed then, in any ASCII case,
    /// until [`repair`](crate::stream::Auditor::repair) or a change of the user moves the claim. For a handle that it folded to
    /// another form, the look-up is 1 RCU, unless the user has typed it the same.
    ///
    /// # Errors
    /// As [`StoreExt::get`](crate::store::StoreExt::get); [`Corrupt`](crate::ErrorKind::Corrupt).
    pub async fn user_by_handle(&self, handle: impl TryInto<Handle, Error: Into<Error>>) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, CARD);
        let handle = handle.try_into().map_err(Into::into);
        call.run(async {
            let handle = &handle?;
            let in_use = |claim: &HandleClaim| !claim.is_reserved();
            let claim: Option<HandleClaim> = call.look_up(HandleClaim::key_from(handle)).await?;
            let before = HandleClaim::legacy_key(handle);
            let typed = claim.as_ref().map(|claim| HandleClaim::legacy_key(claim.key_parts()));
            if typed.as_ref() != Some(&before)
                && let Some(before) = before
            {
                // Version 0.1 may have given this form to somebody else than it gave the folded one.
                let held: Option<HandleClaim> = call.look_up(before).await?;
                if let Some(held) = held.filter(in_use) {
                    return Ok(Some(held.into_profile()));
                }
            }
            Ok(claim.filter(in_use).map(HandleClaim::into_profile))
        })
        .await
    }
}
