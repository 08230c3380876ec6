//! The golden conversation: three users, a direct conversation, a group, and the items that they leave in the table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use threadline::entity::Item;
use threadline::store::{Scan, StoreExt};
use threadline::stream::Projector;
use threadline::{
    Error, ErrorKind, ManualClock, MemoryStore, NewGroup, NewUser, Result, SequentialIds, Threadline, User,
};

/// The short name of the direct conversation.
pub(crate) const DIRECT: &str = "5ae2";

/// The items of the golden conversation, and short names for the ids in their keys.
#[derive(Clone, Debug)]
pub(crate) struct Golden {
    /// All items, in the order of their keys.
    pub(crate) items: Vec<Item>,
    /// A short name for each user id and group id.
    pub(crate) names: BTreeMap<String, String>,
}

/// Runs the golden conversation on a new in-memory store.
///
/// # Errors
/// As the calls of [`Threadline`] and [`Projector`].
pub(crate) async fn conversation() -> Result<Golden> {
    let clock = Arc::new(ManualClock::starting_at("2026-02-03T09:40:11.250Z".parse()?));
    let store = MemoryStore::new().clock(clock.clone());
    let chat = Threadline::new(store.clone()).clock(clock.clone()).ids(SequentialIds::seeded(1));

    let andrew = chat.create_user(new_user("andrewbrown", "Andrew Brown", 0xa)?).await?;
    let bayko = chat.create_user(new_user("bayko", "Andrew Bayko", 0xb)?).await?;
    let londo = chat.create_user(new_user("londo", "Londo Mollari", 0xc)?).await?;

    let team = "00000000-0000-4000-8000-00000000c0de".parse()?;
    let team = NewGroup::new("Team", &londo)?.member(&andrew).id(team);
    let team = chat.create_group(team, "Release at noon").await?;

    clock.advance(Duration::from_millis(2_149_125));
    let thread = chat.start_direct(&andrew, &bayko, "Have you ever watched Babylon 5?").await?;
    let baykos = chat.open(bayko.id(), thread.group_id()).await?;
    clock.advance(Duration::from_millis(61_625));
    baykos.send(chat.new_message_id(), "Only every year.").await?;
    clock.advance(Duration::from_millis(7_120));
    thread.send(chat.new_message_id(), "When do we start?").await?;
    let projection = Projector::new(store.clone()).catch_up(&store).await?;
    if projection.has_failed() {
        return Err(Error::new(ErrorKind::Unavailable, "the golden conversation was not projected"));
    }

    let short = |user: &User| (user.id().to_string(), user.handle().to_string());
    let names = [
        short(&andrew),
        short(&bayko),
        short(&londo),
        (thread.group_id().to_string(), DIRECT.to_owned()),
        (team.group_id().to_string(), "c0de".to_owned()),
    ];
    let items = store.scan(Scan::new()).await?.items;
    Ok(Golden { items, names: names.into() })
}

fn new_user(handle: &str, name: &str, id: u8) -> Result<NewUser> {
    Ok(NewUser::new(handle, name)?.id(format!("00000000-0000-4000-8000-0000000000{id:02x}").parse()?))
}
