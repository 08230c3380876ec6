//! Tests: the policies of the operator and the projector allow what their work asks, and no more.

use std::collections::BTreeSet;

use threadline::card::registry::Registry;
use threadline::entity::Entity;
use threadline::store::{StoreExt, Write};
use threadline::stream::Projector;
use threadline::{DisplayName, MemoryStore, NewGroup, NewUser, Threadline, UserChange};
use threadline_testkit::scenario::Recorder;

use super::Policy;
use super::grant::Grant;
use super::record::{self, Asked, of_request};
use crate::catalogue::Catalogue;

/// An action, `true` for the index, and the tag of the partition key.
type Tagged = (&'static str, bool, Option<String>);

fn tag(key: &str) -> String {
    key.split('#').next().unwrap().to_owned()
}

/// Returns the questions with the tags of their keys.
fn tagged(asked: impl IntoIterator<Item = Asked>) -> BTreeSet<Tagged> {
    let tagged = |asked: Asked| match asked.keys.as_slice() {
        [] => vec![(asked.action, asked.on_index, None)],
        keys => keys.iter().map(|key| (asked.action, asked.on_index, Some(tag(key)))).collect(),
    };
    asked.into_iter().flat_map(tagged).collect()
}

fn allowed(policy: Policy) -> BTreeSet<Tagged> {
    let grants = Grant::all(&policy.cards(&Registry::new()), policy.further_requests()).unwrap();
    grants.into_iter().map(|Grant { action, on_index, pk }| (action, on_index, pk.map(tag))).collect()
}

#[tokio::test]
async fn operator_may_do_what_audits_ask_and_no_more() {
    let catalogue = Catalogue::new(Registry::new()).unwrap();
    let asked = record::asked(&catalogue, &Policy::Operator.cards(catalogue.registry())).await.unwrap();
    assert_eq!(tagged(asked), allowed(Policy::Operator));
}

#[tokio::test]
async fn projector_may_do_what_its_work_asks_and_no_more() {
    let store = MemoryStore::new();
    let chat = Threadline::new(store.clone());
    let andrew = chat.create_user(NewUser::new("andrewbrown", "Andrew Brown").unwrap()).await.unwrap();
    let bayko = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
    let direct = chat.start_direct(&andrew, &bayko, &*"語".repeat(300)).await.unwrap();
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko);
    let group = chat.create_group(group, "Welcome").await.unwrap();
    assert!(!Projector::new(store.clone()).catch_up(&store).await.unwrap().has_failed());

    let vir = chat.create_user(NewUser::new("vir", "Vir").unwrap()).await.unwrap();
    let recorder = Recorder::new(store.clone());
    let projector = Projector::new(recorder.clone());
    let mut seen = 0;
    let mut project = async || {
        let records = store.records_after(None, usize::MAX).unwrap();
        for record in records.get(seen..).unwrap() {
            assert!(!projector.project(std::slice::from_ref(record)).await.has_failed());
        }
        seen = records.len();
    };
    let sent = group.send(chat.new_message_id(), "one").await.unwrap();
    let gone = group.send(chat.new_message_id(), "two").await.unwrap();
    group.edit(&sent, "three").await.unwrap();
    group.delete(&gone).await.unwrap();
    project().await;
    store.write(Write::delete(gone.key())).await.unwrap().done().unwrap();
    group.add_member(&vir).await.unwrap();
    project().await;
    let long = UserChange::new().display_name(DisplayName::new("é".repeat(40)).unwrap()).unwrap();
    let long = chat.update_user(&andrew, long).await.unwrap();
    project().await;
    // Shorter names: the preview may grow, so the message is read.
    chat.update_user(&long, UserChange::new().display_name(DisplayName::new("A").unwrap()).unwrap()).await.unwrap();
    direct.send(chat.new_message_id(), "last").await.unwrap();
    project().await;

    let mut all = tagged(recorder.take().iter().flat_map(|request| of_request(request.request()).unwrap()));
    all.insert(("PutItem", false, Some("DEADLETTER".to_owned())));
    assert_eq!(all, allowed(Policy::Projector));
}
