//! What every access pattern costs, exactly, in the order of the README's table: on the in-memory store, which charges as
//! DynamoDB does.

mod projector;

use std::time::Duration;

use threadline::store::meter::Metered;
use threadline::stream::Auditor;
use threadline::{
    Capacity, Consistency, DisplayName, Entity, Get, GroupId, Handle, IdentitySubject, ImportedDirect, Item, Key,
    Membership, MemoryStore, Message, MessageGroup, NewGroup, NewUser, PartitionKey, Result, Scan, SortKey, StoreExt,
    Thread, Threadline, Units, Update, User, UserChange, Write, read_units,
};
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use crate::groups::person;
use crate::old_claims::user_of_before;
use crate::support::{App, id, scan, time};

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

/// Holds the work to its budget, and gives its answer, which must be no error.
async fn costs<T>(meter: &Metered<MemoryStore>, budget: Capacity, work: impl Future<Output = Result<T>>) -> T {
    meter.measure(work).await.exactly(budget).unwrap().unwrap()
}

fn subject(text: &str) -> IdentitySubject {
    IdentitySubject::new(text).unwrap()
}

fn andrew() -> NewUser {
    NewUser::new("andrewbrown", "Andrew Brown").unwrap().with_identity(subject("MOCK"))
}

fn new_name() -> UserChange {
    UserChange::new().display_name(DisplayName::new("New").unwrap())
}

fn new_handle(handle: impl Into<String>) -> UserChange {
    UserChange::new().handle(Handle::new(handle.into()).unwrap())
}

/// A group of this many people, whose creator is the first.
fn group(members: usize) -> NewGroup {
    let new = NewGroup::new("Babylon 5", person(0)).unwrap();
    (1..members).fold(new, |new, number| new.with_member(person(number)))
}

/// What the items of this type weigh together.
async fn bytes(app: &App, entity: &str) -> usize {
    scan(&app.store).await.iter().filter(|item| item.type_name() == Some(entity)).map(Item::size).sum()
}

/// Andrew's end of his conversation with Bayko, through a meter.
async fn direct() -> (App, Threadline, Metered<MemoryStore>, [User; 2], Thread) {
    let app = App::with_whole_pages();
    let (andrew, bayko, thread) = app.direct().await;
    let (chat, meter) = app.metered();
    let thread = chat.open(andrew.id(), thread.group_id()).await.unwrap();
    (app, chat, meter, [andrew, bayko], thread)
}

#[tokio::test]
async fn users_create_costs_6_wcu_and_4_without_an_identity() {
    let (chat, meter) = App::with_whole_pages().metered();
    costs(&meter, writes(6), chat.create_user(andrew())).await;
    costs(&meter, writes(4), chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap())).await;
}

#[tokio::test]
async fn users_get_costs_half_an_rcu_found_or_not() {
    let app = App::with_whole_pages();
    let user = app.chat.create_user(andrew()).await.unwrap();
    let (chat, meter) = app.metered();
    assert!(costs(&meter, reads(HALF), chat.user(user.id())).await.is_some());
    assert!(costs(&meter, reads(HALF), chat.user(person(7).id())).await.is_none());
}

#[tokio::test]
async fn users_by_handle_costs_half_an_rcu_found_or_not() {
    let app = App::with_whole_pages();
    app.chat.create_user(andrew()).await.unwrap();
    let (chat, meter) = app.metered();
    for (handle, is_there) in [("andrewbrown", true), ("nobody", false)] {
        let found = costs(&meter, reads(HALF), chat.user_by_handle(&Handle::new(handle).unwrap())).await;
        assert_eq!(found.is_some(), is_there);
    }
}

#[tokio::test]
async fn users_by_identity_costs_half_an_rcu_found_or_not() {
    let app = App::with_whole_pages();
    app.chat.create_user(andrew()).await.unwrap();
    let (chat, meter) = app.metered();
    for (known, is_there) in [("MOCK", true), ("nobody", false)] {
        let found = costs(&meter, reads(HALF), chat.user_by_identity(&subject(known))).await;
        assert_eq!(found.is_some(), is_there);
    }
}

#[tokio::test]
async fn users_update_costs_6_to_8_wcu_and_4_to_6_without_an_identity() {
    let (chat, meter) = App::with_whole_pages().metered();
    let with = chat.create_user(andrew()).await.unwrap();
    let without = chat.create_user(NewUser::new("bayko", "Andrew Bayko").unwrap()).await.unwrap();
    for (user, [named, renamed]) in [(without, [4, 6]), (with, [6, 8])] {
        let user = costs(&meter, writes(named), chat.update_user(&user, new_name())).await;
        let other_case = new_handle(user.handle().as_str().to_ascii_uppercase());
        let user = costs(&meter, writes(named), chat.update_user(&user, other_case)).await;
        let another = new_handle(format!("{}.new", user.handle()));
        costs(&meter, writes(renamed), chat.update_user(&user, another)).await;
    }
}

#[tokio::test]
async fn users_update_to_the_names_that_the_user_has_costs_1_rcu() {
    let (chat, meter) = App::with_whole_pages().metered();
    let user = chat.create_user(andrew()).await.unwrap();
    for change in [UserChange::new(), new_handle("andrewbrown")] {
        assert_eq!(costs(&meter, reads(1), chat.update_user(&user, change)).await, user);
    }
}

#[tokio::test]
async fn users_create_costs_2_wcu_more_for_a_handle_with_an_old_key() {
    let (chat, meter) = App::with_whole_pages().metered();
    let with = NewUser::new("Émile", "Émile").unwrap().with_identity(subject("MOCK"));
    costs(&meter, writes(8), chat.create_user(with)).await;
    costs(&meter, writes(6), chat.create_user(NewUser::new("Zoé.É", "Zoé").unwrap())).await;
    costs(&meter, writes(4), chat.create_user(NewUser::new("zoé", "Zoé").unwrap())).await;
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
async fn users_update_costs_1_rcu_more_for_each_handle_with_an_old_key_and_2_wcu_to_take_it() {
    let (chat, meter) = App::with_whole_pages().metered();
    let user = chat.create_user(NewUser::new("Émile", "Émile").unwrap()).await.unwrap();
    let user = costs(&meter, reads(1) + writes(4), chat.update_user(&user, new_name())).await;
    let user = costs(&meter, reads(1) + writes(4), chat.update_user(&user, new_handle("ÉMILE"))).await;
    let user = costs(&meter, reads(2) + writes(6 + 2), chat.update_user(&user, new_handle("Élise"))).await;
    let user = costs(&meter, reads(1) + writes(6), chat.update_user(&user, new_handle("bayko"))).await;
    costs(&meter, reads(1) + writes(6 + 2), chat.update_user(&user, new_handle("Élise"))).await;
}

#[tokio::test]
async fn users_update_costs_2_rcu_and_2_wcu_more_where_it_moves_an_old_claim() {
    for (change, units) in [(new_name(), 4), (new_handle("ÉMILE"), 4), (new_handle("bayko"), 6)] {
        let app = App::with_whole_pages();
        let user = user_of_before(&app, "Émile", 1).await;
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
async fn groups_start_direct_into_a_conversation_that_there_is_costs_9_wcu_and_1_rcu() {
    let app = App::with_whole_pages();
    let (chat, meter) = app.metered();
    let thread = chat.start_direct(person(1), person(2), "opa").await.unwrap();
    app.clock.advance(Duration::from_secs(1));
    costs(&meter, writes(8 + 1) + reads(1), chat.start_direct(person(2), person(1), "epa")).await;
    assert_eq!(thread.messages().fetch().await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn groups_create_costs_4_and_2n_wcu_and_n_on_the_index() {
    let (chat, meter) = App::with_whole_pages().metered();
    for n in [1, 2, 10, 97] {
        let new = group(usize::try_from(n).unwrap());
        costs(&meter, writes(4 + 2 * n) + index_writes(n), chat.create_group(new, "opa")).await;
    }
}

#[tokio::test]
async fn groups_import_direct_costs_8_wcu_and_2_on_the_index() {
    let (chat, meter) = App::with_whole_pages().metered();
    let old = id("5ae290ed-55d1-47a0-bc6d-fe2bc2700399");
    let import = ImportedDirect::new(old, person(1), person(2), time("2023-03-22T14:36:25Z"));
    costs(&meter, writes(8) + index_writes(2), chat.import_direct(import)).await;
}

#[tokio::test]
async fn groups_open_costs_1_rcu_whether_one_may_or_not() {
    let (_, chat, meter, [andrew, _], thread) = direct().await;
    costs(&meter, reads(1), chat.open(andrew.id(), thread.group_id())).await;
    let stranger = meter.measure(chat.open(person(7).id(), thread.group_id())).await;
    stranger.exactly(reads(1)).unwrap().unwrap_err();
}

#[tokio::test]
async fn groups_members_costs_1_rcu_per_4_kb() {
    let app = App::with_whole_pages();
    let (chat, meter) = app.metered();
    let thread = chat.create_group(group(90), "opa").await.unwrap();
    let rows = bytes(&app, Membership::TYPE).await;
    let members = costs(&meter, reads(read_units(rows, Consistency::Strong)), thread.members()).await;
    assert_eq!(members.items.len(), 90);
    // A row is at most 1 KB, so that is at least four members a unit.
    assert!(rows > 4096 && rows <= 90 * 1024, "{rows}");
}

#[tokio::test]
async fn groups_get_costs_half_an_rcu() {
    let (_, _, meter, _, thread) = direct().await;
    costs(&meter, reads(HALF), thread.group()).await;
}

#[tokio::test]
async fn groups_add_member_costs_1_rcu_and_6_wcu_and_1_on_the_index() {
    let (chat, meter) = App::with_whole_pages().metered();
    let thread = chat.create_group(group(2), "opa").await.unwrap();
    costs(&meter, reads(1) + writes(6) + index_writes(1), thread.add_member(person(2))).await;
    costs(&meter, reads(1) + writes(6), thread.add_member(person(2))).await;
}

#[tokio::test]
async fn groups_remove_member_costs_6_wcu_and_1_on_the_index_and_4_to_leave() {
    let (chat, meter) = App::with_whole_pages().metered();
    let thread = chat.create_group(group(2), "opa").await.unwrap();
    costs(&meter, writes(6) + index_writes(1), thread.remove_member(person(1).id())).await;
    costs(&meter, writes(6), thread.remove_member(person(1).id())).await;
    costs(&meter, writes(4) + index_writes(1), thread.remove_member(person(0).id())).await;
}

#[tokio::test]
async fn messages_send_costs_1_wcu_and_no_more_when_it_is_repeated() {
    let (_, chat, meter, _, thread) = direct().await;
    let id = chat.new_message_id();
    for _ in 0..2 {
        costs(&meter, writes(1), thread.send(id, "opa")).await;
    }
}

#[tokio::test]
async fn messages_send_of_600_bytes_costs_1_wcu_and_a_unit_more_for_each_kb_beyond() {
    let (_, _, meter, _, thread) = direct().await;
    for (bytes, units) in [(600, 1), (1024, 2), (2400, 3), (4096, 5)] {
        let text = "🙂".repeat(bytes / 4);
        costs(&meter, writes(units), thread.send(thread.new_message_id(), text)).await;
    }
}

#[tokio::test]
async fn messages_page_costs_half_an_rcu_per_4_kb_and_twice_that_where_it_is_consistent() {
    let (app, _, meter, _, thread) = direct().await;
    for number in 0..39 {
        app.say(&thread, &number.to_string()).await;
    }
    let all = bytes(&app, Message::TYPE).await;
    assert!(all > 2 * 4096, "{all}");
    let page = || thread.messages().limit(100);
    assert_eq!(costs(&meter, reads(read_units(all, Consistency::Eventual)), page().fetch()).await.items.len(), 40);
    costs(&meter, reads(read_units(all, Consistency::Strong)), page().consistent().fetch()).await;
    costs(&meter, reads(HALF), thread.messages().limit(5).fetch()).await;
}

#[tokio::test]
async fn messages_get_costs_half_an_rcu_per_4_kb_found_or_not() {
    let (app, chat, meter, _, thread) = direct().await;
    for (text, units) in [("opa".to_owned(), HALF), ("🙂".repeat(1024), Units::whole(1))] {
        let sent = app.say(&thread, &text).await;
        assert_eq!(costs(&meter, reads(units), thread.message(&sent)).await, Some(sent));
    }
    assert_eq!(costs(&meter, reads(HALF), thread.message(chat.new_message_id())).await, None);
}

/// Andrew's end of a conversation, and 49 messages of less than 1 KB in it: four of them weigh less than 4 KB, and the 21 that are
/// read for a page of 20 between 4 and 5 times as much.
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
async fn messages_page_before_or_after_a_message_costs_half_an_rcu_per_4_kb_of_it_and_of_one_message_more() {
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
async fn messages_page_between_two_messages_costs_up_to_1_rcu_more_in_two_queries_more() {
    let (meter, thread, messages) = long_thread().await;
    // Each query counts the bounds in. A page that ends short of one is short itself then, or of what tells whether there is more.
    for (between, limit, queries) in [(3, 2, 2), (2, 2, 3), (1, 2, 2), (2, 3, 2), (2, 4, 1)] {
        let page = thread.messages().after(&messages[24]).before(&messages[24 + between + 1]).limit(limit);
        let page = costs(&meter, reads(Units::halves(queries)), page.fetch()).await;
        assert_eq!((page.items.len(), page.next.is_some()), if between == 3 { (2, true) } else { (between, false) });
    }
}

#[tokio::test]
async fn messages_page_around_a_message_costs_a_page_on_each_side_of_it_and_1_rcu_at_least() {
    let (meter, thread, messages) = long_thread().await;
    let page = || thread.messages().around(&messages[24]);
    assert_eq!(costs(&meter, reads(5), page().limit(20).fetch()).await.items.len(), 20);
    costs(&meter, reads(10), page().limit(20).consistent().fetch()).await;
    assert_eq!(costs(&meter, reads(1), page().limit(3).fetch()).await.items.len(), 3);
    // Also where one side is empty.
    let newest = thread.messages().around(&messages[48]).limit(3);
    assert_eq!(costs(&meter, reads(1), newest.fetch()).await.items.len(), 3);
}

#[tokio::test]
async fn messages_edit_costs_1_wcu() {
    let (app, _, meter, _, thread) = direct().await;
    let message = app.say(&thread, "opa").await;
    costs(&meter, writes(1), thread.edit(&message, "epa")).await;
}

#[tokio::test]
async fn messages_delete_costs_1_wcu_and_no_more_when_it_is_repeated() {
    let (app, _, meter, _, thread) = direct().await;
    let message = app.say(&thread, "opa").await;
    for _ in 0..2 {
        costs(&meter, writes(1), thread.delete(&message)).await;
    }
}

#[tokio::test]
async fn inbox_page_costs_half_an_rcu_of_the_index_per_4_kb() {
    let app = App::with_whole_pages();
    let (chat, meter) = app.metered();
    costs(&meter, Capacity::index_reads(HALF), chat.inbox(person(0).id()).fetch()).await;
    for number in 1..=20 {
        chat.start_direct(person(0), person(number), "opa").await.unwrap();
    }
    let rows = bytes(&app, Membership::TYPE).await / 2;
    assert!(rows > 4096, "{rows}");
    let budget = Capacity::index_reads(read_units(rows, Consistency::Eventual));
    assert_eq!(costs(&meter, budget, chat.inbox(person(0).id()).fetch()).await.items.len(), 20);
}

#[tokio::test]
async fn inbox_mark_read_costs_1_wcu_and_1_on_the_index_and_none_there_where_it_changes_nothing() {
    let (_, _, meter, _, mut thread) = direct().await;
    let last = thread.membership().last_message().unwrap();
    costs(&meter, writes(1) + index_writes(1), thread.mark_read(last)).await;
    costs(&meter, writes(1), thread.mark_read(last)).await;
}

#[tokio::test]
async fn inbox_unread_costs_half_an_rcu_per_4_kb() {
    let (app, chat, meter, [_, bayko], thread) = direct().await;
    let row = app.inbox(bayko.id()).await.remove(0);
    assert_eq!(costs(&meter, reads(HALF), chat.unread(&row)).await.count, 1);
    for number in 0..39 {
        app.say(&thread, &number.to_string()).await;
    }
    let unread = reads(read_units(bytes(&app, Message::TYPE).await, Consistency::Eventual));
    assert_eq!(costs(&meter, unread, chat.unread(&row)).await.count, 40);
}

/// Andrew, who has an identity, Bayko, and their conversation, projected; and what an audit of it reads.
async fn audited() -> (App, GroupId, Capacity) {
    let app = App::with_whole_pages();
    let andrew = app.chat.create_user(andrew()).await.unwrap();
    let bayko = app.user("bayko").await;
    let thread = app.chat.start_direct(&andrew, &bayko, "opa").await.unwrap();
    let items = app.store.scan(Scan::new()).await.unwrap().items;
    let place = |entity| items.iter().position(|item| item.type_name() == Some(entity));
    // A scan is in no useful order; where it meets a thread before its group, the group is looked for.
    let thread_first = u32::from(place(Message::TYPE) < place(MessageGroup::TYPE));
    let table = items.iter().map(Item::size).sum();
    // Each user and its claims; each claim's user; the group, its members, its newest message and their users.
    let found = reads((1 + 2) + (1 + 1) + 3 + (1 + 1 + 1 + 2) + thread_first);
    (app, thread.group_id(), reads(read_units(table, Consistency::Eventual)) + found)
}

#[tokio::test]
async fn audit_check_costs_the_scan_and_1_rcu_a_read() {
    let (app, _, budget) = audited().await;
    let meter = Metered::new(app.store.clone());
    let page = costs(&meter, budget, Auditor::new(meter.clone()).check(None)).await;
    assert_eq!((page.findings, page.next), (vec![], None));
}

#[tokio::test]
async fn audit_rebuild_costs_what_a_check_does_and_the_mends() {
    let (app, group, budget) = audited().await;
    let meter = Metered::new(app.store.clone());
    let auditor = Auditor::new(meter.clone());
    costs(&meter, budget, auditor.rebuild(None)).await;
    let miscount = Update::new().add("member_count", 1);
    let miscount = Write::update(MessageGroup::key_from(group), miscount);
    app.store.write(miscount).await.unwrap().done().unwrap();
    let page = costs(&meter, budget + writes(1), auditor.rebuild(None)).await;
    assert_eq!(page.findings.len(), 1);
}

#[tokio::test]
async fn a_budget_that_is_not_kept_says_what_was_consumed_by_what() {
    let store = FaultStore::new(MemoryStore::new(), Plan::new().throttle(Calls::nth(2)));
    let meter = Metered::new(store);
    let get = Get::new(Key::new(PartitionKey::parse("secret").unwrap(), SortKey::parse("1").unwrap()));
    let work = async {
        meter.scan(Scan::new()).await.unwrap();
        meter.get(get.clone()).await.unwrap_err();
        meter.get(get.clone().consistent()).await.unwrap();
    };
    let error = meter.measure(work).await.at_most(Capacity::reads(1) + Capacity::index_writes(2)).unwrap_err();
    let expected = "consumed 1.5 RCU where at most 1.0 RCU + 2.0 index WCU may be, \
                    by scan: 0.5 RCU, get: failed (Throttled), get: 1.0 RCU";
    assert_eq!((error.to_string().as_str(), format!("{error:?}").as_str()), (expected, expected));
    let error = meter.measure(async {}).await.exactly(reads(HALF)).unwrap_err();
    assert_eq!(error.to_string(), "consumed nothing where exactly 0.5 RCU may be, by no request");
}
