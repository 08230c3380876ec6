//! `inbox.unread`

use serde::Serialize;

use std::num::NonZeroU32;

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::Result;
use crate::model::{Membership, Message, read_listed};
use crate::patterns::call::{Call, begin};
use crate::patterns::{Thread, Threadline};
use crate::request::{Order, Query, SortRange};

pub(crate) const CARD: Card = Card::new("inbox.unread", "Threadline::unread", Caller::Member)
    .cases(&[Case::new(
        &[RequestCard::query(&Message::CARD).range("after the read marker")],
        Cost::of(&[Term::half_reads(1).per(Per::ReadBlock)]),
    )])
    .retry("reads again");

/// The number of unread messages in a conversation, for one member. [`Threadline::unread`] returns it.
///
/// A message is unread for a member if another user sent it after the member's [read marker](Membership::last_read). It
/// must also be after the member's own newest message. A deleted message counts as long as its tombstone is in the
/// table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unread {
    /// The number of unread messages, at most [`MAX`](Self::MAX).
    pub count: u32,
    /// `true` if there are more than [`MAX`](Self::MAX) unread messages.
    pub or_more: bool,
    /// The number of unreadable items among the messages that the call read from the table.
    pub unreadable: u32,
}

impl Unread {
    /// The number at which the count stops. If there are more unread messages, an application may show `99+`.
    pub const MAX: u32 = 99;
}

impl Threadline {
    /// Counts the unread messages of a member in a conversation. These are the messages that others sent after the
    /// member's [read marker](Membership::last_read) and after the member's own newest message.
    ///
    /// The call reads the messages after the read marker, but only the newest 100 of them. It costs 0.5
    /// [RCU](crate::guide::costs) per 4 KB of the messages that it reads.
    ///
    /// The count agrees with [`Membership::is_unread`] once the [projector](crate::stream::Projector) has processed all
    /// stream records. Then `is_unread` returns `true` exactly if the count is above zero.
    ///
    /// The call does not check that the user is still a member. For each request of a user, first read the membership
    /// again, by [`inbox`](Self::inbox) or [`open`](Self::open).
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let page = chat.inbox(bayko.id()).fetch().await?;
    /// assert_eq!(chat.unread(&page.items[0]).await?.count, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`StoreExt::query`](crate::store::StoreExt::query) if a request itself fails.
    pub async fn unread(&self, entry: &Membership) -> Result<Unread> {
        let call = begin!(&*self.store, CARD);
        call.run(count_unread(&call, entry)).await
    }
}

impl Thread {
    /// Counts the unread messages of the member who opened the conversation, as [`Threadline::unread`] does. The
    /// count starts after the read marker in this thread's [membership](Self::membership). To move the marker, call
    /// [`mark_read`](Self::mark_read).
    ///
    /// The call costs as much as [`Threadline::unread`].
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let group = chat.start_direct(&andrew, &bayko, "Hello").await?.group_id();
    /// let thread = chat.open(bayko.id(), group).await?;
    /// assert_eq!(thread.unread().await?.count, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Threadline::unread`].
    pub async fn unread(&self) -> Result<Unread> {
        self.threadline.unread(&self.membership).await
    }
}

/// Counts from the newest message back to the member's own newest message or to the read marker.
async fn count_unread(call: &Call<'_>, entry: &Membership) -> Result<Unread> {
    let range = entry.last_read().map_or(SortRange::All, |read| SortRange::After(read.sort_key()));
    let mut query = Query::table(Message::partition(entry.group_id())).range(range).order(Order::Descending);
    query.limit = NonZeroU32::new(Unread::MAX + 1);
    let mut unread = Unread { count: 0, or_more: false, unreadable: 0 };
    let mut pages = call.pages(query);
    while let Some(items) = pages.next().await? {
        for message in items.into_iter().filter_map(read_listed::<Message>) {
            match message {
                Err(_) => unread.unreadable += 1,
                Ok(message) if message.sender_id() == entry.user_id() => return Ok(unread),
                Ok(_) if unread.count == Unread::MAX => return Ok(Unread { or_more: true, ..unread }),
                Ok(_) => unread.count += 1,
            }
        }
    }
    Ok(unread)
}
