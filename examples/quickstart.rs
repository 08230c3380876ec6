//! Two people talk, in memory. The example creates users, starts a direct conversation and sends messages. It projects
//! them, reads both inboxes, pages through the thread and refuses a stranger. At the end, it prints the cost of each
//! step on DynamoDB.
//!
//! It needs no server: `cargo run --example quickstart`

#[allow(dead_code, unreachable_pub, reason = "each example uses a part")]
#[macro_use]
#[path = "support/out.rs"]
mod out;

use std::error::Error;

use threadline::store::Capacity;
use threadline::store::meter::Metered;
use threadline::stream::Projector;
use threadline::{MemoryStore, Message, NewUser, Threadline, UserId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The meter wraps the store, and adds up the capacity that each step consumes.
    let store = MemoryStore::new();
    let meter = Metered::new(store.clone());
    let chat = Threadline::new(meter.clone());
    let projector = Projector::new(meter.clone());
    let mut costs: Vec<(&str, Capacity)> = Vec::new();

    let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    let londo = chat.create_user(NewUser::new("londo", "Londo Mollari")?).await?;
    costs.push(("create three users", meter.take()));

    // Two people have one direct conversation, even if both start it at once.
    let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
    costs.push(("start a direct conversation", meter.take()));

    let baykos_thread = chat.open(bayko.id(), thread.group_id()).await?;
    costs.push(("open it as the other member", meter.take()));

    for text in ["Only every year.", "It is about a place, like all the best ones.", "When do we start?"] {
        // The server creates the id, not the device. Keep it until the send succeeds: a retry with the same id is safe.
        let id = chat.new_message_id();
        baykos_thread.send(id, text).await?;
        baykos_thread.send(id, text).await?;
    }
    costs.push(("send three messages, each twice", meter.take()));

    // On AWS, the table's stream invokes the projector. In memory, it reads the records from the store.
    let projection = projector.catch_up(&store).await?;
    assert!(projection.lowest_failed.is_none(), "no request fails in memory");
    costs.push(("project all messages in one batch", meter.take()));

    for user in [&andrew, &bayko] {
        say!("{}'s inbox", user.display_name());
        show_inbox(&chat, user.id()).await?;
    }
    costs.push(("read both inboxes, count unread", meter.take()));

    say!("\nThe thread, in pages of two messages");
    let mut request = thread.messages().oldest_first().limit(2);
    loop {
        let page = request.fetch().await?;
        page.items.iter().for_each(show_message);
        let Some(cursor) = page.next else { break };
        say!("  -- next page: cursor {cursor}");
        request = thread.messages().oldest_first().limit(2).cursor(cursor);
    }
    costs.push(("read the thread in two pages", meter.take()));

    let refused = chat.open(londo.id(), thread.group_id()).await.expect_err("Londo is no member");
    say!("\nLondo Mollari opens the conversation: {refused}");
    costs.push(("refuse a stranger", meter.take()));

    say!("\n{:<34}{:>6}{:>8}", "Consumed capacity", "RCU", "WCU");
    for (step, capacity) in costs {
        say!("{step:<34}{:>6}{:>8}", capacity.read(), capacity.write());
    }
    Ok(())
}

async fn show_inbox(chat: &Threadline, user: UserId) -> Result<(), Box<dyn Error>> {
    for entry in chat.inbox(user).limit(20).fetch().await?.items {
        let other = entry.other().map_or_else(String::new, |other| other.display_name().to_string());
        let preview = entry.preview().map_or("(deleted)", |preview| preview.as_str());
        // The entry knows if anything is unread. Counting reads messages, so count only then.
        let unread = if entry.is_unread() { chat.unread(&entry).await?.count } else { 0 };
        say!("  {other:<14} {unread:>2} unread  {preview}");
    }
    Ok(())
}

fn show_message(message: &Message) {
    let text = message.body().map_or("(deleted)", |body| body.as_str());
    say!("  {:<14} {text}", message.sender_display_name());
}
