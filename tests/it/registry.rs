//! The registry of cards: it is complete, its costs are those that the budgets check, and the README's table is
//! generated from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use threadline::card::{Card, Case, EntityCard, RequestCard, Sizes};
use threadline::registry::{ENTITIES, PATTERNS};
use threadline::store::meter::Metered;
use threadline::{
    Capacity, GSI1PK, GSI1SK, IdentitySubject, Item, MemoryStore, NewGroup, NewUser, PK, Result, SK, Units,
};

use crate::groups::person;
use crate::support::{App, scan};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the Rust files of these folders of `src`, as paths below it.
fn sources(folders: &[&str]) -> Vec<String> {
    let src = root().join("src");
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| src.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    files.sort();
    files
}

/// Returns the cards of a file that the registry does not list, and the calls that begin with no card of the file.
fn unregistered(path: &str, source: &str, registry: &str) -> Vec<String> {
    let module = path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let module = module.split_once("::").map_or("", |(_, module)| module);
    let cards: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim_start().trim_start_matches("pub(crate) ").strip_prefix("const ")?.split_once(": "))
        .filter_map(|(name, rest)| rest.starts_with("Card =").then_some(name))
        .collect();
    let is_listed = |name: &str| registry.lines().any(|line| line.trim() == format!("&{module}::{name},"));
    let missing = cards.iter().filter(|name| !is_listed(name)).map(|name| format!("{path}: {name} is not registered"));
    let calls = source.split("begin!(").skip(1).filter_map(|rest| rest.split_once(')')?.0.rsplit_once(", "));
    let others = calls.map(|(_, card)| card).filter(|card| !cards.contains(card));
    missing.chain(others.map(|card| format!("{path}: {card} is no card of this file"))).collect()
}

#[test]
fn registry_lists_every_card_and_every_call_has_one() {
    let read = |path: &str| fs::read_to_string(root().join("src").join(path)).unwrap();
    let (files, registry) = (sources(&["patterns", "stream"]), read("registry.rs"));
    let calls: usize = files.iter().map(|path| read(path).matches("begin!(").count()).sum();
    assert!(calls >= PATTERNS.len(), "{calls} calls were found");
    let wrong: Vec<_> = files.iter().flat_map(|path| unregistered(path, &read(path), &registry)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn pattern_missing_from_registry_is_found() {
    let source = "pub(crate) const CARD: Card = Card::new();\nlet call = begin!(&*self.store, CARD);";
    let check = |source| unregistered("patterns/users/ban.rs", source, "    &users::create::CARD,\n");
    assert_eq!(check(source), ["patterns/users/ban.rs: CARD is not registered"]);
    assert_eq!(check("begin!(&store, CARD)"), ["patterns/users/ban.rs: CARD is no card of this file"]);
    assert_eq!(unregistered("patterns/users/ban.rs", source, "    &users::ban::CARD,\n"), [""; 0]);
}

#[test]
fn names_of_cards_cases_and_entities_are_unique() {
    let names: BTreeSet<_> = PATTERNS.iter().map(|card| card.name).collect();
    assert_eq!(names.len(), PATTERNS.len());
    for card in PATTERNS {
        let cases: BTreeSet<_> = card.cases.iter().map(|case| case.name).collect();
        assert!(!cases.is_empty() && cases.len() == card.cases.len(), "{}", card.name);
        assert!(card.cases.iter().all(|case| !case.requests.is_empty()) && !card.retry.is_empty(), "{}", card.name);
        let entities = card.cases.iter().flat_map(|case| case.requests).filter_map(|request| request.entity);
        assert!(entities.into_iter().all(|entity| ENTITIES.contains(&entity)), "{}", card.name);
    }
    let entities: BTreeSet<_> = ENTITIES.iter().map(|entity| entity.name).collect();
    assert_eq!(entities.len(), ENTITIES.len());
}

/// Returns `true` if a key has the template's constant segments, and something for each `<part>`.
fn matches(template: &str, key: &str) -> bool {
    let (template, key): (Vec<_>, Vec<_>) = (template.split('#').collect(), key.split('#').collect());
    template.len() == key.len() && template.iter().zip(key).all(|(part, key)| part.starts_with('<') || *part == key)
}

#[tokio::test]
async fn key_templates_match_stored_items() {
    let app = App::new();
    let andrew = NewUser::new("andrewbrown", "Andrew Brown").unwrap();
    let andrew = andrew.with_identity(IdentitySubject::new("MOCK").unwrap());
    let andrew = app.chat.create_user(andrew).await.unwrap();
    app.chat.start_direct(&andrew, &app.user("bayko").await, "opa").await.unwrap();
    let items = scan(&app.store).await;
    for EntityCard { name, pk, sk, index, .. } in ENTITIES {
        let item = items.iter().find(|item| item.type_name() == Some(name)).unwrap();
        let has = |attribute, template| item.get_s(attribute).is_some_and(|key| matches(template, key));
        assert!(has(PK, pk) && has(SK, sk), "{name}: {item:?}");
        let place = [GSI1PK, GSI1SK].map(|attribute| Item::get_s(item, attribute).is_some());
        let is_placed = index.is_some_and(|(pk, sk)| has(GSI1PK, pk) && has(GSI1SK, sk));
        assert_eq!([is_placed; 2], place, "{name}");
    }
}

/// The costs that `budgets` checks, at the same sizes: items under 1 KB, and one request's items under 4 KB.
fn budgets() -> Vec<(&'static str, &'static str, Sizes, Capacity)> {
    let (w, iw) = (|n: u32| Capacity::writes(n), |n: u32| Capacity::index_writes(n));
    let (half, index_half) = (|n| Capacity::reads(Units::halves(n)), Capacity::index_reads(Units::halves(1)));
    let r = |n: u32| Capacity::reads(n);
    let (small, read) = (Sizes::new(), Sizes::new().read(1));
    let three = read.members(3);
    let renamed = Sizes::new().read_index(1).items(3);
    #[rustfmt::skip]
    let budgets = vec![
        ("users.create", "", small, w(6)),
        ("users.create", "without an identity", small, w(4)),
        ("users.create", "handle with an old key", small, w(8)),
        ("users.get", "", small, half(1)),
        ("users.by_handle", "", small, half(1)),
        ("users.by_handle", "old key, typed otherwise", small, r(1)),
        ("users.by_identity", "", small, half(1)),
        ("users.update", "display name", small, w(6)),
        ("users.update", "handle", small, w(8)),
        ("users.update", "display name, without an identity", small, w(4)),
        ("users.update", "handle, without an identity", small, w(6)),
        ("users.update", "handle with an old key to another, without an identity", small, r(2) + w(6 + 2)),
        ("users.update", "display name, old claim moves, without an identity", small, r(2) + w(4 + 2)),
        ("users.update", "same names", small, r(1)),
        ("groups.start_direct", "new", small, w(8) + iw(2)),
        ("groups.start_direct", "existing", small, w(8 + 1) + r(1)),
        ("groups.create", "", small.members(97), w(4 + 2 * 97) + iw(97)),
        ("groups.import_direct", "", small, w(8) + iw(2)),
        ("groups.open", "", small, r(1)),
        ("groups.open", "shown message has expired", read, r(2)),
        ("groups.members", "", small.read(90 * 300), r(7)),
        ("groups.get", "", small, half(1)),
        ("groups.add_member", "", read, r(1) + w(6) + iw(1)),
        ("groups.add_member", "existing member", read, r(1) + w(6)),
        ("groups.remove_member", "", small, w(6) + iw(1)),
        ("groups.remove_member", "oneself", small, w(4) + iw(1)),
        ("groups.remove_member", "no member", small, w(6)),
        ("messages.send", "", small.written(4096 + 300), w(5)),
        ("messages.send", "outside the send window", read, r(1)),
        ("messages.get", "", read, half(1)),
        ("messages.page", "", small.read(21 * 800), half(5)),
        ("messages.page", "consistent", small.read(21 * 800), r(5)),
        ("messages.page", "around a message", small.read(21 * 800).read(21 * 800), r(5)),
        ("messages.page", "around a message, consistent", small.read(21 * 800).read(21 * 800), r(10)),
        ("messages.page", "between two messages", read.read(1).read(1), half(3)),
        ("messages.edit", "", small, w(1)),
        ("messages.delete", "", small, w(1)),
        ("inbox.page", "", small.read_index(1), index_half),
        ("inbox.page", "shown messages have expired", small.read_index(1).read(1).read(1), index_half + r(2)),
        ("inbox.mark_read", "", small, w(1) + iw(1)),
        ("inbox.mark_read", "earlier message", small, w(1)),
        ("inbox.mark_read", "shown message has expired", read, r(1) + w(1) + iw(1)),
        ("inbox.unread", "", read, half(1)),
        ("projector.advance", "", three, r(1) + w(3) + iw(2 * 3)),
        ("projector.advance", "redelivery", three, r(1)),
        ("projector.refresh", "", three.read(1), r(1 + 1) + w(3) + iw(2 * 3)),
        ("projector.join", "", read.items(1), r(1 + 1)),
        ("projector.join", "membership has moved", read.read(1).items(1), r(1 + 1 + 2)),
        ("projector.join", "membership is late", read.read(1).read(1).items(1), r(1 + 1 + 2 + 1) + w(1) + iw(2)),
        ("projector.join", "older names", read.items(1), r(1 + 1) + w(1) + iw(1)),
        ("projector.rename", "groups", renamed, index_half + w(3) + iw(3)),
        ("projector.rename", "groups, previews may grow", renamed.items(1).read(1), index_half + r(1) + w(1) + iw(1)),
        ("projector.rename", "direct conversations", renamed, index_half + r(3) + w(6) + iw(6)),
        ("audit.check", "", read.items(13), half(1) + r(13)),
        ("audit.rebuild", "", read.items(13), half(1) + r(13)),
        ("audit.rebuild", "one miscounted group", read.items(13), half(1) + r(13) + w(1)),
    ];
    budgets
}

#[test]
fn cards_cost_what_budgets_check() {
    let expected = budgets();
    let names: BTreeSet<_> =
        PATTERNS.iter().flat_map(|card| card.cases.iter().map(|case| (card.name, case.name))).collect();
    assert_eq!(expected.iter().map(|(card, case, ..)| (*card, *case)).collect::<BTreeSet<_>>(), names);
    for (card, case, sizes, capacity) in expected {
        let declared = PATTERNS.iter().find(|declared| declared.name == card).unwrap().case(case).unwrap();
        assert_eq!(declared.cost.capacity(&sizes), capacity, "{card}: {case}");
    }
}

/// Checks that the call costs what the card's formula gives at these sizes, and returns its answer.
async fn costs<T>(
    meter: &Metered<MemoryStore>,
    of: (&str, &str),
    at: Sizes,
    call: impl Future<Output = Result<T>>,
) -> T {
    let card = PATTERNS.iter().find(|card| card.name == of.0).unwrap();
    let budget = card.case(of.1).unwrap().cost.capacity(&at);
    meter.measure(call).await.exactly(budget).unwrap_or_else(|error| panic!("{of:?}: {error}")).unwrap()
}

#[tokio::test]
async fn cards_cost_what_is_measured_for_messages_of_1_and_5_kb() {
    for (text, kb) in [("x".repeat(600), 1), ("🙂".repeat(1024), 5)] {
        let app = App::with_whole_pages();
        let (chat, meter) = app.metered();
        let message = Sizes::new().written(kb * 1024);
        let start = chat.start_direct(person(1), person(2), text.clone());
        costs(&meter, ("groups.start_direct", "new"), message, start).await;
        app.clock.advance(Duration::from_secs(1));
        let start = chat.start_direct(person(2), person(1), text.clone());
        let thread = costs(&meter, ("groups.start_direct", "existing"), message, start).await;
        for members in [2, 3, 50] {
            let new =
                (1..members).fold(NewGroup::new("Babylon 5", person(0)).unwrap(), |new, n| new.with_member(person(n)));
            let (sizes, create) =
                (message.members(u32::try_from(members).unwrap()), chat.create_group(new, text.clone()));
            let group = costs(&meter, ("groups.create", ""), sizes, create).await;
            // The first message is the newest one.
            let sizes = Sizes::new().read(kb * 1024);
            costs(&meter, ("groups.add_member", ""), sizes, group.add_member(person(members))).await;
            costs(&meter, ("groups.add_member", "existing member"), sizes, group.add_member(person(members))).await;
        }
        let id = chat.new_message_id();
        let sent = costs(&meter, ("messages.send", ""), message, thread.send(id, text.clone())).await;
        let sizes = Sizes::new().read(kb * 1024);
        costs(&meter, ("messages.get", ""), sizes, thread.message(&sent)).await;
        costs(&meter, ("messages.edit", ""), message, thread.edit(&sent, "opa")).await;
        let sent = app.say(&thread, &text).await;
        costs(&meter, ("messages.delete", ""), message, thread.delete(&sent)).await;
    }
}

/// Returns the requests of a case in a line: `transaction: Put User, Put HandleClaim; 2 × Get User`.
fn requests(case: &Case) -> String {
    let text = |same: &[RequestCard]| match same {
        [request] => request.to_string(),
        requests => format!("{} × {}", requests.len(), requests[0]),
    };
    let parts = case.requests.chunk_by(|one, next| one.transaction == next.transaction).map(|requests| {
        let list: Vec<_> = requests.chunk_by(|one, next| one.to_string() == next.to_string()).map(text).collect();
        if requests[0].transaction { format!("transaction: {}", list.join(", ")) } else { list.join("; ") }
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Returns the table of costs: a row for each case.
fn table(cards: &[&Card]) -> String {
    let mut rows = "| pattern | call | requests | cost |\n|---|---|---|---|\n".to_owned();
    for card in cards {
        for (number, case) in card.cases.iter().enumerate() {
            let (pattern, call) = match (number, case.name) {
                (0, "") => (format!("`{}`", card.name), format!("`{}`", card.call)),
                (0, name) => (format!("`{}`: {name}", card.name), format!("`{}`", card.call)),
                (_, name) => (format!("… {name}"), String::new()),
            };
            rows += &format!("| {pattern} | {call} | {} | {} |\n", requests(case), case.cost);
        }
    }
    rows
}

#[test]
fn readme_shows_generated_table() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- costs: generated from the registry -->\n").unwrap();
    let (shown, _) = rest.split_once("<!-- end of costs -->").unwrap();
    let table = table(PATTERNS);
    assert!(shown.trim() == table.trim(), "the README's table is out of date; replace it with this one:\n\n{table}");
}
