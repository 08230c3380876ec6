//! `users.by_identity`

use super::get;
use crate::error::Result;
use crate::model::{IdentityClaim, Profile};
use crate::patterns::Threadline;
use crate::patterns::call::begin;
use crate::text::IdentitySubject;

impl Threadline {
    /// Whom the identity provider knows by this subject; `None` where nobody. 0.5 RCU.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](crate::ErrorKind::Corrupt).
    pub async fn user_by_identity(&self, subject: &IdentitySubject) -> Result<Option<Profile>> {
        let call = begin!(&*self.store, "users.by_identity");
        call.run(async { Ok(get(&call, subject).await?.map(IdentityClaim::into_profile)) }).await
    }
}
