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

/// The item at the pair's own id, which leads to the imported conversation.
const POINTER: RequestCard = GROUP;

/// A conversation of two that comes from elsewhere and keeps its id.
#[derive(Clone, Debug)]
pub struct ImportedDirect {
    id: GroupId,
    one: Profile,
    other: Profile,
    started_at: Timestamp,
}

impl ImportedDirect {
    /// The conversation of these two, with its id and the time it was started. They are users: create those of another program
    /// by [`NewUser::id`](crate::NewUser::id) first.
    pub fn new(id: GroupId, one: impl Into<Profile>, other: impl Into<Profile>, started_at: Timestamp) -> Self {
        Self { id, one: one.into(), other: other.into(), started_at }
    }
}

impl Threadline {
    /// Imports a conversation of two with the id that it has. [`start_direct`](Self::start_direct) of the two leads to it then.
    ///
    /// One transaction: 8 WCU and 2 of the index, or 6 WCU and 2 of the index with the pair's own id. A retry is safe: it
    /// changes nothing, and costs 1 RCU more but no index WCU.
    ///
    /// Import the messages by [`Thread::send_draft`], with their ids and times, on a `Threadline` whose
    /// [send window](crate::SendWindow) accepts their age.
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) for a conversation with oneself, and for an id of version 5 that is not the pair's own.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) when the two have another conversation, or the id is another's.
    /// * [`Conflict`](ErrorKind::Conflict) or [`Throttled`](ErrorKind::Throttled) where that canceled the transaction,
    ///   whatever else would have.
    /// * As [`StoreExt::transact`](crate::store::StoreExt::transact). After an unknown outcome, call again.
    pub async fn import_direct(&self, imported: ImportedDirect) -> Result<Thread> {
        let call = begin!(&*self.store, CARD);
        call.run(async {
            let ImportedDirect { id, one, other, started_at } = imported;
            check_two(&one, &other)?;
            let other_id = other.id();
            let pair = GroupId::direct(one.id(), other_id);
            if id != pair && id.as_uuid().get_version_num() == 5 {
                // It may be another pair's own, who could never start a conversation then.
                return Err(Error::invalid(
                    "an id of version 5 is kept for another pair; import with the id it had before",
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
            let leads_here = match pointer {
                Some(pointer) => stored(pointer)?.is_some_and(|pointer| pointer.continued_in() == Some(id)),
                None => true,
            };
            let is_direct = |group: MessageGroup| group.continued_in().is_none() && group.title().is_none();
            if leads_here && stored(group)?.is_some_and(is_direct) {
                let thread = self.open_in(&call, one.id(), id).await?;
                if thread.membership.other().map(|other| other.id()) == Some(other_id) {
                    return Ok(thread);
                }
            }
            Err(Error::new(ErrorKind::AlreadyExists, "the two have another conversation, or the id is another's")
                .with_entity(MessageGroup::TYPE))
        })
        .await
    }
}
