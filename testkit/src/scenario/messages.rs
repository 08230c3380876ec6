//! The messages of a thread.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::{Message, Result, Thread};

use super::{Call, Outcome, Scale, Scenario, World};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("messages.send", "", &async |world: &World| {
        let (thread, draft) = (world.group().await?, world.draft()?);
        Ok(Call::on(&thread, async move |session| {
            session.thread()?.send_draft(draft.clone()).await.map(Outcome::entity)
        }))
    }),
    Scenario::new("messages.send", "outside the send window", &async |world: &World| {
        let thread = world.group().await?;
        let (sent, text) = (world.say(&thread, "stored").await?, world.text("stored")?);
        world.clock.advance(Duration::from_secs(48 * 60 * 60));
        Ok(Call::on(&thread, async move |session| {
            session.thread()?.send(sent.id(), text.clone()).await.map(Outcome::entity)
        }))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("messages.get", "", &async |world: &World| {
        let thread = world.group().await?;
        let sent = world.say(&thread, "stored").await?;
        Ok(Call::on(&thread, async move |session| session.thread()?.message(&sent).await.map(Outcome::entities)))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("messages.page", "", &async |world: &World| {
        let (thread, _) = long(world).await?;
        Ok(Call::on(&thread, async |session| session.thread()?.messages().limit(3).fetch().await.map(Outcome::page)))
    })
    .sizes(page_of_3),
    Scenario::new("messages.page", "consistent", &async |world: &World| {
        let (thread, _) = long(world).await?;
        Ok(Call::on(&thread, async |session| {
            session.thread()?.messages().limit(3).consistent().fetch().await.map(Outcome::page)
        }))
    })
    .sizes(page_of_3),
    Scenario::new("messages.page", "around a message", &async |world: &World| {
        let (thread, [_, middle, ..]) = long(world).await?;
        Ok(Call::on(&thread, async move |session| {
            session.thread()?.messages().limit(2).around(&middle).fetch().await.map(Outcome::page)
        }))
    })
    .sizes(around_the_third),
    Scenario::new("messages.page", "around a message, consistent", &async |world: &World| {
        let (thread, [_, middle, ..]) = long(world).await?;
        Ok(Call::on(&thread, async move |session| {
            session.thread()?.messages().limit(2).around(&middle).consistent().fetch().await.map(Outcome::page)
        }))
    })
    .sizes(around_the_third),
    Scenario::new("messages.page", "between two messages", &async |world: &World| {
        let (thread, [first, .., last]) = long(world).await?;
        Ok(Call::on(&thread, async move |session| {
            let page = session.thread()?.messages().after(&first).before(&last).limit(2);
            page.fetch().await.map(Outcome::page)
        }))
    })
    // The first query reads a bound and two messages, the second one reads the other bound, and the third one nothing.
    .sizes(|scale| Sizes::new().read(3 * scale.message()).read(scale.message()).read(1)),
    Scenario::new("messages.edit", "", &async |world: &World| {
        let thread = world.group().await?;
        let (sent, text) = (world.say(&thread, "stored").await?, world.text("edited")?);
        Ok(Call::on(&thread, async move |session| {
            session.thread()?.edit(&sent, text.clone()).await.map(Outcome::entity)
        }))
    }),
    Scenario::new("messages.delete", "", &async |world: &World| {
        let thread = world.group().await?;
        let sent = world.say(&thread, "stored").await?;
        Ok(Call::on(&thread, async move |session| session.thread()?.delete(&sent).await.map(Outcome::entity)))
    }),
];

/// Returns the sizes of a page of 3 messages, and one more message, which shows if another page follows.
fn page_of_3(scale: Scale) -> Sizes {
    Sizes::new().read(4 * scale.message())
}

/// Returns the sizes of two reads: the third of five messages with both older ones, then both newer ones.
fn around_the_third(scale: Scale) -> Sizes {
    Sizes::new().read(3 * scale.message()).read(2 * scale.message())
}

/// Sends four messages after the group's first one.
async fn long(world: &World) -> Result<(Thread, [Message; 4])> {
    let thread = world.group().await?;
    let first = world.say(&thread, "one").await?;
    let messages = [
        first,
        world.say(&thread, "two").await?,
        world.say(&thread, "three").await?,
        world.say(&thread, "four").await?,
    ];
    Ok((thread, messages))
}
