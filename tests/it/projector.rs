//! The projector: new messages move the inbox entries.

use std::time::Duration;

use proptest::prelude::*;
use threadline::entity::{AttributeValue, Item};
use threadline::store::Capacity;
use threadline::store::meter::Metered;
use threadline::stream::{Projector, RecordKind, RecordOutcome, StreamRecord};
use threadline::{ErrorKind, Membership, NewGroup};

use crate::support::App;

fn is_new_message(record: &StreamRecord) -> bool {
    record.kind == RecordKind::Insert && record.key().unwrap().pk.as_str().starts_with("MSG#")
}

fn preview(entry: &Membership) -> &str {
    entry.preview().map_or("(none)", |preview| preview.as_str())
}

#[tokio::test]
async fn a_replayed_batch_changes_nothing() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    app.say(&thread, "one").await;
    app.project().await;
    let entries = app.inbox(andrew.id()).await;
    let changes = app.records().len();
    app.project().await;
    assert_eq!(app.inbox(andrew.id()).await, entries);
    assert_eq!(app.records().len(), changes, "not even a record of the stream");
}

#[tokio::test]
async fn a_late_record_never_moves_an_entry_back() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    app.say(&thread, "old").await;
    app.say(&thread, "new").await;
    let records: Vec<_> = app.records().into_iter().filter(is_new_message).collect();
    let projector = Projector::new(app.store.clone());
    for record in records.iter().rev() {
        let _ = projector.project(std::slice::from_ref(record)).await;
    }
    assert_eq!(preview(&app.inbox(andrew.id()).await[0]), "new");
}

#[tokio::test]
async fn records_of_own_writes_and_foreign_entities_are_ignored() {
    let app = App::new();
    let (_, _, thread) = app.direct().await;
    app.say(&thread, "one").await;
    app.project().await;
    let meter = Metered::new(app.store.clone());
    let is_new = |record: &StreamRecord| record.kind == RecordKind::Insert;
    let is_entry = |record: &StreamRecord| record.new.as_ref().unwrap().type_name() == Some("Membership");
    let others = app.records().into_iter().filter(|record| !is_new_message(record));
    let others: Vec<_> = others.filter(|record| !(is_new(record) && is_entry(record))).collect();
    assert!(others.iter().any(|record| record.kind == RecordKind::Modify), "the entries it moved are among them");
    let projection = Projector::new(meter.clone()).project(&others).await;
    assert!(projection.outcomes.iter().all(|outcome| matches!(outcome, RecordOutcome::Nothing)));
    assert_eq!(meter.take(), Capacity::default());
}

#[tokio::test]
async fn an_applications_entity_among_the_members_is_ignored() {
    let app = App::new();
    let (andrew, _, _) = app.direct().await;
    app.project().await;
    let entries = app.inbox(andrew.id()).await;
    let is_entry = |record: &StreamRecord| record.new.as_ref().and_then(Item::type_name) == Some("Membership");
    let mut record = app.records().into_iter().find(is_entry).unwrap();
    record.new.as_mut().unwrap().insert("type", AttributeValue::S("Settings".into()));
    let projection = Projector::new(app.store.clone()).project(&[record]).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::Nothing]), "{projection:?}");
    assert_eq!(app.inbox(andrew.id()).await, entries);
}

#[tokio::test]
async fn a_permanent_failure_is_a_dead_letter_and_blocks_nothing() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    app.say(&thread, "good").await;
    let mut records = app.records();
    let mut poison = records.iter().find(|record| is_new_message(record)).unwrap().clone();
    let mut image = Item::new();
    image.insert("message", AttributeValue::S("no keys, no sender".into()));
    poison.new = Some(image);
    records.insert(0, poison.clone());
    let projection = Projector::new(app.store.clone()).project(&records).await;
    let RecordOutcome::DeadLetter(error) = &projection.outcomes[0] else { panic!("{projection:?}") };
    assert_eq!((error.kind(), error.entity()), (ErrorKind::Corrupt, Some("Message")));
    assert_eq!(projection.lowest_failed, None);
    assert_eq!(preview(&app.inbox(andrew.id()).await[0]), "good");
}

#[tokio::test]
async fn a_member_who_left_meanwhile_gets_no_membership_back() {
    let app = App::new();
    let (andrew, bayko) = (app.user("andrew").await, app.user("bayko").await);
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko);
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    app.say(&thread, "one").await;
    thread.remove_member(bayko.id()).await.unwrap();
    app.project().await;
    assert_eq!(app.inbox(bayko.id()).await, []);
    assert_eq!(preview(&app.inbox(andrew.id()).await[0]), "one");
}

#[tokio::test]
async fn every_member_of_a_large_group_is_reached() {
    let app = App::new();
    let mut group = NewGroup::new("Babylon 5", &app.user("u0").await).unwrap();
    let mut users = Vec::new();
    for number in 1..90 {
        let user = app.user(&format!("u{number}")).await;
        group = group.member(&user);
        users.push(user);
    }
    let thread = app.chat.create_group(group, "Welcome").await.unwrap();
    app.say(&thread, "All hands").await;
    app.project().await;
    for user in users {
        assert_eq!(preview(&app.inbox(user.id()).await[0]), "All hands");
    }
}

#[tokio::test]
async fn the_real_cruddur_event_moves_the_groups_entries() {
    use threadline::{ImportedDirect, MessagePosition, NewUser};
    let app = App::new();
    let event: serde_json::Value = serde_json::from_str(include_str!("../data/stream-insert-event.json")).unwrap();
    let image = &event["Records"][0]["dynamodb"]["NewImage"];
    let item: serde_dynamo::Item = serde_json::from_value(image.clone()).unwrap();
    let item = Item::from(item);
    let sender = "76d2f241-a860-4d8b-a8e3-6cd68db75ab9".parse().unwrap();
    let augustsz = app.chat.create_user(NewUser::new("Augustsz", "Augustsz").unwrap().id(sender)).await.unwrap();
    let bayko = app.user("bayko").await;
    let group = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse().unwrap();
    let started = "2023-06-26T08:00:00Z".parse().unwrap();
    app.chat.import_direct(ImportedDirect::new(group, &augustsz, &bayko, started)).await.unwrap();

    let sequence = "8500000000009229331846".parse().unwrap();
    let mut record = StreamRecord::new(RecordKind::Insert, item.clone(), Some(sequence));
    record.new = Some(item);
    let projection = Projector::new(app.store.clone()).project(&[record]).await;
    assert!(matches!(projection.outcomes[..], [RecordOutcome::Done]));
    let entry = app.inbox(bayko.id()).await.remove(0);
    assert_eq!(preview(&entry), "opa");
    let position: MessagePosition = "2023-06-26T10:16:00.375877+00:00".parse().unwrap();
    assert_eq!(entry.last_message(), Some(position));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any redelivery and any batch boundaries lead to the same entries.
    #[test]
    fn any_delivery_ends_with_the_same_entries(
        sends in proptest::collection::vec((0_usize..3, 0_u64..3), 1..20),
        deliveries in proptest::collection::vec((any::<prop::sample::Index>(), 1_usize..8), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let app = App::new();
            let andrew = app.user("andrew").await;
            let mut threads = Vec::new();
            for number in 0..3 {
                let other = app.user(&format!("u{number}")).await;
                threads.push(app.chat.start_direct(&andrew, &other, "hello").await.unwrap());
            }
            for (thread, seconds) in sends {
                app.clock.advance(Duration::from_secs(seconds));
                threads[thread].send(threads[thread].new_message_id(), "again").await.unwrap();
            }
            let records = app.records();
            let projector = Projector::new(app.store.clone());
            for (start, length) in deliveries {
                let start = start.index(records.len());
                let end = (start + length).min(records.len());
                let _ = projector.project(&records[start..end]).await;
            }
            let _ = projector.project(&records).await;
            let entries = app.inbox(andrew.id()).await;
            assert_eq!(entries.len(), 3);
            for thread in &threads {
                let newest = thread.messages().limit(1).fetch().await.unwrap().items.remove(0);
                let entry = entries.iter().find(|entry| entry.group_id() == thread.group_id()).unwrap();
                assert_eq!(entry.last_message(), Some(newest.position()));
            }
            assert!(entries.windows(2).all(|pair| pair[0].last_message_at() >= pair[1].last_message_at()));
        });
    }
}
