//! `groups.import_direct`

use super::{GROUP, MEMBERSHIPS, OPEN, check_two};
use crate::card::{Caller, Card, Case, Cost, RequestCard, Term};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::model::{Conversation, Membership, MessageGroup, Profile, read_own};
use crate::patterns::call::{begin, put_new};
use crate::patterns::{Thread, Threadline};
use crate::request::Transaction;
use crate::stored::Entity;
use crate::time::Timestamp;

pub(crate) const CARD: Card = Card::new("groups.import_direct", "Threadline::import_direct", Caller::Anyone)
    .cases(&[
        Case::new(&[GROUP, MEMBERSHIPS, POINTER], Cost::of(&[Term::writes(8), Term::index_writes(2)])),
        Case::named(
            "with the pair's own id",
            &[GROUP, MEMBERSHIPS],
            Cost::of(&[Term::writes(6), Term::index_writes(2)]),
        ),
        Case::named("existing", &[GROUP, MEMBERSHIPS, POINTER, OPEN], Cost::of(&[Term::reads(1), Term::writes(8)])),
        Case::named(
            "existing, with the pair's own id",
            &[GROUP, MEMBERSHIPS, OPEN],
            Cost::of(&[Term::reads(1), Term::writes(6)]),
        ),
    ])
    .retry("returns the imported conversation");

/// The item at the pair's derived id, which points to the imported conversation.
const POINTER: RequestCard = GROUP;

/// A request to import a direct conversation that another program stored, for [`Threadline::import_direct`]. The
/// conversation keeps its id.
#[derive(Clone, Debug)]
pub struct ImportedDirect {
    id: GroupId,
    one: Profile,
    other: Profile,
    started_at: Timestamp,
}

impl ImportedDirect {
    /// Creates a request for the conversation of these two users, with its id and the time when it was started.
    ///
    /// First create the two users by [`create_user`](Threadline::create_user), with the ids that they have in the
    /// program that stored the conversation; see [`NewUser::id`](crate::NewUser::id).
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::ImportedDirect;
    ///
    /// let id = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse()?;
    /// let imported = ImportedDirect::new(id, &andrew, &bayko, "2023-06-26T10:16:00Z".parse()?);
    /// assert_eq!(chat.import_direct(imported).await?.group_id(), id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(id: GroupId, one: impl Into<Profile>, other: impl Into<Profile>, started_at: Timestamp) -> Self {
        Self { id, one: one.into(), other: other.into(), started_at }
    }
}

impl Threadline {
    /// Imports a direct conversation that another program stored. The conversation keeps its id, and a later
    /// [`start_direct`](Self::start_direct) of the two users continues it.
    ///
    /// The call is one transaction. It costs 8 [WCU](crate::guide::costs) in the table and 2 WCU in the index. If the
    /// conversation's id is the pair's [derived id](GroupId::direct), the call costs only 6 WCU in the table. A retry
    /// changes nothing. It costs as many WCU in the table as the first call, 1 RCU, and nothing in the
    /// index.
    ///
    /// Import the messages by [`Thread::send_draft`], with their ids and times. Use a `Threadline` whose
    /// [send window](crate::SendWindow) accepts their age.
    ///
    /// ```
    #[doc = include_str!("../example_setup.md")]
    /// use threadline::ImportedDirect;
    ///
    /// let id = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse()?;
    /// let imported = ImportedDirect::new(id, &andrew, &bayko, "2023-06-26T10:16:00Z".parse()?);
    /// chat.import_direct(imported).await?;
    ///
    /// let thread = chat.start_direct(&bayko, &andrew, "Hello again").await?;
    /// assert_eq!(thread.group_id(), id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) if the two users are the same, or if the id has version 5 and is not the
    ///   pair's derived id.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) if the two users have another conversation, or another
    ///   conversation has the id.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) if a conflict or throttling canceled
    ///   the transaction. They take precedence over `AlreadyExists`.
    /// * The errors of [`StoreExt::transact`](crate::store::StoreExt::transact) if the request itself fails. After an
    ///   unknown outcome, call again.
    pub async fn import_direct(&self, imported: ImportedDirect) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        call.run(async {
            let ImportedDirect { id, one, other, started_at } = imported;
            check_two(&one, &other)?;
            let other_id = other.id();
            let pair = GroupId::direct(one.id(), other_id);
            if id != pair && id.as_uuid().get_version_num() == 5 {
                // It may be the derived id of another pair, who could then never start a conversation.
                return Err(Error::invalid(
                    "group id has version 5, which is reserved for another pair: keep the id that it had before",
                ));
            }
            let item = MessageGroup::new(id, None, 2, one.id(), started_at);
            let mine = Membership::new(id, one.clone(), Conversation::Direct(other.clone()), started_at);
            let theirs = Membership::new(id, other, Conversation::Direct(one.clone()), started_at);
            let mut transaction = Transaction::default();
            let group = transaction.add(put_new(&item)?);
            let mut actions = vec![group, transaction.add(put_new(&mine)?), transaction.add(put_new(&theirs)?)];
            let pointer = MessageGroup::pointer(pair, id, one.id(), started_at);
            let pointer = if pair == id { None } else { Some(transaction.add(put_new(&pointer)?)) };
            actions.extend(pointer);
            let outcome = call.transact(transaction).await?;
            if !actions.into_iter().any(|action| outcome.is_refused(action)) {
                return outcome.done().map(|()| self.thread(mine));
            }
            let stored = |action| read_own::<MessageGroup>(outcome.current(action).cloned());
            let points_here = match pointer {
                Some(pointer) => stored(pointer)?.is_some_and(|pointer| pointer.continued_in() == Some(id)),
                None => true,
            };
            let is_direct = |group: MessageGroup| group.continued_in().is_none() && group.title().is_none();
            if points_here && stored(group)?.is_some_and(is_direct) {
                let thread = self.open_in(&call, one.id(), id).await?;
                if thread.membership.other().map(|other| other.id()) == Some(other_id) {
                    return Ok(thread);
                }
            }
            Err(Error::new(
                ErrorKind::AlreadyExists,
                "the two users have another conversation, or another conversation has this id",
            )
            .with_entity(MessageGroup::TYPE))
        })
        .await
    }
}
