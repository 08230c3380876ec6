//! Absolute costs of the main patterns, and of calls that differ from their card's cases. `cost` compares each case
//! with its formula. With the figures here, a wrong formula and a wrong scenario cannot agree.

mod projector;

use threadline::entity::{Entity, Item, Key, PartitionKey, SortKey};
use threadline::store::meter::Metered;
use threadline::store::{Capacity, Get, Scan, StoreExt, Units};
use threadline::{
    DisplayName, Handle, IdentitySubject, MemoryStore, Message, NewGroup, NewUser, Result, Thread, Threadline, User,
    UserChange,
};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::groups::person;
use crate::old_claims::user_of_version_0_1;
use crate::support::{App, scan};

const HALF: Units = Units::halves(1);

fn reads(units: impl Into<Units>) -> Capacity {
    Capacity::reads(units)
}

fn writes(units: u32) -> Capacity {
    Capacity::writes(units)
}

fn index_writes(units: u32) -> Capacity {
    Capacity::index_writes(units)
}

/// Checks the cost of the work, and returns its answer.
async fn costs<T>(meter: &Metered<MemoryStore>, budget: Capacity, work: impl Future<Output = Result<T>>) -> T {
    meter.measure(work).await.exactly(budget).unwrap().unwrap()
}

fn subject(text: &str) -> IdentitySubject {
    IdentitySubject::new(text).unwrap()
}

fn new_name() -> UserChange {
    UserChange::new().display_name(DisplayName::new("New").unwrap()).unwrap()
}

fn new_handle(handle: impl Into<String>) -> UserChange {
    UserChange::new().handle(Handle::new(handle.into()).unwrap()).unwrap()
}

/// Returns a new group of this many people. The first is its creator.
fn group(members: usize) -> NewGroup {
    let new = NewGroup::new("Babylon 5", person(0)).unwrap();
    (1..members).fold(new, |new, number| new.member(person(number)))
}

/// Returns the total size of the items of this type.
async fn bytes(app: &App, entity: &str) -> usize {
    scan(&app.store).await.iter().filter(|item| item.type_name() == Some(entity)).map(Item::size).sum()
}

/// Returns Andrew's thread with Bayko, through a meter.
async fn direct() -> (App, Threadline, Metered<MemoryStore>, [User; 2], Thread) {
    let app = App::with_whole_pages();
    let (andrew, bayko, thread) = app.direct().await;
    let (chat, meter) = app.metered();
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    (app, chat, meter, [andrew, bayko], thread)
}

#[tokio::test]
async fn users_by_handle_with_an_old_key_costs_1_rcu_unless_typed_the_same() {
    let app = App::with_whole_pages();
    app.user("Émile").await;
    let (chat, meter) = app.metered();
    for (handle, units) in
        [("Émile", HALF), ("ÉMILE", HALF), ("émile", HALF), ("E\u{301}mile", 1.into()), ("É", 1.into())]
    {
        let found = costs(&meter, reads(units), chat.user_by_handle(&Handle::new(handle).unwrap())).await;
        assert_eq!(found.is_some(), handle != "É");
    }
}

#[tokio::test]
async fn users_update_of_old_keys_costs_1_rcu_each_and_2_wcu_to_take_one() {
    let (chat, meter) = App::with_whole_pages().metered();
    let user = chat.create_user(NewUser::new("Émile", "Émile").unwrap()).await.unwrap();
    let user = costs(&meter, reads(1) + writes(4), chat.update_user(&user, new_name())).await;
    let user = costs(&meter, reads(1) + writes(4), chat.update_user(&user, new_handle("ÉMILE"))).await;
    let user = costs(&meter, reads(2) + writes(6 + 2), chat.update_user(&user, new_handle("Élise"))).await;
    let user = costs(&meter, reads(1) + writes(6), chat.update_user(&user, new_handle("bayko"))).await;
    costs(&meter, reads(1) + writes(6 + 2), chat.update_user(&user, new_handle("Élise"))).await;
}

#[tokio::test]
async fn users_update_that_moves_an_old_claim_costs_2_rcu_and_2_wcu_more() {
    for (change, units) in [(new_name(), 4), (new_handle("ÉMILE"), 4), (new_handle("bayko"), 6)] {
        let app = App::with_whole_pages();
        let user = user_of_version_0_1(&app, "Émile", 1).await;
        let (chat, meter) = app.metered();
        costs(&meter, reads(2) + writes(units + 2), chat.update_user(&user, change)).await;
    }
}

#[tokio::test]
async fn groups_start_direct_costs_8_wcu_and_2_on_the_index() {
    let (chat, meter) = App::with_whole_pages().metered();
    costs(&meter, writes(8) + index_writes(2), chat.start_direct(person(1), person(2), "opa")).await;
}

#[tokio::test]
async fn messages_send_costs_1_wcu_per_kb() {
    let (_, _, meter, _, thread) = direct().await;
    for (bytes, units) in [(600, 1), (1024, 2), (2400, 3), (4096, 5)] {
        let text = "🙂".repeat(bytes / 4);
        costs(&meter, writes(units), thread.send(thread.new_message_id(), text)).await;
    }
}

/// Returns a thread of 49 messages below 1 KB. Four of them are below 4 KB. The 21 that a page of 20 reads are between
/// 16 and 20 KB.
async fn long_thread() -> (Metered<MemoryStore>, Thread, Vec<Message>) {
    let (app, _, meter, _, thread) = direct().await;
    let mut messages = Vec::new();
    for _ in 0..49 {
        messages.push(app.say(&thread, &"x".repeat(600)).await);
    }
    let bytes = messages[0].to_item().unwrap().size();
    assert!(4 * bytes <= 4096 && (4 * 4096 + 1..=5 * 4096).contains(&(21 * bytes)), "{bytes}");
    (meter, thread, messages)
}

#[tokio::test]
async fn messages_page_at_a_bound_reads_the_bound_and_one_message_more() {
    let (meter, thread, messages) = long_thread().await;
    let middle = &messages[24];
    for (limit, units) in [(20, Units::halves(5)), (3, HALF)] {
        let page = || thread.messages().limit(limit);
        for page in [page(), page().before(middle), page().after(middle), page().oldest_first().after(middle)] {
            let page = costs(&meter, reads(units), page.fetch()).await;
            assert_eq!(page.items.len(), usize::try_from(limit).unwrap());
        }
    }
}

#[tokio::test]
async fn messages_page_between_bounds_costs_up_to_1_rcu_and_2_queries_more() {
    let (meter, thread, messages) = long_thread().await;
    // Each query includes the bounds. A page that ends just before a bound is short, or lacks the item that shows if
    // more follows.
    for (between, limit, queries) in [(3, 2, 2), (2, 2, 3), (1, 2, 2), (2, 3, 2), (2, 4, 1)] {
        let page = thread.messages().after(&messages[24]).before(&messages[24 + between + 1]).limit(limit);
        let page = costs(&meter, reads(Units::halves(queries)), page.fetch()).await;
        assert_eq!((page.items.len(), page.next.is_some()), if between == 3 { (2, true) } else { (between, false) });
    }
}

#[tokio::test]
async fn calls_cost_the_same_found_absent_or_retried() {
    let (_, chat, meter, [andrew, _], thread) = direct().await;
    let id = chat.new_message_id();
    for _ in 0..2 {
        costs(&meter, writes(1), thread.send(id, "opa")).await;
    }
    for _ in 0..2 {
        costs(&meter, writes(1), thread.delete(id)).await;
    }
    for (user, handle) in [(andrew.id(), "andrewbrown"), (person(7).id(), "nobody")] {
        costs(&meter, reads(HALF), chat.user(user)).await;
        costs(&meter, reads(HALF), chat.user_by_handle(&Handle::new(handle).unwrap())).await;
        let opened = meter.measure(chat.open(user, thread.group_id())).await.exactly(reads(1)).unwrap();
        assert_eq!(opened.is_ok(), user == andrew.id());
    }
    costs(&meter, reads(HALF), chat.user_by_identity(&subject("nobody"))).await;
    assert_eq!(costs(&meter, reads(HALF), thread.message(chat.new_message_id())).await, None);
    costs(&meter, Capacity::index_reads(HALF), chat.inbox(person(7).id()).fetch()).await;
}

#[tokio::test]
async fn a_budget_error_lists_the_consumption_of_each_request() {
    let store = FaultStore::new(MemoryStore::new(), Plan::new().throttle(Calls::nth(2)));
    let meter = Metered::new(store);
    let get = Get::new(Key::new(PartitionKey::parse("secret").unwrap(), SortKey::parse("1").unwrap()));
    let work = async {
        meter.scan(Scan::new()).await.unwrap();
        meter.get(get.clone()).await.unwrap_err();
        meter.get(get.clone().consistent()).await.unwrap();
    };
    let error = meter.measure(work).await.at_most(Capacity::reads(1) + Capacity::index_writes(2)).unwrap_err();
    let expected = "consumed 1.5 RCU, budget is at most 1.0 RCU + 2.0 index WCU \
                    (scan: 0.5 RCU, get: failed (Throttled), get: 1.0 RCU)";
    assert_eq!((error.to_string().as_str(), format!("{error:?}").as_str()), (expected, expected));
    let error = meter.measure(async {}).await.exactly(reads(HALF)).unwrap_err();
    assert_eq!(error.to_string(), "consumed nothing, budget is exactly 0.5 RCU (no request)");
}
