//! The invariants at rest: once everything is delivered and no fault is left.

use std::cell::Cell;
use std::collections::BTreeSet;

use threadline::__private::shows;
use threadline::stream::{AuditCursor, AuditPage, Auditor, Discrepancy};
use threadline::{
    Error, ErrorKind, GroupId, Member, Membership, Message, Profile, Thread, Threadline, Unread, User, UserId,
};

use super::executor::run_alone;
use super::model::Model;
use super::network::short;
use super::reads::{Walk, check_size};
use super::truth::Group;
use super::violation::Breach;
use super::world::World;
use crate::random::Random;

/// Checks the deployment at rest.
pub(super) fn check(world: &World, random: &mut Random) -> Result<(), Breach> {
    let chat = Threadline::new(world.store.clone()).clock(world.clock.clone());
    let now = world.now();
    let model = &*world.model.borrow();
    model.check_users()?;
    check_claims(&chat, model)?;
    for (id, group) in &model.truth.groups {
        if group.item.as_ref().is_some_and(|item| item.continued_in().is_some()) {
            continue;
        }
        check_messages(model, *id, group, now)?;
        for entry in group.entries.values() {
            check_entry(group, entry)?;
            if !may_miss_names(world, group) {
                check_names(model, entry)?;
            }
        }
        for user in model.truth.users.keys() {
            check_reader(world, &chat, model, (*id, group), *user, random)?;
        }
    }
    for user in model.truth.users.keys() {
        check_inbox(&chat, model, *user, random)?;
    }
    run_alone(audit(world))
}

/// Returns `true` if a rename may have missed an entry of the group.
fn may_miss_names(world: &World, group: &Group) -> bool {
    world.parameters.may_miss_names() || group.moved_back
}

fn failed(error: &Error) -> Breach {
    Breach::unexpected(format!("a call at rest: {error}"))
}

fn check_claims(chat: &Threadline, model: &Model) -> Result<(), Breach> {
    for user in model.truth.users.values() {
        let found = run_alone(chat.user_by_handle(user.handle())).map_err(|error| failed(&error))?;
        if found != Some(user.profile()) {
            return Err(Breach::new(Breach::CLAIM, "a user is not found by the handle, or another one is"));
        }
    }
    let wanted: usize = model.truth.users.values().map(|user| 1 + usize::from(user.identity().is_some())).sum();
    let claims = model.truth.claims.len();
    if claims == wanted {
        Ok(())
    } else {
        Err(Breach::new(Breach::CLAIM, format!("{claims} claims for {wanted} handles and identities")))
    }
}

fn check_messages(model: &Model, id: GroupId, group: &Group, now: u64) -> Result<(), Breach> {
    for message in group.messages.values() {
        model.saw(message, now, now)?;
        if !model.truth.was_ever_member(id, message.sender_id()) {
            return Err(Breach::new(Breach::MEMBERS, "the author of a message was never a member"));
        }
    }
    for (number, position) in model.sent_before(id, now) {
        if !group.messages.contains_key(&position) {
            return Err(Breach::new(Breach::STORED, format!("message {number} is lost")));
        }
    }
    Ok(())
}

fn check_entry(group: &Group, entry: &Membership) -> Result<(), Breach> {
    let newest = group.messages.values().next_back();
    // The library decides the length of the preview. This checks that it begins the right text.
    let shows_text = match (entry.preview(), newest.and_then(Message::body)) {
        (Some(preview), Some(body)) => body.as_str().starts_with(preview.as_str()),
        (preview, body) => preview.is_none() && body.is_none(),
    };
    if entry.last_message() != newest.map(Message::position)
        || entry.last_sender_id() != newest.map(Message::sender_id)
        || !shows_text
        || !shows(entry, newest)
    {
        let (group, user) = (short(entry.group_id().as_uuid()), short(entry.user_id().as_uuid()));
        return Err(Breach::new(
            Breach::ENTRY,
            format!("entry {group}/{user} does not show the newest message as it is"),
        ));
    }
    let is_unread = newest.is_some_and(|newest| {
        newest.sender_id() != entry.user_id() && entry.last_read().is_none_or(|read| read < newest.position())
    });
    if entry.is_unread() != is_unread {
        return Err(Breach::new(Breach::UNREAD, "an entry is unread although it should be read, or the reverse"));
    }
    Ok(())
}

fn check_names(model: &Model, entry: &Membership) -> Result<(), Breach> {
    let is_as_now =
        |profile: &Profile| model.truth.users.get(&profile.id()).map(User::profile).as_ref() == Some(profile);
    if !is_as_now(&entry.profile()) || !entry.other().as_ref().is_none_or(is_as_now) {
        let (group, user) = (short(entry.group_id().as_uuid()), short(entry.user_id().as_uuid()));
        return Err(Breach::new(Breach::ENTRY, format!("entry {group}/{user} has old names")));
    }
    Ok(())
}

/// Checks that a member reads the thread as it is, in both orders, and that a stranger finds nothing.
fn check_reader(
    world: &World,
    chat: &Threadline,
    model: &Model,
    (id, group): (GroupId, &Group),
    user: UserId,
    random: &mut Random,
) -> Result<(), Breach> {
    let thread = match run_alone(chat.open(user, id)) {
        Ok(thread) => thread,
        Err(error) if error.kind() == ErrorKind::NotFound && !group.entries.contains_key(&user) => return Ok(()),
        Err(error) => return Err(failed(&error)),
    };
    if !group.entries.contains_key(&user) {
        return Err(Breach::new(Breach::MEMBERS, "at rest, a stranger opens a conversation"));
    }
    for oldest_first in [true, false] {
        let limit = u32::try_from(random.between(1, 7)).unwrap_or(1);
        let walk = Walk { group: id, oldest_first, limit, consistent: true };
        let read = walk_through(model, &thread, walk)?;
        let same = match oldest_first {
            true => group.messages.values().eq(read.iter()),
            false => group.messages.values().rev().eq(read.iter()),
        };
        if !same {
            return Err(Breach::new(Breach::ORDER, "the pages of a thread differ from the thread"));
        }
    }
    check_members(&thread, group)?;
    check_bounds(&thread, group, random)?;
    let after = thread.membership().last_read();
    let is_unread = |message: &&Message| message.sender_id() != user && Some(message.position()) > after;
    let wanted = group.messages.values().rev().take_while(is_unread).count();
    let unread = run_alone(thread.unread()).map_err(|error| failed(&error))?;
    let most = usize::try_from(Unread::MAX).unwrap_or(usize::MAX);
    if usize::try_from(unread.count).ok() != Some(wanted.min(most)) || unread.or_more != (wanted > most) {
        return Err(Breach::new(
            Breach::UNREAD,
            format!("{} messages are counted as unread, but {wanted} are unread", unread.count),
        ));
    }
    check_late_messages(world, model, &thread, group)?;
    if thread.membership().is_unread() != (unread.count > 0) {
        return Err(Breach::new(Breach::UNREAD, "the membership and the count disagree"));
    }
    Ok(())
}

/// Checks that a message is unread if its id was created after the mark, by more than the clocks can differ.
fn check_late_messages(world: &World, model: &Model, thread: &Thread, group: &Group) -> Result<(), Breach> {
    let membership = thread.membership();
    let Some(marked) = group.marked.get(&membership.user_id()) else { return Ok(()) };
    let surely = marked.saturating_add(world.parameters.skew);
    for (number, position) in model.made_after(thread.group_id(), membership.user_id(), surely) {
        world.unread_checks.set(world.unread_checks.get() + 1);
        if Some(position) <= membership.last_read() {
            let what = format!("message {number} was sent after the mark and counts as read");
            return Err(Breach::new(Breach::UNREAD, what));
        }
    }
    Ok(())
}

fn check_members(thread: &Thread, group: &Group) -> Result<(), Breach> {
    let members = run_alone(thread.members()).map_err(|error| failed(&error))?.items;
    let same = |(member, entry): (&Member, &Membership)| {
        member.profile == entry.profile()
            && (member.joined_at, member.last_read) == (entry.joined_at(), entry.last_read())
    };
    if members.len() != group.entries.len() || !members.iter().zip(group.entries.values()).all(same) {
        return Err(Breach::new(Breach::MEMBERS, "a group's members differ from the users who have an entry"));
    }
    let item = run_alone(thread.group()).map_err(|error| failed(&error))?;
    if group.item.as_ref() != Some(&item) {
        return Err(Breach::new(Breach::COUNT, "a group is read as another one"));
    }
    Ok(())
}

/// Checks the pages before, after and around a message.
fn check_bounds(thread: &Thread, group: &Group, random: &mut Random) -> Result<(), Breach> {
    let messages: Vec<_> = group.messages.values().collect();
    let place = random.below(messages.len());
    let Some(position) = messages.get(place).map(|message| message.position()) else { return Ok(()) };
    let limit = random.between(1, 7);
    let request = || thread.messages().limit(u32::try_from(limit).unwrap_or(1)).oldest_first();
    let pages = [(request().before(position), 0..place), (request().after(position), place + 1..messages.len())];
    for (request, range) in pages {
        let page = run_alone(request.fetch()).map_err(|error| failed(&error))?;
        let wanted = messages.iter().copied().take(range.end).skip(range.start);
        if !page.items.iter().eq(wanted.take(limit)) || page.next.is_some() != (range.len() > limit) {
            return Err(Breach::new(
                Breach::ORDER,
                "the messages on one side of a message are not those of the thread",
            ));
        }
    }
    let page = run_alone(request().around(position).fetch()).map_err(|error| failed(&error))?;
    let is_first = |message: &&Message| page.items.first() == Some(*message);
    let start = messages.iter().copied().take_while(|message| !is_first(message)).count();
    let end = start + page.items.len();
    let is_there = page.items.iter().eq(messages.iter().copied().skip(start).take(page.items.len()));
    if !is_there || !(start..end).contains(&place) || page.items.len() != limit.min(messages.len()) {
        return Err(Breach::new(Breach::ORDER, "the messages around a message are not those of the thread"));
    }
    if page.previous.is_some() != (start > 0) || page.next.is_some() != (end < messages.len()) {
        return Err(Breach::new(Breach::PAGE, "a page around a message has a wrong next or previous cursor"));
    }
    Ok(())
}

fn walk_through(model: &Model, thread: &Thread, walk: Walk) -> Result<Vec<Message>, Breach> {
    let (mut read, mut cursor) = (Vec::new(), None);
    loop {
        let page = run_alone(walk.page(thread, cursor.as_ref())).map_err(|error| failed(&error))?;
        let after = read.last().map(Message::position);
        walk.check(model, &page, after, (u64::MAX, u64::MAX))?;
        read.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(read);
        }
    }
}

fn check_inbox(chat: &Threadline, model: &Model, user: UserId, random: &mut Random) -> Result<(), Breach> {
    let limit = u32::try_from(random.between(1, 5)).unwrap_or(1);
    let (mut read, mut cursor) = (Vec::new(), None);
    loop {
        let mut request = chat.inbox(user).limit(limit);
        let promised = cursor.is_some();
        if let Some(cursor) = cursor {
            request = request.cursor(cursor);
        }
        let page = run_alone(request.fetch()).map_err(|error| failed(&error))?;
        check_size(page.items.len(), limit, page.next.is_some(), promised)?;
        read.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut entries: Vec<_> = model.truth.groups.values().filter_map(|group| group.entries.get(&user)).collect();
    entries.sort_by_key(|entry| (entry.last_message_at(), entry.group_id()));
    if !entries.iter().rev().copied().eq(read.iter()) {
        return Err(Breach::new(
            Breach::INBOX,
            format!("an inbox with {} entries differs from the {} entries of the table", read.len(), entries.len()),
        ));
    }
    let others: Vec<_> = entries.iter().filter_map(|entry| entry.other()).map(|other| other.id()).collect();
    if others.iter().collect::<BTreeSet<_>>().len() < others.len() {
        return Err(Breach::new(Breach::PAIR, "two people have two conversations"));
    }
    Ok(())
}

/// Checks that an audit finds nothing except the names that a rename may miss. Repairs those.
async fn audit(world: &World) -> Result<(), Breach> {
    let auditor = Auditor::new(world.store.clone());
    let missed: BTreeSet<_> = {
        let groups = &world.model.borrow().truth.groups;
        groups.iter().filter(|(_, group)| may_miss_names(world, group)).map(|(id, _)| *id).collect()
    };
    if !missed.is_empty() {
        let is_known = |discrepancy: &Discrepancy| match discrepancy {
            Discrepancy::StaleNames { group, .. } => missed.contains(group),
            discrepancy => matches!(discrepancy, Discrepancy::Unreadable { .. }),
        };
        find(async |cursor| auditor.repair(cursor).await, is_known).await?;
    }
    let unreadable = world.model.borrow().truth.unreadable;
    let found = Cell::new(0);
    let is_extra_item = |discrepancy: &Discrepancy| {
        let is_unreadable = matches!(discrepancy, Discrepancy::Unreadable { .. });
        found.set(found.get() + u64::from(is_unreadable));
        is_unreadable
    };
    find(async |cursor| auditor.check(cursor).await, is_extra_item).await?;
    match found.get() == unreadable {
        true => Ok(()),
        false => {
            Err(Breach::new(Breach::AUDIT, format!("{} of {unreadable} unreadable items were found", found.get())))
        }
    }
}

/// Pages through the whole table. Any discrepancy that is not known is a violation.
async fn find(
    page: impl AsyncFn(Option<AuditCursor>) -> Result<AuditPage, Error>,
    is_known: impl Fn(&Discrepancy) -> bool,
) -> Result<(), Breach> {
    let mut cursor = None;
    loop {
        let found = page(cursor).await.map_err(|error| failed(&error))?;
        // Every finding is tested: the predicate also counts.
        let unknown: Vec<_> = found.findings.iter().filter(|finding| !is_known(&finding.discrepancy)).collect();
        if let Some(finding) = unknown.first() {
            return Err(Breach::new(Breach::AUDIT, finding.to_string()));
        }
        cursor = found.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
