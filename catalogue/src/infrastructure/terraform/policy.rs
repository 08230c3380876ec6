//! Policy documents in Terraform: each is a data source, which is easier to review than a string of JSON.

use serde_json::{Map, Value, json};
use threadline::card::registry::Registry;
use threadline::table::{Encryption, TableSpec};

use crate::error::Error;
use crate::iam::Resources;
use crate::infrastructure::policies;

/// Returns the policy documents by name.
///
/// # Errors
/// The errors of [`policies::projector`].
pub(super) fn documents(registry: &Registry, spec: &TableSpec, named: &Resources) -> Result<Map<String, Value>, Error> {
    let mut all = vec![
        ("projector", policies::projector(registry, named)?),
        ("projector_trust", policies::trust()),
        ("endpoint", policies::endpoint(named)),
    ];
    if let Encryption::OwnKey(arn) = spec.get_encryption() {
        let service = json!("dynamodb.${data.aws_region.current.region}.${data.aws_partition.current.dns_suffix}");
        all.push(("projector_key", policies::key(arn, &service)));
    }
    Ok(all.into_iter().map(|(name, policy)| (name.to_owned(), document(&policy))).collect())
}

/// Returns the data source of a policy document.
fn document(policy: &Value) -> Value {
    let statements = policy.get("Statement").and_then(Value::as_array);
    json!({ "statement": statements.into_iter().flatten().map(statement).collect::<Vec<_>>() })
}

fn statement(statement: &Value) -> Value {
    let mut all = Map::new();
    for (name, value) in statement.as_object().into_iter().flatten() {
        let (name, value) = match name.as_str() {
            "Sid" => ("sid", value.clone()),
            "Effect" => ("effect", value.clone()),
            "Action" => ("actions", list(value)),
            "Resource" => ("resources", list(value)),
            "Principal" => ("principals", principals(value)),
            "Condition" => ("condition", conditions(value)),
            _ => continue,
        };
        all.insert(name.to_owned(), value);
    }
    all.into()
}

fn principals(of: &Value) -> Value {
    let all = of.as_object().into_iter().flatten();
    all.map(|(kind, names)| json!({ "type": kind, "identifiers": list(names) })).collect()
}

fn conditions(of: &Value) -> Value {
    let all = of.as_object().into_iter().flatten();
    let pairs = all.flat_map(|(test, keys)| keys.as_object().into_iter().flatten().map(move |pair| (test, pair)));
    pairs.map(|(test, (key, values))| json!({ "test": test, "variable": key, "values": list(values) })).collect()
}

/// Returns a list of the values. A policy may have a single value instead of a list.
fn list(value: &Value) -> Value {
    if value.is_array() { value.clone() } else { json!([value]) }
}
