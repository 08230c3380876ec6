//! Tests of the DynamoDB store on DynamoDB Local. The conformance suite tests the behaviors of every store.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::support::{client, spec};
use threadline::entity::{AttributeValue, Item, Key, PartitionKey, SortKey};
use threadline::store::dynamodb::RetryPolicy;
use threadline::store::{
    BatchAction, CancelCode, Capacity, ClientToken, Condition, Get, Order, Query, SortRange, StoreExt, TransactOutcome,
    Transaction, Units, Update, Write, WriteOutcome,
};
use threadline::table::TableSpec;
use threadline::{DynamoDbStore, Error, ErrorKind, ManualClock};

/// Creates a table for this test, and a store on it.
async fn set_up(test: &str) -> Result<(TableSpec, DynamoDbStore), Error> {
    let (client, spec) = (client(), spec(test));
    spec.create(&client).await?;
    let store = DynamoDbStore::new(client, spec.name()).retry(RetryPolicy::default());
    Ok((spec, store))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

fn key(pk: &str, sk: &str) -> Key {
    Key::new(PartitionKey::parse(pk).unwrap(), SortKey::parse(sk).unwrap())
}

fn item(pk: &str, sk: &str) -> Item {
    let mut item = Item::new();
    item.insert("pk", text(pk));
    item.insert("sk", text(sk));
    item
}

fn indexed(pk: &str, sk: &str, gsi1sk: &str) -> Item {
    let mut item = item(pk, sk);
    item.insert("gsi1pk", text("USER#1"));
    item.insert("gsi1sk", text(gsi1sk));
    item
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn the_server_understands_every_condition() -> Result<(), Error> {
    let (spec, store) = set_up("conditions").await?;
    let mut stored = item("A", "B");
    stored.insert("n", number("5"));
    stored.insert("s", text("m"));
    let _ = store.write(Write::put(stored)).await?;

    let holds = [
        Condition::exists("n"),
        Condition::absent("missing"),
        Condition::eq("n", number("5.0")),
        Condition::ne("missing", number("1")),
        Condition::lt("s", text("n")),
        Condition::gt("s", text("l")),
        Condition::All(vec![Condition::Any(vec![Condition::exists("n").or(Condition::exists("x"))])]).not().not(),
        Condition::Any(vec![
            Condition::exists("x"),
            Condition::All(vec![Condition::exists("n"), Condition::Any(vec![Condition::exists("s")]).not().not()]),
        ]),
    ];
    for condition in holds {
        for (condition, is_done) in [(condition.clone(), true), (condition.not(), false)] {
            let words = format!("{condition:?}");
            let update = Write::update(key("A", "B"), Update::new().set("seen", number("1"))).when(condition);
            let outcome = store.write(update).await?;
            assert_eq!(matches!(outcome, WriteOutcome::Done { .. }), is_done, "{words}");
        }
    }
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn the_server_understands_every_change() -> Result<(), Error> {
    let (spec, store) = set_up("changes").await?;
    let mut stored = item("A", "B");
    stored.insert("kept", text("first"));
    stored.insert("gone", text("x"));
    let _ = store.write(Write::put(stored.clone())).await?;

    let update = Update::new()
        .set("set", text("s"))
        .set_if_absent("kept", text("second"))
        .set_if_absent("made", text("m"))
        .add("count", -3)
        .remove("gone");
    let write = Write::update(key("A", "B"), update).when(Condition::exists("gone")).returning_old();
    let WriteOutcome::Done { old, .. } = store.write(write.clone()).await? else { panic!("it was refused") };
    assert_eq!(old, Some(stored));

    let WriteOutcome::Refused { current: Some(current), .. } = store.write(write).await? else { panic!("it was done") };
    let mut expected = item("A", "B");
    for (name, value) in [("set", text("s")), ("kept", text("first")), ("made", text("m")), ("count", number("-3"))] {
        expected.insert(name, value);
    }
    assert_eq!(current, expected);
    assert_eq!(store.get(Get::new(key("A", "B")).consistent()).await?.item, Some(expected));
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn capacity_is_counted_separately_for_table_and_index() -> Result<(), Error> {
    let (spec, store) = set_up("capacity").await?;
    let put = store.write(Write::put(indexed("A", "B", "1"))).await?;
    assert_eq!(put.capacity(), Capacity { index_write: Units::whole(1), ..Capacity::writes(Units::whole(1)) });

    let moved = Write::update(key("A", "B"), Update::new().set("gsi1sk", text("2")));
    let moved = store.write(moved).await?;
    assert_eq!(moved.capacity(), Capacity { index_write: Units::whole(2), ..Capacity::writes(Units::whole(1)) });

    assert_eq!(store.get(Get::new(key("A", "B"))).await?.capacity, Capacity::reads(Units::halves(1)));
    assert_eq!(store.get(Get::new(key("A", "B")).consistent()).await?.capacity, Capacity::reads(Units::whole(1)));

    let inbox = store.query(Query::index(PartitionKey::parse("USER#1")?)).await?;
    assert_eq!(inbox.capacity, Capacity { index_read: Units::halves(1), ..Capacity::default() });

    let refused = store.write(Write::delete(key("A", "B")).when(Condition::absent("pk"))).await?;
    assert_eq!(refused.capacity(), Capacity::writes(Units::whole(1)));
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn pages_of_the_index_continue_after_the_last_one() -> Result<(), Error> {
    let (spec, store) = set_up("pages").await?;
    for number in 1..=5 {
        let _ = store.write(Write::put(indexed(&format!("GRP#{number}"), "USER#1", &format!("GRP#{number}")))).await?;
    }
    let query = Query::index(PartitionKey::parse("USER#1")?)
        .range(SortRange::After(SortKey::parse("GRP#1")?))
        .order(Order::Descending)
        .limit(NonZeroU32::new(3).unwrap());

    let first = store.query(query.clone()).await?;
    let second = store.query(query.start(first.next.clone())).await?;

    let pks = |items: &[Item]| items.iter().map(|item| item.get_s("pk").unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(pks(&first.items), ["GRP#5", "GRP#4", "GRP#3"]);
    assert_eq!(pks(&second.items), ["GRP#2"]);
    assert_eq!(second.next, None);
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn the_stores_clock_decides_expiry() -> Result<(), Error> {
    let (spec, store) = set_up("expiry").await?;
    let mut stored = item("A", "B");
    stored.insert("expires_at", number("1767225600"));
    let _ = store.write(Write::put(stored)).await?;

    let clock = Arc::new(ManualClock::starting_at("2025-12-31T23:59:59Z".parse()?));
    let store = store.clock(clock.clone());
    assert!(store.get(Get::new(key("A", "B"))).await?.item.is_some());
    clock.set("2026-01-01T00:00:00Z".parse()?);
    assert_eq!(store.get(Get::new(key("A", "B"))).await?.item, None);
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_batch_larger_than_one_answer_is_read_in_rounds() -> Result<(), Error> {
    let (spec, store) = set_up("rounds").await?;
    // 60 items of 390,000 bytes: an answer has at most 16 MB.
    let body = "x".repeat(390_000);
    let mut keys = Vec::new();
    for number in 0..60 {
        let sk = format!("{number:02}");
        let mut large = item("A", &sk);
        large.insert("body", text(&body));
        keys.push(key("A", &sk));
        let output = store.write_all(vec![BatchAction::Put(large)]).await?;
        assert_eq!(output.unprocessed, []);
    }

    let output = store.jitter(|_| std::time::Duration::ZERO).get_all(keys).await?;

    assert_eq!(output.items.len(), 60);
    assert_eq!(output.unprocessed, []);
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_reused_token_changes_nothing_or_is_invalid() -> Result<(), Error> {
    let (spec, store) = set_up("token").await?;
    let count = |by| Write::update(key("A", "B"), Update::new().add("count", by));
    // A token applies to all tables of the account, so it must differ from that of every other test and run.
    let token = ClientToken::new(format!("repeated-{}", std::process::id()))?;
    let transaction = Transaction::new([count(1)]).token(token.clone());

    let _ = store.transact(transaction.clone()).await?;
    let repeated = store.transact(transaction).await?;
    let other = store.transact(Transaction::new([count(2)]).token(token)).await.unwrap_err();

    assert!(matches!(repeated, TransactOutcome::Done { .. }));
    let stored = store.get(Get::new(key("A", "B")).consistent()).await?.item.unwrap();
    assert_eq!(stored.get("count"), Some(&number("1")));
    assert_eq!(other.kind(), ErrorKind::Invalid);
    assert_eq!(other.service().unwrap().code.as_deref(), Some("IdempotentParameterMismatchException"));
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_canceled_transaction_does_not_use_its_token() -> Result<(), Error> {
    let (spec, store) = set_up("canceled").await?;
    let writes = [
        Write::update(key("A", "1"), Update::new().add("count", 1)),
        Write::put(item("A", "2")).when(Condition::item_exists()).returning_old(),
        Write::delete(key("A", "3")),
    ];
    let transaction = Transaction::new(writes).token(ClientToken::new(format!("canceled-{}", std::process::id()))?);

    let TransactOutcome::Canceled { reasons, .. } = store.transact(transaction.clone()).await? else {
        panic!("it was done")
    };
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [CancelCode::None, CancelCode::ConditionFailed, CancelCode::None]);

    let _ = store.write(Write::put(item("A", "2"))).await?;
    assert!(matches!(store.transact(transaction).await?, TransactOutcome::Done { .. }));
    spec.delete(&client()).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_missing_table_is_misconfigured() {
    let store = DynamoDbStore::new(client(), "threadline-nowhere");
    let error = store.get(Get::new(key("A", "B"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    let words = error.to_string();
    let expected = "get on table `threadline-nowhere`: the table or its index does not exist in the client's account";
    assert!(words.starts_with(expected), "{words}");
}
