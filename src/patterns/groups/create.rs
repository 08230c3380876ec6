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

/// A request to create a group with a title, for [`Threadline::create_group`].
#[derive(Clone, Debug)]
#[must_use]
pub struct NewGroup {
    title: GroupTitle,
    creator: Profile,
    others: Vec<Profile>,
    id: Option<GroupId>,
}

impl NewGroup {
    /// The maximum number of members of a new group, including the creator. There is a limit because one transaction
    /// creates the group, its memberships and the first message.
    pub const MAX_INITIAL_MEMBERS: usize = 97;

    /// Creates a request for a group with this title. The creator is its only member until you add others by
    /// [`member`](Self::member).
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
    /// [`Invalid`](crate::ErrorKind::Invalid) if [`GroupTitle`] refuses the title.
    pub fn new(title: impl TryInto<GroupTitle, Error: Into<Error>>, creator: impl Into<Profile>) -> Result<Self> {
        let title = title.try_into().map_err(Into::into)?;
        Ok(Self { title, creator: creator.into(), others: Vec::new(), id: None })
    }

    /// Adds a member to the new group. Default: the creator only.
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
    pub fn member(mut self, member: impl Into<Profile>) -> Self {
        self.others.push(member.into());
        self
    }

    /// Sets the id of the group, so that a retry does not create a second group. Default: a new id.
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
    pub fn id(mut self, id: GroupId) -> Self {
        self.id = Some(id);
        self
    }
}

impl Threadline {
    /// Creates a group with a title, its members and a first message from its creator.
    ///
    /// The call is one transaction. For `n` members including the creator, it costs 4 + 2`n` [WCU](crate::guide::costs)
    /// in the table and `n` WCU in the index. These costs are for a first message of up to 1 KB.
    ///
    /// # Retries
    /// A retry with the same group id returns the created group and writes nothing. The title and the creator must be
    /// those of the first call. If the draft has an id, the first message must be the same too. The members are not
    /// compared.
    ///
    /// A retry costs 4 + 2`n` WCU for the canceled transaction, and 2 RCU for its reads, with these exceptions:
    ///
    /// * If the draft has no id, the retry costs 1 RCU less.
    /// * If the first message is outside the [send window](crate::SendWindow), the retry costs only 3 RCU.
    /// * If the retry does not find the first message, a second transaction checks if it is still stored but has
    ///   expired, for 2 WCU more.
    /// * If the first message has expired, the retry also reads the newest remaining messages, usually for 1 RCU more.
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
    /// * [`Invalid`](crate::ErrorKind::Invalid) if the request has more than [`NewGroup::MAX_INITIAL_MEMBERS`] members,
    ///   names a member twice, or has a UUIDv5 as the group's id. Such ids are reserved for direct conversations.
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`Thread::send_draft`] would refuse the first message as `Invalid`.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable) if the first message's time is later than the
    ///   [send window](crate::SendWindow) allows, and no earlier call created the group.
    /// * [`NotFound`](crate::ErrorKind::NotFound) if the group was already created, and the creator has left it since.
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if another group has the id, or if the group was created
    ///   with another title, creator or first message. A retry also returns this error after DynamoDB has deleted the
    ///   expired first message: open the group instead. [`Error::entity`] is `Message` if the stored message with the
    ///   draft's id has another author or text. Otherwise, it is `MessageGroup`.
    /// * [`ConditionFailed`](crate::ErrorKind::ConditionFailed) if a membership or the message exists without the
    ///   group.
    /// * [`Conflict`](crate::ErrorKind::Conflict) or [`Throttled`](crate::ErrorKind::Throttled) if a conflict or
    ///   throttling canceled the transaction. They take precedence over `AlreadyExists` and `ConditionFailed`.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if a request itself fails. After an
    ///   unknown outcome, call again with the same id and draft. Without an id, a retry may create a second group.
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
