//! `groups.create`

use std::collections::HashSet;

use super::{GROUP, MEMBERSHIPS, MESSAGE, OPEN, another_group, created_or_existing};
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term, Times};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::model::{Conversation, Membership, Message, MessageGroup, Profile};
use crate::patterns::call::{begin, put_new};
use crate::patterns::{Draft, Thread, Threadline};
use crate::stored::Entity;
use crate::text::GroupTitle;

pub(crate) const CARD: Card = Card::new("groups.create", "Threadline::create_group", Caller::Anyone)
    .cases(&[
        Case::new(
            &[GROUP, MESSAGE, MEMBERSHIPS],
            Cost::of(&[
                Term::writes(2),
                Term::writes(2).per(Per::Member),
                Term::writes(2).per(Per::WrittenKb),
                Term::index_writes(1).per(Per::Member),
            ]),
        ),
        Case::named(
            "existing",
            &[GROUP, MESSAGE, MEMBERSHIPS, STORED_MESSAGE, OPEN],
            Cost::of(&[
                Term::reads(1),
                Term::reads(1).per(Per::ReadBlock),
                Term::writes(2),
                Term::writes(2).per(Per::Member),
                Term::writes(2).per(Per::WrittenKb),
            ]),
        ),
        Case::named(
            "existing, first message has expired",
            &[
                GROUP,
                MESSAGE,
                MEMBERSHIPS,
                STORED_MESSAGE,
                EXPIRED_MESSAGE,
                OPEN,
                RequestCard::query(&Message::CARD).consistent(),
            ],
            Cost::of(&[
                Term::reads(1),
                Term::reads(1).per(Per::ReadBlock),
                Term::writes(2),
                Term::writes(2).per(Per::Member),
                Term::writes(4).per(Per::WrittenKb),
            ]),
        ),
        Case::named(
            "existing, first message is gone",
            &[GROUP, MESSAGE, MEMBERSHIPS, STORED_MESSAGE, EXPIRED_MESSAGE],
            Cost::of(&[Term::reads(1), Term::writes(6), Term::writes(2).per(Per::Member)]),
        ),
        Case::named(
            "existing, outside the send window",
            &[RequestCard::get(&MessageGroup::CARD).consistent(), STORED_MESSAGE, OPEN],
            Cost::of(&[Term::reads(2), Term::reads(1).per(Per::ReadBlock)]),
        ),
    ])
    .retry("returns the created group, if the ids of the group and of the draft are the same");

const IF_ID: Times = Times::OnlyIf("the draft has an id");
const STORED_MESSAGE: RequestCard = RequestCard::get(&Message::CARD).consistent().times(IF_ID);
const EXPIRED_MESSAGE: RequestCard =
    RequestCard::check(&Message::CARD).when("the message is the one sent").times(IF_ID);

/// A group with a title that is still to be created.
#[derive(Clone, Debug)]
pub struct NewGroup {
    title: GroupTitle,
    creator: Profile,
    others: Vec<Profile>,
    id: Option<GroupId>,
}

impl NewGroup {
    /// The limit of members of a new group: they, the group and the first message go into one transaction.
    pub const MAX_MEMBERS: usize = 97;

    /// A group with this title and, for now, its creator alone.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what [`GroupTitle`] refuses.
    pub fn new(title: impl TryInto<GroupTitle, Error: Into<Error>>, creator: impl Into<Profile>) -> Result<Self> {
        let title = title.try_into().map_err(Into::into)?;
        Ok(Self { title, creator: creator.into(), others: Vec::new(), id: None })
    }

    /// Adds a member.
    #[must_use]
    pub fn member(mut self, member: impl Into<Profile>) -> Self {
        self.others.push(member.into());
        self
    }

    /// Sets the id, so that a retry does not create a second group.
    #[must_use]
    pub fn id(mut self, id: GroupId) -> Self {
        self.id = Some(id);
        self
    }
}

impl Threadline {
    /// Creates a group with a title, its members and a first message by its creator. One transaction: 4 + 2n WCU and n of the
    /// index, for n members including the creator.
    ///
    /// A retry with the same id returns the created group and writes nothing. The title and the creator must be the same, and the
    /// first message too if the draft has an id. The members are not compared. A retry costs 4 + 2n WCU and 2 RCU; outside the
    /// [send window](crate::SendWindow), 3 RCU. If the first message is not found, a second transaction looks for an
    /// expired one, for 2 WCU more. If it has expired, the retry also reads the newest message, for 1 RCU more.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for more than [`NewGroup::MAX_MEMBERS`], somebody twice, an id of version 5, and for what
    ///   [`Thread::send_draft`] refuses.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) for a message ahead of the [send window](crate::SendWindow), if the group is not
    ///   stored.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is another group with the id, or it was started
    ///   otherwise. Also if its first message is no longer stored: then open the group. The error's
    ///   [entity](crate::Error::entity) is `MessageGroup`; it is `Message` if the stored first message has another author or text.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) when one of its rows, or the message, is there without the group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) where that canceled the transaction,
    ///   whatever else would have.
    /// * As [`StoreExt::transact`](crate::store::StoreExt::transact). After an unknown outcome, call again with the same id and draft: without
    ///   an id, that creates a second group.
    pub async fn create_group(&self, new: NewGroup, first: impl TryInto<Draft, Error: Into<Error>>) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        let first = first.try_into().map_err(Into::into);
        call.run(async {
            let now = self.clock.now();
            let group = new.id.unwrap_or_else(|| GroupId::from_uuid(self.ids.next(now)));
            if group.as_uuid().get_version_num() == 5 {
                return Err(Error::invalid(
                    "an id of version 5 is kept for a direct conversation; take one of version 7",
                ));
            }
            let count = 1 + new.others.len();
            if count > NewGroup::MAX_MEMBERS {
                return Err(Error::invalid(format!(
                    "a new group may have at most {} members, and this has {count}; add the others afterwards",
                    NewGroup::MAX_MEMBERS
                )));
            }
            let members: Vec<_> = std::iter::once(new.creator.clone()).chain(new.others).collect();
            if members.iter().map(|member| member.id()).collect::<HashSet<_>>().len() < count {
                return Err(Error::invalid("a new group names one member twice"));
            }
            let first = first?;
            let has_own_id = first.has_id();
            let message = self.compose(group, new.creator.clone(), first)?;
            let existing = if let Some(error) = self.out_of_window(message.created_at()) {
                call.read::<MessageGroup>(MessageGroup::key_from(group)).await?.ok_or(error)?
            } else {
                let row = |member: &Profile| {
                    Membership::new(group, member.clone(), Conversation::Group(new.title.clone()), now)
                        .showing(&message)
                };
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let item = MessageGroup::new(group, Some(new.title.clone()), count, new.creator.id(), now);
                let mut writes = vec![put_new(&message)?];
                for member in &members {
                    writes.push(put_new(&row(member))?);
                }
                match created_or_existing(&call, &item, writes).await? {
                    None => return Ok(self.thread(row(&new.creator))),
                    Some(existing) => existing,
                }
            };
            if existing.created_by() != new.creator.id() || existing.title() != Some(&new.title) {
                return Err(another_group());
            }
            if has_own_id {
                self.check_stored(&call, &message, no_such_first_message).await?;
            }
            self.open_in(&call, new.creator.id(), group).await
        })
        .await
    }
}

fn no_such_first_message() -> Error {
    let message = "the group exists, and its first message is another or no longer stored; open the group";
    Error::new(ErrorKind::AlreadyExists, message).with_entity(MessageGroup::TYPE)
}
