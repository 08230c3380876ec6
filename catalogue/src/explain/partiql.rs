//! A request as a PartiQL statement, as far as PartiQL has one.
//!
//! The rules are those of the [PartiQL reference][reference] for DynamoDB.
//!
//! [reference]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html

use std::fmt;

use serde_json::{Map, Value, json};
use threadline::entity::{AttributeValue, GSI1, GSI1PK, GSI1SK, Item, Key, PK, SK};
use threadline::store::{
    AttributeChange, BatchAction, Comparison, Condition, Consistency, Order, Query, QuerySource, Request, SortRange,
    TransactAction, Update, Write, WriteAction,
};

use super::request::attribute;

/// One or more PartiQL statements with their parameters, as one request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Statement {
    /// The operation: `ExecuteStatement`, `ExecuteTransaction` or `BatchExecuteStatement`.
    pub operation: &'static str,
    /// The request as JSON for `aws dynamodb .. --cli-input-json`.
    pub request: Value,
}

/// `Debug` shows the operation only, because the parameters contain keys and content.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl Statement {
    /// Returns the statements, each with its parameters.
    pub(super) fn statements(&self) -> &[Value] {
        let several = [self.request.get("TransactStatements"), self.request.get("Statements")];
        match several.into_iter().flatten().find_map(Value::as_array) {
            Some(statements) => statements,
            None => std::slice::from_ref(&self.request),
        }
    }
}

/// Shows the statements, one on each line, without parameters.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.statements().iter().filter_map(|statement| statement.get("Statement")?.as_str());
        f.write_str(&texts.collect::<Vec<_>>().join("\n"))
    }
}

/// The reason for which PartiQL has no statement.
type Reason = &'static str;

const UPSERT: Reason = "an update without the condition that the item exists creates it, but UPDATE creates no item";
const REPLACES: Reason = "a put replaces an existing item, but INSERT refuses one";
const OTHER_CONDITION: Reason = "INSERT has no condition but the one that the item is absent";
const IF_NOT_EXISTS: Reason = "PartiQL has no `if_not_exists`";
const ADD: Reason = "ADD begins at zero if the attribute is absent, but SET in PartiQL needs the attribute";
const START: Reason = "a page that begins at a key has no statement: PartiQL continues by an opaque token";
const BARE_CHECK: Reason = "EXISTS needs a condition beside the key";

/// Returns the statement that reads or writes the same, or the reason for which there is none.
pub(super) fn statement(table: &str, request: &Request) -> Result<Statement, Reason> {
    match request {
        Request::Get(get) => {
            let consistent = get.get_consistency() == Consistency::Strong;
            Ok(single(select_item(table, get.key()), consistent, None))
        }
        Request::Write(write) => {
            let mut statement = single(of_write(table, write)?, false, None);
            if write.returns_old() {
                set(&mut statement.request, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
            }
            Ok(statement)
        }
        Request::Query(query) => of_query(table, query),
        Request::Scan(scan) if scan.get_start().is_some() => Err(START),
        Request::Scan(scan) => {
            let text = Text::new(format!("SELECT * FROM {}", quoted(table)));
            Ok(single(text, false, scan.get_limit().map(|limit| limit.get())))
        }
        Request::Transact(transaction) => {
            let statements = transaction.actions().iter().map(|action| of_action(table, action));
            let statements = statements.collect::<Result<Vec<_>, _>>()?;
            let mut request = json!({ "TransactStatements": statements, "ReturnConsumedCapacity": "INDEXES" });
            if let Some(token) = transaction.get_token() {
                set(&mut request, "ClientRequestToken", token.as_str());
            }
            Ok(Statement { operation: "ExecuteTransaction", request })
        }
        Request::BatchGet(batch) => {
            let consistent = batch.get_consistency() == Consistency::Strong;
            let select = |key| {
                let mut statement = select_item(table, key).into_json();
                set(&mut statement, "ConsistentRead", consistent);
                statement
            };
            Ok(several(batch.keys().iter().map(select).collect()))
        }
        Request::BatchWrite(batch) => {
            let statements = batch.writes().iter().map(|action| match action {
                BatchAction::Put(_) => Err(REPLACES),
                BatchAction::Delete(key) => Ok(at(format!("DELETE FROM {}", quoted(table)), key).into_json()),
            });
            Ok(several(statements.collect::<Result<_, _>>()?))
        }
    }
}

fn single(text: Text, consistent: bool, limit: Option<u32>) -> Statement {
    let is_select = text.statement.starts_with("SELECT");
    let mut request = text.into_json();
    set(&mut request, "ReturnConsumedCapacity", "INDEXES");
    if is_select {
        set(&mut request, "ConsistentRead", consistent);
    }
    if let Some(limit) = limit {
        set(&mut request, "Limit", limit);
    }
    Statement { operation: "ExecuteStatement", request }
}

fn several(statements: Vec<Value>) -> Statement {
    let request = json!({ "Statements": statements, "ReturnConsumedCapacity": "INDEXES" });
    Statement { operation: "BatchExecuteStatement", request }
}

fn set(request: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = request {
        fields.insert(name.to_owned(), value.into());
    }
}

fn of_query(table: &str, query: &Query) -> Result<Statement, Reason> {
    if query.get_start().is_some() {
        return Err(START);
    }
    let (from, pk, sk, consistent) = match query.source() {
        QuerySource::Table { consistency, .. } => (quoted(table), PK, SK, *consistency == Consistency::Strong),
        QuerySource::Index { .. } => (format!("{}.{}", quoted(table), quoted(GSI1)), GSI1PK, GSI1SK, false),
    };
    let mut text = Text::new(format!("SELECT * FROM {from} WHERE {} = ", quoted(pk)));
    text.value(&AttributeValue::S(query.partition().as_str().to_owned()));
    let sk = quoted(sk);
    let mut range = |before: &str, values: &[&str], between: &str, after: &str| {
        text.push(" AND ").push(before);
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                text.push(between);
            }
            text.value(&AttributeValue::S((*value).to_owned()));
        }
        text.push(after);
    };
    match query.get_range() {
        SortRange::All => {}
        SortRange::BeginsWith(prefix) => range(&format!("begins_with({sk}, "), &[prefix.as_str()], "", ")"),
        SortRange::Before(end) => range(&format!("{sk} < "), &[end.as_str()], "", ""),
        SortRange::After(start) => range(&format!("{sk} > "), &[start.as_str()], "", ""),
        SortRange::Between(low, high) => {
            range(&format!("{sk} BETWEEN "), &[low.as_str(), high.as_str()], " AND ", "");
        }
        _ => return Err("this version knows no statement for the range of sort keys"),
    }
    if query.get_order() == Order::Descending {
        text.push(&format!(" ORDER BY {sk} DESC"));
    }
    Ok(single(text, consistent, query.get_limit().map(|limit| limit.get())))
}

fn select_item(table: &str, key: &Key) -> Text {
    at(format!("SELECT * FROM {}", quoted(table)), key)
}

fn of_action(table: &str, action: &TransactAction) -> Result<Value, Reason> {
    let (text, returns_old) = match action {
        TransactAction::Write(write) => (of_write(table, write)?, write.returns_old()),
        TransactAction::Check { key, condition } => {
            if is_item_exists(condition) {
                return Err(BARE_CHECK);
            }
            let mut text = at(format!("EXISTS(SELECT * FROM {}", quoted(table)), key);
            text.condition(condition)?;
            text.push(")");
            (text, false)
        }
    };
    let mut statement = text.into_json();
    if returns_old {
        set(&mut statement, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    }
    Ok(statement)
}

fn of_write(table: &str, write: &Write) -> Result<Text, Reason> {
    let table = quoted(table);
    match (write.action(), write.condition()) {
        (WriteAction::Put(put), Some(condition)) if *condition == Condition::item_absent() => Ok(insert(&table, put)),
        (WriteAction::Put(_), Some(_)) => Err(OTHER_CONDITION),
        (WriteAction::Put(_), None) => Err(REPLACES),
        (WriteAction::Update(update), Some(condition)) if implies(condition, None) => {
            let key = write.key().map_err(|_| "the write has no key")?;
            let mut text = Text::new(format!("UPDATE {table}"));
            text.update(update, condition)?;
            text.key(key);
            text.condition(condition)?;
            Ok(text)
        }
        (WriteAction::Update(_), _) => Err(UPSERT),
        (WriteAction::Delete, condition) => {
            let key = write.key().map_err(|_| "the write has no key")?;
            let mut text = at(format!("DELETE FROM {table}"), key);
            if let Some(condition) = condition {
                text.condition(condition)?;
            }
            Ok(text)
        }
    }
}

/// Returns a statement on the item with this key.
fn at(begin: String, key: &Key) -> Text {
    let mut text = Text::new(begin);
    text.key(key);
    text
}

fn insert(table: &str, put: &Item) -> Text {
    let mut text = Text::new(format!("INSERT INTO {table} VALUE {{"));
    for (number, (name, value)) in put.iter().enumerate() {
        text.push(if number == 0 { "" } else { ", " }).push(&format!("'{}': ", name.replace('\'', "''")));
        text.value(value);
    }
    text.push("}");
    text
}

fn is_item_exists(condition: &Condition) -> bool {
    *condition == Condition::item_exists()
}

/// Returns `true` if the condition is met only by an item that has this attribute, or any.
fn implies(condition: &Condition, attribute: Option<&str>) -> bool {
    let is_named = |name: &str| attribute.is_none_or(|attribute| attribute == name);
    match condition {
        Condition::Exists(name) => is_named(name),
        // A comparison with an absent attribute is not met, except `<>`.
        Condition::Compare(name, comparison, _) => *comparison != Comparison::Ne && is_named(name),
        Condition::All(conditions) => conditions.iter().any(|condition| implies(condition, attribute)),
        Condition::Any(conditions) => {
            !conditions.is_empty() && conditions.iter().all(|condition| implies(condition, attribute))
        }
        _ => false,
    }
}

/// A statement while it is written: its text and its parameters in order.
struct Text {
    statement: String,
    parameters: Vec<Value>,
}

impl Text {
    fn new(statement: String) -> Self {
        Self { statement, parameters: Vec::new() }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.statement.push_str(text);
        self
    }

    fn value(&mut self, value: &AttributeValue) {
        self.statement.push('?');
        self.parameters.push(attribute(value));
    }

    fn text(&mut self, text: &str) {
        self.value(&AttributeValue::S(text.to_owned()));
    }

    fn key(&mut self, key: &Key) {
        self.push(&format!(" WHERE {} = ", quoted(PK))).text(key.pk.as_str());
        self.push(&format!(" AND {} = ", quoted(SK))).text(key.sk.as_str());
    }

    fn update(&mut self, update: &Update, condition: &Condition) -> Result<(), Reason> {
        for (attribute, change) in update.changes() {
            let name = quoted(attribute);
            match change {
                AttributeChange::Set(value) => self.push(&format!(" SET {name} = ")).value(value),
                AttributeChange::Remove => {
                    self.push(&format!(" REMOVE {name}"));
                }
                AttributeChange::SetIfAbsent(_) => return Err(IF_NOT_EXISTS),
                AttributeChange::Add(number) if implies(condition, Some(attribute)) => {
                    self.push(&format!(" SET {name} = {name} + ")).value(&AttributeValue::N(number.to_string()));
                }
                AttributeChange::Add(_) => return Err(ADD),
                _ => return Err("this version knows no statement for the update"),
            }
        }
        Ok(())
    }

    /// Adds the condition, without the part that the item exists: WHERE names its key.
    fn condition(&mut self, condition: &Condition) -> Result<(), Reason> {
        let conditions = match condition {
            Condition::All(conditions) => conditions.as_slice(),
            other => std::slice::from_ref(other),
        };
        for condition in conditions.iter().filter(|condition| !is_item_exists(condition)) {
            self.push(" AND ");
            self.part(condition)?;
        }
        Ok(())
    }

    fn part(&mut self, condition: &Condition) -> Result<(), Reason> {
        match condition {
            Condition::Exists(name) => {
                self.push(&format!("{} IS NOT MISSING", quoted(name)));
            }
            Condition::Absent(name) => {
                self.push(&format!("{} IS MISSING", quoted(name)));
            }
            Condition::Compare(name, comparison, value) => {
                let operator = match comparison {
                    Comparison::Eq => "=",
                    Comparison::Ne => "<>",
                    Comparison::Lt => "<",
                    Comparison::Le => "<=",
                    Comparison::Gt => ">",
                    Comparison::Ge => ">=",
                };
                self.push(&format!("{} {operator} ", quoted(name))).value(value);
            }
            Condition::All(conditions) => self.joined(" AND ", conditions)?,
            Condition::Any(conditions) => self.joined(" OR ", conditions)?,
            Condition::Not(condition) => {
                self.push("NOT (");
                self.part(condition)?;
                self.push(")");
            }
            _ => return Err("this version knows no statement for the condition"),
        }
        Ok(())
    }

    fn joined(&mut self, operator: &str, conditions: &[Condition]) -> Result<(), Reason> {
        self.push("(");
        for (number, condition) in conditions.iter().enumerate() {
            if number > 0 {
                self.push(operator);
            }
            self.part(condition)?;
        }
        self.push(")");
        Ok(())
    }

    fn into_json(self) -> Value {
        let mut fields = Map::from_iter([("Statement".to_owned(), self.statement.into())]);
        if !self.parameters.is_empty() {
            fields.insert("Parameters".to_owned(), self.parameters.into());
        }
        fields.into()
    }
}

/// Returns a name in double quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
