//! The reads of a device, and the checks of their results.

use std::collections::BTreeSet;

use threadline::{Cursor, GroupId, Membership, Message, MessagePosition, Page, Result, Thread, Threadline};

use super::client::{Answer, Client};
use super::model::Model;
use super::violation::Breach;

/// The options of a walk through a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) group: GroupId,
    pub(super) oldest_first: bool,
    pub(super) limit: u32,
    pub(super) consistent: bool,
}

impl Walk {
    pub(super) async fn page(&self, thread: &Thread, cursor: Option<&Cursor>) -> Result<Page<Message>> {
        let mut request = thread.messages().limit(self.limit);
        request = if self.oldest_first { request.oldest_first() } else { request.newest_first() };
        if self.consistent {
            request = request.consistent();
        }
        if let Some(cursor) = cursor {
            request = request.cursor(cursor.clone());
        }
        request.fetch().await
    }

    /// Checks a page that was read between `from` and `to`, after this position of the previous page.
    pub(super) fn check(
        &self,
        model: &Model,
        page: &Page<Message>,
        after: Option<MessagePosition>,
        (from, to): (u64, u64),
    ) -> Result<(), Breach> {
        // The promised messages may have been removed since.
        let promised = after.is_some() && !model.has_purges(self.group);
        check_size(page.items.len(), self.limit, page.next.is_some(), promised)?;
        let positions: Vec<_> = page.items.iter().map(Message::position).collect();
        let mut last = after;
        for position in &positions {
            if last.is_some_and(|last| (last < *position) != self.oldest_first || last == *position) {
                return Err(Breach::new(Breach::ORDER, "a thread was read out of order"));
            }
            last = Some(*position);
        }
        for message in &page.items {
            model.saw(message, from, to)?;
        }
        if !self.consistent {
            return Ok(());
        }
        let is_after = |position: MessagePosition, bound: MessagePosition| {
            (position > bound) == self.oldest_first && position != bound
        };
        for (number, position) in model.sent_before(self.group, from) {
            let before_end = page.next.is_none() || last.is_none_or(|last| !is_after(position, last));
            let after_start = after.is_none_or(|after| is_after(position, after));
            if before_end && after_start && !positions.contains(&position) {
                return Err(Breach::new(
                    Breach::STORED,
                    format!("message {number} is missing on a page of its thread"),
                ));
            }
        }
        Ok(())
    }
}

/// Checks that a page is full unless it is the last one, and that a promised page is not empty.
pub(super) fn check_size(items: usize, limit: u32, more: bool, promised: bool) -> Result<(), Breach> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items > limit || (more && items < limit) || (promised && items == 0) {
        let what =
            format!("a page of {items}, of {limit} asked for, and {} more", if more { "there is" } else { "no" });
        return Err(Breach::new(Breach::PAGE, what));
    }
    Ok(())
}

impl Client {
    pub(super) async fn read(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let Some(group) = self.some_group(me, false) else { return };
        let limit = 1 + u32::try_from(self.draw(5)).unwrap_or(0);
        let walk = Walk { group, limit, oldest_first: self.draw(2) == 0, consistent: self.draw(2) == 0 };
        let (mut cursor, mut after) = (None, None);
        for _ in 0..1 + self.draw(6) {
            let from_cursor = cursor.clone();
            let answer = self
                .in_thread(me, group, async |thread: Thread| {
                    let from = self.world.now();
                    Ok((from, walk.page(&thread, from_cursor.as_ref()).await?))
                })
                .await;
            let (from, page) = match answer {
                Answer::Done(Some(read)) => read,
                Answer::Refused { error, .. } => return self.unexpected("messages", &error),
                Answer::Done(None) | Answer::GivenUp { .. } => return,
            };
            let mut model = self.world.model.borrow_mut();
            let to = model.now();
            let checked = walk.check(&model, &page, after, (from, to));
            model.check(checked);
            after = page.items.last().map(Message::position);
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    }

    pub(super) async fn inbox(&self) {
        let Some(me) = self.me().map(|me| me.id()) else { return };
        let limit = 1 + u32::try_from(self.draw(5)).unwrap_or(0);
        let mut cursor: Option<Cursor> = None;
        for number in 0..1 + self.draw(3) {
            let from_cursor = cursor.clone();
            let answer = self
                .call(async |chat: Threadline| {
                    let request = chat.inbox(me).limit(limit);
                    match &from_cursor {
                        Some(cursor) => request.cursor(cursor.clone()).fetch().await,
                        None => request.fetch().await,
                    }
                })
                .await;
            let page = match answer {
                Answer::Done(page) => page,
                Answer::Refused { error, .. } => return self.unexpected("inbox", &error),
                Answer::GivenUp { .. } => return,
            };
            let mut model = self.world.model.borrow_mut();
            // A conversation may move between two pages, so a further page may be empty.
            let size = check_size(page.items.len(), limit, page.next.is_some(), false);
            model.check(size);
            let groups: BTreeSet<_> = page.items.iter().map(Membership::group_id).collect();
            let is_own =
                |entry: &Membership| entry.user_id() == me && model.truth.was_ever_member(entry.group_id(), me);
            if groups.len() < page.items.len() || !page.items.iter().all(is_own) {
                let what = format!("page {number} has a conversation twice, or one of another user");
                model.report(Breach::new(Breach::MEMBERS, what));
            }
            let sorted = page.items.iter().map(Membership::last_message_at);
            if !sorted.rev().is_sorted() {
                model.report(Breach::new(Breach::INBOX, "a page of an inbox is out of order"));
            }
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    }
}
