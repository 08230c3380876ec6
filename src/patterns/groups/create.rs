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

/// The request to create a group with a title.
#[derive(Clone, Debug)]
pub struct NewGroup {
    title: GroupTitle,
    creator: Profile,
    others: Vec<Profile>,
    id: Option<GroupId>,
}

impl NewGroup {
    /// The limit of members of a new group. One transaction creates the memberships, the group and the first message.
    pub const MAX_INITIAL_MEMBERS: usize = 97;

    /// Creates a request for a group with this title, and with its creator as the only member.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?;
    /// let thread = chat.create_group(new, "Welcome!").await?;
    /// assert_eq!(thread.group().await?.member_count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a title that [`GroupTitle`] refuses.
    pub fn new(title: impl TryInto<GroupTitle, Error: Into<Error>>, creator: impl Into<Profile>) -> Result<Self> {
        let title = title.try_into().map_err(Into::into)?;
        Ok(Self { title, creator: creator.into(), others: Vec::new(), id: None })
    }

    /// Adds a member. Default: the creator only.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko);
    /// let thread = chat.create_group(new, "Welcome!").await?;
    /// assert_eq!(thread.group().await?.member_count(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn member(mut self, member: impl Into<Profile>) -> Self {
        self.others.push(member.into());
        self
    }

    /// Sets the id, so that a retry does not create a second group. Default: a new id.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.id(chat.new_group_id());
    /// let thread = chat.create_group(new.clone(), "Welcome!").await?;
    /// let retried = chat.create_group(new, "Welcome!").await?;
    /// assert_eq!(retried.group_id(), thread.group_id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn id(mut self, id: GroupId) -> Self {
        self.id = Some(id);
        self
    }
}

impl Threadline {
    /// Creates a group with a title, its members and a first message from its creator.
    ///
    /// One transaction: 4 + 2n WCU and n WCU of the index, for n members including the creator.
    ///
    /// # Retries
    /// A retry with the same id returns the created group and writes nothing. The title and the creator must be the
    /// same, and also the first message if the draft has an id. The members are not compared.
    ///
    /// A retry costs 4 + 2n WCU and 2 RCU, or only 3 RCU outside the [send window](crate::SendWindow). If the first
    /// message is not found, a second transaction looks for an expired one: 2 WCU more. If it has expired, the retry
    /// also reads the newest message: 1 RCU more.
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::NewGroup;
    ///
    /// let new = NewGroup::new("Babylon 5 fans", &andrew)?.member(&bayko);
    /// let thread = chat.create_group(new, "Welcome!").await?;
    /// assert_eq!(thread.group().await?.title().map(|title| title.as_str()), Some("Babylon 5 fans"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) for more than [`NewGroup::MAX_INITIAL_MEMBERS`] members, a member named
    ///   twice, an id of version 5, or a message that [`Thread::send_draft`] refuses.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) for a message later than the [send
    ///   window](crate::SendWindow), if the group is not stored.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another group has the id, or if it was created with
    ///   other values. Also if its first message is no longer stored: then open the group. [`Error::entity`] is
    ///   `MessageGroup`, or `Message` if the stored first message has another author or text.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) if a membership or the message exists without the
    ///   group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction, even if a condition failed too.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact). After an unknown outcome, call again
    ///   with the same id and draft. Without an id, that creates a second group.
    pub async fn create_group(&self, new: NewGroup, first: impl TryInto<Draft, Error: Into<Error>>) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        let first = first.try_into().map_err(Into::into);
        call.run(async {
            let now = self.clock.now();
            let group = new.id.unwrap_or_else(|| GroupId::from_uuid(self.ids.next(now)));
            if group.as_uuid().get_version_num() == 5 {
                return Err(Error::invalid(
                    "group id has version 5, which is reserved for direct conversations: use a UUIDv7",
                ));
            }
            let count = 1 + new.others.len();
            if count > NewGroup::MAX_INITIAL_MEMBERS {
                return Err(Error::invalid(format!(
                    "new group has {count} members; the limit is {}: add the others afterwards",
                    NewGroup::MAX_INITIAL_MEMBERS
                )));
            }
            let members: Vec<_> = std::iter::once(new.creator.clone()).chain(new.others).collect();
            if members.iter().map(|member| member.id()).collect::<HashSet<_>>().len() < count {
                return Err(Error::invalid("new group names one member twice"));
            }
            let first = first?;
            let has_own_id = first.has_id();
            let message = self.compose(group, new.creator.clone(), first)?;
            let existing = if let Some(error) = self.out_of_window(message.created_at()) {
                call.read::<MessageGroup>(MessageGroup::key_from(group)).await?.ok_or(error)?
            } else {
                let membership = |member: &Profile| {
                    Membership::new(group, member.clone(), Conversation::Group(new.title.clone()), now)
                        .showing(&message)
                };
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let item = MessageGroup::new(group, Some(new.title.clone()), count, new.creator.id(), now);
                let mut writes = vec![put_new(&message)?];
                for member in &members {
                    writes.push(put_new(&membership(member))?);
                }
                match created_or_existing(&call, &item, writes).await? {
                    None => return Ok(self.thread(membership(&new.creator))),
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
    let message = "group exists, but its first message is another one or no longer stored: open the group";
    Error::new(ErrorKind::AlreadyExists, message).with_entity(MessageGroup::TYPE)
}
