//! Conversations and their members.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::entity::Entity;
use threadline::store::{StoreExt, Write};
use threadline::{Clock, Draft, ErrorKind, GroupId, ImportedDirect, NewGroup, Result, Thread};

use super::{Call, Outcome, Scenario, World};

/// A time after which a message is outside the send window.
const LONG_AFTER: Duration = Duration::from_secs(48 * 60 * 60);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("groups.start_direct", "new", &async |world: &World| {
        let (from, to, draft) = (world.user(0).await?, world.user(1).await?, world.draft()?);
        Ok(Call::new(async move |session| {
            session.chat.start_direct(&from, &to, draft.clone()).await.map(Outcome::thread)
        }))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.start_direct", "existing", &async |world: &World| {
        let (from, to) = (world.user(0).await?, world.user(1).await?);
        world.chat.start_direct(&to, &from, world.draft()?).await?;
        world.clock.advance(Duration::from_secs(1));
        let draft = world.draft()?;
        Ok(Call::new(async move |session| {
            session.chat.start_direct(&from, &to, draft.clone()).await.map(Outcome::thread)
        }))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.start_direct", "existing, message is stored", &async |world: &World| {
        let (from, to, draft) = (world.user(0).await?, world.user(1).await?, world.draft()?);
        world.chat.start_direct(&from, &to, draft.clone()).await?;
        Ok(Call::new(async move |session| {
            session.chat.start_direct(&from, &to, draft.clone()).await.map(Outcome::thread)
        }))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.start_direct", "existing, outside the send window", &async |world: &World| {
        let (from, to, draft) = (world.user(0).await?, world.user(1).await?, world.draft()?);
        world.chat.start_direct(&from, &to, draft.clone()).await?;
        world.clock.advance(LONG_AFTER);
        Ok(Call::new(async move |session| {
            session.chat.start_direct(&from, &to, draft.clone()).await.map(Outcome::thread)
        }))
    })
    .counts(|_, _| 2)
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("groups.create", "", &async |world: &World| {
        let (new, draft) = (world.new_group(0, &world.users().await?)?, world.draft()?);
        Ok(create(new, draft))
    }),
    Scenario::new("groups.create", "existing", &async |world: &World| {
        let (new, draft, _) = created(world).await?;
        Ok(create(new, draft))
    })
    .sizes(|scale| Sizes::new().written(scale.message()).read(scale.message())),
    Scenario::new("groups.create", "existing, first message has expired", &async |world: &World| {
        let (new, draft, thread) = created(world).await?;
        for message in thread.messages().fetch().await?.items {
            world.expire(&message).await?;
        }
        world.clock.advance(Duration::from_secs(120));
        Ok(create(new, draft))
    })
    .sizes(|scale| Sizes::new().written(scale.message()).read(scale.message()).read(scale.message())),
    Scenario::new("groups.create", "existing, first message is gone", &async |world: &World| {
        let (new, draft, thread) = created(world).await?;
        for message in thread.messages().fetch().await?.items {
            world.store.write(Write::delete(message.key())).await?.done()?;
        }
        Ok(Call::new(async move |session| {
            match session.chat.create_group(new.clone(), draft.clone()).await {
                // The call fails by design, so its error is the outcome.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Ok(Outcome::plain((error.kind(), error.entity())))
                }
                answer => answer.map(Outcome::thread),
            }
        }))
    }),
    Scenario::new("groups.create", "existing, outside the send window", &async |world: &World| {
        let (new, draft, _) = created(world).await?;
        world.clock.advance(LONG_AFTER);
        Ok(create(new, draft))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("groups.import_direct", "", &async |world: &World| Ok(import(direct(world, World::GROUP).await?)))
        .counts(|_, _| 2),
    Scenario::new("groups.import_direct", "with the pair's own id", &async |world: &World| {
        Ok(import(direct(world, GroupId::direct(World::CALLER, World::OTHER)).await?))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.import_direct", "existing", &async |world: &World| {
        let imported = direct(world, World::GROUP).await?;
        world.chat.import_direct(imported.clone()).await?;
        Ok(import(imported))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.import_direct", "existing, with the pair's own id", &async |world: &World| {
        let imported = direct(world, GroupId::direct(World::CALLER, World::OTHER)).await?;
        world.chat.import_direct(imported.clone()).await?;
        Ok(import(imported))
    })
    .counts(|_, _| 2),
    Scenario::new("groups.open", "", &async |world: &World| {
        let group = world.group().await?.group_id();
        Ok(Call::new(async move |session| session.chat.open(session.user, group).await.map(Outcome::thread)))
    }),
    Scenario::new("groups.open", "shown message has expired", &async |world: &World| {
        let thread = world.group().await?;
        world.say_expiring(&thread).await?;
        world.clock.advance(Duration::from_secs(120));
        let group = thread.group_id();
        Ok(Call::new(async move |session| session.chat.open(session.user, group).await.map(Outcome::thread)))
    })
    .sizes(|scale| Sizes::new().read(2 * scale.message())),
    Scenario::new("groups.members", "", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| session.thread()?.members().await.map(Outcome::plain)))
    })
    .sizes(|scale| Sizes::new().read(scale.entries(scale.members))),
    Scenario::new("groups.get", "", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| session.thread()?.group().await.map(Outcome::entity)))
    }),
    Scenario::new("groups.add_member", "", &async |world: &World| {
        let (thread, new) = (world.group().await?, world.user(70).await?);
        Ok(Call::on(&thread, async move |session| session.thread()?.add_member(&new).await.map(Outcome::plain)))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("groups.add_member", "existing member", &async |world: &World| {
        let users = world.users().await?;
        let thread = world.group_of(0, &users).await?;
        let other = users.into_iter().next_back();
        Ok(Call::on(&thread, async move |session| match &other {
            Some(other) => session.thread()?.add_member(other).await.map(Outcome::plain),
            None => Ok(Outcome::plain("a group of nobody")),
        }))
    })
    .sizes(|scale| Sizes::new().read(scale.message())),
    Scenario::new("groups.add_member", "oneself", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| {
            let thread = session.thread()?;
            thread.add_member(thread.membership().profile()).await.map(Outcome::plain)
        }))
    }),
    Scenario::new("groups.remove_member", "", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| {
            session.thread()?.remove_member(World::OTHER).await.map(Outcome::plain)
        }))
    }),
    Scenario::new("groups.remove_member", "oneself", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| {
            session.thread()?.remove_member(session.user).await.map(Outcome::plain)
        }))
    }),
    Scenario::new("groups.remove_member", "no member", &async |world: &World| {
        Ok(Call::on(&world.group().await?, async |session| {
            session.thread()?.remove_member(World::STRANGER).await.map(Outcome::plain)
        }))
    }),
];

fn create(new: NewGroup, draft: Draft) -> Call {
    Call::new(async move |session| session.chat.create_group(new.clone(), draft.clone()).await.map(Outcome::thread))
}

/// Creates the group, and returns what it was created from.
async fn created(world: &World) -> Result<(NewGroup, Draft, Thread)> {
    let (new, draft) = (world.new_group(0, &world.users().await?)?, world.draft()?);
    let thread = world.chat.create_group(new.clone(), draft.clone()).await?;
    Ok((new, draft, thread))
}

fn import(imported: ImportedDirect) -> Call {
    Call::new(async move |session| session.chat.import_direct(imported.clone()).await.map(Outcome::thread))
}

/// Returns a direct conversation with this id that is not imported yet.
async fn direct(world: &World, id: GroupId) -> Result<ImportedDirect> {
    let (one, other) = (world.user(0).await?, world.user(1).await?);
    Ok(ImportedDirect::new(id, &one, &other, world.clock.now()))
}
