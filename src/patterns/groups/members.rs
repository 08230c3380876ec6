//! `groups.members`

use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::Result;
use crate::id::GroupId;
use crate::model::{Membership, MessagePosition, Profile, read_listed};
use crate::patterns::call::begin;
use crate::patterns::{Page, Thread};
use crate::request::{Query, SortRange};
use crate::time::Timestamp;

pub(crate) const CARD: Card = Card::new("groups.members", "Thread::members", Caller::Member)
    .cases(&[Case::new(
        &[RequestCard::query(&Membership::CARD).range("begins with USER#").consistent()],
        Cost::of(&[Term::reads(1).per(Per::ReadBlock)]),
    )])
    .retry("reads again");

/// A member of a conversation, as the other members see one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The user, with the names that the membership has.
    pub profile: Profile,
    /// When the member joined.
    pub joined_at: Timestamp,
    /// Up to where the member has read.
    pub last_read: Option<MessagePosition>,
}

impl Thread {
    /// Returns all members, in the order of their ids: a single page. 1 RCU per 4 KB of their memberships, which is four members at
    /// least.
    ///
    /// # Errors
    /// As [`StoreExt::query`](crate::store::StoreExt::query).
    pub async fn members(&self) -> Result<Page<Member>> {
        let call = begin!(&*self.threadline.store, CARD);
        call.run(async {
            let mut pages = call.pages(members_of(self.group_id()));
            let mut members = Page::default();
            while let Some(items) = pages.next().await? {
                for membership in items.into_iter().filter_map(read_listed::<Membership>) {
                    match membership {
                        Ok(membership) => members.items.push(Member {
                            profile: membership.profile(),
                            joined_at: membership.joined_at(),
                            last_read: membership.last_read(),
                        }),
                        Err(_) => members.unreadable += 1,
                    }
                }
            }
            Ok(members)
        })
        .await
    }
}

/// Reads a group's memberships, consistently.
pub(crate) fn members_of(group: GroupId) -> Query {
    Query::table_consistent(Membership::partition(group)).range(SortRange::BeginsWith(Membership::members()))
}
