//! What the source promises of itself, held by reading it: who may import whom, where AWS is named, where the time and
//! random numbers come from, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and what it may import, besides itself. A path belongs to the longest module here that begins it, and every
/// file must belong to one: a new module declares its place in this table.
const MODULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("aws", &["error"]),
    ("tag", &[]),
    ("key", &["error", "tag"]),
    ("time", &["error", "key"]),
    ("text", &["error", "key"]),
    ("id", &["error", "time", "key"]),
    ("item", &["error", "time", "text", "id", "key"]),
    ("entity", &["error", "time", "key", "item"]),
    ("capacity", &[]),
    ("card", &["capacity"]),
    ("request", &["error", "key", "item", "capacity"]),
    ("store", &["error", "key", "item", "entity", "capacity", "request"]),
    ("store::memory", &["error", "time", "key", "item", "capacity", "request", "store"]),
    ("store::dynamodb", &["error", "aws", "time", "id", "key", "item", "capacity", "request", "store"]),
    ("table", &["error", "key"]),
    ("table::live", &["error", "aws", "table"]),
    ("table::verify", &["error", "aws", "key", "table", "table::live"]),
    ("table::dynamodb", &["error", "aws", "key", "table", "table::live", "table::verify"]),
    ("model", &["error", "card", "tag", "time", "text", "id", "key", "item", "entity"]),
    (
        "patterns",
        &["error", "card", "time", "text", "id", "key", "item", "entity", "capacity", "request", "store", "model"],
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
            "entity",
            "request",
            "store",
            "model",
            "patterns",
            // For the stream of the in-memory store.
            "store::memory",
        ],
    ),
    ("registry", &["card", "model", "patterns", "stream"]),
    ("stream::lambda", &["error", "item", "key", "stream", "store"]),
    ("stream::poller", &["error", "aws", "tag", "text", "key", "item", "entity", "request", "store", "stream"]),
];

/// Words that stand nowhere in the code, but in the modules named. Tests in `src` are held to the last six alone.
const WORDS: &[(&str, &[&str])] = &[
    ("aws_sdk_", &["aws", "store::dynamodb", "table::live", "table::verify", "table::dynamodb", "stream::poller"]),
    ("aws_smithy_", &["aws", "stream::poller"]),
    ("aws_lambda_", &["stream::lambda"]),
    ("SystemTime::now", &["time"]),
    ("Instant::now", &[]),
    ("Utc::now", &[]),
    ("now_v7", &["id"]),
    ("new_v4", &["id"]),
    ("rand::", &[]),
    ("fastrand::", &[]),
    ("env::var", &[]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!", &[]),
    ("dbg!", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
];
const HELD_IN_TESTS_TOO: usize = 6;

/// The most lines of a file.
const MOST_LINES: usize = 600;

/// What is wrong with the file at this path, below `src`.
fn check(path: &str, source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = source.lines().count();
    if lines > MOST_LINES {
        wrong.push(format!("src/{path}: {lines} lines; a file has at most {MOST_LINES}, so split it by idea"));
    }
    let whole = code(source);
    let Some(shipped) = shipped(path, &whole) else {
        wrong.push(format!("src/{path}: its tests must come last and behind `#[cfg(test)]`, to make plain what ships"));
        return wrong;
    };
    let module = module_path(path);
    // The root of the crate re-exports, and has no place among the others.
    if path != "lib.rs" {
        let Some((own, allowed)) = entry(&module) else {
            wrong.push(format!("src/{path}: `{module}` has no place in the table of tests/tidy.rs yet; add it"));
            return wrong;
        };
        for (line, import) in imports(shipped, &module) {
            match entry(&import) {
                None => wrong.push(format!("src/{path}:{line}: `{import}` is no module; name the one it comes from")),
                Some((other, _)) if other == own || allowed.contains(&other) => {}
                Some((other, _)) => wrong.push(format!("src/{path}:{line}: `{own}` may not import `{other}`")),
            }
        }
    }
    let held_in_tests = &WORDS[WORDS.len() - HELD_IN_TESTS_TOO..];
    for (word, modules) in WORDS {
        let text = if held_in_tests.contains(&(word, modules)) { &whole } else { shipped };
        let here = entry(&module).is_some_and(|(own, _)| modules.contains(&own));
        for at in words(text, word).filter(|_| !here) {
            wrong.push(format!("src/{path}:{}: `{word}` has no place here", line_of(text, at)));
        }
    }
    wrong
}

/// The entry of the table that this path belongs to.
fn entry(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let is_in = |module: &str| path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"));
    MODULES.iter().copied().filter(|(module, _)| is_in(module)).max_by_key(|(module, _)| module.len())
}

/// `store/memory/page.rs` is `store::memory::page`.
fn module_path(path: &str) -> String {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.replace('/', "::")
}

/// The code that ships: without the file's module of tests, and nothing of a file of tests. `None` when something comes
/// behind that module, or it is part of what ships.
fn shipped<'a>(path: &str, code: &'a str) -> Option<&'a str> {
    const TESTS: &str = "#[cfg(test)]\nmod tests";
    if path.split(['/', '.']).any(|part| part == "tests") {
        return Some("");
    }
    if words(code, "mod tests").any(|at| !code[..at].ends_with(TESTS.trim_end_matches("mod tests"))) {
        return None;
    }
    match code.split_once(&format!("\n{TESTS} {{")) {
        Some((shipped, tests)) => (tests.find("\n}\n")? + 3 == tests.len()).then_some(shipped),
        None => Some(code),
    }
}

/// The paths in the code that begin at the root of the crate, or lead there by `super`, with their lines.
fn imports(code: &str, module: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in words(code, "crate::") {
        // A macro's `$crate` is the crate as its users see it.
        if !code[..at].ends_with('$') {
            expand("", &code[at + "crate::".len()..], line_of(code, at), &mut found);
        }
    }
    for at in words(code, "super::").filter(|at| !code[..*at].ends_with("::")) {
        let (mut rest, mut here) = (&code[at..], module);
        while let Some(behind) = rest.strip_prefix("super::") {
            rest = behind;
            here = here.rsplit_once("::").map_or("", |(parent, _)| parent);
        }
        expand(here, rest, line_of(code, at), &mut found);
    }
    found
}

/// Adds the paths that `rest` begins with, one for each part of a group in braces.
fn expand(prefix: &str, rest: &str, line: usize, found: &mut Vec<(usize, String)>) {
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    let rest = rest.trim_start();
    if let Some(group) = rest.strip_prefix('{') {
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    if !group[start..at].trim().is_empty() {
                        expand(prefix, &group[start..at], line, found);
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
    let end = rest.find(|c: char| !is_in_name(c)).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    match behind.strip_prefix("::") {
        Some(behind) if !name.is_empty() => expand(&join(name), behind, line, found),
        _ if name.is_empty() || name == "self" => found.push((line, prefix.to_owned())),
        _ => found.push((line, join(name))),
    }
}

/// Where the word begins in the code, and nothing that it is only the end of.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(|at| !code[..*at].ends_with(is_in_name))
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The source without its comments and the content of its strings, line by line as before.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let hashes = rest.strip_prefix('r').map(|rest| rest.len() - rest.trim_start_matches('#').len());
        let raw = hashes.filter(|hashes| rest[1 + hashes..].starts_with('"') && !code.ends_with(is_in_name));
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw {
            let start = hashes + 2;
            rest[start..].find(&format!("\"{}", "#".repeat(hashes))).map_or(rest.len(), |end| start + end + 1 + hashes)
        } else if c == '"' {
            end_of_literal(rest, '"')
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            end_of_literal(rest, '\'')
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

/// Where the text or character that begins here ends, behind its closing quote.
fn end_of_literal(rest: &str, quote: char) -> usize {
    let mut escaped = true;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether a changelog has a heading of this version: `## 0.1.0` or `## [0.1.0] - 2026-01-31`.
fn has_heading(changelog: &str, version: &str) -> bool {
    changelog.lines().filter_map(|line| line.strip_prefix("## ")).any(|heading| {
        let heading = heading.trim_start_matches('[');
        heading.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with([']', ' ']))
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All source files, as paths below `src`.
fn sources() -> Vec<String> {
    let src = root().join("src");
    let (mut folders, mut files): (Vec<PathBuf>, Vec<String>) = (vec![src.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of src can be read") {
            let path = entry.expect("an entry of src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&src).expect("it lies below src");
                files.push(below.to_str().expect("a name in src is Unicode").replace('\\', "/"));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_source_keeps_its_rules() {
    let files = sources();
    assert!(files.contains(&"store/mod.rs".to_owned()), "the files of src were not found");
    let read = |path: &String| fs::read_to_string(root().join("src").join(path)).expect("a file of src can be read");
    let wrong: Vec<String> = files.iter().flat_map(|path| check(path, &read(path))).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_changelog_has_a_heading_of_the_current_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md is there");
    let version = env!("CARGO_PKG_VERSION");
    assert!(has_heading(&changelog, version), "CHANGELOG.md has no heading `## {version}`");
}

/// Checks that the made-up file is found fault with at this line, in these words.
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
fn an_import_against_the_direction_is_found() {
    assert_right("item/mod.rs", "use crate::key::Key;\nuse super::key::PK;");
    assert_wrong("key.rs", "\nuse crate::item::Item;", "src/key.rs:2: `key` may not import `item`");
    assert_wrong("item/size.rs", "use super::super::store::Store;", "`item` may not import `store`");
    assert_wrong("error.rs", "fn f(key: &crate::key::Key) {}", "`error` may not import `key`");
    assert_wrong("time.rs", "use crate::{\n    error::{Error, Result},\n    item::Item,\n};", "may not import `item`");
    assert_wrong("text.rs", "let tag = crate::tag!(\"A\");", "`text` may not import `tag`");
    assert_wrong("store/forward.rs", "use crate::model::Message;", "`store` may not import `model`");
}

#[test]
fn a_concrete_store_is_not_for_those_above_it() {
    assert_right("patterns/users/get.rs", "use crate::store::{Store, StoreExt};");
    assert_wrong("patterns/users/get.rs", "use crate::store::memory::MemoryStore;", "may not import `store::memory`");
    assert_wrong("stream/projector.rs", "use crate::store::{Store, dynamodb::DynamoDbStore};", "`store::dynamodb`");
    assert_right("stream/projector.rs", "use crate::store::memory::MemoryStore;");
    assert_wrong(
        "store/memory/page.rs",
        "use super::super::dynamodb::RetryPolicy;",
        "may not import `store::dynamodb`",
    );
}

#[test]
fn a_name_of_the_root_is_no_import() {
    assert_wrong("request/get.rs", "use crate::Item;", "`Item` is no module");
    assert_wrong("request/get.rs", "use crate::*;", "`` is no module");
    assert_right("key.rs", "macro_rules! tag { () => { $crate::Tag::checked() } }");
}

#[test]
fn a_module_without_a_place_is_found() {
    assert_wrong("surprise/mod.rs", "", "`surprise` has no place");
    assert_wrong("models.rs", "", "`models` has no place");
    assert_right("model/user.rs", "use crate::entity::Entity;");
}

#[test]
fn aws_is_named_in_its_places_only() {
    assert_right("store/dynamodb/read.rs", "use aws_sdk_dynamodb::Client;");
    assert_right("aws/local.rs", "use aws_smithy_http_client::Builder;");
    assert_wrong("request/get.rs", "use aws_sdk_dynamodb::Client;", "src/request/get.rs:1: `aws_sdk_` has no place");
    assert_wrong("lib.rs", "pub use aws_smithy_types::Blob;", "`aws_smithy_`");
}

#[test]
fn hidden_inputs_and_unfinished_code_are_found() {
    assert_right("time.rs", "SystemTime::now()");
    for (source, word) in [
        ("SystemTime::now()", "SystemTime::now"),
        ("uuid::Uuid::now_v7()", "now_v7"),
        ("Uuid::new_v4()", "new_v4"),
        ("rand::random()", "rand::"),
        ("std::env::var(name)", "env::var"),
        ("todo!()", "todo!"),
        ("std::println!()", "println!"),
    ] {
        assert_wrong("model/user.rs", source, word);
    }
    assert_wrong("model/user.rs", "\n#[cfg(test)]\nmod tests {\n    dbg!(1);\n}\n", "src/model/user.rs:4: `dbg!`");
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    assert_right(
        "key.rs",
        "//! See `crate::item::Item`.\n/* crate::item */ const A: &str = \"crate::item\\\" crate::item\";",
    );
    assert_right("key.rs", "const A: &str = r#\"a \" crate::item\"#; const B: char = '\"'; // crate::item '\"'");
    assert_right("key.rs", "fn f<'a>(a: &'a str) {}\n\n#[cfg(test)]\nmod tests {\n    use crate::item::Item;\n}\n");
    assert_wrong("key.rs", "const A: &str = \"\\\\\"; use crate::item;", "may not import `item`");
    assert_right("store/memory/mod.rs", "\n#[cfg(test)]\nmod tests;\nuse crate::key::Key;\n");
    assert_right("store/memory/tests/paging.rs", "use crate::model::Message;");
    assert_right("item/tests.rs", "use crate::MemoryStore;");
    assert_wrong("key.rs", "\n#[cfg(test)]\nmod tests {\n}\nuse crate::item::Item;\n", "its tests must come last");
    assert_wrong("key.rs", "mod tests;", "its tests must come last and behind `#[cfg(test)]`");
}

#[test]
fn a_long_file_is_found() {
    assert_right("key.rs", &"\n".repeat(600));
    assert_wrong("key.rs", &"\n".repeat(601), "601 lines");
}

#[test]
fn a_changelog_without_the_version_is_found() {
    for changelog in ["# Changes\n\n## 0.1.0\n", "## [0.1.0] - 2026-01-31", "## 0.1.0 (2026-01-31)"] {
        assert!(has_heading(changelog, "0.1.0"), "{changelog}");
    }
    for changelog in ["", "## Unreleased", "## 0.1.01", "## 0.1.0-rc.1", "0.1.0", "### 0.1.0"] {
        assert!(!has_heading(changelog, "0.1.0"), "{changelog}");
    }
}
