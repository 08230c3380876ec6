//! The diagrams of Mermaid: the entities with their keys, and the path of one message.

use std::fmt::Write;

use threadline::card::registry::Registry;
use threadline::card::{Card, EntityCard, Source};

use crate::error::Error;
use crate::path::card;

/// Returns both diagrams, as a page of Markdown.
///
/// # Errors
/// As [`message`].
pub(crate) fn print(registry: &Registry) -> Result<String, Error> {
    let (entities, message) = (fenced(&entities(registry)), fenced(&message(registry)?));
    Ok(format!("# Entities\n\n{entities}\n# The path of one message\n\n{message}"))
}

/// Returns a diagram as a fenced block of Markdown.
pub(crate) fn fenced(diagram: &str) -> String {
    format!("```mermaid\n{diagram}```\n")
}

/// Returns the entities with their keys, and the relations that follow from the keys.
pub(crate) fn entities(registry: &Registry) -> String {
    let mut diagram = "erDiagram\n".to_owned();
    for entity in registry.entities() {
        let _ = writeln!(diagram, "    {} {{", quoted(entity.name));
        // Mermaid takes `pk` for the mark of a key, no matter how it is written.
        for (attribute, template) in [("partition_key PK", entity.pk), ("sort_key PK", entity.sk)] {
            let _ = writeln!(diagram, "        S {attribute} {}", quoted(template));
        }
        if let Some((pk, sk)) = entity.index {
            let _ = writeln!(diagram, "        S gsi1_partition_key {}", quoted(pk));
            let _ = writeln!(diagram, "        S gsi1_sort_key {}", quoted(sk));
        }
        let _ = writeln!(diagram, "    }}");
    }
    for (owner, placeholder, entity) in relations(registry.entities()) {
        let (owner, entity) = (quoted(owner.name), quoted(entity.name));
        let _ = writeln!(diagram, "    {owner} ||--o{{ {entity} : {}", quoted(placeholder));
    }
    diagram
}

/// Returns each entity whose key names another entity: its owner, the placeholder, and itself.
///
/// The owner of a placeholder is the first entity whose key ends with it: `User` owns `<user>`.
fn relations<'a>(entities: &[&'a EntityCard]) -> Vec<(&'a EntityCard, &'a str, &'a EntityCard)> {
    let owner = |placeholder| entities.iter().find(|entity| placeholders(entity).last() == Some(placeholder));
    let mut relations = Vec::new();
    for entity in entities {
        for placeholder in placeholders(entity) {
            if let Some(owner) = owner(placeholder).filter(|owner| *owner != entity) {
                relations.push((*owner, placeholder, *entity));
            }
        }
    }
    relations
}

/// Returns the names in angle brackets of an entity's key in the table.
fn placeholders(entity: &EntityCard) -> impl Iterator<Item = &'static str> {
    let segments = entity.pk.split('#').chain(entity.sk.split('#'));
    segments.filter_map(|segment| segment.strip_prefix('<')?.strip_suffix('>'))
}

/// Returns the path of one message, from the requests of its patterns' usual cases.
///
/// # Errors
/// [`NotFound`](threadline::ErrorKind::NotFound) if the registry lacks one of the cards.
pub(crate) fn message(registry: &Registry) -> Result<String, Error> {
    let (send, advance, page) = ("messages.send", "projector.advance", "inbox.page");
    let mut diagram = "sequenceDiagram\n    autonumber\n".to_owned();
    let participants = [
        ("App", "application"),
        ("Table", "table"),
        ("Stream", "stream"),
        ("Projector", "projector"),
        ("Index", "index gsi1"),
    ];
    for (id, name) in participants {
        let _ = writeln!(diagram, "    participant {id} as {name}");
    }
    requests(&mut diagram, "App", card(registry, send)?);
    let _ = writeln!(diagram, "    Table->>Stream: record of the new message");
    let _ = writeln!(diagram, "    Stream->>Projector: batch of records");
    requests(&mut diagram, "Projector", card(registry, advance)?);
    let _ = writeln!(diagram, "    Table->>Index: the inbox entries move");
    requests(&mut diagram, "App", card(registry, page)?);
    Ok(diagram)
}

/// Adds the requests of a pattern's usual case, and its cost.
fn requests(diagram: &mut String, from: &str, card: &Card) {
    let Some(case) = card.cases.first() else { return };
    for request in case.requests {
        let to = if request.source == Source::Index { "Index" } else { "Table" };
        let condition = if request.condition.is_empty() { "" } else { ", if " };
        let text = label(&format!("{request}{condition}{}", request.condition));
        let _ = writeln!(diagram, "    {from}->>{to}: {text}");
    }
    let _ = writeln!(diagram, "    Note over {from}: {}: {}", label(card.name), label(&case.cost.to_string()));
}

/// Returns a text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", label(text))
}

/// Returns a text with Mermaid's codes for each character that it would read as syntax or as HTML.
fn label(text: &str) -> String {
    let mut label = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | ';' | '<' | '>' | '\\' | '`' => {
                let _ = write!(label, "#{};", u32::from(character));
            }
            _ => label.push(character),
        }
    }
    label
}
