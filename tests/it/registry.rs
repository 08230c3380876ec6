//! The registry of cards: it is complete.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use threadline::card::registry::{ENTITIES, PATTERNS};
use threadline::card::{EntityCard, Per, RequestCard, RequestKind, Term};
use threadline::entity::{GSI1PK, GSI1SK, Item, PK, SK};
use threadline::{IdentitySubject, NewUser};
use threadline_testkit::scenario::key_fits;

use crate::sources::sources;
use crate::support::{App, scan};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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
    let (files, registry) = (sources(&["patterns", "stream"]), read("card/registry.rs"));
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

/// A function of an `impl`.
#[derive(Debug)]
struct Method {
    receiver: String,
    name: String,
    is_public: bool,
    is_async: bool,
    /// The code without comments and white space.
    code: String,
}

/// Returns the type of an `impl`: `Thread` for `impl<'a> Display for Thread<'a> {`.
fn receiver(head: &str) -> Option<&str> {
    let head = head.strip_prefix("impl")?;
    let mut depth = 0_i32;
    let end = head.find(|c: char| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        depth == 0
    })?;
    let rest = head[end..].trim_start_matches('>').trim_start();
    let named = rest.rsplit_once(" for ").map_or(rest, |(_, named)| named);
    named.split(['<', ' ']).next()
}

/// Returns the functions of a file in the form of rustfmt: each `impl` ends at the margin, and each function in the
/// first column.
fn methods(source: &str) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    let (mut within, mut is_open) = (None, false);
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        match within {
            None => within = receiver(line).filter(|_| !line.ends_with("{}")),
            Some(_) if line == "}" => (within, is_open) = (None, false),
            Some(receiver) => {
                let head = line.strip_prefix("    ").filter(|line| !line.starts_with(' '));
                if let Some((qualifiers, rest)) = head.and_then(|line| line.split_once("fn ")) {
                    methods.push(Method {
                        receiver: receiver.to_owned(),
                        name: rest.split(['(', '<']).next().unwrap().to_owned(),
                        is_public: qualifiers.starts_with("pub "),
                        is_async: qualifiers.contains("async "),
                        code: String::new(),
                    });
                    is_open = !line.ends_with("{}");
                }
                if let Some(method) = methods.last_mut().filter(|_| is_open) {
                    method.code.extend(line.split_whitespace());
                    is_open = line != "    }";
                }
            }
        }
    }
    methods
}

/// Returns the public asynchronous functions that neither begin a call nor delegate to a function that does.
fn without_card(methods: &[Method]) -> Vec<String> {
    let delegates = |method: &Method, to: &Method| {
        let places: &[&str] = match &*to.receiver {
            "Threadline" => &["self.threadline.", "self.thread.threadline."],
            "Thread" => &["self.thread."],
            _ => &[],
        };
        let own = (method.receiver == to.receiver).then_some("self.");
        places.iter().copied().chain(own).any(|place| method.code.contains(&format!("{place}{}(", to.name)))
    };
    let mut begins: Vec<bool> = methods.iter().map(|method| method.code.contains("begin!(")).collect();
    for _ in methods {
        let next = |method: &Method| methods.iter().zip(&begins).any(|(to, begins)| *begins && delegates(method, to));
        begins = methods.iter().zip(&begins).map(|(method, begins)| *begins || next(method)).collect();
    }
    let calls = methods.iter().zip(begins).filter(|(method, begins)| method.is_public && method.is_async && !begins);
    calls.map(|(method, _)| format!("{}::{}", method.receiver, method.name)).collect()
}

/// Returns `true` if the card's call, such as `Thread::send`, is a public function of that type.
fn is_public_call(call: &str, methods: &[Method]) -> bool {
    methods.iter().any(|method| method.is_public && call == format!("{}::{}", method.receiver, method.name))
}

#[test]
fn every_public_call_of_a_pattern_begins_with_a_card() {
    let read = |path: &String| fs::read_to_string(root().join("src").join(path)).unwrap();
    let source: String = sources(&["patterns"]).iter().map(read).collect();
    let methods = methods(&source);
    let calls = methods.iter().filter(|method| method.is_public && method.is_async).count();
    let written = source.lines().filter(|line| line.trim_start().starts_with("pub async fn ")).count();
    assert_eq!(calls, written, "a public function is outside of an `impl`, or not in the form of rustfmt");
    assert_eq!(without_card(&methods), [""; 0]);
}

#[test]
fn public_call_without_card_is_found() {
    let of = |receiver: &str, head: &str, code: &str| {
        format!("impl {receiver} {{\n    {head}(&self) -> Result<()> {{\n        {code}\n    }}\n}}\n")
    };
    let check = |sources: &[String]| without_card(&methods(&sources.concat()));
    let mute = |code: &str| of("Thread", "pub async fn mute", code);
    let silence = |receiver: &str, code: &str| of(receiver, "async fn silence", code);
    let begins = "let call = begin!(&*self.threadline.store, CARD);";

    assert_eq!(check(&[mute(begins)]), [""; 0]);
    assert_eq!(check(&[mute("self.silence().await"), silence("Thread", begins)]), [""; 0]);
    assert_eq!(
        check(&[mute("self\n            .threadline\n            .silence().await"), silence("Threadline", begins)]),
        [""; 0]
    );
    let chain =
        [mute("self.silence().await"), silence("Thread", "self.hush().await"), of("Thread", "async fn hush", begins)];
    assert_eq!(check(&chain), [""; 0]);

    let found = ["Thread::mute"];
    assert_eq!(check(&[mute("self.threadline.store.write(write).await")]), found);
    assert_eq!(check(&[mute(&format!("// {begins}"))]), found);
    assert_eq!(check(&[mute("self.silence().await"), silence("Thread", "Ok(())")]), found);
    assert_eq!(check(&[mute("self.silence().await"), silence("Threadline", begins)]), found);
    assert_eq!(check(&[mute("Write::silence(key)"), silence("Thread", begins)]), found);
    assert_eq!(check(&[mute("Ok(())"), of("Thread", "pub async fn hush", begins)]), found);
}

#[test]
fn call_of_another_type_is_found() {
    let source = "impl Thread {\n    pub async fn mute(&self) {\n    }\n\n    async fn hush(&self) {\n    \
                  }\n}\n\nimpl<'a> fmt::Display for Muted<'a> {\n    pub fn fetch<T>(self) -> T {\n    }\n}\n";
    let check = |call| is_public_call(call, &methods(source));
    assert!(check("Thread::mute") && check("Muted::fetch"));
    for wrong in ["Threadline::mute", "Thread::hush", "Thread::fetch", "fmt::fetch", "Thread::mut", "mute"] {
        assert!(!check(wrong), "{wrong}");
    }
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
        for case in card.cases {
            let unit = |term: &Term| if let Per::Each(unit) = term.per { Some(unit) } else { None };
            let units: BTreeSet<_> = case.cost.terms.iter().filter_map(unit).collect();
            assert!(units.len() <= 1, "{} {}: a cost counts one unit: {units:?}", card.name, case.name);
        }
    }
    let entities: BTreeSet<_> = ENTITIES.iter().map(|entity| entity.name).collect();
    assert_eq!(entities.len(), ENTITIES.len());
}

#[test]
fn cards_name_public_calls_and_retries_that_read_again() {
    let read = |path: &String| fs::read_to_string(root().join("src").join(path)).unwrap();
    let source: String = sources(&["patterns", "stream"]).iter().map(read).collect();
    let methods = methods(&source);
    for card in PATTERNS {
        assert!(is_public_call(card.call, &methods), "{}: there is no `{}`", card.name, card.call);
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
    let andrew = andrew.identity(IdentitySubject::new("MOCK").unwrap()).unwrap();
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
