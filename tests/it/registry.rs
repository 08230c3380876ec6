//! The registry of cards: it is complete, and the README's table is generated from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use threadline::card::{Card, Case, EntityCard, RequestCard, RequestKind};
use threadline::registry::{ENTITIES, PATTERNS};
use threadline::{GSI1PK, GSI1SK, IdentitySubject, Item, NewUser, PK, SK};
use threadline_testkit::scenario::key_fits;

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

#[test]
fn cards_name_public_calls_and_retries_that_read_again() {
    let read = |path: &String| fs::read_to_string(root().join("src").join(path)).unwrap();
    let source: String = sources(&["patterns", "stream"]).iter().map(read).collect();
    for card in PATTERNS {
        let (_, call) = card.call.split_once("::").unwrap();
        let is_public = ["pub fn", "pub async fn"].iter().any(|head| source.contains(&format!("{head} {call}(")));
        assert!(is_public, "{}: there is no `{call}`", card.name);
        let reads = |request: &RequestCard| {
            matches!(request.kind, RequestKind::Get | RequestKind::BatchGet | RequestKind::Query | RequestKind::Scan)
        };
        let only_reads = card.cases.iter().flat_map(|case| case.requests).all(reads);
        assert_eq!(card.retry == "reads again", only_reads, "{}", card.name);
    }
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
        let has = |attribute, template| item.get_s(attribute).is_some_and(|key| key_fits(template, key));
        assert!(has(PK, pk) && has(SK, sk), "{name}: {item:?}");
        let place = [GSI1PK, GSI1SK].map(|attribute| Item::get_s(item, attribute).is_some());
        let is_placed = index.is_some_and(|(pk, sk)| has(GSI1PK, pk) && has(GSI1SK, sk));
        assert_eq!([is_placed; 2], place, "{name}");
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
