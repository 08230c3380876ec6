//! Scenarios: small worlds of users and messages, each with one prepared call.
//!
//! Each case of each access pattern has a scenario. A test that covers all access patterns iterates over the
//! [registry](threadline::card::registry) and over [`all`], so it needs no list of its own. An application adds
//! scenarios for the cards of its own patterns, and the test then covers these patterns too:
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

/// Returns the scenarios of Threadline's own access patterns.
pub fn all() -> Vec<Scenario> {
    [users::SCENARIOS, groups::SCENARIOS, messages::SCENARIOS, inbox::SCENARIOS, stream::SCENARIOS, audit::SCENARIOS]
        .concat()
}

/// A test setting for one [`Case`] of an access pattern. It prepares a [`World`] and a call in this world, and predicts
/// the requests and the capacity of the call.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The name of the access pattern on its [card](threadline::card::Card).
    pub pattern: &'static str,
    /// The name of the case on the pattern's card.
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
    /// Creates a scenario from the name of its pattern, the name of its case, and the function that prepares its call.
    pub const fn new(pattern: &'static str, case: &'static str, prepare: &'static dyn Prepare) -> Self {
        let counts = |scale: Scale, unit: &str| if unit == MEMBER { scale.members } else { 1 };
        Self { pattern, case, sizes: |scale| Sizes::new().written(scale.message()), counts, prepare }
    }

    /// Sets the function that returns the sizes of the items that the call reads and writes. Default: one written
    /// message of the size [`Scale::message`].
    #[must_use]
    pub const fn sizes(mut self, sizes: fn(Scale) -> Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Sets the function that returns the number of objects of a kind, such as `member`. [`Times::PerMember`] and
    /// [`Per::Member`] of a card count the kind `member`. [`Times::Each`] and [`Per::Each`] name their own kind.
    /// Default: the scale's number of members for `member`, and 1 for any other kind.
    #[must_use]
    pub const fn counts(mut self, counts: fn(Scale, &str) -> u32) -> Self {
        self.counts = counts;
        self
    }

    /// Returns the capacity that the call should consume at this scale. It follows from the cost of the case.
    pub fn budget(&self, case: &Case, scale: Scale) -> Capacity {
        let unit =
            case.cost.terms.iter().find_map(|term| if let Per::Each(unit) = term.per { Some(unit) } else { None });
        let items = unit.map_or(0, |unit| (self.counts)(scale, unit));
        case.cost.capacity(&(self.sizes)(scale).members((self.counts)(scale, MEMBER)).items(items))
    }

    /// Returns the requests that the call should make at this scale, as the case declares them. If the call makes a
    /// request several times, the list contains the request that many times.
    ///
    /// The list is right only if each query of the call reads one page, and if the world meets the condition of each
    /// [`Times::OnlyIf`].
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
    /// Returns the errors of the calls that prepare the world.
    pub async fn stage(&self, world: World) -> Result<Stage> {
        let call = self.prepare.prepare(&world).await?;
        Ok(Stage { world, call })
    }
}

/// The unit that [`Times::PerMember`] and [`Per::Member`] count.
const MEMBER: &str = "member";

/// The scale of a [`World`]: the size of its groups and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The number of members of the group: 2 to 50.
    pub members: u32,
    /// The size of a message's item, in KB, rounded up: 0, 1 or 5. With 0, texts are short, and the size counts as 1
    /// KB.
    pub message_kb: usize,
}

impl Scale {
    /// Returns the size in bytes of a message's item at this scale.
    pub fn message(self) -> usize {
        self.message_kb.max(1) * 1024
    }

    /// Returns the total size in bytes of this many inbox entries.
    pub fn entries(self, members: u32) -> usize {
        let entry = if self.message_kb > 1 { 860 } else { 760 };
        entry * usize::try_from(members).unwrap_or(usize::MAX)
    }
}

/// The function of a [`Scenario`] that prepares its world and its call. Asynchronous closures implement this trait:
/// `async |world: &World| { .. }`.
pub trait Prepare {
    /// Prepares this world, and returns the call to make in it.
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

/// The prepared call of a [`Scenario`]. A second call of [`Stage::call`] is a retry.
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
    /// Creates a call that needs no opened conversation.
    pub fn new(call: impl AsyncFn(&Session) -> Result<Outcome> + 'static) -> Self {
        Self { group: None, made_at: None, call: Box::new(call) }
    }

    /// Creates a call in the conversation of this thread. [`Stage::enter`] opens the conversation before the call.
    pub fn on(thread: &Thread, call: impl AsyncFn(&Session) -> Result<Outcome> + 'static) -> Self {
        Self { group: Some(thread.group_id()), made_at: None, call: Box::new(call) }
    }

    /// Sets the time at which the call is made. [`Stage::enter`] opens the conversation, and then sets the world's
    /// clock to this time. Default: the clock does not change.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.made_at = Some(time);
        self
    }
}

/// A prepared [`World`] and the call to make in it. [`Scenario::stage`] returns it.
#[derive(Debug)]
pub struct Stage {
    /// The prepared world.
    pub world: World,
    call: Call,
}

impl Stage {
    /// Creates a session of this user on this store. If the call needs an opened conversation, the method opens it.
    ///
    /// # Errors
    /// Returns the errors of [`Threadline::open`].
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

    /// Makes the prepared call in this session.
    ///
    /// # Errors
    /// Returns the errors of the prepared call.
    pub async fn call(&self, session: &Session) -> Result<Outcome> {
        self.call.call.call(session).await
    }
}

/// A user's session, in which a scenario makes its call. [`Stage::enter`] returns it.
#[derive(Debug)]
pub struct Session {
    /// The store to which the call sends its requests.
    pub store: Arc<dyn Store>,
    /// Threadline on this store.
    pub chat: Threadline,
    /// The user who makes the call.
    pub user: UserId,
    thread: Option<Thread>,
}

impl Session {
    /// Returns the conversation that [`Stage::enter`] opened.
    ///
    /// # Errors
    /// [`Invalid`](threadline::ErrorKind::Invalid) if the call was created by [`Call::new`], which opens no
    /// conversation.
    pub fn thread(&self) -> Result<&Thread> {
        self.thread.as_ref().ok_or_else(|| invalid("the call needs a conversation: create it by `Call::on`"))
    }
}

/// The answer to the call of a [`Scenario`], as two texts: its content and its `Debug` output. Two outcomes are equal
/// if their `content` is equal.
#[derive(Clone)]
pub struct Outcome {
    /// The content of the answer.
    pub content: String,
    /// The `Debug` output of the answer. It must not contain [`World::CONTENT`].
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

    /// Creates an outcome from an answer. The content is the answer's `Debug` output.
    pub fn plain(answer: impl fmt::Debug) -> Self {
        Self::new(&answer, format!("{answer:?}"))
    }

    /// Creates an outcome from an entity. Its content is all attributes of the entity.
    pub fn entity(entity: impl Entity + fmt::Debug) -> Self {
        Self::new(&entity, content(&entity))
    }

    /// Creates an outcome from several entities, or from an optional entity.
    pub fn entities<E: Entity + fmt::Debug>(entities: impl IntoIterator<Item = E>) -> Self {
        let entities: Vec<E> = entities.into_iter().collect();
        Self::new(&entities, entities.iter().map(content).collect())
    }

    /// Creates an outcome from a page of entities.
    pub fn page(page: Page<impl Entity + fmt::Debug>) -> Self {
        let items: String = page.items.iter().map(content).collect();
        let text = format!("{items} {} {}", page.next.is_some(), page.previous.is_some());
        Self::new(&page, text)
    }

    /// Creates an outcome from an opened conversation. Its content is the member's membership.
    pub fn thread(thread: Thread) -> Self {
        Self::new(&thread, content(thread.membership()))
    }

    /// Creates an outcome from the result of looking up a user.
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
