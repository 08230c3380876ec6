//! `groups.members`

use serde::Serialize;

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

/// A member of a conversation, as [`Thread::members`] shows it to the other members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// The user, with the names that the [membership](crate::Membership) contains.
    pub profile: Profile,
    /// The time when the user became a member.
    pub joined_at: Timestamp,
    /// The read marker: the position of the last message that the member has read.
    pub last_read: Option<MessagePosition>,
}

impl Thread {
    /// Returns all members of the conversation on a single page, in the order of their ids.
    ///
    /// The consistent read costs 1 [RCU](crate::guide::costs) per 4 KB of memberships. A membership has at most 1 KB,
    /// so 4 KB are at least four members.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// let thread = chat.start_direct(&andrew, &bayko, "Hello").await?;
    /// let members = thread.members().await?.items;
    /// assert_eq!(members.len(), 2);
    /// assert!(members.iter().any(|member| member.profile == bayko.profile()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`StoreExt::query`](crate::store::StoreExt::query) if the request itself fails.
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

/// Returns the consistent query for a group's memberships.
pub(crate) fn members_of(group: GroupId) -> Query {
    Query::table_consistent(Membership::partition(group)).range(SortRange::BeginsWith(Membership::members()))
}
