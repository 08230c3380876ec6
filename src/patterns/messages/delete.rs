//! `messages.delete`

use super::change::Changed;
use crate::card::{Caller, Card, Case, Cost, Per, RequestCard, Term};
use crate::error::{Error, Result};
use crate::model::{Message, MessagePosition};
use crate::patterns::Thread;
use crate::patterns::call::begin;
use crate::request::{Condition, Update};

pub(crate) const CARD: Card = Card::new("messages.delete", "Thread::delete", Caller::Author)
    .cases(&[Case::new(
        &[RequestCard::update(&Message::CARD).when("the caller's message, not deleted")],
        Cost::of(&[Term::writes(1).per(Per::WrittenKb)]),
    )])
    .retry("returns the tombstone");

impl Thread {
    /// Deletes a message of one's own: its text goes, a tombstone stays, so that no late edit brings it back. A conditional
    /// update: 1 WCU per KB. Deleting it again is done without a change, so a repeat is safe.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound) when there is no such message in this thread.
    /// * [`Denied`](crate::ErrorKind::Denied) when it is somebody else's.
    /// * [`Corrupt`](crate::ErrorKind::Corrupt) for a message that cannot be read.
    /// * As [`StoreExt::write`](crate::store::StoreExt::write). After an unknown outcome, delete again.
    pub async fn delete(&self, message: impl TryInto<MessagePosition, Error: Into<Error>>) -> Result<Message> {
        let call = begin!(&*self.threadline.store, CARD);
        let position = message.try_into().map_err(Into::into);
        call.run(async {
            let now = self.threadline.clock.now();
            let update = Update::new().set(Message::DELETED_AT, now).remove(Message::BODY);
            match self.change(&call, position?, update, Condition::absent(Message::DELETED_AT)).await? {
                Changed::Now(old) => Ok(old.deleted(now)),
                Changed::Not(tombstone) => Ok(tombstone),
            }
        })
        .await
    }
}
