//! Conversations and their members.

pub(crate) mod add_member;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod import_direct;
pub(crate) mod members;
pub(crate) mod open;
pub(crate) mod remove_member;
pub(crate) mod start_direct;

use super::Thread;
use super::call::{Call, is_own, put_new};
use crate::card::{RequestCard, Times};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Membership, Message, MessageGroup, Profile, read_own};
use crate::request::{Condition, TransactAction, Transaction, Update, Write};
use crate::stored::Entity;
use crate::text::GroupTitle;

pub use create::NewGroup;
pub use import_direct::ImportedDirect;
pub use members::Member;
pub(crate) use members::members_of;

const GROUP: RequestCard = RequestCard::put(&MessageGroup::CARD).when("no such group").in_transaction();
const MEMBERSHIPS: RequestCard = MEMBERSHIP.times(Times::PerMember);
const MEMBERSHIP: RequestCard = RequestCard::put(&Membership::CARD).when("no such membership").in_transaction();
const MESSAGE: RequestCard = RequestCard::put(&Message::CARD).when("no such message").in_transaction();
const OPEN: RequestCard = RequestCard::get(&Membership::CARD).consistent();

impl Thread {
    /// Returns the check that the caller is still a member. An application may keep a thread after the membership has
    /// ended.
    fn still_a_member(&self) -> TransactAction {
        TransactAction::check(self.membership.key(), Condition::item_exists().and(is_own::<Membership>()))
    }

    /// Returns the title of the group. A direct conversation has none, and its members cannot change.
    fn title(&self) -> Result<GroupTitle> {
        let direct = || Error::invalid("members of a direct conversation cannot change: create a group instead");
        self.membership.title().cloned().ok_or_else(direct)
    }

    fn count_members(&self, change: i64) -> Write {
        let update = Update::new().add(MessageGroup::MEMBER_COUNT, change).add(MessageGroup::MEMBER_CHANGES, 1);
        Write::update(MessageGroup::key_from(self.group_id()), update)
            .when(Condition::item_exists().and(is_own::<MessageGroup>()))
    }
}

fn check_two(one: &Profile, other: &Profile) -> Result<()> {
    if one.id() == other.id() {
        return Err(Error::invalid("direct conversation needs two different users"));
    }
    Ok(())
}

/// Creates a group and the other items in one transaction. Returns the existing group, if any.
async fn created_or_existing(
    call: &Call<'_>,
    group: &MessageGroup,
    others: impl IntoIterator<Item = Write>,
) -> Result<Option<MessageGroup>> {
    let mut transaction = Transaction::default();
    let group = transaction.add(put_new(group)?);
    for write in others {
        transaction.add(write);
    }
    let outcome = call.transact(transaction).await?;
    if let Some(item) = outcome.current(group) {
        return read_own(Some(item.clone()))?.map(Some).ok_or_else(another_group);
    }
    outcome.done().map(|()| None)
}

fn another_group() -> Error {
    Error::new(ErrorKind::AlreadyExists, "another group has this id").with_entity(MessageGroup::TYPE)
}

pub(super) fn not_a_member() -> Error {
    Error::not_found("no such conversation, or the user is not a member")
}
