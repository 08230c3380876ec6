//! Entries converge: redelivered, cut and shuffled batches and faults lead to the same entries as a run without them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use threadline::entity::{AttributeValue, Entity, Item, Key};
use threadline::store::{StoreExt, Update, Write};
use threadline::stream::{Auditor, Finding, Projector};
use threadline::{
    DisplayName, ErrorKind, GroupId, Handle, Membership, MemoryStore, Message, NewGroup, Thread, User, UserChange,
};
use threadline_testkit::fault::{FaultStore, Plan, Rates};
use threadline_testkit::{Batch, ShuffledStream};

use crate::support::{App, block_on, cases, scan};

const USERS: usize = 5;

/// One step of a history. Its numbers select among the existing objects, so any step is valid anywhere and a failing
/// history shrinks well.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody sends a message to a conversation.
    Send(usize, usize),
    /// The text of a message changes, or the message is deleted.
    Edit(usize),
    Delete(usize),
    /// A message is removed from the table, by an operator or by expiry.
    Remove(usize),
    Expire(usize),
    /// A removed message is sent again with its id, as by a client that never received an answer.
    SendAgain(usize),
    Rename(usize, usize),
    /// A member opens a conversation, to add a member later.
    Open(usize, usize),
    /// Somebody joins a group through a conversation opened now (even) or earlier, with current (even) or older names.
    Join(usize, usize, usize),
    Leave(usize, usize),
    MarkRead(usize, usize),
    /// Two people start a conversation, each with current (even) or older names.
    Direct(usize, usize, usize),
    /// The service delivers a batch of this many records of a shard.
    Deliver(usize, usize),
    /// The service moves back this many records in a shard, and delivers them again.
    Rewind(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0_usize..1000;
    let (two, three) = (|| (number(), number()), || (number(), number(), number()));
    let step = prop_oneof![
        6 => two().prop_map(|(a, b)| Step::Send(a, b)),
        3 => number().prop_map(Step::Edit),
        1 => number().prop_map(Step::Delete),
        3 => number().prop_map(Step::Remove),
        1 => number().prop_map(Step::Expire),
        1 => number().prop_map(Step::SendAgain),
        3 => two().prop_map(|(a, b)| Step::Rename(a, b)),
        2 => two().prop_map(|(a, b)| Step::Open(a, b)),
        4 => three().prop_map(|(a, b, c)| Step::Join(a, b, c)),
        2 => two().prop_map(|(a, b)| Step::Leave(a, b)),
        1 => two().prop_map(|(a, b)| Step::MarkRead(a, b)),
        1 => three().prop_map(|(a, b, c)| Step::Direct(a, b, c)),
        8 => two().prop_map(|(a, b)| Step::Deliver(a, b)),
        3 => two().prop_map(|(a, b)| Step::Rewind(a, b)),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The application, and the state that its driver needs.
struct World {
    app: App,
    /// Each user, in all versions.
    users: Vec<Vec<User>>,
    conversations: Vec<(GroupId, BTreeSet<usize>)>,
    messages: Vec<(usize, usize, Message)>,
    opened: BTreeMap<usize, Thread>,
    /// The memberships of users who joined an existing group.
    joined: BTreeSet<Key>,
}

fn pick<T>(of: &[T], number: usize) -> &T {
    &of[number % of.len()]
}

impl World {
    async fn new() -> Self {
        let app = App::new();
        let mut users = Vec::new();
        for number in 0..USERS {
            users.push(vec![app.user(&format!("u{number}")).await]);
        }
        let mut conversations = Vec::new();
        for title in ["Babylon 4", "Babylon 5"] {
            let group = NewGroup::new(title, &users[0][0]).unwrap().member(&users[1][0]);
            let thread = app.chat.create_group(group, "Welcome").await.unwrap();
            conversations.push((thread.group_id(), BTreeSet::from([0, 1])));
        }
        let (messages, opened, joined) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { app, users, conversations, messages, opened, joined }
    }

    fn user(&self, number: usize) -> &User {
        pick(&self.users, number).last().unwrap()
    }

    /// Returns the user in the current version or an older one.
    fn user_as_of(&self, number: usize, version: usize) -> &User {
        if version.is_multiple_of(2) { self.user(number) } else { pick(&self.users[number % USERS], version / 2) }
    }

    /// Opens a conversation as one of its members. Returns the indexes of both and the thread.
    async fn open(&self, conversation: usize, member: usize) -> (usize, usize, Thread) {
        let place = conversation % self.conversations.len();
        let (group, members) = &self.conversations[place];
        let member = *members.iter().nth(member % members.len()).unwrap();
        (place, member, self.app.chat.open(self.user(member).id(), *group).await.unwrap())
    }

    /// Returns a message and its thread, opened by its author; `None` without a message, or if the author has left.
    async fn authored(&self, number: usize) -> Option<(Message, Thread)> {
        let (place, author, message) = self.messages.get(number % self.messages.len().max(1))?;
        let thread = self.app.chat.open(self.user(*author).id(), self.conversations[*place].0).await.ok()?;
        Some((message.clone(), thread))
    }

    async fn is_stored(&self, message: &Message) -> bool {
        self.app.store.get(threadline::store::Get::new(message.key())).await.unwrap().item.is_some()
    }

    /// Returns a new text, short or long, with characters of one to four bytes.
    fn text(&self) -> String {
        let seconds = threadline::Clock::now(&*self.app.clock).unix_seconds();
        let number = usize::try_from(seconds).unwrap();
        format!("at {seconds} {}", pick(&["a", "é", "語", "🙂"], number).repeat(number / 4 % 8 * 20))
    }

    async fn take(&mut self, step: Step) {
        self.app.clock.advance(Duration::from_secs(1));
        let text = self.text();
        match step {
            Step::Send(conversation, sender) => {
                let (place, sender, thread) = self.open(conversation, sender).await;
                let message = thread.send(thread.new_message_id(), text.as_str()).await.unwrap();
                self.messages.push((place, sender, message));
            }
            Step::Edit(number) => {
                if let Some((message, thread)) = self.authored(number).await {
                    // The message may be deleted or removed.
                    let _ = thread.edit(&message, text.as_str()).await;
                }
            }
            Step::Delete(number) => {
                if let Some((message, thread)) = self.authored(number).await {
                    let _ = thread.delete(&message).await;
                }
            }
            Step::Remove(number) => {
                if let Some((message, _)) = self.authored(number).await {
                    self.app.store.write(Write::delete(message.key())).await.unwrap().done().unwrap();
                }
            }
            Step::Expire(number) => self.expire(number).await,
            Step::SendAgain(number) => {
                if let Some((message, thread)) = self.authored(number).await {
                    // Refused if the message is stored with another text.
                    let _ = thread.send(message.id(), message.body().unwrap().as_str()).await;
                }
            }
            Step::Rename(number, name) => self.rename(number, name).await,
            Step::Open(conversation, member) => {
                let (place, _, thread) = self.open(conversation, member).await;
                self.opened.insert(place, thread);
            }
            Step::Join(conversation, member, how) => self.join(conversation, member, how).await,
            Step::Leave(conversation, member) => {
                let (place, member, thread) = self.open(conversation % 2, member).await;
                if self.conversations[place].1.len() > 1 {
                    thread.remove_member(self.user(member).id()).await.unwrap();
                    self.conversations[place].1.remove(&member);
                }
            }
            Step::MarkRead(number, member) => {
                if let Some((place, _, message)) = self.messages.get(number % self.messages.len().max(1)) {
                    let (_, _, mut thread) = self.open(*place, member).await;
                    thread.mark_read(message.position()).await.unwrap();
                }
            }
            Step::Direct(one, other, how) => self.start_direct(one, other, how).await,
            Step::Deliver(..) | Step::Rewind(..) => {}
        }
    }

    /// Lets a message expire. The service deletes it afterward.
    async fn expire(&self, number: usize) {
        if let Some((message, _)) = self.authored(number).await
            && self.is_stored(&message).await
        {
            let soon = threadline::Clock::now(&*self.app.clock).unix_seconds() + 1;
            let update = Update::new().set("expires_at", AttributeValue::N(soon.to_string()));
            let write = Write::update(message.key(), update);
            self.app.store.write(write).await.unwrap().done().unwrap();
            self.app.clock.advance(Duration::from_secs(2));
            self.app.store.sweep_expired();
        }
    }

    /// Renames a user.
    async fn rename(&mut self, number: usize, name: usize) {
        let user = self.user(number).clone();
        // Up to the longest names: the length of a preview depends on the names in the entry.
        let handle = format!("u{}_{}{}", number % USERS, name % 3, "é".repeat([0, 9, 22][name % 3]));
        let display_name = DisplayName::new("語".repeat([1, 13, 26][name / 3 % 3])).unwrap();
        let change =
            UserChange::new().handle(Handle::new(handle).unwrap()).unwrap().display_name(display_name).unwrap();
        let renamed = self.app.chat.update_user(&user, change).await.unwrap();
        self.users[number % USERS].push(renamed);
    }

    /// Adds a user to a group, unless the user is a member.
    async fn join(&mut self, conversation: usize, member: usize, how: usize) {
        let (place, _, thread) = self.open(conversation % 2, how).await;
        let earlier = self.opened.get(&place).filter(|_| how % 2 == 1);
        let user = self.user_as_of(member, how / 2);
        if self.conversations[place].1.contains(&(member % USERS)) {
            return;
        }
        let added = earlier.unwrap_or(&thread).add_member(user).await;
        if added.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            // The member who opened it has left, and may add nobody.
            return;
        }
        added.unwrap();
        self.joined.insert(Membership::key_from((thread.group_id(), user.id())));
        self.conversations[place].1.insert(member % USERS);
    }

    /// Sends a message to a direct conversation, which may exist already.
    async fn start_direct(&mut self, one: usize, other: usize, how: usize) {
        let text = self.text();
        let (from, to) = (self.user_as_of(one, how), self.user_as_of(other, how / 2));
        if from.id() == to.id() {
            return;
        }
        let id = self.app.chat.new_message_id();
        let draft = threadline::Draft::from(threadline::MessageBody::new(text.as_str()).unwrap()).id(id);
        let thread = self.app.chat.start_direct(from, to, draft).await.unwrap();
        let members = BTreeSet::from([one % USERS, other % USERS]);
        if !self.conversations.iter().any(|(group, _)| *group == thread.group_id()) {
            self.conversations.push((thread.group_id(), members));
        }
        let place = self.conversations.iter().position(|(group, _)| *group == thread.group_id()).unwrap();
        let newest = thread.messages().fetch().await.unwrap().items;
        let message = newest.into_iter().find(|message| message.id() == id).unwrap();
        self.messages.push((place, one % USERS, message));
    }

    /// Returns the entries without attributes that may differ.
    async fn entries(&self) -> Vec<Item> {
        let mut entries = scan(&self.app.store).await;
        entries.retain(|item| item.type_name() == Some(Membership::TYPE));
        for entry in &mut entries {
            // The version of the names is stored only if the projector wrote them. A membership that was put with these
            // names has none.
            entry.remove("user_version");
            entry.remove("other_version");
            // A new member has read what the entry of the adding member showed.
            if self.joined.contains(&entry.key().unwrap()) {
                entry.remove("last_read");
            }
        }
        entries
    }

    async fn findings(&self) -> Vec<Finding> {
        let page = Auditor::new(self.app.store.clone()).check(None).await.unwrap();
        if page.next.is_none() { page.findings } else { all_findings(&self.app.store).await }
    }
}

async fn all_findings(store: &MemoryStore) -> Vec<Finding> {
    let auditor = Auditor::new(store.clone());
    let (mut findings, mut cursor) = (Vec::new(), None);
    loop {
        let page = auditor.check(cursor.clone()).await.unwrap();
        findings.extend(page.findings);
        cursor = page.next;
        if cursor.is_none() {
            return findings;
        }
    }
}

/// Projects the batch, and acknowledges it.
async fn deliver(delivery: &mut ShuffledStream, batch: &Batch, projector: &Projector) {
    let projection = projector.project(&batch.records).await;
    assert_eq!(projection.outcomes.len(), batch.records.len());
    delivery.acknowledge(batch, projection.lowest_failed.as_ref());
}

/// Runs the history without faults: each change is projected once, at once.
async fn without_faults(steps: &[Step]) -> World {
    let mut world = World::new().await;
    let projector = Projector::new(world.app.store.clone());
    let mut seen = 0;
    for step in steps {
        world.take(*step).await;
        let records = world.app.records().split_off(seen);
        seen += records.len();
        assert!(!projector.project(&records).await.has_failed());
    }
    world
}

/// Runs the history with its deliveries, and with faults by the plan.
async fn with_faults(steps: &[Step], seed: u64, plan: Plan) -> World {
    let mut world = World::new().await;
    let store = FaultStore::new(world.app.store.clone(), plan);
    let projector = Projector::new(store.clone());
    let mut delivery = ShuffledStream::seeded(world.app.store.clone(), seed);
    for step in steps {
        world.take(*step).await;
        match *step {
            Step::Deliver(shard, size) => {
                let batch = delivery.batch_of(shard, size % 12).unwrap();
                deliver(&mut delivery, &batch, &projector).await;
                store.restart();
            }
            Step::Rewind(shard, back) => delivery.rewind(shard, back % 15),
            _ => {}
        }
    }
    for _ in 0..10_000 {
        let Some(batch) = delivery.next_batch().unwrap() else { return world };
        deliver(&mut delivery, &batch, &projector).await;
        store.restart();
    }
    panic!("the projector makes no progress")
}

fn converges(steps: &[Step], seed: u64, plan: Plan) {
    block_on(async {
        let expected = without_faults(steps).await;
        let shown = format!("{plan:?}, stream {seed}");
        let world = with_faults(steps, seed, plan).await;
        let (entries, expected_entries) = (world.entries().await, expected.entries().await);
        assert_eq!(entries.len(), expected_entries.len());
        for (entry, expected) in entries.iter().zip(&expected_entries) {
            assert_eq!(
                entry.iter().collect::<BTreeMap<_, _>>(),
                expected.iter().collect::<BTreeMap<_, _>>(),
                "{shown}"
            );
        }
        assert_eq!(expected.findings().await, [], "without faults");
        assert_eq!(world.findings().await, [], "{shown}");
    });
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_delivery_converges_to_the_entries_of_a_run_without_faults(steps in steps(), seed in any::<u64>()) {
        converges(&steps, seed, Plan::new());
    }

    #[test]
    fn entries_converge_despite_random_faults(steps in steps(), seed in any::<u64>()) {
        converges(&steps, seed, Plan::random(seed, Rates::all(25).crash(15)));
    }
}
