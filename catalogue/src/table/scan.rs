//! `scan`: prints every item of the table, one per line.

use std::collections::BTreeMap;

use threadline::entity::{Entity, HandleClaim, IdentityClaim, Item, KnownKey};
use threadline::store::meter::Metered;
use threadline::store::{Scan, Store, StoreExt};
use threadline::{Membership, Message, MessageGroup, Result, Timestamp, User};

use crate::error::Error;
use crate::output::print;

/// Reads the whole table, page by page, and prints each item. An unreadable item is printed with its error.
pub(super) async fn scan(store: impl Store) -> std::result::Result<(), Error> {
    let store = Metered::new(store);
    let (mut counts, mut pages) = (BTreeMap::<String, u32>::new(), 0);
    let mut request = Scan::new();
    loop {
        let page = store.scan(request).await?;
        pages += 1;
        for item in page.items {
            let kind = item.type_name().unwrap_or("(no type)").to_owned();
            let text = describe(item).unwrap_or_else(|error| format!("cannot be read: {error}"));
            if !print(&format!("{kind:<14} {text}\n"))? {
                return Ok(());
            }
            *counts.entry(kind).or_default() += 1;
        }
        match page.next {
            Some(next) => request = Scan::new().start(next),
            None => break,
        }
    }
    let mut text = String::from("\n");
    counts.iter().for_each(|(kind, count)| text += &format!("{count:>6} {kind}\n"));
    text += &format!("{:>6} in all; pages: {pages}; consumed: {}\n", counts.values().sum::<u32>(), store.total());
    print(&text).map(drop)
}

/// Formats a time to the minute, in UTC: `2024-01-01 00:40`.
fn minute(time: Timestamp) -> String {
    time.to_string().chars().take(16).collect::<String>().replace('T', " ")
}

fn describe(item: Item) -> Result<String> {
    let key = item.key()?;
    Ok(match KnownKey::parse(&key) {
        Some(KnownKey::User(id)) => {
            let user = User::from_item(item)?;
            format!("{id}  {}, {}, version {}", user.handle(), user.display_name(), user.version())
        }
        Some(KnownKey::HandleClaim(handle)) => {
            format!("{handle} -> {}", HandleClaim::from_item(item)?.user_id())
        }
        Some(KnownKey::IdentityClaim(subject)) => {
            format!("{subject} -> {}", IdentityClaim::from_item(item)?.user_id())
        }
        Some(KnownKey::MessageGroup(id)) => {
            let group = MessageGroup::from_item(item)?;
            match (group.continued_in(), group.title()) {
                (Some(other), _) => format!("{id}  continued in {other}"),
                (None, Some(title)) => format!("{id}  {title}, {} members", group.member_count()),
                (None, None) => format!("{id}  direct, {} members", group.member_count()),
            }
        }
        Some(KnownKey::Membership(group, _)) => {
            let entry = Membership::from_item(item)?;
            let preview = entry.preview().map_or("", |preview| preview.as_str());
            format!("{group}  {}, {}: {preview}", entry.profile().handle(), minute(entry.last_message_at()))
        }
        Some(KnownKey::Message(_)) => {
            let message = Message::from_item(item)?;
            let text = message.body().map_or("(deleted)", |body| body.as_str());
            format!("{}  {}: {text}", minute(message.created_at()), message.sender_handle())
        }
        // An application's own entity, or one of a later version.
        _ => format!("{} / {}, {} attributes", key.pk.as_str(), key.sk.as_str(), item.len()),
    })
}
