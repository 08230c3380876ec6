//! `scan`: prints every item of the table, one per line.

use std::collections::BTreeMap;
use std::error::Error;

use threadline::entity::{Entity, HandleClaim, IdentityClaim, Item, KnownKey};
use threadline::store::meter::Metered;
use threadline::store::{Scan, Store, StoreExt};
use threadline::{Membership, Message, MessageGroup, Result, User};
use threadline_examples::out::is_closed;
use threadline_examples::{minute, say};

/// Reads the whole table, page by page, and prints each item. An unreadable item is printed with its error.
pub(crate) async fn scan(store: impl Store) -> Result<(), Box<dyn Error>> {
    let store = Metered::new(store);
    let (mut counts, mut pages) = (BTreeMap::new(), 0);
    let mut request = Scan::new();
    loop {
        let page = store.scan(request).await?;
        pages += 1;
        for item in page.items {
            let kind = item.type_name().unwrap_or("(no type)").to_owned();
            let text = describe(item).unwrap_or_else(|error| format!("cannot be read: {error}"));
            say!("{kind:<14} {text}");
            *counts.entry(kind).or_insert(0) += 1;
        }
        match page.next {
            Some(_) if is_closed() => return Ok(()),
            Some(next) => request = Scan::new().start(Some(next)),
            None => break,
        }
    }
    say!("");
    counts.iter().for_each(|(kind, count)| say!("{count:>6} {kind}"));
    say!("{:>6} in all; pages: {pages}; consumed: {}", counts.values().sum::<u32>(), store.total());
    Ok(())
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
