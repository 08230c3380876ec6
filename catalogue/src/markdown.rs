//! The tables of the guide, as named blocks of Markdown that a page contains between markers.

use std::fmt::Write;

use threadline::card::registry::Registry;

use crate::error::Error;
use crate::mermaid;
use crate::requests::requests;

/// The beginning of a block's first line: `<!-- generated: costs -->`.
const BEGIN: &str = "<!-- generated: ";
/// The last line of a block.
const END: &str = "<!-- end -->";

/// Returns all blocks with their markers.
///
/// # Errors
/// As the diagrams of [`mermaid`].
pub(crate) fn print(registry: &Registry) -> Result<String, Error> {
    Ok(blocks(registry)?.map(|(name, block)| format!("{BEGIN}{name} -->\n{block}{END}\n")).join("\n"))
}

/// Returns a page with its blocks generated again. The text between the blocks stays.
///
/// # Errors
/// [`Error::Block`] for a page without a block or with a block of no end, and [`Error::NoChoice`] for an unknown block.
pub(crate) fn renew(registry: &Registry, page: &str) -> Result<String, Error> {
    let blocks = blocks(registry)?;
    let (mut renewed, mut rest) = (String::new(), page);
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (name, block) = block.split_once(" -->\n").ok_or(Error::Block("a marker lacks its ` -->`"))?;
        let content = blocks.iter().find(|(known, _)| *known == name).ok_or_else(|| Error::NoChoice {
            what: "block",
            given: name.to_owned(),
            choices: blocks.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        })?;
        let end = block.find(END).ok_or(Error::Block("a block lacks its `<!-- end -->`"))?;
        let (old, after) = block.split_at(end);
        if old.contains(BEGIN) {
            return Err(Error::Block("a block lacks its `<!-- end -->`"));
        }
        let _ = write!(renewed, "{before}{BEGIN}{name} -->\n{}", content.1);
        rest = after;
    }
    if renewed.is_empty() {
        return Err(Error::Block("it has no `<!-- generated: NAME -->`"));
    }
    Ok(renewed + rest)
}

fn blocks(registry: &Registry) -> Result<[(&'static str, String); 4], Error> {
    Ok([
        ("entities", entities(registry)),
        ("costs", costs(registry)),
        ("entities-diagram", mermaid::fenced(&mermaid::entities(registry))),
        ("message-diagram", mermaid::fenced(&mermaid::message(registry)?)),
    ])
}

/// Returns the table of entities with their key templates.
fn entities(registry: &Registry) -> String {
    let mut rows = "| entity | `pk` | `sk` | `gsi1pk` | `gsi1sk` |\n|---|---|---|---|---|\n".to_owned();
    for entity in registry.entities() {
        let (index_pk, index_sk) = entity.index.map_or_else(Default::default, |(pk, sk)| (code(pk), code(sk)));
        let cells = [code(entity.name), code(entity.pk), code(entity.sk), index_pk, index_sk];
        row(&mut rows, &cells);
    }
    rows
}

/// Returns the table of costs: a row for each case.
fn costs(registry: &Registry) -> String {
    let mut rows = "| pattern | call | requests | cost |\n|---|---|---|---|\n".to_owned();
    for card in registry.cards() {
        for (number, case) in card.cases.iter().enumerate() {
            let name = text(case.name);
            let (pattern, call) = match (number, case.name) {
                (0, "") => (code(card.name), code(card.call)),
                (0, _) => (format!("{}: {name}", code(card.name)), code(card.call)),
                (_, _) => (format!("… {name}"), String::new()),
            };
            row(&mut rows, &[pattern, call, text(&requests(card, case)), text(&case.cost.to_string())]);
        }
    }
    rows
}

fn row(rows: &mut String, cells: &[String]) {
    let _ = writeln!(rows, "| {} |", cells.join(" | "));
}

/// Returns a text as code of a table's cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// Returns a text for a table's cell, without markup of its own.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|")
}
