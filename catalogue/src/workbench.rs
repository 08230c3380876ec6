//! The model for NoSQL Workbench: the table, its index, one facet for each entity, and sample items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use threadline::card::EntityCard;
use threadline::entity::{AttributeValue, GSI1PK, GSI1SK, PK, SK};
use threadline::table::Billing;

use crate::catalogue::Catalogue;
use crate::explain::item;
use crate::golden::Golden;

/// The time of the golden conversation, in the form of NoSQL Workbench. The model has no clock.
const DATE: &str = "Feb 03, 2026, 09:40 AM";

/// Returns the model.
pub(crate) fn model(catalogue: &Catalogue, golden: &Golden) -> String {
    let table = catalogue.get_table();
    let billing = match table.get_billing() {
        Billing::Provisioned { .. } => "PROVISIONED",
        _ => "PAY_PER_REQUEST",
    };
    let types = types(golden);
    let others = types.iter().filter(|(name, _)| ![PK, SK].contains(name));
    let others: Vec<Value> = others.map(|(name, kind)| attribute(name, kind)).collect();
    let facets: Vec<Value> = catalogue.registry().entities().iter().map(|entity| facet(entity, golden)).collect();
    let model = json!({
        "ModelName": "Threadline",
        "ModelMetadata": {
            "Author": "",
            "DateCreated": DATE,
            "DateLastModified": DATE,
            "Description": "One table for the users, conversations, messages and inboxes of a chat.",
            "AWSService": "Amazon DynamoDB",
            "Version": "3.0",
        },
        "DataModel": [{
            "TableName": table.name(),
            "KeyAttributes": { "PartitionKey": attribute(PK, "S"), "SortKey": attribute(SK, "S") },
            "NonKeyAttributes": others,
            "TableFacets": facets,
            "GlobalSecondaryIndexes": [{
                "IndexName": "gsi1",
                "KeyAttributes": { "PartitionKey": attribute(GSI1PK, "S"), "SortKey": attribute(GSI1SK, "S") },
                "Projection": { "ProjectionType": "ALL" },
            }],
            "TableData": golden.items.iter().map(item).collect::<Vec<_>>(),
            "DataAccess": { "MySql": {} },
            "BillingMode": billing,
        }],
    });
    format!("{model:#}\n")
}

fn attribute(name: &str, kind: &str) -> Value {
    json!({ "AttributeName": name, "AttributeType": kind })
}

/// Returns the type of each attribute of the golden items.
fn types(golden: &Golden) -> BTreeMap<&str, &'static str> {
    let attributes = golden.items.iter().flat_map(|item| item.iter());
    attributes.map(|(name, value)| (name, type_of(value))).collect()
}

fn type_of(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::B(_) => "B",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::Null(_) => "NULL",
        AttributeValue::L(_) => "L",
        AttributeValue::M(_) => "M",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
    }
}

/// Returns the facet of an entity: its key templates, and the other attributes of its golden items.
fn facet(entity: &EntityCard, golden: &Golden) -> Value {
    let items = golden.items.iter().filter(|item| item.type_name() == Some(entity.name));
    let names = items.flat_map(|item| item.iter()).map(|(name, _)| name);
    let names: BTreeSet<_> = names.filter(|name| ![PK, SK].contains(name)).collect();
    json!({
        "FacetName": entity.name,
        "KeyAttributeAlias": { "PartitionKeyAlias": entity.pk, "SortKeyAlias": entity.sk },
        "NonKeyAttributes": names,
    })
}
