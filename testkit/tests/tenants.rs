//! A wrapper that keeps several tenants in one table, by a prefix of the partition keys. It shows that one method is
//! enough to rewrite requests and answers: unprocessed parts, positions, and the items of a canceled transaction. It
//! also rewrites stream records.

use std::num::NonZeroU32;

use async_trait::async_trait;
use threadline::entity::{AttributeValue, GSI1PK, IndexKey, Item, Key, PK, PartitionKey};
use threadline::store::{
    Answer, AttributeChange, BatchAction, BatchGet, BatchWrite, CancelReason, Capacity, Checked, Condition, Get,
    Position, Query, QuerySource, Request, Scan, Store, StoreExt, TransactAction, TransactOutcome, Transaction, Update,
    Write, WriteAction, WriteOutcome,
};
use threadline::stream::{Projector, StreamRecord};
use threadline::{Error, ErrorKind, MemoryStore, NewUser, Result, Threadline, UserId};

/// A store whose partition keys all begin with a tenant's prefix, in the table and in the index.
#[derive(Clone, Debug)]
struct Tenant<S> {
    store: S,
    prefix: &'static str,
}

impl<S> Tenant<S> {
    fn inward(&self, text: &str) -> String {
        format!("{}{text}", self.prefix)
    }

    fn outward(&self, text: &str) -> Option<String> {
        text.strip_prefix(self.prefix).map(str::to_owned)
    }

    fn partition_in(&self, partition: &PartitionKey) -> Result<PartitionKey> {
        PartitionKey::parse(self.inward(partition.as_str()))
    }

    fn partition_out(&self, partition: &PartitionKey) -> Result<PartitionKey> {
        PartitionKey::parse(self.outward(partition.as_str()).ok_or_else(of_another)?)
    }

    fn key_in(&self, key: &Key) -> Result<Key> {
        Ok(Key::new(self.partition_in(&key.pk)?, key.sk.clone()))
    }

    fn key_out(&self, key: &Key) -> Result<Key> {
        Ok(Key::new(self.partition_out(&key.pk)?, key.sk.clone()))
    }

    fn position_in(&self, position: Option<&Position>) -> Result<Option<Position>> {
        moved(position, |key| self.partition_in(key))
    }

    fn position_out(&self, position: Option<&Position>) -> Result<Option<Position>> {
        moved(position, |key| self.partition_out(key))
    }

    fn value_in(&self, name: &str, value: AttributeValue) -> AttributeValue {
        match value {
            AttributeValue::S(text) if name == PK || name == GSI1PK => AttributeValue::S(self.inward(&text)),
            other => other,
        }
    }

    fn item_in(&self, mut item: Item) -> Result<Item> {
        for name in [PK, GSI1PK] {
            if let Some(value) = item.remove(name) {
                item.insert(name, self.value_in(name, value));
            }
        }
        Ok(item)
    }

    fn item_out(&self, mut item: Item) -> Result<Item> {
        for name in [PK, GSI1PK] {
            if let Some(text) = item.get_s(name) {
                let text = self.outward(text).ok_or_else(of_another)?;
                item.insert(name, text);
            }
        }
        Ok(item)
    }

    fn items_out(&self, items: Vec<Item>) -> Result<Vec<Item>> {
        items.into_iter().map(|item| self.item_out(item)).collect()
    }

    fn condition(&self, condition: Condition) -> Condition {
        let all = |conditions: Vec<Condition>| conditions.into_iter().map(|one| self.condition(one)).collect();
        match condition {
            Condition::Compare(name, comparison, value) => {
                let value = self.value_in(&name, value);
                Condition::Compare(name, comparison, value)
            }
            Condition::All(conditions) => Condition::All(all(conditions)),
            Condition::Any(conditions) => Condition::Any(all(conditions)),
            Condition::Not(condition) => self.condition(*condition).not(),
            other => other,
        }
    }

    fn update(&self, update: &Update) -> Update {
        update.changes().iter().cloned().fold(Update::new(), |update, (name, change)| {
            let change = match change {
                AttributeChange::Set(value) => AttributeChange::Set(self.value_in(&name, value)),
                AttributeChange::SetIfAbsent(value) => AttributeChange::SetIfAbsent(self.value_in(&name, value)),
                other => other,
            };
            update.change(name, change)
        })
    }

    fn write(&self, write: &Write) -> Result<Write> {
        let key = self.key_in(write.key()?)?;
        let mut inward = match write.action() {
            WriteAction::Put(item) => Write::put(self.item_in(item.clone())?),
            WriteAction::Update(update) => Write::update(key, self.update(update)),
            WriteAction::Delete => Write::delete(key),
        };
        if let Some(condition) = write.condition() {
            inward = inward.when(self.condition(condition.clone()));
        }
        Ok(if write.returns_old() { inward.returning_old() } else { inward })
    }

    fn action(&self, action: &TransactAction) -> Result<TransactAction> {
        Ok(match action {
            TransactAction::Write(write) => self.write(write)?.into(),
            TransactAction::Check { key, condition } => {
                TransactAction::check(self.key_in(key)?, self.condition(condition.clone()))
            }
        })
    }

    fn query(&self, query: &Query) -> Result<Query> {
        let source = match query.source() {
            QuerySource::Table { partition, consistency } => {
                QuerySource::Table { partition: self.partition_in(partition)?, consistency: *consistency }
            }
            QuerySource::Index { partition } => QuerySource::Index { partition: self.partition_in(partition)? },
        };
        let start = self.position_in(query.get_start())?;
        let inward = Query::of(source).range(query.get_range().clone()).order(query.get_order()).start(start);
        Ok(match query.get_limit() {
            Some(limit) => inward.limit(limit),
            None => inward,
        })
    }

    fn request(&self, request: &Request) -> Result<Request> {
        Ok(match request {
            Request::Get(get) => Get::new(self.key_in(get.key())?).consistency(get.get_consistency()).into(),
            Request::Write(write) => self.write(write)?.into(),
            Request::Query(query) => self.query(query)?.into(),
            Request::Scan(scan) => {
                let start = self.position_in(scan.get_start())?;
                let inward = Scan::new().start(start);
                scan.get_limit().map_or(inward.clone(), |limit| inward.limit(limit)).into()
            }
            Request::Transact(transaction) => {
                let actions = transaction.actions().iter().map(|action| self.action(action));
                let inward = Transaction::new(actions.collect::<Result<Vec<_>>>()?);
                transaction.get_token().cloned().map_or(inward.clone(), |token| inward.token(token)).into()
            }
            Request::BatchGet(batch) => {
                let keys = batch.keys().iter().map(|key| self.key_in(key)).collect::<Result<Vec<_>>>()?;
                BatchGet::new(keys).consistency(batch.get_consistency()).into()
            }
            Request::BatchWrite(batch) => {
                let writes = batch.writes().iter().map(|write| self.batch_action(write, Self::item_in, Self::key_in));
                BatchWrite::new(writes.collect::<Result<Vec<_>>>()?).into()
            }
        })
    }

    fn batch_action(
        &self,
        action: &BatchAction,
        item: impl Fn(&Self, Item) -> Result<Item>,
        key: impl Fn(&Self, &Key) -> Result<Key>,
    ) -> Result<BatchAction> {
        Ok(match action {
            BatchAction::Put(put) => BatchAction::Put(item(self, put.clone())?),
            BatchAction::Delete(deleted) => BatchAction::Delete(key(self, deleted)?),
        })
    }

    fn answer(&self, answer: Answer) -> Result<Answer> {
        let item_out = |item: Option<Item>| item.map(|item| self.item_out(item)).transpose();
        Ok(match answer {
            Answer::Get(mut answer) => {
                answer.item = item_out(answer.item)?;
                Answer::Get(answer)
            }
            Answer::Write(WriteOutcome::Done { old, capacity }) => {
                Answer::Write(WriteOutcome::Done { old: item_out(old)?, capacity })
            }
            Answer::Write(WriteOutcome::Refused { current, capacity }) => {
                Answer::Write(WriteOutcome::Refused { current: item_out(current)?, capacity })
            }
            Answer::Query(mut page) => {
                page.items = self.items_out(page.items)?;
                page.next = self.position_out(page.next.as_ref())?;
                Answer::Query(page)
            }
            Answer::Scan(mut page) => {
                page.items = self.items_out(page.items)?;
                page.next = self.position_out(page.next.as_ref())?;
                Answer::Scan(page)
            }
            Answer::Transact(TransactOutcome::Canceled { reasons, capacity }) => {
                let reasons = reasons
                    .into_iter()
                    .map(|CancelReason { code, current }| Ok(CancelReason { code, current: item_out(current)? }));
                let reasons = reasons.collect::<Result<_>>()?;
                Answer::Transact(TransactOutcome::Canceled { reasons, capacity })
            }
            Answer::Transact(done) => Answer::Transact(done),
            Answer::BatchGet(mut answer) => {
                answer.items = self.items_out(answer.items)?;
                answer.unprocessed = answer.unprocessed.iter().map(|key| self.key_out(key)).collect::<Result<_>>()?;
                Answer::BatchGet(answer)
            }
            Answer::BatchWrite(mut answer) => {
                let left = answer.unprocessed.iter();
                let left = left.map(|write| self.batch_action(write, Self::item_out, Self::key_out));
                answer.unprocessed = left.collect::<Result<_>>()?;
                Answer::BatchWrite(answer)
            }
        })
    }

    /// Returns the record as the tenant sees it; `None` for another tenant's.
    fn record(&self, record: &StreamRecord) -> Option<StreamRecord> {
        let image = |image: &Option<Item>| image.clone().and_then(|item| self.item_out(item).ok());
        let mut outward = record.clone();
        outward.keys = self.item_out(record.keys.clone()).ok()?;
        (outward.old, outward.new) = (image(&record.old), image(&record.new));
        Some(outward)
    }
}

/// Returns the position with rewritten partition keys.
fn moved(
    position: Option<&Position>,
    partition: impl Fn(&PartitionKey) -> Result<PartitionKey>,
) -> Result<Option<Position>> {
    let Some(Position { key, index_key }) = position else { return Ok(None) };
    let key = Key::new(partition(&key.pk)?, key.sk.clone());
    let index_key = match index_key {
        Some(index_key) => Some(IndexKey::new(partition(&index_key.pk)?, index_key.sk.clone())),
        None => None,
    };
    Ok(Some(Position { key, index_key }))
}

fn of_another() -> Error {
    Error::new(ErrorKind::Misconfigured, "the table answered with an item of another tenant")
}

#[async_trait]
impl<S: Store> Store for Tenant<S> {
    fn table_name(&self) -> &str {
        self.store.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let mut request = self.request(request.request())?;
        let mut capacity = Capacity::default();
        loop {
            let mut answer = self.store.execute(Checked::new(request.clone())?).await?;
            if let (Request::Scan(scan), Answer::Scan(page)) = (&request, &mut answer) {
                capacity += page.capacity;
                page.capacity = capacity;
                page.items.retain(|item| item.get_s(PK).is_some_and(|pk| self.outward(pk).is_some()));
                // A page may end at another tenant's item. That is no position for this tenant.
                if let Some(next) = page.next.take_if(|next| self.outward(next.key.pk.as_str()).is_none()) {
                    let Some(last) = page.items.last() else {
                        request = scan.clone().start(Some(next)).into();
                        continue;
                    };
                    page.next = Some(Position { key: last.key()?, index_key: None });
                }
            }
            return self.answer(answer);
        }
    }
}

/// The behaviors that expect an exact number of bytes. The prefix adds to that number.
const OF_BYTES: [&str; 9] = [
    "a_get_consumes_half_a_unit_per_4_kb",
    "a_put_consumes_for_the_larger_item",
    "an_item_is_measured_in_bytes",
    "an_item_may_have_400_kb",
    "an_update_may_not_make_an_item_of_more_than_400_kb",
    "an_update_to_more_than_400_kb_fails_the_transaction",
    "index_keys_may_have_2048_and_1024_bytes",
    "keys_may_have_2048_and_1024_bytes",
    "the_longest_keys_can_be_paged",
];

#[tokio::test]
async fn a_tenant_sees_its_own_table() {
    let behaviors = threadline_testkit::conformance::all();
    assert!(OF_BYTES.iter().all(|name| behaviors.iter().any(|behavior| behavior.name() == *name)));
    for behavior in behaviors.into_iter().filter(|behavior| !OF_BYTES.contains(&behavior.name())) {
        let store = Tenant { store: MemoryStore::new(), prefix: "acme#" };
        behavior.check(&store, "tenant").await;
    }
}

async fn say(chat: &Threadline, text: &str) -> (UserId, UserId) {
    let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown").unwrap()).await.unwrap();
    let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
    let thread = chat.start_direct(&andrew, &bayko, "Hello").await.unwrap();
    thread.send(chat.new_message_id(), text).await.unwrap();
    (andrew.id(), bayko.id())
}

#[tokio::test]
async fn two_tenants_on_one_table_do_not_see_each_other() {
    let table = MemoryStore::new();
    let tenants = ["acme#", "umbrella#"].map(|prefix| Tenant { store: table.clone(), prefix });
    let mut users = Vec::new();
    for tenant in &tenants {
        users.push(say(&Threadline::new(tenant.clone()), tenant.prefix).await);
    }
    let records = table.records_after(None, usize::MAX).unwrap();
    for (tenant, (_, bayko)) in tenants.iter().zip(users) {
        let own: Vec<_> = records.iter().filter_map(|record| tenant.record(record)).collect();
        assert_eq!(own.len(), records.len() / 2);
        assert!(!Projector::new(tenant.clone()).project(&own).await.has_failed());
        let inbox = Threadline::new(tenant.clone()).inbox(bayko).fetch().await.unwrap();
        let previews: Vec<_> = inbox.items.iter().map(|entry| entry.preview().unwrap().as_str()).collect();
        assert_eq!(previews, [tenant.prefix]);
        for page_size in 1..6 {
            let page_size = NonZeroU32::new(page_size).unwrap();
            let tenant = Tenant { store: table.clone().page_size(page_size), prefix: tenant.prefix };
            let (mut scanned, mut scan) = (0, Scan::new());
            loop {
                let page = tenant.scan(scan).await.unwrap();
                scanned += page.items.len();
                let Some(next) = page.next else { break };
                scan = Scan::new().start(Some(next));
            }
            assert_eq!(scanned, 9);
        }
    }
}
