//! Conversations and their members.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::{Clock, ImportedDirect};

use super::{Call, Outcome, Scenario, World};

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
    Scenario::new("groups.create", "", &async |world: &World| {
        let (new, draft) = (world.new_group(0, &world.users().await?)?, world.draft()?);
        Ok(Call::new(async move |session| {
            session.chat.create_group(new.clone(), draft.clone()).await.map(Outcome::thread)
        }))
    }),
    Scenario::new("groups.import_direct", "", &async |world: &World| {
        let id = world.group_of(1, &[world.user(9).await?]).await?.group_id();
        let elsewhere = uuid::Uuid::from_u128(id.as_uuid().as_u128() + 1);
        let (id, now) = (threadline::GroupId::from_uuid(elsewhere), world.clock.now());
        let imported = ImportedDirect::new(id, &world.user(0).await?, &world.user(1).await?, now);
        Ok(Call::new(async move |session| session.chat.import_direct(imported.clone()).await.map(Outcome::thread)))
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
