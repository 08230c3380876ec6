//! `seed`: Cruddur's users, and a conversation of two of them.

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use threadline::store::meter::Metered;
use threadline::stream::Projector;
use threadline::{
    Draft, DynamoDbStore, ErrorKind, GroupId, ImportedDirect, Message, MessageBody, MessageId, MessagePosition,
    MessagesRequest, NewUser, SendWindow, Thread, Threadline, Timestamp, User, UserId,
};
use threadline_examples::{minute, say};
use uuid::Uuid;

/// Cruddur's users: id, handle, name, and the subject of the identity provider.
const USERS: [(&str, &str, &str, &str); 4] = [
    ("6513270e-269e-4d37-b2a7-4de452e6b438", "andrewbrown", "Andrew Brown", "d23f0824-128b-4f33-8c5c-7fd0a6a3a450"),
    ("9531985d-5d9d-49f8-9818-e811892f902b", "bayko", "Andrew Bayko", "36f675cc-81e7-4ef5-a8e2-5d940ed90475"),
    ("6b0d549b-6f03-475a-9600-a35a099950d8", "londo", "Londo Mollari", "8d116ece-1738-47d9-bd9c-172411e20b8f"),
    ("90c192cf-d3ac-44af-8f21-ddb66cad4a26", "altbrown", "Alt Brown", "a170b338-3926-4059-b28c-105d1fb17c23"),
];

/// Cruddur's id of the conversation of the first two users.
const CONVERSATION: &str = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399";
/// The messages, `handle: text`, oldest first.
const MESSAGES: &str = include_str!("conversation.txt");
/// The time of the last message. Messages are a minute apart, so the year changes within the conversation.
const LAST_MESSAGE_AT: &str = "2024-01-01T00:40:00Z";
const APART: Duration = Duration::from_secs(60);

/// The handling of the inboxes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inboxes {
    /// The seed projects the messages.
    Update,
    /// A projector of the table's stream does.
    Leave,
}

/// Writes the missing items. Each write may be retried, so another run completes an interrupted one.
pub(crate) async fn seed(store: DynamoDbStore, inboxes: Inboxes) -> Result<(), Box<dyn Error>> {
    let meter = Metered::new(store);
    // The messages are old, so accept any age.
    let chat = Threadline::new(meter.clone()).send_window(SendWindow::any_age());

    let (users, new_users) = users(&chat).await?;
    let [andrew, bayko, ..] = users.as_slice() else { return Err("there are two users at least".into()) };
    say!("  users          {new_users} new of {}", users.len());

    let lines = lines()?;
    let group: GroupId = CONVERSATION.parse()?;
    let started_at = lines.first().map_or(Timestamp::MIN, |line| line.sent_at);
    let (mut andrews_end, new_group) = match chat.open(andrew.id(), group).await {
        Ok(thread) => (thread, 0),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            (chat.import_direct(ImportedDirect::new(group, andrew, bayko, started_at)).await?, 1)
        }
        Err(error) => return Err(error.into()),
    };
    let mut baykos_end = chat.open(bayko.id(), group).await?;
    say!("  conversations  {new_group} new of 1: {group}");

    let stored = stored(&andrews_end).await?;
    let ids: HashSet<_> = stored.iter().map(Message::id).collect();
    let missing: Vec<_> = lines.iter().filter(|line| !ids.contains(&line.id)).collect();
    let sent = send(&missing, andrew, &andrews_end, &baykos_end).await?;
    say!("  messages       {} new of {}", missing.len(), lines.len());

    // The newest message moves the inbox entries. In production, a projector of the table's stream does this.
    if inboxes == Inboxes::Update
        && let Some(newest) = stored.into_iter().chain(sent).max_by_key(Message::position)
    {
        Projector::new(meter.clone()).advance(&newest).await?;
        say!("  inboxes        updated to {}", minute(newest.created_at()));
    }
    // A sender has read the earlier messages.
    for (user, thread) in [(andrew, &mut andrews_end), (bayko, &mut baykos_end)] {
        if let Some(last) = lines.iter().rfind(|line| line.sender == user.id()) {
            thread.mark_read(MessagePosition::new(last.sent_at, last.id)).await?;
        }
    }

    say!("  consumed       {}", meter.total());
    if new_users + new_group + missing.len() == 0 {
        say!("Nothing was new: the table already has all of it.");
    }
    Ok(())
}

/// Returns the users, and the number of new ones.
async fn users(chat: &Threadline) -> Result<(Vec<User>, usize), Box<dyn Error>> {
    let (mut users, mut new) = (Vec::new(), 0);
    for (id, handle, name, subject) in USERS {
        let id = id.parse()?;
        let user = match chat.user(id).await? {
            Some(user) => user,
            None => {
                new += 1;
                chat.create_user(NewUser::new(handle, name)?.id(id).identity(subject)?).await?
            }
        };
        users.push(user);
    }
    Ok((users, new))
}

/// A message of the conversation.
struct Line {
    id: MessageId,
    sent_at: Timestamp,
    sender: UserId,
    body: MessageBody,
}

/// Returns the messages, with the same ids and times in every run.
fn lines() -> Result<Vec<Line>, Box<dyn Error>> {
    let group: GroupId = CONVERSATION.parse()?;
    let last: Timestamp = LAST_MESSAGE_AT.parse()?;
    let count = u32::try_from(MESSAGES.lines().count())?;
    let mut sent_at = last.saturating_sub(APART * count.saturating_sub(1));
    let mut lines = Vec::new();
    for (place, line) in MESSAGES.lines().enumerate() {
        let (handle, body) = line.split_once(": ").ok_or("a line of the conversation must be `handle: text`")?;
        let id = MessageId::from_uuid(Uuid::new_v5(group.as_uuid(), place.to_string().as_bytes()));
        let sender = USERS
            .iter()
            .find(|(_, known, ..)| *known == handle)
            .ok_or("a line of the conversation has an unknown handle")?;
        lines.push(Line { id, sent_at, sender: sender.0.parse()?, body: body.parse()? });
        sent_at = sent_at.saturating_add(APART);
    }
    Ok(lines)
}

/// Returns the ids of the thread's messages.
async fn stored(thread: &Thread) -> Result<Vec<Message>, Box<dyn Error>> {
    let mut messages = Vec::new();
    let mut request = thread.messages().limit(MessagesRequest::MAX_LIMIT);
    loop {
        let page = request.fetch().await?;
        messages.extend(page.items);
        let Some(cursor) = page.next else { return Ok(messages) };
        request = thread.messages().limit(MessagesRequest::MAX_LIMIT).cursor(cursor);
    }
}

/// Sends the messages, each by its author, and returns the last one.
async fn send(
    missing: &[&Line],
    andrew: &User,
    andrews_end: &Thread,
    baykos_end: &Thread,
) -> Result<Option<Message>, Box<dyn Error>> {
    let count = u64::try_from(missing.len())?;
    let bar = ProgressBar::new(count);
    bar.set_style(ProgressStyle::with_template("  messages       {wide_bar} {pos} of {len}")?);
    let mut last = None;
    for line in missing {
        let thread = if line.sender == andrew.id() { andrews_end } else { baykos_end };
        let draft = Draft::from(line.body.clone()).id(line.id).sent_at(line.sent_at);
        last = Some(thread.send_draft(draft).await?);
        bar.inc(1);
        // The bar is hidden if the output is no terminal.
        if bar.is_hidden() && bar.position() < count && bar.position().is_multiple_of(25) {
            say!("  messages       {} sent", bar.position());
        }
    }
    bar.finish_and_clear();
    Ok(last)
}
