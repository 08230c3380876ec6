//! `inbox.unread`

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

/// The unread messages of a conversation: those of others that are later than the member's read marker and than the member's own
/// newest message. A deleted message counts like any other, until it is removed from the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// The messages counted, at most [`MAX`](Self::MAX).
    pub count: u32,
    /// `true` if there are more.
    pub or_more: bool,
    /// The number of messages met on the way that cannot be read.
    pub unreadable: u32,
}

impl Unread {
    /// The limit of a count. A screen shows more as `99+`.
    pub const MAX: u32 = 99;
}

impl Threadline {
    /// Counts unread messages: those sent by others after the member's read marker and after the member's own newest message. 0.5
    /// RCU per 4 KB of them. It is more than zero exactly if [`Membership::is_unread`] holds, once everything is projected.
    ///
    /// The membership is the permission. Read it again for each request of a user, by [`inbox`](Self::inbox) or [`open`](Self::open).
    ///
    /// # Errors
    /// As [`StoreExt::query`](crate::store::StoreExt::query).
    pub async fn unread(&self, row: &Membership) -> Result<Unread> {
        let call = begin!(&*self.store, CARD);
        call.run(count_unread(&call, row)).await
    }
}

impl Thread {
    /// Counts unread messages by the read marker of when the thread was opened, or that was set since. 0.5 RCU per 4 KB of them.
    ///
    /// # Errors
    /// As [`Threadline::unread`].
    pub async fn unread(&self) -> Result<Unread> {
        self.threadline.unread(&self.membership).await
    }
}

/// Counts from the newest message back, to the member's own newest message or to the last one read: sending is reading. If the
/// count is capped, the old ones are left out.
async fn count_unread(call: &Call<'_>, row: &Membership) -> Result<Unread> {
    let range = row.last_read().map_or(SortRange::All, |read| SortRange::After(read.sort_key()));
    let mut query = Query::table(Message::partition(row.group_id())).range(range).order(Order::Descending);
    query.limit = NonZeroU32::new(Unread::MAX + 1);
    let mut unread = Unread { count: 0, or_more: false, unreadable: 0 };
    let mut pages = call.pages(query);
    while let Some(items) = pages.next().await? {
        for message in items.into_iter().filter_map(read_listed::<Message>) {
            match message {
                Err(_) => unread.unreadable += 1,
                Ok(message) if message.sender_id() == row.user_id() => return Ok(unread),
                Ok(_) if unread.count == Unread::MAX => return Ok(Unread { or_more: true, ..unread }),
                Ok(_) => unread.count += 1,
            }
        }
    }
    Ok(unread)
}
