//! A device of a user's: it asks a server, asks again where it got no answer, and notes what it was told.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use threadline::entity::{Entity, HandleClaim, IdentityClaim};
use threadline::{
    Clock, Error, ErrorKind, GroupId, Handle, IdSource, IdentitySubject, NewUser, Outcome, Result, SequentialIds,
    Thread, Threadline, User, UserId,
};

use super::executor::pause;
use super::model::Ended;
use super::network::short;
use super::parameters::Action;
use super::violation::Breach;
use super::world::World;
use crate::random::Random;

/// A device.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) world: Rc<World>,
    pub(super) person: usize,
    device: usize,
    random: RefCell<Random>,
    ids: SequentialIds,
    /// Threads that were opened and kept.
    threads: RefCell<Vec<Thread>>,
    names: Cell<u32>,
    /// Whether an attempt of the last call may still be done: what is late may come when it was done already.
    more_may_come: Cell<bool>,
}

/// What became of a call, the repeats counted in.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Done(T),
    /// It was refused, and `maybe` an attempt before was done.
    Refused {
        error: Error,
        maybe: bool,
    },
    /// The device gave up.
    GivenUp {
        maybe: bool,
    },
}

impl Client {
    pub(super) fn new(world: Rc<World>, person: usize, device: usize, random: Random) -> Self {
        let ids = world.ids();
        let (random, threads, names) = (RefCell::new(random), RefCell::default(), Cell::new(0));
        Self { world, person, device, random, ids, threads, names, more_may_come: Cell::new(false) }
    }

    /// Registers the person, and does what people do.
    pub(super) async fn live(self) {
        self.register().await;
        for _ in 0..self.world.parameters.actions {
            let weights = &self.world.parameters.weights;
            let chosen = self.random.borrow_mut().weighted(weights.iter().map(|(_, weight)| *weight));
            if let Some((action, _)) = chosen.and_then(|place| weights.get(place)) {
                self.act(*action).await;
            }
            let rest = self.draw(6);
            pause(u32::try_from(rest).unwrap_or(0)).await;
        }
        self.world.devices.set(self.world.devices.get().saturating_sub(1));
    }

    async fn act(&self, action: Action) {
        match action {
            Action::Send => self.send().await,
            Action::Edit => self.edit().await,
            Action::Delete => self.delete().await,
            Action::EditOthers => self.edit_others().await,
            Action::Read => self.read().await,
            Action::Inbox => self.inbox().await,
            Action::MarkRead => self.mark_read().await,
            Action::StartDirect => self.start_direct().await,
            Action::Create => self.create_group().await,
            Action::Add => self.add_member().await,
            Action::Remove => self.remove_member().await,
            Action::Rename => self.rename().await,
            Action::Import => self.import_direct().await,
            Action::Probe => self.probe().await,
            Action::Purge => self.purge().await,
            Action::PutExtraItem => self.put_extra_item().await,
        }
    }

    pub(super) fn draw(&self, below: usize) -> usize {
        self.random.borrow_mut().below(below)
    }

    pub(super) fn pick<T: Clone>(&self, of: &[T]) -> Option<T> {
        self.random.borrow_mut().pick(of).cloned()
    }

    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        self.world.trace(|| format!("user {}.{} {}", self.person, self.device, line()));
    }

    /// Who the person is, once there is a user.
    pub(super) fn me(&self) -> Option<User> {
        self.world.people.borrow().get(self.person).and_then(|versions| versions.last().cloned())
    }

    pub(super) fn report(&self, invariant: &'static str, what: impl Into<String>) {
        self.world.report(Breach::new(invariant, what));
    }

    /// An answer that the call may not give.
    pub(super) fn unexpected(&self, call: &'static str, error: &Error) {
        self.report(Breach::ANSWER, format!("{call} by user {}: {:?}: {error}", self.person, error.kind()));
    }

    /// A new message id of a server's, whose clock may be off; now and then as far ahead as servers accept.
    pub(super) fn new_message_id(&self) -> uuid::Uuid {
        let skew = self.world.parameters.skew;
        let now = match self.world.servers.get(self.draw(self.world.servers.len())) {
            Some(_) if !skew.is_zero() && self.draw(8) == 0 => {
                let ahead = Duration::from_millis(u64::try_from(self.draw(5000)).unwrap_or(0));
                self.world.clock.now().saturating_add(skew).saturating_add(ahead)
            }
            Some(server) => server.now(),
            None => self.world.clock.now(),
        };
        self.ids.next(now)
    }

    /// A new UUIDv7 of the device's own.
    pub(super) fn new_id(&self) -> uuid::Uuid {
        self.ids.next(self.world.clock.now())
    }

    /// A handle, of those that several people want or of the device's own.
    pub(super) fn handle(&self) -> Result<Handle> {
        let number = self.names.get();
        self.names.set(number.wrapping_add(1));
        match self.draw(4) {
            0 => Handle::new(format!("wanted{}", self.draw(3))),
            1 => Handle::new(format!("Wanted{}", self.draw(3))),
            _ => Handle::new(format!("u{}.{}.{number}{}", self.person, self.device, self.long_or_not("é", 18))),
        }
    }

    /// Mostly nothing, and now and then a tail that makes a name about as long as it may be.
    pub(super) fn long_or_not(&self, character: &str, times: usize) -> String {
        if self.draw(3) == 0 { character.repeat(times) } else { String::new() }
    }

    /// Asks a server, and again after every answer that leaves it open, as often as a device tries.
    pub(super) async fn call<T>(&self, work: impl AsyncFn(Threadline) -> Result<T>) -> Answer<T> {
        let mut maybe = false;
        self.more_may_come.set(false);
        for _ in 0..self.world.parameters.attempts {
            let servers = &self.world.servers;
            let Some(server) = servers.get(self.draw(servers.len())) else { break };
            match server.run(self.may_drop(work(server.chat()))).await.flatten() {
                Some(Ok(value)) => return Answer::Done(value),
                Some(Err(error)) if error.outcome() == Outcome::Unknown => maybe = true,
                Some(Err(error)) if error.is_retryable() => {}
                Some(Err(error)) => return Answer::Refused { error, maybe },
                None => {
                    self.trace(|| format!("gets no answer of server {}", server.number));
                    maybe = true;
                }
            }
            // Of a server that died, too, a write may still be under way.
            self.more_may_come.set(maybe && self.world.parameters.late > 0);
            let rest = self.draw(4);
            pause(1 + u32::try_from(rest).unwrap_or(0)).await;
        }
        Answer::GivenUp { maybe }
    }

    /// Does the work, or drops it midway and returns `None`.
    async fn may_drop<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let dropped = self.world.parameters.dropped;
        let is_dropped = dropped > 0 && !self.world.are_faults_over() && self.random.borrow_mut().chance(dropped);
        let mut polls = if is_dropped { 1 + self.draw(20) } else { usize::MAX };
        let mut work = pin!(work);
        poll_fn(|context| {
            if polls == 0 {
                self.world.dropped.set(self.world.dropped.get() + 1);
                return Poll::Ready(None);
            }
            polls -= 1;
            work.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// What the model is to note of an answer.
    pub(super) fn ended<T>(&self, answer: &Answer<T>) -> Ended {
        match answer {
            Answer::Done(_) if self.more_may_come.get() => Ended::DoneAndMore,
            Answer::Done(_) => Ended::Done,
            Answer::Refused { maybe: false, .. } | Answer::GivenUp { maybe: false } => Ended::NotDone,
            Answer::Refused { .. } | Answer::GivenUp { .. } => Ended::Unknown,
        }
    }

    /// The same of an answer in a conversation. Who is no member may still have been one at an attempt before.
    pub(super) fn ended_in_thread<T>(&self, answer: &Answer<Option<T>>) -> Ended {
        if matches!(answer, Answer::Done(None)) { Ended::Unknown } else { self.ended(answer) }
    }

    /// Opens a conversation, and checks the answer against who was a member meanwhile.
    pub(super) async fn open(&self, chat: &Threadline, user: UserId, group: GroupId) -> Result<Option<Thread>> {
        let from = self.world.now();
        let opened = chat.open(user, group).await;
        let mut model = self.world.model.borrow_mut();
        let to = model.now();
        match opened {
            Ok(thread) => {
                if !model.truth.was_member(group, user, from, to) {
                    model.report(Breach::new(Breach::MEMBERS, "a stranger opened a conversation"));
                }
                if self.draw(3) == 0 && self.me().is_some_and(|me| me.id() == user) {
                    let mut threads = self.threads.borrow_mut();
                    threads.retain(|kept| kept.group_id() != group);
                    threads.push(thread.clone());
                }
                Ok(Some(thread))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if !model.truth.was_stranger(group, user, from, to) {
                    model.report(Breach::new(Breach::MEMBERS, "a member did not find the conversation"));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Does something in a conversation, opened now or, where one was kept, earlier; `None` for who is no member.
    pub(super) async fn in_thread<T>(
        &self,
        me: UserId,
        group: GroupId,
        work: impl AsyncFn(Thread) -> Result<T>,
    ) -> Answer<Option<T>> {
        let keeps = self.random.borrow_mut().chance(self.world.parameters.stale);
        let kept = self.threads.borrow().iter().find(|kept| keeps && kept.group_id() == group).cloned();
        self.call(async |chat: Threadline| {
            let thread = match &kept {
                Some(kept) => Some(kept.clone()),
                None => self.open(&chat, me, group).await?,
            };
            match thread {
                Some(thread) => work(thread).await.map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// Makes the person a user, which the person's other devices may try at the same time: the identity is one person's.
    async fn register(&self) {
        let id = UserId::from_uuid(self.new_id());
        let Ok(subject) = IdentitySubject::new(format!("person{}", self.person)) else { return };
        let Ok(mut handle) = self.handle() else { return };
        // Whether any call before may have been done.
        let mut tried = false;
        while self.me().is_none() {
            let name = format!("Person {}", self.person);
            let (new_handle, new_subject) = (handle.clone(), subject.clone());
            let created = self
                .call(async |chat: Threadline| {
                    let new = NewUser::new(new_handle.clone(), name.as_str())?;
                    chat.create_user(new.id(id).identity(new_subject.clone())?).await
                })
                .await;
            match created {
                Answer::Done(user) => {
                    self.trace(|| format!("is user {}", short(id.as_uuid())));
                    self.world.model.borrow_mut().acknowledged(&user);
                    self.learn(user);
                }
                Answer::Refused { error, maybe } if error.kind() == ErrorKind::AlreadyExists => {
                    tried = tried || maybe;
                    match error.entity() {
                        Some(HandleClaim::TYPE) => match self.handle() {
                            Ok(other) => handle = other,
                            Err(_) => return,
                        },
                        // Another device was faster.
                        Some(IdentityClaim::TYPE) => self.find_myself(&subject).await,
                        // An attempt before was done, and another device found the user and renamed it.
                        Some(User::TYPE) if tried => self.find_myself(&subject).await,
                        _ => self.unexpected("create_user", &error),
                    }
                }
                Answer::Refused { error, .. } => self.unexpected("create_user", &error),
                Answer::GivenUp { maybe } => tried = tried || maybe,
            }
            if self.world.model.borrow().breach.is_some() {
                return;
            }
        }
    }

    async fn find_myself(&self, subject: &IdentitySubject) {
        let found = self
            .call(async |chat: Threadline| match chat.user_by_identity(subject).await? {
                Some(profile) => chat.user(profile.id()).await,
                None => Ok(None),
            })
            .await;
        match found {
            Answer::Done(Some(user)) => self.learn(user),
            Answer::Done(None) => self.report(Breach::CLAIM, "an identity is taken by nobody"),
            Answer::Refused { error, .. } => self.unexpected("user_by_identity", &error),
            Answer::GivenUp { .. } => {}
        }
    }

    /// Notes a version of this person's user.
    pub(super) fn learn(&self, user: User) {
        let mut people = self.world.people.borrow_mut();
        if let Some(versions) = people.get_mut(self.person) {
            if versions.first().is_some_and(|first| first.id() != user.id()) {
                drop(people);
                return self.report(Breach::CLAIM, "one identity has two users");
            }
            versions.push(user);
            versions.sort_by_key(User::version);
        }
    }

    /// Another person's user, as it is now or was known at some time before.
    pub(super) fn somebody(&self, but: Option<UserId>) -> Option<User> {
        let people = self.world.people.borrow();
        let others: Vec<_> =
            people.iter().filter(|versions| versions.last().is_some_and(|user| Some(user.id()) != but)).collect();
        let versions = self.pick(&others)?;
        if self.draw(4) == 0 { self.pick(versions) } else { versions.last().cloned() }
    }

    /// Any conversation that somebody began, more often one that the person is in.
    pub(super) fn some_group(&self, me: UserId, titled: bool) -> Option<GroupId> {
        let model = self.world.model.borrow();
        let wanted = |group: &GroupId, own: bool| {
            let Some(group) = model.truth.groups.get(group) else { return !titled && !own };
            let is_titled = group.item.as_ref().is_some_and(|item| item.title().is_some());
            (is_titled || !titled) && (!own || group.entries.contains_key(&me))
        };
        let own = self.draw(8) != 0;
        let groups: Vec<_> = model.groups().iter().copied().filter(|group| wanted(group, own)).collect();
        drop(model);
        self.pick(&groups)
    }
}
