//! `groups.get`, `groups.members`, `groups.add_member`, `groups.remove_member`.

use super::call::{begin, is_own};
use super::groups::not_a_member;
use super::users::{put_new, refused};
use super::{Page, Thread};
use crate::entity::Entity;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::model::{Conversation, Membership, MessageGroup, MessagePosition, Profile, read_listed, read_own};
use crate::request::{Condition, Get, Query, SortRange, TransactAction, TransactOutcome, Transaction, Update, Write};
use crate::text::GroupTitle;
use crate::time::Timestamp;

/// The most members that a group may come to have. A message to the group writes each one's inbox row.
pub const MAX_MEMBERS: usize = 1000;

/// A member of a conversation, as the other members see one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Who it is, with the names of when the member's row was written.
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
    /// As [`Store::query`](crate::Store::query).
    pub async fn members(&self) -> Result<Page<Member>> {
        let call = begin!(&*self.chat.store, "groups.members");
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

    /// The group itself: its title, how many members it has, who started it and when. 0.5 RCU.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the group is gone; as [`Store::get`](crate::Store::get).
    pub async fn group(&self) -> Result<MessageGroup> {
        let call = begin!(&*self.chat.store, "groups.get");
        call.run(async {
            let found = call.get(Get::new(MessageGroup::key_from(self.group_id()))).await?;
            read_own(found.item)?.ok_or_else(not_a_member)
        })
        .await
    }

    /// Adds a member, who sees the whole thread and has it for read up to now. One consistent read of the newest message, 1 RCU,
    /// and one transaction: 6 WCU (2 of them for the proof that the caller is still a member) and 1 of the index. Any member may
    /// add anybody; what else an application asks of them is its own to check. Adding a member again is done without a
    /// change, so a repeat is safe.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a direct conversation, and for a group that has [`MAX_MEMBERS`].
    /// * [`NotFound`](crate::ErrorKind::NotFound) when the caller is no longer a member.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another program's item is at the membership's key, and
    ///   [`Corrupt`](crate::ErrorKind::Corrupt) for a membership that is there and cannot be read.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again.
    pub async fn add_member(&self, member: impl Into<Profile>) -> Result<()> {
        let call = begin!(&*self.chat.store, "groups.add_member");
        let member = member.into();
        call.run(async {
            let title = self.title()?;
            if member.id() == self.me.user_id() {
                // Whoever is a member stays one, and whoever is no longer does not become one by a thread kept from before.
                return self.chat.open_in(&call, member.id(), self.group_id()).await.map(drop);
            }
            let mut row = Membership::new(self.group_id(), member, Conversation::Group(title), self.chat.clock.now());
            if let Some(newest) = super::newest_message(&call, self.group_id()).await? {
                row = row.showing(&newest).read_up_to(self.chat.not_ahead(newest.position()));
            }
            let count = self.count_members(1).when(Condition::lt(MessageGroup::MEMBER_COUNT, MAX_MEMBERS));
            let actions = vec![self.still_a_member(), count.into(), put_new(&row)?.into()];
            let outcome = call.transact(Transaction::new(actions)).await?;
            match &outcome {
                TransactOutcome::Cancelled { reasons, .. } if refused(reasons, 0) => Err(not_a_member()),
                TransactOutcome::Cancelled { reasons, .. } if refused(reasons, 2) => {
                    let stored = reasons.get(2).and_then(|reason| reason.current.clone());
                    read_own::<Membership>(stored)?.map(drop).ok_or_else(another_item)
                }
                TransactOutcome::Cancelled { reasons, .. } if refused(reasons, 1) => {
                    Err(Error::invalid(format!("the group has {MAX_MEMBERS} members already, which is the most")))
                }
                _ => outcome.done(),
            }
        })
        .await
    }

    /// Removes a member, who may be oneself: the row goes, and with it the way into the thread. One transaction: 4 WCU to leave
    /// oneself, 6 to remove another (2 of them for the proof that the caller is still a member), and 1 of the index. Any member may
    /// remove any other; what else an application asks of them is its own to check. The messages stay. Removing somebody who is no
    /// member is done without a change, so a repeat is safe.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for a direct conversation, which has two members for ever.
    /// * [`NotFound`](crate::ErrorKind::NotFound) when the caller, who removes another, is no longer a member.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) when the group is gone, and its rows are not.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that cancelled the transaction,
    ///   whatever else would have.
    /// * As [`Store::transact`](crate::Store::transact). After an unknown outcome, call again.
    pub async fn remove_member(&self, member: UserId) -> Result<()> {
        let call = begin!(&*self.chat.store, "groups.remove_member");
        call.run(async {
            self.title()?;
            let row = Write::delete(Membership::key_from((self.group_id(), member)))
                .when(Condition::item_exists().and(is_own::<Membership>()));
            let mut actions = vec![row.into(), self.count_members(-1).into()];
            if member != self.me.user_id() {
                actions.push(self.still_a_member());
            }
            let outcome = call.transact(Transaction::new(actions)).await?;
            match &outcome {
                TransactOutcome::Cancelled { reasons, .. } if refused(reasons, 2) => Err(not_a_member()),
                TransactOutcome::Cancelled { reasons, .. } if refused(reasons, 0) => Ok(()),
                _ => outcome.done(),
            }
        })
        .await
    }

    /// Who adds and removes others must be a member at that moment: a thread may be held for longer than its proof is true.
    fn still_a_member(&self) -> TransactAction {
        TransactAction::check(self.me.key(), Condition::item_exists().and(is_own::<Membership>()))
    }

    /// The title of a group, to whose members one may be added.
    fn title(&self) -> Result<GroupTitle> {
        let direct = || Error::invalid("a direct conversation has two members for ever; create a group instead");
        self.me.title().cloned().ok_or_else(direct)
    }

    fn count_members(&self, change: i64) -> Write {
        let update = Update::new().add(MessageGroup::MEMBER_COUNT, change).add(MessageGroup::MEMBER_CHANGES, 1);
        Write::update(MessageGroup::key_from(self.group_id()), update)
            .when(Condition::item_exists().and(is_own::<MessageGroup>()))
    }
}

/// Reads a group's memberships, consistently.
pub(crate) fn members_of(group: GroupId) -> Query {
    Query::table_consistent(Membership::partition(group)).range(SortRange::BeginsWith(Membership::members()))
}

fn another_item() -> Error {
    let message = "another program's item is at the key of the membership";
    Error::new(ErrorKind::AlreadyExists, message).with_entity(Membership::TYPE)
}
