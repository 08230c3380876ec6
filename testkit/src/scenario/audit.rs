//! The audit of a group of two, whose users have identities.

use threadline::card::Sizes;
use threadline::entity::Entity;
use threadline::store::{StoreExt, Update, Write};
use threadline::stream::{AuditPage, Auditor};
use threadline::{MessageGroup, Result, Thread};

use super::{Call, Outcome, Scale, Scenario, World};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("audit.check", "", &async |world: &World| {
        group(world).await?;
        Ok(Call::new(async |session| Auditor::new(session.store.clone()).check(None).await.map(outcome)))
    })
    .counts(counts)
    .sizes(scanned),
    Scenario::new("audit.repair", "", &async |world: &World| {
        group(world).await?;
        Ok(Call::new(async |session| Auditor::new(session.store.clone()).repair(None).await.map(outcome)))
    })
    .counts(counts)
    .sizes(scanned),
    Scenario::new("audit.repair", "one miscounted group", &async |world: &World| {
        let miscount = Update::new().add("member_count", 1);
        let miscount = Write::update(MessageGroup::key_from(group(world).await?.group_id()), miscount);
        world.store.write(miscount).await?.done()?;
        Ok(Call::new(async |session| Auditor::new(session.store.clone()).repair(None).await.map(outcome)))
    })
    .counts(counts)
    .sizes(scanned),
];

/// Creates a group of two with a small message, at any scale.
async fn group(world: &World) -> Result<Thread> {
    let users = [world.user(0).await?, world.user(1).await?];
    world.chat.create_group(world.new_group(0, &users)?, format!("first {}", World::CONTENT)).await
}

fn counts(_: Scale, unit: &str) -> u32 {
    match unit {
        // For each user: the user, the 2 claims, and the user of each claim. For the group: the group twice, the
        // members, their users, and the newest message.
        "consistent read" => 2 * (1 + 2 + 2) + 2 + 1 + 2 + 1,
        "user" => 2,
        "claim" => 4,
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
