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
    /// Returns the user who has this handle, if any. 0.5 RCU. Handles are compared in their [folded](Handle::folded)
    /// form.
    ///
    /// Version 0.1 folded only ASCII letters. A lookup finds a user with a claim of that version by the handle as it
    /// was typed then, in any ASCII case. [`repair`](crate::stream::Auditor::repair) or a change of the user moves the
    /// claim.
    ///
    /// For a handle that version 0.1 folded to another form, the lookup costs 1 RCU. It costs 0.5 RCU if the handle has
    /// the spelling that its user typed.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a handle that [`Handle`] refuses.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the item cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get).
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
