//! The audit of a group of two, whose users have identities, and the repair of one discrepancy of each kind.

use std::time::Duration;

use threadline::card::Sizes;
use threadline::entity::{Entity, GSI1SK, HandleClaim, IdentityClaim, Item, Key, PK};
use threadline::store::{StoreExt, Update, Write};
use threadline::stream::{AuditPage, Auditor};
use threadline::{DisplayName, Membership, MessageGroup, Result, Thread, User, UserChange};

use super::{Call, Outcome, Prepare, Scale, Scenario, World, invalid};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("audit.check", "", &async |world: &World| {
        group(world).await?;
        Ok(Call::new(async |session| Auditor::new(session.store.clone()).check(None).await.map(outcome)))
    })
    .counts(|_, unit| count(unit, CLAIMS, 0))
    .sizes(scanned),
    repair("", &async |world: &World| {
        group(world).await?;
        Ok(auditor())
    }),
    repair("one wrong recency", &async |world: &World| {
        let thread = group(world).await?;
        let before = item(world, &entry(&thread)).await?;
        world.clock.advance(Duration::from_secs(1));
        world.advance(&thread.send(world.chat.new_message_id(), World::CONTENT).await?).await?;
        after(world, Write::put(before)).await
    })
    .counts(|_, unit| count(unit, CLAIMS, 1)),
    repair("one wrong index key", &async |world: &World| {
        let earlier = Update::new().set(GSI1SK, "GRP#2020-01-01T00:00:00.000000+00:00");
        after(world, Write::update(entry(&group(world).await?), earlier)).await
    }),
    repair("one stale preview", &async |world: &World| {
        let stale = Update::new().set("message", format!("stale {}", World::CONTENT));
        after(world, Write::update(entry(&group(world).await?), stale)).await
    })
    .counts(|_, unit| count(unit, CLAIMS, 1)),
    repair("one stale name", &async |world: &World| {
        group(world).await?;
        rename(world, world.name("Person with a longer name")?).await
    }),
    repair("one stale name, preview may grow", &async |world: &World| {
        let users = [world.user(0).await?, world.user(1).await?];
        // The preview is cut at its limit in bytes, and uses all of them.
        group_of(world, &users, &format!("{}{}", World::CONTENT, "🙂".repeat(70))).await?;
        rename(world, world.name("P")?).await
    })
    .counts(|_, unit| count(unit, CLAIMS, 1)),
    repair("one missing entry", &async |world: &World| {
        // Messages of these two are scanned before their conversation.
        let (user, other) = (world.user(0).await?, world.user(3).await?);
        let thread = world.chat.start_direct(&user, &other, World::CONTENT).await?;
        after(world, Write::delete(entry(&thread))).await
    })
    // The repair reads both users. The audit reads one member's user only.
    .counts(|_, unit| count(unit, CLAIMS, 1)),
    repair("one wrong member count", &async |world: &World| {
        let key = MessageGroup::key_from(group(world).await?.group_id());
        after(world, Write::update(key, Update::new().add("member_count", 1))).await
    }),
    repair("one missing handle claim", &async |world: &World| {
        group(world).await?;
        after(world, Write::delete(HandleClaim::key_from(caller(world).await?.handle()))).await
    })
    .counts(|_, unit| count(unit, CLAIMS - 1, 0)),
    repair("one missing identity claim", &async |world: &World| {
        group(world).await?;
        after(world, Write::delete(IdentityClaim::key_from(&world.identity(0)?))).await
    })
    .counts(|_, unit| count(unit, CLAIMS - 1, 0)),
    repair("one wrong handle claim", &async |world: &World| {
        group(world).await?;
        let claim = item(world, &HandleClaim::key_from(caller(world).await?.handle())).await?;
        let other = format!("{}.other", World::CONTENT);
        after(world, Write::put(with(claim, [(PK, format!("HANDLE#{other}")), ("handle", other)]))).await
    })
    .counts(|_, unit| count(unit, CLAIMS + 1, 1)),
    repair("one wrong identity claim", &async |world: &World| {
        group(world).await?;
        let claim = item(world, &IdentityClaim::key_from(&world.identity(0)?)).await?;
        let other = format!("{} other", World::CONTENT);
        after(world, Write::put(with(claim, [(PK, format!("IDENTITY#{other}")), ("cognito_user_id", other)]))).await
    })
    .counts(|_, unit| count(unit, CLAIMS + 1, 1)),
    repair("one handle claim with an old key", &async |world: &World| {
        let old = format!("Ä{}", World::CONTENT);
        let user = world.chat.create_user(world.named_user(0, &old)?.identity(world.identity(0)?)?).await?;
        group_of(world, &[user.clone(), world.user(1).await?], World::CONTENT).await?;
        let key = HandleClaim::key_from(user.handle());
        let claim = item(world, &key).await?;
        world.store.write(Write::delete(key)).await?.done()?;
        after(world, Write::put(with(claim, [(PK, format!("HANDLE#{old}"))]))).await
    })
    .counts(|_, unit| count(unit, CLAIMS, 1)),
];

/// The claims of both users.
const CLAIMS: u32 = 4;

/// Creates the scenario of a repair, which by default reads no more than an audit of the group.
const fn repair(case: &'static str, prepare: &'static dyn Prepare) -> Scenario {
    Scenario::new("audit.repair", case, prepare).counts(|_, unit| count(unit, CLAIMS, 0)).sizes(scanned)
}

/// Returns the call that repairs the table.
fn auditor() -> Call {
    Call::new(async |session| Auditor::new(session.store.clone()).repair(None).await.map(outcome))
}

/// Makes a write that leaves a discrepancy, and returns the call that repairs it.
async fn after(world: &World, write: Write) -> Result<Call> {
    world.store.write(write).await?.done()?;
    Ok(auditor())
}

async fn rename(world: &World, name: DisplayName) -> Result<Call> {
    let user = caller(world).await?;
    world.chat.update_user(&user, UserChange::new().display_name(name)?).await?;
    Ok(auditor())
}

/// Creates a group of two with a small message, at any scale.
async fn group(world: &World) -> Result<Thread> {
    group_of(world, &[world.user(0).await?, world.user(1).await?], World::CONTENT).await
}

async fn group_of(world: &World, users: &[User], text: &str) -> Result<Thread> {
    world.chat.create_group(world.new_group(0, users)?, text).await
}

/// Returns the caller as stored.
async fn caller(world: &World) -> Result<User> {
    world.chat.user(World::CALLER).await?.ok_or_else(|| invalid("the caller is created first"))
}

/// Returns the key of the caller's inbox entry.
fn entry(thread: &Thread) -> Key {
    Membership::key_from((thread.group_id(), World::CALLER))
}

async fn item(world: &World, key: &Key) -> Result<Item> {
    world.item(key).await?.ok_or_else(|| invalid("the item is created first"))
}

/// Returns the item with these attributes changed.
fn with<const N: usize>(mut item: Item, attributes: [(&'static str, String); N]) -> Item {
    for (name, value) in attributes {
        item.insert(name, value);
    }
    item
}

/// Returns the count of a unit, for this number of claims and of reads that a repair makes in addition.
fn count(unit: &str, claims: u32, more: u32) -> u32 {
    match unit {
        // For each user: the user and the 2 claims. The user of each claim. For the group: the group twice, the
        // members, their users, and the newest message.
        "consistent read" => 2 * (1 + 2) + claims + 2 + 1 + 2 + 1 + more,
        "user" => 2,
        "claim" => claims,
        _ => 1,
    }
}

fn scanned(_: Scale) -> Sizes {
    Sizes::new().read(4096)
}

fn outcome(page: AuditPage) -> Outcome {
    let findings: Vec<_> = page.findings.iter().map(ToString::to_string).collect();
    let content = format!("{findings:?} {} {}", page.items, page.next.is_some());
    Outcome::new(&page, content)
}
