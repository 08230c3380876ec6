//! The inbox of a user.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::{Message, Result, Thread};

use super::{Call, Outcome, Scenario, World};

/// The number of conversations in an inbox.
const CONVERSATIONS: u8 = 3;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("inbox.page", "", &async |world: &World| {
        conversations(world).await?;
        Ok(Call::new(async |session| session.chat.inbox(World::CALLER).limit(2).fetch().await.map(Outcome::page)))
    })
    .sizes(|scale| Sizes::new().read_index(scale.entries(CONVERSATIONS.into()))),
    Scenario::new("inbox.page", "shown messages have expired", &async |world: &World| {
        for thread in conversations(world).await?.iter().skip(1) {
            world.say_expiring(thread).await?;
        }
        world.clock.advance(Duration::from_secs(120));
        Ok(Call::new(async |session| session.chat.inbox(World::CALLER).fetch().await.map(Outcome::page)))
    })
    .counts(|_, _| 2)
    // Each query also reads the expired message.
    .sizes(|scale| {
        let entries = Sizes::new().read_index(scale.entries(CONVERSATIONS.into()));
        entries.read(2 * scale.message()).read(2 * scale.message())
    }),
    Scenario::new("inbox.mark_read", "", &async |world: &World| {
        let thread = world.group().await?;
        Ok(mark_read(&thread, world.say(&thread, "stored").await?))
    }),
    Scenario::new("inbox.mark_read", "earlier message", &async |world: &World| {
        let mut thread = world.group().await?;
        let (earlier, later) = (world.say(&thread, "earlier").await?, world.say(&thread, "later").await?);
        thread.mark_read(&later).await?;
        Ok(mark_read(&thread, earlier))
    }),
    Scenario::new("inbox.mark_read", "shown message has expired", &async |world: &World| {
        let thread = world.group().await?;
        let shown = world.say_expiring(&thread).await?;
        let end = shown.created_at().saturating_add(Duration::from_secs(120));
        Ok(mark_read(&thread, shown).at(end))
    })
    .sizes(|scale| Sizes::new().read(2 * scale.message())),
    Scenario::new("inbox.unread", "", &async |world: &World| {
        let thread = world.group().await?;
        let theirs = world.chat.open(World::OTHER, thread.group_id()).await?;
        world.say(&theirs, "theirs").await?;
        world.say(&theirs, "theirs too").await?;
        Ok(Call::on(&thread, async |session| session.thread()?.unread().await.map(Outcome::plain)))
    })
    // The query also reads the member's own message, where the count ends.
    .sizes(|scale| Sizes::new().read(3 * scale.message())),
];

fn mark_read(thread: &Thread, message: Message) -> Call {
    Call::on(thread, async move |session| {
        let mut thread = session.thread()?.clone();
        thread.mark_read(&message).await?;
        Ok(Outcome::thread(thread))
    })
}

/// Creates groups whose only member is the caller.
async fn conversations(world: &World) -> Result<Vec<Thread>> {
    let user = world.user(0).await?;
    let mut threads = Vec::new();
    for number in 0..CONVERSATIONS {
        world.clock.advance(Duration::from_secs(1));
        threads.push(world.group_of(number, std::slice::from_ref(&user)).await?);
    }
    Ok(threads)
}
