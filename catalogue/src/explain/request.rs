//! A request as the JSON that DynamoDB takes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use threadline::Result;
use threadline::entity::{AttributeValue, GSI1, GSI1PK, GSI1SK, Item, Key, PK, SK};
use threadline::store::{
    BatchAction, Consistency, Expressions, Order, Position, Query, QuerySource, Request, Scan, TransactAction,
    Transaction, WriteAction,
};

/// Returns the name of the operation, and the request's JSON.
pub(super) fn json(table: &str, request: &Request) -> Result<(&'static str, Value)> {
    let (operation, mut fields) = match request {
        Request::Get(get) => {
            let consistent = get.get_consistency() == Consistency::Strong;
            let fields = [("Key", key(get.key())), ("ConsistentRead", consistent.into())];
            ("GetItem", of_table(table, fields))
        }
        Request::Write(write) => {
            let (action, mut fields) = action(table, &TransactAction::Write(write.clone()))?;
            let old = if write.returns_old() { "ALL_OLD" } else { "NONE" };
            fields.insert("ReturnValues".to_owned(), old.into());
            (action.operation, fields)
        }
        Request::Query(query) => ("Query", of_query(table, query)),
        Request::Scan(scan) => ("Scan", of_scan(table, scan)),
        Request::Transact(transaction) => ("TransactWriteItems", of_transaction(table, transaction)?),
        Request::BatchGet(batch) => {
            let consistent = batch.get_consistency() == Consistency::Strong;
            let keys: Vec<Value> = batch.keys().iter().map(key).collect();
            let keys = json!({ "Keys": keys, "ConsistentRead": consistent });
            ("BatchGetItem", object([("RequestItems", json!({ table: keys }))]))
        }
        Request::BatchWrite(batch) => {
            let writes: Vec<Value> = batch.writes().iter().map(batched).collect();
            ("BatchWriteItem", object([("RequestItems", json!({ table: writes }))]))
        }
    };
    fields.insert("ReturnConsumedCapacity".to_owned(), "INDEXES".into());
    Ok((operation, fields.into()))
}

/// The names of a write: in a transaction, and as an operation of its own.
struct Action {
    name: &'static str,
    operation: &'static str,
}

/// Returns the fields that a write has in a transaction. As a request of its own it has them too.
fn action(table: &str, action: &TransactAction) -> Result<(Action, Map<String, Value>)> {
    let key = ("Key", key(action.key()?));
    let (name, operation, what, returns_old) = match action {
        TransactAction::Check { .. } => ("ConditionCheck", "ConditionCheck", key, false),
        TransactAction::Write(write) => {
            let (name, operation, what) = match write.action() {
                WriteAction::Put(put) => ("Put", "PutItem", ("Item", item(put))),
                WriteAction::Update(_) => ("Update", "UpdateItem", key),
                WriteAction::Delete => ("Delete", "DeleteItem", key),
            };
            (name, operation, what, write.returns_old())
        }
    };
    let mut fields = of_table(table, [what]);
    add_expressions(&mut fields, action.expressions(), "ConditionExpression");
    if returns_old {
        fields.insert("ReturnValuesOnConditionCheckFailure".to_owned(), "ALL_OLD".into());
    }
    Ok((Action { name, operation }, fields))
}

fn of_transaction(table: &str, transaction: &Transaction) -> Result<Map<String, Value>> {
    let mut items = Vec::new();
    for each in transaction.actions() {
        let (action, fields) = action(table, each)?;
        items.push(json!({ action.name: fields }));
    }
    let mut fields = object([("TransactItems", items.into())]);
    if let Some(token) = transaction.get_token() {
        fields.insert("ClientRequestToken".to_owned(), token.as_str().into());
    }
    Ok(fields)
}

fn of_query(table: &str, query: &Query) -> Map<String, Value> {
    let mut fields = of_table(table, [("ScanIndexForward", (query.get_order() == Order::Ascending).into())]);
    let is_consistent = match query.source() {
        QuerySource::Table { consistency, .. } => *consistency == Consistency::Strong,
        QuerySource::Index { .. } => {
            fields.insert("IndexName".to_owned(), GSI1.into());
            false
        }
    };
    fields.insert("ConsistentRead".to_owned(), is_consistent.into());
    add_expressions(&mut fields, query.expressions(), "KeyConditionExpression");
    add_page(&mut fields, query.get_limit().map(|limit| limit.get()), query.get_start());
    fields
}

fn of_scan(table: &str, scan: &Scan) -> Map<String, Value> {
    let mut fields = of_table(table, []);
    add_page(&mut fields, scan.get_limit().map(|limit| limit.get()), scan.get_start());
    fields
}

fn add_page(fields: &mut Map<String, Value>, limit: Option<u32>, start: Option<&Position>) {
    if let Some(limit) = limit {
        fields.insert("Limit".to_owned(), limit.into());
    }
    if let Some(start) = start {
        fields.insert("ExclusiveStartKey".to_owned(), position(start));
    }
}

fn add_expressions(fields: &mut Map<String, Value>, expressions: Expressions, condition: &str) {
    let values = expressions.values.map(|values| {
        let values = values.iter().map(|(placeholder, value)| (placeholder.clone(), attribute(value)));
        values.collect::<Map<_, _>>().into()
    });
    let names = expressions.names.map(|names| names.into_iter().map(|(name, text)| (name, text.into())));
    let optional = [
        ("UpdateExpression", expressions.update.map(Value::from)),
        (condition, expressions.condition.map(Value::from)),
        ("ExpressionAttributeNames", names.map(|names| names.collect::<Map<_, _>>().into())),
        ("ExpressionAttributeValues", values),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

fn batched(action: &BatchAction) -> Value {
    match action {
        BatchAction::Put(put) => json!({ "PutRequest": { "Item": item(put) } }),
        BatchAction::Delete(deleted) => json!({ "DeleteRequest": { "Key": key(deleted) } }),
    }
}

fn of_table<const N: usize>(table: &str, fields: [(&str, Value); N]) -> Map<String, Value> {
    let mut object = object(fields);
    object.insert("TableName".to_owned(), table.into());
    object
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn key(key: &Key) -> Value {
    json!({ PK: { "S": key.pk.as_str() }, SK: { "S": key.sk.as_str() } })
}

fn position(position: &Position) -> Value {
    let Position { key, index_key } = position;
    match index_key {
        None => self::key(key),
        Some(index) => json!({
            PK: { "S": key.pk.as_str() }, SK: { "S": key.sk.as_str() },
            GSI1PK: { "S": index.pk.as_str() }, GSI1SK: { "S": index.sk.as_str() },
        }),
    }
}

/// Returns an item in the JSON of DynamoDB.
pub(crate) fn item(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.to_owned(), attribute(value))).collect::<Map<_, _>>().into()
}

/// Returns a value in the JSON of DynamoDB: `{"S": "text"}`. Bytes are base64, as the AWS CLI reads them.
pub(crate) fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": base64(bytes) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(is_null) => json!({ "NULL": is_null }),
        AttributeValue::Ss(set) => json!({ "SS": set }),
        AttributeValue::Ns(set) => json!({ "NS": set }),
        AttributeValue::Bs(set) => json!({ "BS": set.iter().map(|bytes| base64(bytes)).collect::<Vec<_>>() }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(map) => {
            let map = map.iter().map(|(name, value)| (name.clone(), attribute(value)));
            json!({ "M": map.collect::<Map<_, _>>() })
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
