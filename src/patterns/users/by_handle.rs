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
    /// Returns the user who has this handle, if any. Handles are compared in their [folded](Handle::folded) form.
    ///
    /// The lookup costs 0.5 [RCU](crate::guide::costs). It is eventually consistent, so it may miss a very recent
    /// change.
    ///
    /// # Claims of version 0.1
    /// A claim is the item that makes a handle unique. Version 0.1 folded only the ASCII letters of a handle. Some
    /// users may still have a claim in that form. Look up such a user by the handle as the user typed it. Only the case
    /// of its ASCII letters may differ. [`repair`](crate::stream::Auditor::repair) or a change of the user's names
    /// moves the claim to the current folded form.
    ///
    /// If version 0.1 folded the handle in another way than this version, the lookup may also read the old claim. It
    /// then costs 1 RCU.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let found = chat.user_by_handle("AndrewBrown").await?;
    /// assert_eq!(found, Some(andrew.profile()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`Handle`] refuses the handle.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the item cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if a request itself fails.
    pub async fn user_by_handle(&self, handle: impl TryInto<Handle, Error: Into<Error>>) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, CARD);
        let handle = handle.try_into().map_err(Into::into);
        call.run(async {
            let handle = &handle?;
            let in_use = |claim: &HandleClaim| !claim.is_reserved();
            let claim: Option<HandleClaim> = call.look_up(HandleClaim::key_from(handle)).await?;
            let legacy = HandleClaim::legacy_key(handle);
            let own_legacy = claim.as_ref().map(|claim| HandleClaim::legacy_key(claim.key_parts()));
            if own_legacy.as_ref() != Some(&legacy)
                && let Some(legacy) = legacy
            {
                // In version 0.1, two users may have had the two forms.
                let legacy_claim: Option<HandleClaim> = call.look_up(legacy).await?;
                if let Some(legacy_claim) = legacy_claim.filter(in_use) {
                    return Ok(Some(legacy_claim.into_profile()));
                }
            }
            Ok(claim.filter(in_use).map(HandleClaim::into_profile))
        })
        .await
    }
}
