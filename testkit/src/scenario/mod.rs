//! Scenarios: each case of each access pattern, set up and called in a small world.
//!
//! A test that covers all patterns iterates over the [registry](threadline::card::registry) and over [`all`], so it
//! needs no list of its own. An application adds scenarios for the cards of its own patterns, and the same tests cover
//! them:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> threadline::Result<()> {
//! use std::sync::Arc;
//! use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
//! use threadline::card::registry::Registry;
//! use threadline::store::meter::Metered;
//! use threadline::entity::{Item, PK, SK, TYPE};
//! use threadline::store::{StoreExt, Write};
//! use threadline::MemoryStore;
//! use threadline_testkit::scenario::{self, Outcome, Recorder, Scale, Scenario, World, mismatch};
//!
//! const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
//! const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
//!     .cases(&[Case::new(&[RequestCard::put(&NOTE)], Cost::of(&[Term::writes(1)]))])
//!     .retry("replaces the note with an equal one");
//!
//! const WRITTEN: Scenario = Scenario::new("notes.write", "", &async |world: &World| {
//!     let (user, text) = (world.user(7).await?.id(), World::CONTENT);
//!     Ok(scenario::Call::new(async move |session| {
//!         let mut note = Item::new();
//!         note.insert(PK, format!("NOTE#{user}"));
//!         note.insert(SK, "1");
//!         note.insert(TYPE, NOTE.name);
//!         note.insert("text", text);
//!         session.store.write(Write::put(note)).await?.done().map(Outcome::plain)
//!     }))
//! });
//!
//! let registry = Registry::new().pattern(&WRITE).entity(&NOTE);
//! for scenario in scenario::all().into_iter().chain([WRITTEN]) {
//!     let case = registry.card(scenario.pattern).and_then(|card| card.case(scenario.case)).unwrap();
//!     let scale = Scale { members: 3, message_kb: 1 };
//!     let clock = World::clock();
//!     let store = MemoryStore::new().clock(clock.clone());
//!     let stage = scenario.stage(World::new(Arc::new(store.clone()), clock, scale)).await?;
//!
//!     let meter = Metered::new(store);
//!     let recorder = Recorder::new(meter.clone());
//!     let session = stage.enter(recorder.clone(), World::CALLER).await?;
//!     recorder.take();
//!     let measured = meter.measure(stage.call(&session)).await;
//!     measured.exactly(scenario.budget(case, scale)).unwrap()?;
//!     assert_eq!(mismatch(&scenario.requests(case, scale), &recorder.take(), false), None);
//! }
//! # Ok(())
//! # }
//! ```

mod audit;
mod groups;
mod inbox;
mod messages;
mod recorder;
mod stream;
mod users;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use threadline::card::{Case, Per, RequestCard, Sizes, Times};
use threadline::entity::Entity;
use threadline::store::{Capacity, Store};
use threadline::{
    Error, ErrorKind, GroupId, Page, Profile, Result, SequentialIds, Thread, Threadline, Timestamp, UserId,
};

pub use recorder::{Recorder, key_fits, mismatch};
pub use world::World;

/// Returns the scenarios of this crate's access patterns.
pub fn all() -> Vec<Scenario> {
    [users::SCENARIOS, groups::SCENARIOS, messages::SCENARIOS, inbox::SCENARIOS, stream::SCENARIOS, audit::SCENARIOS]
        .concat()
}

/// One case of a pattern: its sizes, its preparation and its call.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The name of the pattern, from its card.
    pub pattern: &'static str,
    /// The name of the case, from the card.
    pub case: &'static str,
    sizes: fn(Scale) -> Sizes,
    counts: fn(Scale, &str) -> u32,
    prepare: &'static dyn Prepare,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pattern, self.case)
    }
}

impl Scenario {
    /// Creates a scenario of this case, from the function that prepares its call.
    pub const fn new(pattern: &'static str, case: &'static str, prepare: &'static dyn Prepare) -> Self {
        let counts = |scale: Scale, unit: &str| if unit == MEMBER { scale.members } else { 1 };
        Self { pattern, case, sizes: |scale| Sizes::new().written(scale.message()), counts, prepare }
    }

    /// Sets the sizes that the call reads and writes. Default: one written message of the scale's size.
    #[must_use]
    pub const fn sizes(mut self, sizes: fn(Scale) -> Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Sets the number of each unit: `member`, or a unit that the card names. [`Times::PerMember`], [`Per::Member`],
    /// [`Times::Each`] and [`Per::Each`] count them. Default: the scale's members, and one of each other unit.
    #[must_use]
    pub const fn counts(mut self, counts: fn(Scale, &str) -> u32) -> Self {
        self.counts = counts;
        self
    }

    /// Returns the capacity that the call consumes according to the card's formula.
    pub fn budget(&self, case: &Case, scale: Scale) -> Capacity {
        let unit =
            case.cost.terms.iter().find_map(|term| if let Per::Each(unit) = term.per { Some(unit) } else { None });
        let items = unit.map_or(0, |unit| (self.counts)(scale, unit));
        case.cost.capacity(&(self.sizes)(scale).members((self.counts)(scale, MEMBER)).items(items))
    }

    /// Returns the requests that the card declares, each as often as the call makes it. The world must be small enough
    /// to be read in one page, and must meet the condition of each [`Times::OnlyIf`].
    pub fn requests(&self, case: &Case, scale: Scale) -> Vec<RequestCard> {
        let times = |request: &RequestCard| match request.times {
            Times::PerMember => (self.counts)(scale, MEMBER),
            Times::Each(unit) => (self.counts)(scale, unit),
            _ => 1,
        };
        case.requests.iter().flat_map(|request| (0..times(request)).map(|_| *request)).collect()
    }

    /// Prepares the call in this world.
    ///
    /// # Errors
    /// As the calls that prepare the world.
    pub async fn stage(&self, world: World) -> Result<Stage> {
        let call = self.prepare.prepare(&world).await?;
        Ok(Stage { world, call })
    }
}

/// The unit that [`Times::PerMember`] and [`Per::Member`] count.
const MEMBER: &str = "member";

/// The scale of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The number of members of a group: 2 to 50.
    pub members: u32,
    /// The size of a message's item in KB, rounded up: 1 or 5. With 0, texts are short, and count as 1 KB.
    pub message_kb: usize,
}

impl Scale {
    /// Returns the size of a message's item, in bytes.
    pub fn message(self) -> usize {
        self.message_kb.max(1) * 1024
    }

    /// Returns the size of the inbox entries of this many members, in bytes.
    pub fn entries(self, members: u32) -> usize {
        let entry = if self.message_kb > 1 { 860 } else { 760 };
        entry * usize::try_from(members).unwrap_or(usize::MAX)
    }
}

/// The preparation of a world for a call. Implemented for asynchronous functions: `async |world: &World| { .. }`.
pub trait Prepare {
    /// Prepares the world, and returns the call.
    fn prepare<'a>(&'a self, world: &'a World) -> LocalBoxFuture<'a, Result<Call>>;
}

impl<F: AsyncFn(&World) -> Result<Call>> Prepare for F {
    fn prepare<'a>(&'a self, world: &'a World) -> LocalBoxFuture<'a, Result<Call>> {
        self(world).boxed_local()
    }
}

trait Callable {
    fn call<'a>(&'a self, session: &'a Session) -> LocalBoxFuture<'a, Result<Outcome>>;
}

impl<F: AsyncFn(&Session) -> Result<Outcome>> Callable for F {
    fn call<'a>(&'a self, session: &'a Session) -> LocalBoxFuture<'a, Result<Outcome>> {
        self(session).boxed_local()
    }
}

/// A prepared call. Making it a second time is a retry.
pub struct Call {
    group: Option<GroupId>,
    made_at: Option<Timestamp>,
    call: Box<dyn Callable>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Call {
    /// Creates a call that needs no open conversation.
    pub fn new(call: impl AsyncFn(&Session) -> Result<Outcome> + 'static) -> Self {
        Self { group: None, made_at: None, call: Box::new(call) }
    }

    /// Creates a call on a conversation, which the session opens first.
    pub fn on(thread: &Thread, call: impl AsyncFn(&Session) -> Result<Outcome> + 'static) -> Self {
        Self { group: Some(thread.group_id()), made_at: None, call: Box::new(call) }
    }

    /// Sets the time of the call. The clock moves to it once the conversation is open. Default: the clock stays.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.made_at = Some(time);
        self
    }
}

/// A world with a prepared call.
#[derive(Debug)]
pub struct Stage {
    /// The world.
    pub world: World,
    call: Call,
}

impl Stage {
    /// Creates a session of a user on a store. Opens the conversation if the call needs one.
    ///
    /// # Errors
    /// As [`Threadline::open`].
    pub async fn enter(&self, store: impl Store + 'static, user: UserId) -> Result<Session> {
        let store: Arc<dyn Store> = Arc::new(store);
        let (clock, ids) = (self.world.clock.clone(), SequentialIds::seeded(9));
        let chat = Threadline::new(store.clone()).clock(clock.clone()).ids(ids);
        let thread = match self.call.group {
            Some(group) => Some(chat.open(user, group).await?),
            None => None,
        };
        if let Some(time) = self.call.made_at {
            clock.set(time);
        }
        Ok(Session { store, chat, user, thread })
    }

    /// Makes the call.
    ///
    /// # Errors
    /// As the prepared call.
    pub async fn call(&self, session: &Session) -> Result<Outcome> {
        self.call.call.call(session).await
    }
}

/// The session of a user who makes the call.
#[derive(Debug)]
pub struct Session {
    /// The store that the call's requests go to.
    pub store: Arc<dyn Store>,
    /// The access patterns on that store.
    pub chat: Threadline,
    /// The user.
    pub user: UserId,
    thread: Option<Thread>,
}

impl Session {
    /// Returns the conversation that the session has opened.
    ///
    /// # Errors
    /// [`Invalid`](threadline::ErrorKind::Invalid) for a call that was created without one.
    pub fn thread(&self) -> Result<&Thread> {
        self.thread.as_ref().ok_or_else(|| invalid("the call needs a conversation: create it by `Call::on`"))
    }
}

/// The answer of a call, as two texts. Two outcomes are equal if their contents are equal.
#[derive(Clone)]
pub struct Outcome {
    /// The content.
    pub content: String,
    /// The `Debug` output of the answer, without content.
    pub debug: String,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.debug.lines().next().unwrap_or_default())
    }
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl Outcome {
    /// Creates an outcome from an answer and its content.
    pub fn new(answer: &impl fmt::Debug, content: String) -> Self {
        Self { content, debug: format!("{answer:?}\n{answer:#?}") }
    }

    /// Creates an outcome whose content is the `Debug` output of the answer.
    pub fn plain(answer: impl fmt::Debug) -> Self {
        Self::new(&answer, format!("{answer:?}"))
    }

    /// Creates an outcome from an entity, with all its attributes.
    pub fn entity(entity: impl Entity + fmt::Debug) -> Self {
        Self::new(&entity, content(&entity))
    }

    /// Creates an outcome from several entities, or from one that may be missing.
    pub fn entities<E: Entity + fmt::Debug>(entities: impl IntoIterator<Item = E>) -> Self {
        let entities: Vec<E> = entities.into_iter().collect();
        Self::new(&entities, entities.iter().map(content).collect())
    }

    /// Creates an outcome from a page.
    pub fn page(page: Page<impl Entity + fmt::Debug>) -> Self {
        let items: String = page.items.iter().map(content).collect();
        let text = format!("{items} {} {}", page.next.is_some(), page.previous.is_some());
        Self::new(&page, text)
    }

    /// Creates an outcome from an opened conversation.
    pub fn thread(thread: Thread) -> Self {
        Self::new(&thread, content(thread.membership()))
    }

    /// Creates an outcome from a user who was looked up.
    pub fn profile(found: Option<Profile>) -> Self {
        let names =
            |user: &Profile| format!("{} {} {}", user.id(), user.handle().as_str(), user.display_name().as_str());
        Self::new(&found, found.as_ref().map(names).unwrap_or_default())
    }
}

fn content(entity: &impl Entity) -> String {
    match entity.to_item() {
        Ok(item) => format!("{:?}", item.iter().collect::<BTreeMap<_, _>>()),
        Err(error) => error.to_string(),
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, message)
}
