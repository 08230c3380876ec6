//! The rules that neither the compiler nor a lint checks. They cover the direction of imports, the modules that name
//! AWS, and the heading of the current version in the CHANGELOG.

use std::fs;
use std::path::Path;

use crate::sources::sources;

/// The modules, each with the other modules that it may import. A path belongs to the longest module here that begins
/// it. Every file must belong to one, so add each new module to this table.
const MODULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("aws", &["error", "telemetry"]),
    ("tag", &[]),
    ("key", &["error", "tag"]),
    ("time", &["error", "key"]),
    ("text", &["error", "key"]),
    ("id", &["error", "time", "key"]),
    ("item", &["error", "time", "text", "id", "key"]),
    ("stored", &["error", "time", "key", "item"]),
    ("capacity", &[]),
    ("telemetry", &["error", "capacity"]),
    ("card", &["capacity"]),
    ("request", &["error", "key", "item", "capacity"]),
    ("store", &["error", "key", "item", "stored", "capacity", "request", "telemetry"]),
    ("store::memory", &["error", "time", "key", "item", "capacity", "request", "store"]),
    ("store::dynamodb", &["error", "aws", "time", "id", "key", "item", "capacity", "request", "store"]),
    ("table", &["error", "key"]),
    ("table::live", &["error", "aws", "table"]),
    ("table::verify", &["error", "aws", "key", "table", "table::live"]),
    ("table::dynamodb", &["error", "aws", "key", "table", "table::live", "table::verify"]),
    ("model", &["error", "card", "tag", "time", "text", "id", "key", "item", "stored"]),
    (
        "patterns",
        &[
            "error",
            "card",
            "time",
            "text",
            "id",
            "key",
            "item",
            "stored",
            "capacity",
            "request",
            "store",
            "model",
            "telemetry",
        ],
    ),
    (
        "stream",
        &[
            "error",
            "card",
            "text",
            "id",
            "key",
            "item",
            "stored",
            "request",
            "store",
            "model",
            "patterns",
            // For the stream of the in-memory store.
            "store::memory",
        ],
    ),
    ("entity", &["item", "key", "model", "stored", "tag", "text"]),
    ("card::registry", &["card", "model", "patterns", "stream"]),
    ("stream::lambda", &["error", "item", "key", "stream", "store"]),
    (
        "stream::poller",
        &["error", "aws", "tag", "text", "key", "item", "stored", "request", "store", "stream", "telemetry"],
    ),
];

/// The crates of AWS, and the modules that may name them.
const AWS: &[(&str, &[&str])] = &[
    ("aws_sdk_", &["aws", "store::dynamodb", "table::live", "table::verify", "table::dynamodb", "stream::poller"]),
    ("aws_smithy_", &["aws", "stream::poller"]),
    ("aws_lambda_", &["stream::lambda"]),
];

/// Returns the violations of the rules in the file at this path below `src`.
fn check(path: &str, source: &str) -> Vec<String> {
    let module = path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    // The root re-exports, and tests may import anything.
    if path == "lib.rs" || path.split(['/', '.']).any(|part| part == "tests") {
        return Vec::new();
    }
    let Some((own, allowed)) = entry(&module) else {
        return vec![format!("src/{path}: `{module}` is not in the table of tests/repository/layers.rs; add it")];
    };
    let shipped = source.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(source);
    let mut wrong = Vec::new();
    for (number, line) in shipped.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        let at = format!("src/{path}:{}", number + 1);
        for (name, modules) in AWS {
            // A parent module may re-export a crate of its child.
            let is_of_child = modules.iter().any(|module| module.starts_with(&format!("{own}::")));
            let is_reexport = line.starts_with("pub use ") && is_of_child;
            if line.contains(name) && !modules.contains(&own) && !is_reexport {
                wrong.push(format!("{at}: `{own}` may not name `{name}`"));
            }
        }
    }
    for import in imports(shipped, &module) {
        match entry(&import) {
            None => wrong.push(format!("src/{path}: `{import}` is no module; name the one that the import is from")),
            Some((other, _)) if other == own || allowed.contains(&other) => {}
            Some((other, _)) => wrong.push(format!("src/{path}: `{own}` may not import `{other}`")),
        }
    }
    wrong
}

/// Returns the entry of the table that a path belongs to.
fn entry(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let is_in = |module: &str| path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"));
    MODULES.iter().copied().filter(|(module, _)| is_in(module)).max_by_key(|(module, _)| module.len())
}

/// Returns the paths in the code that begin with `crate::` or `super::`, from the root of the crate.
fn imports(source: &str, module: &str) -> Vec<String> {
    let code: Vec<_> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join(" ");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with(['$', '_'])) {
        expand("", &code[at + "crate::".len()..], &mut found);
    }
    for (at, _) in code.match_indices("super::").filter(|(at, _)| !code[..*at].ends_with("::")) {
        let (mut rest, mut here) = (&code[at..], module);
        while let Some(inner) = rest.strip_prefix("super::") {
            rest = inner;
            here = here.rsplit_once("::").map_or("", |(parent, _)| parent);
        }
        expand(here, rest, &mut found);
    }
    found
}

/// Adds the paths that `rest` begins with, one for each part of a group in braces.
fn expand(prefix: &str, rest: &str, found: &mut Vec<String>) {
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    let rest = rest.trim_start();
    if let Some(group) = rest.strip_prefix('{') {
        let (mut depth, mut start) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    if !group[start..at].trim().is_empty() {
                        expand(prefix, &group[start..at], found);
                    }
                    start = at + 1;
                    if c == '}' {
                        return;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    match rest.strip_prefix("::") {
        Some(rest) if !name.is_empty() => expand(&join(name), rest, found),
        _ if name.is_empty() || name == "self" => found.push(prefix.to_owned()),
        _ => found.push(join(name)),
    }
}

#[test]
fn imports_point_downward_and_aws_is_named_only_in_its_modules() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&[""]);
    assert!(files.contains(&"store/mod.rs".to_owned()), "the files of src were not found");
    let read = |path: &String| fs::read_to_string(src.join(path)).expect("a file of src can be read");
    let wrong: Vec<String> = files.iter().flat_map(|path| check(path, &read(path))).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn changelog_has_a_heading_of_the_current_version() {
    let changelog = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let is_heading =
        |line: &str| line.starts_with(&format!("## {version}")) || line.starts_with(&format!("## [{version}]"));
    assert!(changelog.lines().any(is_heading), "CHANGELOG.md has no heading `## {version}`");
}

/// Checks that this invented file has a violation with these words.
#[track_caller]
fn assert_wrong(path: &str, source: &str, expected: &str) {
    let wrong = check(path, source);
    assert!(wrong.iter().any(|wrong| wrong.contains(expected)), "`{expected}` is not in {wrong:?}");
}

#[track_caller]
fn assert_right(path: &str, source: &str) {
    assert_eq!(check(path, source), Vec::<String>::new());
}

#[test]
fn import_against_the_direction_is_found() {
    assert_right("item/mod.rs", "use crate::key::Key;\nuse super::key::PK;");
    assert_right("key.rs", "//! See `crate::item::Item`.\nmacro_rules! tag { () => { $crate::Tag::checked() } }");
    assert_right("key.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::item::Item;\n}\n");
    assert_wrong("key.rs", "\nuse crate::item::Item;", "`key` may not import `item`");
    assert_wrong("item/size.rs", "use super::super::store::Store;", "`item` may not import `store`");
    assert_wrong("error.rs", "fn f(key: &crate::key::Key) {}", "`error` may not import `key`");
    assert_wrong("time.rs", "use crate::{\n    error::{Error, Result},\n    item::Item,\n};", "may not import `item`");
    assert_wrong("store/forward.rs", "use crate::model::Message;", "`store` may not import `model`");
    assert_wrong("patterns/users/get.rs", "use crate::store::memory::MemoryStore;", "may not import `store::memory`");
    assert_wrong("request/get.rs", "use crate::Item;", "`Item` is no module");
    assert_wrong("surprise/mod.rs", "", "`surprise` is not in the table");
}

#[test]
fn aws_in_another_module_is_found() {
    assert_right("store/dynamodb/read.rs", "use aws_sdk_dynamodb::Client;");
    assert_right("stream/mod.rs", "pub use poller::{Poller, aws_sdk_dynamodbstreams};");
    assert_wrong("request/get.rs", "pub use aws_sdk_dynamodb::types::AttributeValue;", "may not name `aws_sdk_`");
    assert_wrong(
        "request/get.rs",
        "use aws_sdk_dynamodb::Client;",
        "src/request/get.rs:1: `request` may not name `aws_sdk_`",
    );
}
