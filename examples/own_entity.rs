//! An application stores its own entity in the same table. One `impl Entity` is enough to put it, to read it back
//! typed, and to query it in the table and in the index. The same code runs on DynamoDB.
//!
//! It needs no server: `cargo run --example own_entity`

#[allow(dead_code, unreachable_pub, reason = "each example uses a part")]
#[macro_use]
#[path = "support/out.rs"]
mod out;

use std::error::Error;

use serde::{Deserialize, Serialize};
use threadline::entity::{Entity, IndexKey, Key, PartitionKey, SortKey, SortKeyPrefix, Tag, tag};
use threadline::store::{Order, Query, SortRange, StoreExt};
use threadline::{GroupId, MemoryStore, MessageId, NewUser, Threadline, Timestamp, UserId};

const REACTION: Tag = tag!("REACTION");
const USER: Tag = tag!("USER");

/// One person's reaction to one message.
///
/// Its key is `REACTION#<group>#<message>` / `USER#<user>`. In the index, it is at `USER#<user>` /
/// `REACTION#<time>#<message>`, in the partition of the user's inbox.
#[derive(Debug, Serialize, Deserialize)]
struct Reaction {
    group_id: GroupId,
    message_id: MessageId,
    user_id: UserId,
    emoji: String,
    reacted_at: Timestamp,
}

impl Entity for Reaction {
    const TYPE: &'static str = "Reaction";
    type KeyParts<'a> = (GroupId, MessageId, UserId);

    fn key_from((group, message, user): (GroupId, MessageId, UserId)) -> Key {
        Key::new(PartitionKey::new((REACTION, group, message)), SortKey::new((USER, user)))
    }

    fn key_parts(&self) -> (GroupId, MessageId, UserId) {
        (self.group_id, self.message_id, self.user_id)
    }

    fn index_key(&self) -> Option<IndexKey> {
        let partition = PartitionKey::new((USER, self.user_id));
        Some(IndexKey::new(partition, SortKey::new((REACTION, self.reacted_at, self.message_id))))
    }
}

impl Reaction {
    /// Returns the query for all reactions to a message. Take the group from an open thread, so that only members read.
    fn to_message(group: GroupId, message: MessageId) -> Query {
        Query::table(PartitionKey::new((REACTION, group, message)))
    }

    /// Returns the query for all reactions of a person, newest first. The inbox entries in the same partition do not
    /// match.
    fn by_user(user: UserId) -> Query {
        Query::index(PartitionKey::new((USER, user)))
            .range(SortRange::BeginsWith(SortKeyPrefix::new((REACTION,))))
            .order(Order::Descending)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new();
    let chat = Threadline::new(store.clone());

    // A conversation, as in the quickstart.
    let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown")?).await?;
    let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko")?).await?;
    let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
    let baykos_thread = chat.open(bayko.id(), thread.group_id()).await?;
    // The server creates the id, not the device: the id determines the message's position.
    let answer = baykos_thread.send(chat.new_message_id(), "Only every year.").await?;

    // The application's own entity, in the same table.
    let group_id = thread.group_id();
    for (user_id, emoji, time) in [
        (andrew.id(), "👍", "2024-01-01T00:01:00Z"),
        (bayko.id(), "🚀", "2024-01-01T00:02:00Z"),
        // The same key again: this reaction replaces Andrew's first one.
        (andrew.id(), "😄", "2024-01-01T00:03:00Z"),
    ] {
        let (message_id, emoji, reacted_at) = (answer.id(), emoji.to_owned(), time.parse()?);
        store.put_entity(&Reaction { group_id, message_id, user_id, emoji, reacted_at }).await?;
    }

    let one: Option<Reaction> = store.get_entity((group_id, answer.id(), andrew.id())).await?;
    if let Some(reaction) = &one {
        say!("Andrew's reaction, read back from {:?}: {}", reaction.key(), reaction.emoji);
    }

    say!("\nAll reactions to \"Only every year.\"");
    for reaction in store.query_entities::<Reaction>(Reaction::to_message(group_id, answer.id())).await? {
        let name = chat.user(reaction.user_id).await?.map(|user| user.display_name().to_string());
        say!("  {} by {}", reaction.emoji, name.as_deref().unwrap_or("somebody"));
    }

    say!("\nAll reactions of Andrew Bayko");
    for reaction in store.query_entities::<Reaction>(Reaction::by_user(bayko.id())).await? {
        say!("  {} to {} at {}", reaction.emoji, reaction.message_id, reaction.reacted_at);
    }

    // The thread and the inbox are unchanged, although the inbox shares the index partition.
    say!("\nThe thread");
    for message in thread.messages().oldest_first().fetch().await?.items {
        say!("  {:<14} {}", message.sender_display_name(), message.body().map_or("", |body| body.as_str()));
    }
    let inbox = chat.inbox(bayko.id()).fetch().await?;
    say!("\nAndrew Bayko's inbox has {} conversation", inbox.items.len());
    Ok(())
}
