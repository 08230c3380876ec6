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
    /// Returns the check that the caller is still a member: a thread may be kept for longer than the membership lasts.
    fn still_a_member(&self) -> TransactAction {
        TransactAction::check(self.membership.key(), Condition::item_exists().and(is_own::<Membership>()))
    }

    /// The title of a group, to whose members one may be added.
    fn title(&self) -> Result<GroupTitle> {
        let direct = || Error::invalid("a direct conversation has two members for ever; create a group instead");
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
        return Err(Error::invalid("a direct conversation is one of two people"));
    }
    Ok(())
}

/// Creates a group with its other items. Returns the group that was there already, if any.
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
    Error::new(ErrorKind::AlreadyExists, "there is another group with this id").with_entity(MessageGroup::TYPE)
}

pub(super) fn not_a_member() -> Error {
    Error::not_found("there is no such conversation, or the user is no member of it")
}
