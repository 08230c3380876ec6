//! A user's device. It calls a server, retries without an answer, and records the answers.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use threadline::entity::{Entity, HandleClaim, IdentityClaim};
use threadline::{
    Clock, Error, ErrorKind, GroupId, Handle, IdSource, IdentitySubject, NewUser, Outcome, Recovery, Result,
    SequentialIds, Thread, Threadline, User, UserId,
};

use super::executor::pause;
use super::model::Ended;
use super::network::short;
use super::parameters::Action;
use super::violation::Breach;
use super::world::World;
use crate::random::Random;

/// A user's device.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) world: Rc<World>,
    pub(super) person: usize,
    device: usize,
    random: RefCell<Random>,
    ids: SequentialIds,
    /// Threads that were opened earlier and kept.
    threads: RefCell<Vec<Thread>>,
    names: Cell<u32>,
    /// `true` if an attempt of the last call may still take effect. A late write may arrive after a successful retry.
    more_may_come: Cell<bool>,
}

/// The outcome of a call, including its retries.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Done(T),
    /// The call was refused. With `maybe`, an earlier attempt may have been done.
    Refused {
        error: Error,
        maybe: bool,
    },
    /// The device gave up. With `maybe`, an attempt may have been done.
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

    /// Registers the person, then acts.
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

    /// Returns the person's user, once created.
    pub(super) fn me(&self) -> Option<User> {
        self.world.people.borrow().get(self.person).and_then(|versions| versions.last().cloned())
    }

    pub(super) fn report(&self, invariant: &'static str, what: impl Into<String>) {
        self.world.report(Breach::new(invariant, what));
    }

    /// Reports an answer that the call does not allow.
    pub(super) fn unexpected(&self, call: &'static str, error: &Error) {
        self.report(Breach::ANSWER, format!("{call} by user {}: {:?}: {error}", self.person, error.kind()));
    }

    /// Creates a message id by a server's clock, which may be wrong. At times, the id is as early as servers accept.
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

    /// Creates a UUIDv7 by the device's own clock.
    pub(super) fn new_id(&self) -> uuid::Uuid {
        self.ids.next(self.world.clock.now())
    }

    /// Draws a handle: one that several people want, or one of the device's own.
    pub(super) fn handle(&self) -> Result<Handle> {
        let number = self.names.get();
        self.names.set(number.wrapping_add(1));
        match self.draw(4) {
            0 => Handle::new(format!("wanted{}", self.draw(3))),
            1 => Handle::new(format!("Wanted{}", self.draw(3))),
            _ => Handle::new(format!("u{}.{}.{number}{}", self.person, self.device, self.long_or_not("é", 18))),
        }
    }

    /// Returns a tail that makes a name about as long as allowed, or mostly nothing.
    pub(super) fn long_or_not(&self, character: &str, times: usize) -> String {
        if self.draw(3) == 0 { character.repeat(times) } else { String::new() }
    }

    /// Calls a server, and retries while the outcome is unknown, up to the device's number of attempts.
    pub(super) async fn call<T>(&self, work: impl AsyncFn(Threadline) -> Result<T>) -> Answer<T> {
        let mut maybe = false;
        self.more_may_come.set(false);
        for _ in 0..self.world.parameters.attempts {
            let servers = &self.world.servers;
            let Some(server) = servers.get(self.draw(servers.len())) else { break };
            match server.run(self.may_drop(work(server.chat()))).await.flatten() {
                Some(Ok(value)) => return Answer::Done(value),
                Some(Err(error)) if error.outcome() == Outcome::Unknown => maybe = true,
                Some(Err(error)) if error.recovery() == Recovery::Retry => {}
                Some(Err(error)) => return Answer::Refused { error, maybe },
                None => {
                    self.trace(|| format!("gets no answer of server {}", server.number));
                    maybe = true;
                }
            }
            // A write of a crashed server may still arrive too.
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

    /// Returns the outcome for the model.
    pub(super) fn ended<T>(&self, answer: &Answer<T>) -> Ended {
        match answer {
            Answer::Done(_) if self.more_may_come.get() => Ended::DoneAndMore,
            Answer::Done(_) => Ended::Done,
            Answer::Refused { maybe: false, .. } | Answer::GivenUp { maybe: false } => Ended::NotDone,
            Answer::Refused { .. } | Answer::GivenUp { .. } => Ended::Unknown,
        }
    }

    /// Returns the outcome of a call in a conversation. A stranger may have been a member at an earlier attempt.
    pub(super) fn ended_in_thread<T>(&self, answer: &Answer<Option<T>>) -> Ended {
        if matches!(answer, Answer::Done(None)) { Ended::Unknown } else { self.ended(answer) }
    }

    /// Opens a conversation, and checks the answer against the membership during the call.
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

    /// Does the work in a conversation that is opened now or, if one was kept, earlier. Returns `None` for a stranger.
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

    /// Creates the person's user. The person's other devices may try at the same time: they share the identity.
    async fn register(&self) {
        let id = UserId::from_uuid(self.new_id());
        let Ok(subject) = IdentitySubject::new(format!("person{}", self.person)) else { return };
        let Ok(mut handle) = self.handle() else { return };
        // `true` if an earlier call may have been done.
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
                        // Another device was first.
                        Some(IdentityClaim::TYPE) => self.find_myself(&subject).await,
                        // An earlier attempt was done, and another device has found and renamed the user.
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
            Answer::Done(None) => self.report(Breach::CLAIM, "an identity is taken, but it has no user"),
            Answer::Refused { error, .. } => self.unexpected("user_by_identity", &error),
            Answer::GivenUp { .. } => {}
        }
    }

    /// Records a version of this person's user.
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

    /// Returns another person's user, in the current version or an older one.
    pub(super) fn somebody(&self, but: Option<UserId>) -> Option<User> {
        let people = self.world.people.borrow();
        let others: Vec<_> =
            people.iter().filter(|versions| versions.last().is_some_and(|user| Some(user.id()) != but)).collect();
        let versions = self.pick(&others)?;
        if self.draw(4) == 0 { self.pick(versions) } else { versions.last().cloned() }
    }

    /// Draws a conversation, more often one with this person.
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
