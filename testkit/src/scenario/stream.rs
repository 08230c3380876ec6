//! The projector's units of work.

use std::sync::Arc;

use threadline::card::Sizes;
use threadline::entity::Entity;
use threadline::store::Write;
use threadline::stream::{Projector, RecordOutcome, StreamRecord};
use threadline::{DisplayName, Membership, MessageBody, NewGroup, Result, Thread, User, UserChange};

use super::{Call, Outcome, Scale, Scenario, World, invalid};

/// The user who joins a group.
const JOINING: u8 = 70;
/// The number of conversations of the renamed user.
const CONVERSATIONS: u8 = 3;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("projector.advance", "", &async |world: &World| {
        let thread = world.group().await?;
        let message = world.say(&thread, "stored").await?;
        Ok(Call::new(async move |session| {
            Projector::new(session.store.clone()).advance(&message).await.map(Outcome::plain)
        }))
    })
    .sizes(|scale| Sizes::new().read(scale.entries(scale.members))),
    Scenario::new("projector.advance", "redelivery", &async |world: &World| {
        let thread = world.group().await?;
        let message = world.say(&thread, "stored").await?;
        world.advance(&message).await?;
        Ok(Call::new(async move |session| {
            Projector::new(session.store.clone()).advance(&message).await.map(Outcome::plain)
        }))
    })
    .sizes(|scale| Sizes::new().read(scale.entries(scale.members))),
    Scenario::new("projector.refresh", "", &async |world: &World| {
        let thread = world.group().await?;
        let message = world.say(&thread, "stored").await?;
        world.advance(&message).await?;
        Ok(project(world.change(Write::delete(message.key())).await?))
    })
    .sizes(|scale| Sizes::new().read(scale.message()).read(scale.entries(scale.members))),
    Scenario::new("projector.join", "", &async |world: &World| Ok(project(join(world).await?.2)))
        .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("projector.join", "membership has moved", &async |world: &World| {
        let (thread, _, record) = join(world).await?;
        world.advance(&world.say(&thread, "stored").await?).await?;
        Ok(project(record))
    })
    .sizes(|scale| newest_of_2(2, scale)),
    Scenario::new("projector.join", "membership is late", &async |world: &World| {
        let (thread, _, record) = join(world).await?;
        world.say(&thread, "stored").await?;
        Ok(project(record))
    })
    .sizes(|scale| newest_of_2(3, scale)),
    Scenario::new("projector.join", "older names", &async |world: &World| {
        let (_, user, record) = join(world).await?;
        world.chat.update_user(&user, UserChange::new().display_name(world.name("Renamed 70")?)?).await?;
        Ok(project(record))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("projector.rename", "groups", &async |world: &World| {
        let user = world.user(0).await?;
        for number in 0..CONVERSATIONS {
            world.group_of(number, std::slice::from_ref(&user)).await?;
        }
        rename(world, &user, world.name("Renamed 00")?).await
    })
    .counts(|_, _| CONVERSATIONS.into())
    .sizes(|scale| Sizes::new().read_index(scale.entries(CONVERSATIONS.into()))),
    Scenario::new("projector.rename", "groups, previews may grow", &async |world: &World| {
        let name = DisplayName::new(format!("{}{}", "語".repeat(20), World::CONTENT))?;
        let user = world.user(0).await?;
        let user = world.chat.update_user(&user, UserChange::new().display_name(name)?).await?;
        let group = NewGroup::new(format!("Title {}", World::CONTENT), &user)?;
        // The preview is cut at its limit in bytes, and uses all of them.
        let filler = "🙂".repeat(if world.scale.message_kb > 1 { 980 } else { 150 });
        world.chat.create_group(group, MessageBody::new(format!("{filler}{}", World::CONTENT))?.as_str()).await?;
        rename(world, &user, world.name("Short")?).await
    })
    .sizes(|scale| Sizes::new().read_index(1).read(scale.message())),
    Scenario::new("projector.rename", "direct conversations", &async |world: &World| {
        let user = world.user(0).await?;
        for number in 1..=CONVERSATIONS {
            world.chat.start_direct(&user, &world.user(number).await?, format!("first {}", World::CONTENT)).await?;
        }
        rename(world, &user, world.name("Renamed 00")?).await
    })
    .counts(|_, _| CONVERSATIONS.into())
    .sizes(|_| Sizes::new().read_index(4096)),
];

/// Returns the sizes of this many reads of the newest message. Each one reads both messages.
fn newest_of_2(reads: u32, scale: Scale) -> Sizes {
    (0..reads).fold(Sizes::new(), |sizes, _| sizes.read(2 * scale.message()))
}

fn project(record: StreamRecord) -> Call {
    Call::new(async move |session| {
        let projector = Projector::new(session.store.clone());
        let projection = projector.project(std::slice::from_ref(&record)).await;
        match projection.outcomes.into_iter().next() {
            Some(RecordOutcome::Failed(error)) => {
                Err(Arc::into_inner(error).unwrap_or_else(|| invalid("the error is still used")))
            }
            outcome => Ok(Outcome::plain(outcome)),
        }
    })
}

/// Adds a member to the group, and returns the record of the new membership.
async fn join(world: &World) -> Result<(Thread, User, StreamRecord)> {
    let (thread, user) = (world.group().await?, world.user(JOINING).await?);
    thread.add_member(&user).await?;
    let record = world.insertion(&Membership::key_from((thread.group_id(), user.id()))).await?;
    Ok((thread, user, record))
}

/// Renames the user, and returns the call that projects the new name.
async fn rename(world: &World, user: &User, name: DisplayName) -> Result<Call> {
    let user = world.chat.update_user(user, UserChange::new().display_name(name)?).await?;
    Ok(Call::new(async move |session| Projector::new(session.store.clone()).rename(&user).await.map(Outcome::plain)))
}
