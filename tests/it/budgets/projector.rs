//! The exact cost of each record for the projector.

use std::time::Duration;

use threadline::entity::{Entity, HandleClaim};
use threadline::store::meter::Metered;
use threadline::store::{Capacity, Consistency, StoreExt, Units, Update, Write, read_units};
use threadline::stream::{Projector, StreamRecord};
use threadline::{DisplayName, Membership, NewGroup, NewUser};

use super::{HALF, bytes, direct, group, index_writes, new_handle, reads, writes};
use crate::support::App;

/// Projects these records within a budget.
async fn projects_these(app: &App, records: &[StreamRecord], budget: Capacity) {
    let meter = Metered::new(app.store.clone());
    let projection = meter.measure(Projector::new(meter.clone()).project(records)).await.exactly(budget).unwrap();
    assert!(!projection.has_failed(), "{projection:?}");
}

/// Projects the records after the first `seen` within a budget.
async fn projects(app: &App, seen: usize, budget: Capacity) {
    projects_these(app, &app.records().split_off(seen), budget).await;
}

#[tokio::test]
async fn projector_advance_costs_n_wcu_and_2n_on_the_index_and_1_rcu_per_4_kb() {
    for n in [1, 2, 30] {
        let app = App::with_whole_pages();
        let thread = app.chat.create_group(group(usize::try_from(n).unwrap()), "opa").await.unwrap();
        let seen = app.records().len();
        app.say(&thread, "epa").await;
        let entries = reads(read_units(bytes(&app, Membership::TYPE).await, Consistency::Strong));
        projects(&app, seen, entries + writes(n) + index_writes(2 * n)).await;
        projects(&app, seen, entries).await;
    }
}

#[tokio::test]
async fn projector_advance_of_a_burst_costs_as_much_as_of_one_message() {
    let app = App::with_whole_pages();
    let (_, _, thread) = app.direct().await;
    let seen = app.records().len();
    for number in 0..10 {
        app.say(&thread, &number.to_string()).await;
    }
    projects(&app, seen, reads(1) + writes(2) + index_writes(4)).await;
}

#[tokio::test]
async fn a_message_between_two_costs_7_wcu_with_its_projection() {
    let (app, _, meter, _, thread) = direct().await;
    let projector = Projector::new(meter.clone());
    app.clock.advance(Duration::from_secs(1));
    let work = async { projector.advance(&thread.send(thread.new_message_id(), "opa").await?).await };
    let measured = meter.measure(work).await;
    assert_eq!(measured.consumed().write(), Units::whole(7));
    measured.exactly(reads(1) + writes(1 + 2) + index_writes(4)).unwrap().unwrap();
}

/// Returns a conversation whose entries show as much text as possible, and the records of its creator's rename between
/// these handles.
async fn renamed(is_direct: bool, [before, after]: [&str; 2]) -> (App, Vec<StreamRecord>) {
    let app = App::with_whole_pages();
    let name = DisplayName::new("語".repeat(26)).unwrap();
    let user = app.chat.create_user(NewUser::new(before, name.clone()).unwrap()).await.unwrap();
    let text = "🙂".repeat(140);
    if is_direct {
        let other = app.chat.create_user(NewUser::new("bayko", name).unwrap()).await.unwrap();
        app.chat.start_direct(&user, &other, text).await.unwrap();
    } else {
        app.chat.create_group(NewGroup::new("Babylon 5", &user).unwrap(), text).await.unwrap();
    }
    let seen = app.records().len();
    app.chat.update_user(&user, new_handle(after)).await.unwrap();
    let records = app.records().split_off(seen);
    (app, records)
}

#[tokio::test]
async fn projector_rename_costs_1_rcu_more_per_preview_that_may_grow() {
    for (handles, growing) in [(["andrewbrown", "andrew"], 1), (["andrew", "andrewbrown"], 0)] {
        let (app, records) = renamed(false, handles).await;
        let budget = Capacity::index_reads(HALF) + reads(growing) + writes(1) + index_writes(1);
        projects_these(&app, &records, budget).await;
        // Two entries of a direct conversation. The other side's entry is read separately.
        let (app, records) = renamed(true, handles).await;
        let budget = Capacity::index_reads(HALF) + reads(1 + 2 * growing) + writes(2) + index_writes(2);
        projects_these(&app, &records, budget).await;
    }
}

#[tokio::test]
async fn projector_join_without_a_names_version_costs_no_more() {
    let app = App::with_whole_pages();
    let (andrew, bayko) = (app.user("andrewbrown").await, app.user("bayko").await);
    let thread = app.chat.create_group(NewGroup::new("Babylon 5", &andrew).unwrap(), "opa").await.unwrap();
    let seen = app.records().len();
    let claim = HandleClaim::key_from(bayko.handle());
    let without_version = Write::update(claim, Update::new().remove("version"));
    app.store.write(without_version).await.unwrap().done().unwrap();
    let seen = seen + 1;
    let found = app.chat.user_by_handle(bayko.handle()).await.unwrap().unwrap();
    thread.add_member(found).await.unwrap();
    projects(&app, seen, reads(1 + 1)).await;
}

#[tokio::test]
async fn attributes_of_the_application_cost_the_projector_nothing() {
    let app = App::new();
    let (andrew, _, thread) = app.direct().await;
    let message = app.say(&thread, "opa").await;
    let seen = app.records().len();
    for key in [message.key(), andrew.key()] {
        let update = Update::new().set("color", "red");
        app.store.write(Write::update(key, update)).await.unwrap().done().unwrap();
    }
    projects(&app, seen, Capacity::default()).await;
}
