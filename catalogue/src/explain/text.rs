//! The explanation of a pattern as text.

use serde_json::Value;
use threadline::card::{Caller, Card, RequestCard};

use super::{Explained, ExplainedCase, Statement};

/// Returns the explanation of a pattern.
pub(super) fn explanation(card: &Card, cases: &[ExplainedCase]) -> String {
    let mut text = format!("{}: {}\n", card.name, card.call);
    text += &format!("Caller: {}. A retry {}.\n", caller(card.caller), card.retry);
    for case in cases {
        let name = if case.case.name.is_empty() { String::new() } else { format!(", {}", case.case.name) };
        text += &format!("\n== {}{name}: {}\n", card.name, case.case.cost);
        if case.requests.is_empty() {
            text += "The card declares these requests. A scenario of the case would show them exactly.\n\n";
            text += &numbered(case.case.requests, declared);
        }
        text += &numbered(&case.requests, explained);
    }
    text
}

fn numbered<T>(entries: &[T], show: impl Fn(&T) -> String) -> String {
    entries.iter().enumerate().map(|(number, entry)| format!("\n{}. {}", number + 1, show(entry))).collect()
}

/// Shows a request: its operation and its cost, its JSON, and its PartiQL statement.
fn explained(request: &Explained) -> String {
    let index = request.index.map(|index| format!(" of the index {index}")).unwrap_or_default();
    let cost = request.capacity.map_or_else(|| "the request failed".to_owned(), |capacity| capacity.to_string());
    let partiql = match &request.partiql {
        Ok(statement) => of_statement(statement),
        Err(reason) => format!("No PartiQL statement: {reason}.\n"),
    };
    let refused = if request.refused { ", and refused, because a condition is not met" } else { "" };
    format!("{}{index}: {cost}{refused}\n{}{partiql}", request.operation, by_field(&request.request))
}

/// Shows a request's JSON with one field on each line.
fn by_field(request: &Value) -> String {
    let fields = request.as_object().into_iter().flatten();
    let fields: Vec<String> = fields.map(|(name, value)| format!("  {name:?}: {value}")).collect();
    format!("{{\n{}\n}}\n", fields.join(",\n"))
}

/// Shows the statements of a request, each with its parameters.
fn of_statement(statement: &Statement) -> String {
    let parameters = |statement: &Value| match statement.get("Parameters") {
        Some(parameters) => format!("  parameters: {parameters}\n"),
        None => String::new(),
    };
    let text = |statement: &Value| {
        let text = statement.get("Statement").and_then(Value::as_str).unwrap_or_default();
        format!("  {text}\n{}{}", parameters(statement), others(statement))
    };
    let statements: String = statement.statements().iter().map(text).collect();
    format!("PartiQL, by {}:\n{statements}", statement.operation)
}

/// Shows the other fields of a statement that change what it does, such as `Limit`.
fn others(statement: &Value) -> String {
    let shown = ["Statement", "Parameters", "Statements", "TransactStatements", "ReturnConsumedCapacity"];
    let fields = statement.as_object().into_iter().flatten().filter(|(name, _)| !shown.contains(&name.as_str()));
    let fields: Vec<_> = fields.map(|(name, value)| format!("{name}: {value}")).collect();
    if fields.is_empty() { String::new() } else { format!("  {}\n", fields.join(", ")) }
}

/// Shows a request as its card declares it.
fn declared(request: &RequestCard) -> String {
    let key =
        request.key().map(|(pk, sk)| format!("\nkey: {pk} / {}", if sk.is_empty() { "all sort keys" } else { sk }));
    let condition =
        if request.condition.is_empty() { String::new() } else { format!("\ncondition: {}", request.condition) };
    format!("{request}{}{condition}\n", key.unwrap_or_default())
}

pub(crate) fn caller(caller: Caller) -> &'static str {
    match caller {
        Caller::Anyone => "anyone; the application must check it",
        Caller::Member => "a member of the conversation",
        Caller::Author => "the author of the message",
        Caller::Projector => "the projector",
        Caller::Operator => "an operator",
        _ => "another caller",
    }
}
