//! `users.get`

use super::get;
use crate::error::Result;
use crate::id::UserId;
use crate::model::User;
use crate::patterns::Threadline;
use crate::patterns::call::begin;

impl Threadline {
    /// The user with this id; `None` where there is none. 0.5 RCU. Eventually consistent, as are the other look-ups: it may miss a
    /// change of the last moment.
    ///
    /// # Errors
    /// As [`Store::get`](crate::Store::get); [`Corrupt`](crate::ErrorKind::Corrupt).
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let call = begin!(&*self.store, "users.get");
        call.run(get(&call, id)).await
    }
}
