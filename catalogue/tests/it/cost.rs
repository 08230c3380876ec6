//! The estimate of a month: the pages that show it, a measured day, its limits, and an application's own pattern.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, Per, RequestCard, Term};
use threadline::store::meter::Metered;
use threadline::store::{Capacity, Units};
use threadline::stream::Projector;
use threadline::{ManualClock, MemoryStore, NewUser, SequentialIds, Threadline};
use threadline_catalogue::cost::{Calls, Estimate, Inputs, Layout};
use threadline_catalogue::{Catalogue, Error};

use crate::catalogue;

const PAGE: &str = include_str!("../../../docs/costs.md");

fn estimate(change: impl FnOnce(&mut Inputs)) -> Estimate {
    let mut inputs = Inputs::default();
    change(&mut inputs);
    catalogue().estimate(&inputs).unwrap()
}

pub(crate) fn threadline(arguments: &str) -> String {
    let program = Command::new(env!("CARGO_BIN_EXE_threadline")).args(arguments.split(' ')).output().unwrap();
    let text = if program.status.success() { program.stdout } else { program.stderr };
    assert!(matches!(program.status.code(), Some(0 | 2)));
    String::from_utf8(text).unwrap()
}

#[test]
fn default_estimate_is_shown_in_docs() {
    let printed = threadline("cost");
    assert_eq!(printed, estimate(|_| ()).to_string());
    assert!(PAGE.contains(&format!("```text\n{printed}```\n")), "docs/costs.md lacks:\n{printed}");
}

#[test]
fn one_member_and_one_message_are_singular() {
    let heading = |arguments| threadline(arguments).lines().next().map(str::to_owned).unwrap();
    assert!(heading("cost --members 1 --messages 1").contains(": 1 message of 0.5 KB a day, 1 member, "));
    assert!(heading("cost --members 2 --messages 2").contains(": 2 messages of 0.5 KB a day, 2 members, "));
}

#[test]
fn markdown_has_the_rows_of_the_text() {
    let markdown = threadline("cost --markdown");
    assert!(markdown.contains("| messages.send | 3,000,000 | 1 | 0 | 1.88 |\n"), "{markdown}");
    assert!(markdown.contains("| total |  |  |  | "), "{markdown}");
}

/// Returns the numbers of a cell `a × b / c = d`: the value of the left side, and the right side.
fn equation(cell: &str) -> (f64, f64) {
    let (left, right) = cell.split_once('=').unwrap();
    let number = |word: &str| word.replace(',', "").parse::<f64>().ok();
    let mut words = left.split_whitespace();
    let mut value = number(words.next().unwrap()).unwrap();
    while let Some(word) = words.next() {
        match word {
            "×" => value *= number(words.next().unwrap()).unwrap(),
            "/" => value /= number(words.next().unwrap()).unwrap(),
            _ => assert!(number(word).is_none(), "{cell}"),
        }
    }
    (value, right.split_whitespace().find_map(number).unwrap())
}

/// Asserts that two amounts are equal to the last digit that the page shows.
#[track_caller]
fn equal(one: f64, other: f64, cell: &str) {
    assert!((one - other).abs() <= 0.000_05, "{one} is not {other}: {cell}");
}

#[test]
fn estimate_agrees_with_the_bill_by_hand() {
    let section = PAGE.split("## A bill by hand").nth(1).unwrap().split("\n## ").next().unwrap();
    let command = section.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap().replace("\\\n  ", "");
    let bill = estimate(|inputs| {
        inputs.messages = 10_000.0;
        inputs.members = 3;
        inputs.page_reads = 1.0;
        inputs.inbox_opens = Some(20_000.0);
        inputs.marks = Some(10_000.0);
        inputs.edits = 0.0;
        inputs.new_users = Some(0.0);
        inputs.new_conversations = Some(0.0);
        inputs.pitr = true;
    });
    assert_eq!(threadline(command.strip_prefix("threadline ").unwrap()), bill.to_string());

    let mut prices = BTreeMap::new();
    let mut calls = BTreeMap::new();
    for line in section.lines().filter(|line| line.contains(" = ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        for cell in cells.iter().filter(|cell| cell.contains('=')) {
            let (left, right) = equation(cell);
            equal(left, right, cell);
        }
        let name = cells[0].trim_matches('`');
        *prices.entry(name).or_insert(0.0) += equation(cells[3]).1;
        calls.insert(name, cells[1]);
    }
    let sum: f64 = prices.values().sum();
    for row in &bill.rows {
        equal(row.calls, equation(calls[row.pattern]).1, row.pattern);
        equal(row.price.dollars(), prices.remove(row.pattern).unwrap(), row.pattern);
    }
    let charges: Vec<_> = bill.charges.iter().map(|charge| charge.price.dollars()).collect();
    assert_eq!((charges.len(), prices.len(), charges[0]), (2, 1, 0.0), "{charges:?}, {prices:?}");
    equal(charges[1], prices["backups"], "backups");
    equal(bill.total().dollars(), sum, "total");
    assert!(section.contains(&format!("**${}**", bill.total())), "{}", bill.total());
}

#[tokio::test]
async fn estimate_covers_a_measured_day() {
    let clock = Arc::new(ManualClock::starting_at("2026-02-03T09:40:11.250Z".parse().unwrap()));
    let store = MemoryStore::new().clock(clock.clone());
    let meter = Metered::new(store.clone());
    let chat = Threadline::new(meter.clone()).clock(clock.clone()).ids(SequentialIds::seeded(1));
    let projector = Projector::new(meter.clone());
    let day = async {
        let user = |handle: &str| NewUser::new(handle, "Andrew Brown").unwrap().identity(handle).unwrap();
        let andrew = chat.create_user(user("andrewbrown")).await.unwrap();
        let bayko = chat.create_user(user("bayko")).await.unwrap();
        let group = chat.start_direct(&andrew, &bayko, "opa").await.unwrap().group_id();
        let mut seen = 0;
        let mut project = async || {
            let records = store.records_after(None, usize::MAX).unwrap().split_off(seen);
            seen += records.len();
            assert!(!projector.project(&records).await.has_failed());
        };
        project().await;
        for text in ["one", "two"] {
            clock.advance(Duration::from_secs(1));
            let thread = chat.open(andrew.id(), group).await.unwrap();
            thread.send(thread.new_message_id(), text).await.unwrap();
            project().await;
            let mut thread = chat.open(bayko.id(), group).await.unwrap();
            let page = thread.messages().fetch().await.unwrap();
            thread.mark_read(&page.items[0]).await.unwrap();
            chat.inbox(bayko.id()).fetch().await.unwrap();
        }
        let thread = chat.open(andrew.id(), group).await.unwrap();
        let newest = thread.messages().fetch().await.unwrap().items.remove(0);
        thread.edit(&newest, "two, edited").await.unwrap();
        project().await;
    };
    let measured = meter.measure(day).await.consumed();

    let estimated = estimate(|inputs| {
        inputs.messages = 2.0;
        inputs.page_reads = 1.5;
        inputs.page_items = 3;
        inputs.inbox_opens = Some(2.0);
        inputs.opens = Some(5.0);
        inputs.marks = Some(2.0);
        inputs.edits = 0.5;
        inputs.new_users = Some(2.0);
        inputs.new_conversations = Some(1.0);
    });
    let sum = |units: fn(&Capacity) -> Units| -> f64 {
        estimated.rows.iter().map(|row| row.calls / 30.0 * units(&row.capacity).as_f64()).sum()
    };
    // An edit moves no entry: it costs 1 index WCU less for each of the two members than the card of a move.
    let writes = measured.table_write.as_f64() + measured.index_write.as_f64();
    assert_eq!(sum(Capacity::write), writes + 2.0);
    assert_eq!(sum(Capacity::read), measured.read().as_f64());
}

#[test]
fn more_of_anything_never_costs_less() {
    let changes: &[fn(&mut Inputs, f64)] = &[
        |inputs, n| inputs.messages *= n,
        |inputs, n| inputs.message_kb *= n,
        |inputs, n| inputs.page_reads *= n,
        |inputs, n| inputs.inbox_opens = Some(1e5 * n),
        |inputs, n| inputs.marks = Some(1e5 * n),
        |inputs, n| inputs.new_conversations = Some(1e3 * n),
        |inputs, n| inputs.new_users = Some(1e3 * n),
        |inputs, n| inputs.retention_months *= n,
        |inputs, n| inputs.poller_shards += 2 * n as u32,
        |inputs, n| inputs.members = (2.0 * n) as u32,
    ];
    for (index, change) in changes.iter().enumerate() {
        for provisioned in [None, Some(3.0)] {
            let total = |n| {
                let estimate = estimate(|inputs| {
                    inputs.provisioned = provisioned;
                    change(inputs, n);
                });
                estimate.total().dollars()
            };
            let totals = [1.0, 1.5, 3.0, 20.0, 100.0].map(total);
            // Sums of fractions differ in the last digits.
            assert!(totals.is_sorted_by(|less, more| *less <= more + 1e-9), "change {index}: {totals:?}");
            assert!(totals[0] < totals[4], "change {index}: {totals:?}");
        }
    }
}

#[test]
fn everything_follows_from_messages_by_default() {
    let [one, ten] = [1e5, 1e6].map(|messages| estimate(|inputs| inputs.messages = messages));
    for (one, ten) in one.rows.iter().zip(&ten.rows) {
        assert!((ten.price.dollars() / one.price.dollars() - 10.0).abs() < 1e-9, "{ten:?}");
    }
}

#[test]
fn burst_saves_projections() {
    let writes = |burst| estimate(|inputs| inputs.burst = burst).comparison[0].message_writes;
    assert_eq!((writes(1.0), writes(10.0)), (7.0, 1.6));
    let burst = estimate(|inputs| (inputs.burst, inputs.edits) = (10.0, 0.0));
    let advance = burst.rows.iter().find(|row| row.pattern == "projector.advance").unwrap();
    assert_eq!(advance.calls, 300_000.0);
}

#[test]
fn backups_are_paid_for_the_table_without_its_index() {
    let estimate = estimate(|inputs| {
        (inputs.messages, inputs.new_conversations, inputs.message_kb) = (0.0, Some(10_000.0), 0.5);
        (inputs.pitr, inputs.prices.free_gb) = (true, 0.0);
    });
    // A message of 512 bytes and two entries of 1,024, with 100 bytes of overhead each.
    let gb = |bytes: f64| bytes * 10_000.0 * 30.0 * 12.0 / f64::from(1 << 30);
    let expected = [gb(612.0 + 4.0 * 1124.0) * 0.25, gb(612.0 + 2.0 * 1124.0) * 0.2];
    let charges = estimate.charges.iter().map(|charge| charge.price.dollars());
    assert!(charges.zip(expected).all(|(one, other)| (one - other).abs() < 1e-9), "{estimate}");
}

#[test]
fn layouts_cost_what_their_requests_do() {
    let compared = |members, kb| {
        let estimate = estimate(|inputs| (inputs.members, inputs.message_kb) = (members, kb));
        estimate.comparison.iter().map(|compared| compared.message_writes).collect::<Vec<_>>()
    };
    assert_eq!(compared(2, 0.5), [7.0, 9.0, 1.0]);
    assert_eq!(compared(50, 0.5), [151.0, 201.0, 1.0]);
    assert_eq!(compared(2, 1.5), [8.0, 2.0 + 2.0 * 8.0, 2.0], "Cruddur's rows repeat the whole message");
    let inbox: Vec<_> = estimate(|_| ()).comparison.iter().map(|compared| compared.inbox_requests).collect();
    assert_eq!(inbox, [1, 1, 31]);
    assert_eq!(Layout::ALL.len(), inbox.len());
}

#[tokio::test]
async fn page_reads_one_item_more_than_it_shows() {
    let store = Metered::new(MemoryStore::new());
    let chat = Threadline::new(store.clone());
    let [andrew, bayko] = ["andrewbrown", "bayko"].map(|handle| NewUser::new(handle, handle).unwrap());
    let (andrew, bayko) = (chat.create_user(andrew).await.unwrap(), chat.create_user(bayko).await.unwrap());
    // With its other attributes, each message has almost 1 KB.
    let text = "x".repeat(720);
    let thread = chat.start_direct(&andrew, &bayko, text.as_str()).await.unwrap();
    for _ in 0..30 {
        thread.send(chat.new_message_id(), text.as_str()).await.unwrap();
    }
    let page = store.measure(thread.messages().limit(20).fetch()).await.consumed().read().as_f64();
    let estimated = estimate(|inputs| inputs.message_kb = 1.0);
    let row = estimated.rows.iter().find(|row| row.pattern == "messages.page").unwrap();
    assert_eq!(row.capacity.read().as_f64(), page);
}

#[tokio::test]
async fn inbox_page_reads_one_entry_more_than_it_shows() {
    let store = Metered::new(MemoryStore::new());
    let chat = Threadline::new(store.clone());
    // With long texts, five entries are more than 4 KB, which four of 1 KB are not.
    let (name, text) = ("\u{1f980}".repeat(20), "\u{1f980}".repeat(140));
    let user = |index: usize| NewUser::new(format!("user{index}"), name.as_str()).unwrap();
    let andrew = chat.create_user(user(0)).await.unwrap();
    for index in 1..=6 {
        let other = chat.create_user(user(index)).await.unwrap();
        chat.start_direct(&andrew, &other, text.as_str()).await.unwrap();
    }
    let page = store.measure(chat.inbox(andrew.id()).limit(4).fetch()).await.consumed().read().as_f64();
    let estimated = estimate(|inputs| inputs.page_items = 4);
    let row = estimated.rows.iter().find(|row| row.pattern == "inbox.page").unwrap();
    assert_eq!(row.capacity.read().as_f64(), page);
}

#[test]
fn layout_without_inboxes_pays_for_no_stream_and_no_index() {
    let price = |change: fn(&mut Inputs)| estimate(change).comparison[2].price.dollars();
    assert_eq!(price(|inputs| inputs.poller_shards = 4), price(|_| ()));
    let nothing = price(|inputs| (inputs.messages, inputs.provisioned) = (0.0, Some(1.0)));
    assert!((nothing - (0.00065 + 0.00013) * 720.0).abs() < 1e-9, "{nothing}");
}

#[test]
fn provisioned_capacity_is_rounded_up_and_paid_for_the_peak() {
    let steady = estimate(|inputs| inputs.provisioned = Some(1.0));
    let peak = estimate(|inputs| inputs.provisioned = Some(4.0));
    // 3,000,000 WCU in 30 days are 1.157 a second, at $0.00065 for each of 720 hours.
    let send = |estimate: &Estimate| estimate.rows.iter().find(|row| row.pattern == "messages.send").unwrap().price;
    assert!((send(&steady).dollars() - 3e6 / 2_592_000.0 * 0.00065 * 720.0).abs() < 1e-9);
    assert!((send(&peak).dollars() / send(&steady).dollars() - 4.0).abs() < 1e-9);
    let nothing = estimate(|inputs| {
        (inputs.messages, inputs.provisioned) = (0.0, Some(1.0));
    });
    assert_eq!(nothing.charges[0].name, "whole units: 1 WCU, 1 RCU; index 1 WCU, 1 RCU");
    let one_each = 2.0 * (0.00065 + 0.00013) * 720.0;
    assert!((nothing.total().dollars() - one_each).abs() < 1e-9, "{nothing}");
}

#[test]
fn patterns_of_an_application_are_added_by_name() {
    const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
    const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone).cases(&[
        Case::new(&[RequestCard::put(&NOTE)], Cost::of(&[Term::writes(1).per(Per::WrittenKb)])),
        Case::named("many", &[RequestCard::put(&NOTE)], Cost::of(&[Term::writes(3).per(Per::Each("note"))])),
    ]);
    let catalogue = Catalogue::new(Registry::new().entity(&NOTE).pattern(&WRITE)).unwrap();
    let mut inputs = Inputs::default();
    let calls = ["notes.write=1000", "notes.write=1000,written=2.5", "notes.write/many=1000,items=4"];
    inputs.calls = calls.iter().map(|calls| calls.parse().unwrap()).collect();
    let added = catalogue.estimate(&inputs).unwrap();
    let rows = added.rows.iter().filter(|row| row.pattern == "notes.write");
    let rows: Vec<_> = rows.map(|row| (row.case, row.calls, row.capacity, row.price.to_string())).collect();
    assert_eq!(
        rows,
        [
            ("", 30_000.0, Capacity::writes(1), "0.02".to_owned()),
            ("", 30_000.0, Capacity::writes(3), "0.06".to_owned()),
            ("many", 30_000.0, Capacity::writes(12), "0.23".to_owned()),
        ]
    );
    assert!(added.total() > estimate(|_| ()).total());

    inputs.calls = vec![Calls::new("notes.read", 1.0)];
    assert!(matches!(catalogue.estimate(&inputs), Err(Error::NoChoice { what: "pattern", .. })));
}

#[test]
fn invalid_inputs_are_refused_in_one_sentence() {
    for (arguments, expected) in [
        ("--members 0", "`members` is 0: pass a number within its limits, 1 to 1000"),
        ("--members 1001", "`members` is 1001"),
        ("--messages -1", "`messages` is -1"),
        ("--messages NaN", "`messages` is NaN"),
        ("--messages inf", "`messages` is inf"),
        ("--message-kb 0", "`message-kb` is 0: pass a number within its limits, more than 0, at most 400"),
        ("--burst 0.5", "`burst` is 0.5"),
        ("--edits 1.1", "`edits` is 1.1"),
        ("--provisioned 0.9", "`provisioned` is 0.9: pass a number within its limits, 1 to 1000000"),
        ("--wcu-hour -0.1", "`wcu-hour` is -0.1"),
        ("--calls messages.send", "`messages.send` is not PATTERN[/CASE]=N[,SIZE=N]"),
        ("--calls messages.send=NaN", "`messages.send` is NaN"),
        ("--calls messages.send=1,weight=2", "there is no size `weight`: choose one of written, read,"),
        ("--calls groups.open/closed=1", "there is no case `closed`: choose one of shown message has expired"),
        ("--calls messages.get/foo=1", "there is no case `foo`: `messages.get` has only the usual case\n"),
        ("--plot --calls nope=1", "'--plot' cannot be used with '--calls"),
        ("--plot --members 5", "'--plot' cannot be used with '--members"),
        ("--calls groups.shut=1", "there is no pattern `groups.shut`: choose one of users.create,"),
        ("--calls groups.create=1,members=1001", "`members` is 1001"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_threadline"));
        let output = program.arg("cost").args(arguments.split(' ')).output().unwrap();
        let error = str::from_utf8(&output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn largest_inputs_give_a_finite_price() {
    let largest = estimate(|inputs| {
        (inputs.messages, inputs.message_kb, inputs.members) = (1e12, 400.0, 1000);
        (inputs.page_reads, inputs.page_items) = (1e6, 1000);
        (inputs.conversations, inputs.new_conversations) = (1_000_000, Some(1e12));
        (inputs.retention_months, inputs.provisioned) = (1200.0, Some(1e6));
        (inputs.prices.wcu_hour, inputs.prices.rcu_hour, inputs.prices.storage_gb) = (1e6, 1e6, 1e6);
    });
    assert!(largest.total().dollars().is_finite());
    assert!(largest.comparison.iter().all(|compared| compared.price.dollars().is_finite()));
    assert!(!largest.to_string().contains("NaN"));
}

#[test]
fn changed_prices_lose_the_name_of_the_default_ones() {
    assert!(threadline("cost --write-million 0.7").contains(", prices of your own.\n"));
    assert!(threadline("cost --write-million 0.7 --prices-of eu-west-1").contains(", eu-west-1.\n"));
    assert!(threadline("cost").contains(", us-east-1, 2026-08-01.\n"));
}

#[test]
fn plot_has_each_layout_and_no_small_text() {
    for arguments in ["cost --plot", "cost --plot --messages 0"] {
        let drawn = threadline(arguments);
        assert_eq!(drawn.matches("<polyline").count(), Layout::ALL.len());
        assert!(Layout::ALL.iter().all(|layout| drawn.contains(layout.name())));
        assert_eq!(drawn.matches("stroke-dasharray=\"").count(), Layout::ALL.len());
        let sizes = drawn.split("px ").filter_map(|before| before.rsplit([' ', ':']).next()?.parse::<u32>().ok());
        assert!(sizes.into_iter().all(|size| size >= 12));
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }
}
