//! Users and their claims.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::entity::{Entity, HandleClaim, PK};
use threadline::store::{Get, StoreExt, Write};
use threadline::{Handle, Result, User, UserChange};

use super::{Call, Outcome, Scenario, World};

/// A handle that version 0.1 folded to another form.
const OLD: &str = "Émile.canary7f3a9c";
/// Another such handle.
const OTHER_OLD: &str = "Élise.canary7f3a9c";
/// The first handle as another device types it, with a combining accent.
const TYPED_OTHERWISE: &str = "E\u{301}mile.canary7f3a9c";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("users.create", "", &async |world: &World| {
        let new = world.new_user(0)?.identity(world.identity(0)?)?;
        Ok(Call::new(async move |session| session.chat.create_user(new.clone()).await.map(Outcome::entity)))
    }),
    Scenario::new("users.create", "without an identity", &async |world: &World| {
        let new = world.new_user(0)?;
        Ok(Call::new(async move |session| session.chat.create_user(new.clone()).await.map(Outcome::entity)))
    }),
    Scenario::new("users.create", "handle with an old key", &async |world: &World| {
        let new = world.named_user(0, OLD)?.identity(world.identity(0)?)?;
        Ok(Call::new(async move |session| session.chat.create_user(new.clone()).await.map(Outcome::entity)))
    }),
    Scenario::new("users.get", "", &async |world: &World| {
        let id = world.user(0).await?.id();
        Ok(Call::new(async move |session| session.chat.user(id).await.map(Outcome::entities)))
    }),
    Scenario::new("users.by_handle", "", &async |world: &World| {
        let user = world.user(0).await?;
        Ok(Call::new(async move |session| session.chat.user_by_handle(user.handle()).await.map(Outcome::profile)))
    }),
    Scenario::new("users.by_handle", "old key, typed otherwise", &async |world: &World| {
        world.chat.create_user(world.named_user(0, OLD)?).await?;
        let typed = Handle::for_look_up(TYPED_OTHERWISE)?;
        Ok(Call::new(async move |session| session.chat.user_by_handle(&typed).await.map(Outcome::profile)))
    }),
    Scenario::new("users.by_identity", "", &async |world: &World| {
        world.user(0).await?;
        let subject = world.identity(0)?;
        Ok(Call::new(async move |session| session.chat.user_by_identity(&subject).await.map(Outcome::profile)))
    }),
    Scenario::new("users.update", "display name", &async |world: &World| {
        Ok(update(world.user(0).await?, new_name(world)?))
    }),
    Scenario::new("users.update", "handle", &async |world: &World| {
        Ok(update(world.user(0).await?, new_handle("new.canary7f3a9c")?))
    }),
    Scenario::new("users.update", "handle, reservation of zero", &async |world: &World| {
        Ok(update_without_reservation(world.user(0).await?, new_handle("new.canary7f3a9c")?))
    }),
    Scenario::new("users.update", "handle, reservation of zero, without an identity", &async |world: &World| {
        let user = world.chat.create_user(world.new_user(0)?).await?;
        Ok(update_without_reservation(user, new_handle("new.canary7f3a9c")?))
    }),
    Scenario::new("users.update", "display name, without an identity", &async |world: &World| {
        Ok(update(world.chat.create_user(world.new_user(0)?).await?, new_name(world)?))
    }),
    Scenario::new("users.update", "handle, without an identity", &async |world: &World| {
        Ok(update(world.chat.create_user(world.new_user(0)?).await?, new_handle("new.canary7f3a9c")?))
    }),
    Scenario::new("users.update", "handle with an old key to another, without an identity", &async |world: &World| {
        Ok(update(world.chat.create_user(world.named_user(0, OLD)?).await?, new_handle(OTHER_OLD)?))
    }),
    Scenario::new("users.update", "display name, old claim moves, without an identity", &async |world: &World| {
        Ok(update(user_of_before(world).await?, new_name(world)?))
    }),
    Scenario::new("users.update", "same names", &async |world: &World| {
        Ok(update(world.user(0).await?, UserChange::new()))
    })
    .sizes(|_| Sizes::new().read(1)),
];

fn update(user: User, change: UserChange) -> Call {
    Call::new(async move |session| session.chat.update_user(&user, change.clone()).await.map(Outcome::entity))
}

fn update_without_reservation(user: User, change: UserChange) -> Call {
    Call::new(async move |session| {
        let chat = session.chat.clone().handle_reservation(Duration::ZERO);
        chat.update_user(&user, change.clone()).await.map(Outcome::entity)
    })
}

fn new_name(world: &World) -> Result<UserChange> {
    UserChange::new().display_name(world.name("Renamed")?)
}

fn new_handle(handle: &str) -> Result<UserChange> {
    UserChange::new().handle(Handle::new(handle)?)
}

/// Creates a user whose claim has the key of version 0.1.
async fn user_of_before(world: &World) -> Result<User> {
    let user = world.chat.create_user(world.named_user(0, OLD)?).await?;
    let key = HandleClaim::key_from(user.handle());
    if let Some(mut claim) = world.store.get(Get::new(key.clone()).consistent()).await?.item {
        claim.insert(PK, format!("HANDLE#{OLD}"));
        world.store.write(Write::put(claim)).await?.done()?;
        world.store.write(Write::delete(key)).await?.done()?;
    }
    Ok(user)
}
