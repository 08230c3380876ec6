//! Explanations: each request as JSON and PartiQL, with its cost.

use std::sync::Arc;

use serde_json::json;
use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
use threadline::entity::{Item, Key, PK, PartitionKey, SK, SortKey};
use threadline::store::{
    BatchAction, BatchWrite, Capacity, Condition, Query, Scan, StoreExt, TransactAction, Transaction, Update, Write,
};
use threadline::{MemoryStore, Result};
use threadline_catalogue::{Catalogue, Explain, Explained};
use threadline_testkit::scenario::{self, Call, Outcome, Scale, Scenario, World};

use crate::catalogue;

const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
    .cases(&[Case::new(&[RequestCard::put(&NOTE).when("the note is new")], Cost::of(&[Term::writes(1)]))])
    .retry("returns the stored note");
const WRITTEN: Scenario = Scenario::new("notes.write", "", &async |_: &World| {
    Ok(Call::new(async move |session| {
        let note = Write::put(note()).when(Condition::item_absent());
        session.store.write(note).await?.done().map(Outcome::plain)
    }))
});

fn key() -> Key {
    Key::new(PartitionKey::parse("NOTE#1").unwrap(), SortKey::parse("a").unwrap())
}

fn note() -> Item {
    let mut note = Item::new();
    for (name, value) in [(PK, "NOTE#1"), (SK, "a"), ("text", "secret")] {
        note.insert(name, value);
    }
    note
}

/// Sends a request to an empty store, and returns its explanation.
async fn explain<T>(send: impl AsyncFnOnce(&Explain<MemoryStore>) -> Result<T>) -> Explained {
    let store = Explain::new(MemoryStore::new());
    send(&store).await.unwrap();
    store.take().pop().unwrap()
}

async fn explain_write(write: Write) -> Explained {
    explain(async |store| store.write(write).await).await
}

#[tokio::test]
async fn capacity_of_each_case_equals_the_formula() {
    for card in Registry::new().cards() {
        for case in card.cases {
            let all = scenario::all();
            let scenario = all.iter().find(|each| each.pattern == card.name && each.case == case.name).unwrap();
            let scale = Scale { members: 2, message_kb: 0 };
            let (clock, store) = (World::clock(), MemoryStore::new());
            let store = store.clock(clock.clone());
            let stage = scenario.stage(World::new(Arc::new(store.clone()), clock, scale)).await.unwrap();
            let store = Explain::new(store);
            let session = stage.enter(store.clone(), World::CALLER).await.unwrap();
            store.take();
            stage.call(&session).await.unwrap();
            let consumed: Capacity = store.take().iter().filter_map(|request| request.capacity).sum();
            assert_eq!(consumed, scenario.budget(case, scale), "{} {}", card.name, case.name);
        }
    }
}

#[tokio::test]
async fn explanation_has_request_statement_and_cost() {
    let text = catalogue().explain("inbox.page").await.unwrap();
    for expected in [
        "inbox.page: Threadline::inbox",
        "== inbox.page: 0.5 index RCU per 4 KB",
        "1. Query of the index gsi1: 0.5 RCU",
        r##"  "KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)""##,
        r#"  SELECT * FROM "threadline"."gsi1" WHERE "gsi1pk" = ? AND begins_with("gsi1sk", ?) ORDER BY "gsi1sk" DESC"#,
        r#"  parameters: [{"S":"USER#"#,
        "  ConsistentRead: false, Limit: ",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn application_pattern_is_explained_from_its_scenario() {
    let registry = Registry::new().entity(&NOTE).pattern(&WRITE);
    let without = Catalogue::new(registry).unwrap();
    let declared = without.explain("notes.write").await.unwrap();
    assert!(declared.contains("1. Put Note\nkey: NOTE#<user> / <note>\ncondition: the note is new\n"), "{declared}");
    let exact = without.scenarios([WRITTEN]).explain("notes.write").await.unwrap();
    assert!(exact.contains(r#"INSERT INTO "threadline" VALUE {'pk': ?, 'sk': ?, 'text': ?}"#), "{exact}");
}

#[tokio::test]
async fn debug_shows_no_content() {
    let explained = explain_write(Write::put(note()).when(Condition::item_absent())).await;
    let statement = explained.partiql.clone().unwrap();
    let text = format!("{explained:?} {statement:?}");
    assert!(text.contains("PutItem") && !text.contains("secret") && !text.contains("NOTE"), "{text}");
}

#[tokio::test]
async fn unmet_condition_is_shown_as_refused() {
    let update = Write::update(key(), Update::new().set("text", "b")).when(Condition::item_exists());
    let explained = explain_write(update).await;
    assert_eq!((explained.refused, explained.capacity), (true, Some(Capacity::writes(1))));
}

#[tokio::test]
async fn conditions_and_updates_have_statements() {
    let condition = Condition::item_exists()
        .and(Condition::eq("revision", 1).or(Condition::absent("lock")))
        .and(Condition::lt("count", 7).not());
    let update = Update::new().set("text", "b").remove("draft");
    let explained = explain_write(Write::update(key(), update.clone()).when(condition)).await;
    assert_eq!(
        explained.partiql.unwrap().to_string(),
        r#"UPDATE "threadline" SET "text" = ? REMOVE "draft" WHERE "pk" = ? AND "sk" = ? "#.to_owned()
            + r#"AND ("revision" = ? OR "lock" IS MISSING) AND NOT ("count" < ?)"#
    );
    let added = Write::update(key(), Update::new().add("revision", 1)).when(Condition::eq("revision", 1));
    let explained = explain_write(added).await;
    assert_eq!(
        explained.partiql.unwrap().request["Parameters"],
        json!([{ "N": "1" }, { "S": "NOTE#1" }, { "S": "a" }, { "N": "1" }])
    );
}

#[tokio::test]
async fn names_are_quoted() {
    let hostile = "a\" = 1 OR \"b";
    let deleted = Write::delete(key()).when(Condition::eq(hostile, 1));
    let statement = explain_write(deleted).await.partiql.unwrap().to_string();
    assert!(statement.ends_with(r#" AND "a"" = 1 OR ""b" = ?"#), "{statement}");
}

#[tokio::test]
async fn request_without_a_statement_has_a_reason() {
    let exists = Condition::item_exists;
    let update = |update: Update| Write::update(key(), update);
    let reason = async |write: Write| explain_write(write).await.partiql.unwrap_err();
    assert!(reason(Write::put(note())).await.contains("a put replaces"));
    assert!(reason(Write::put(note()).when(exists().not())).await.contains("INSERT has no condition"));
    assert!(reason(update(Update::new().set("text", "b"))).await.contains("UPDATE creates no item"));
    let absent_or = Condition::absent("a").or(exists());
    assert!(reason(update(Update::new().set("text", "b")).when(absent_or)).await.contains("UPDATE creates no item"));
    assert!(reason(update(Update::new().add("count", 1)).when(exists())).await.contains("ADD begins at zero"));
    assert!(reason(update(Update::new().set_if_absent("a", 1)).when(exists())).await.contains("if_not_exists"));

    let batch = BatchWrite::new([BatchAction::Put(note())]);
    let explained = explain(async |store| store.batch_write(batch).await).await;
    assert!(explained.partiql.unwrap_err().contains("a put replaces"));
    let check = Transaction::new([TransactAction::check(key(), exists())]);
    let explained = explain(async |store| store.transact(check).await).await;
    assert!(explained.partiql.unwrap_err().contains("EXISTS needs a condition"));
}

#[tokio::test]
async fn page_after_the_first_has_no_statement() {
    let store = Explain::new(MemoryStore::new());
    for sk in ["a", "b"] {
        let mut item = note();
        item.insert(SK, sk);
        store.write(Write::put(item)).await.unwrap().done().unwrap();
    }
    let query = Query::table(key().pk).limit(std::num::NonZeroU32::MIN);
    let next = store.query(query.clone()).await.unwrap().next;
    store.take();
    store.query(query.start(next.clone())).await.unwrap();
    store.scan(Scan::new().start(next)).await.unwrap();
    for explained in store.take() {
        assert!(explained.partiql.unwrap_err().contains("opaque token"));
        assert_eq!(explained.request["ExclusiveStartKey"], json!({ "pk": { "S": "NOTE#1" }, "sk": { "S": "a" } }));
    }
}
