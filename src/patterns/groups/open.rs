//! `groups.open`

use super::{OPEN, not_a_member};
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::model::{Membership, Message};
use crate::patterns::call::{Call, begin};
use crate::patterns::{Thread, Threadline};
use crate::stored::Entity;

pub(crate) const CARD: Card = Card::new("groups.open", "Threadline::open", Caller::Member)
    .cases(&[
        Case::new(&[OPEN], Cost::of(&[Term::reads(1)])),
        Case::named(
            "shown message has expired",
            &[OPEN, RequestCard::query(&Message::CARD).consistent()],
            Cost::of(&[Term::reads(1), Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("reads again");

impl Threadline {
    /// Opens a conversation for one of its members. The returned [`Thread`] permits this member to read and write.
    ///
    /// The call costs 1 [RCU](crate::guide::costs) for one consistent read. If the newest message that the
    /// [membership](crate::Membership) shows has expired, the call also reads the newest remaining messages. This read
    /// usually costs 1 RCU, and more if the messages are long.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::ErrorKind;
    ///
    /// let group = chat.start_direct(&andrew, &bayko, "Hello").await?.group_id();
    /// let thread = chat.open(bayko.id(), group).await?;
    /// assert_eq!(thread.membership().other(), Some(andrew.profile()));
    ///
    /// let londo = chat.create_user(NewUser::new("londo", "Londo Mollari")?).await?;
    /// let refused = chat.open(londo.id(), group).await.unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the user is not a member, or if there is no such conversation.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) if the membership cannot be read.
    /// * The errors of [`StoreExt::get`](crate::store::StoreExt::get) if the request itself fails.
    pub async fn open(&self, user: UserId, group: GroupId) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        call.run(self.open_in(&call, user, group)).await
    }

    pub(super) async fn open_in(&self, call: &Call<'_>, user: UserId, group: GroupId) -> Result<Thread> {
        let membership = call.read(Membership::key_from((group, user))).await?.ok_or_else(not_a_member)?;
        Ok(self.thread(self.without_expired(call, membership).await?))
    }

    pub(super) fn thread(&self, membership: Membership) -> Thread {
        Thread { threadline: self.clone(), membership }
    }
}
