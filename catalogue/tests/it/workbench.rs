//! The model for NoSQL Workbench: its structure is that of published models, and its items fit its declarations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use threadline::card::registry::ENTITIES;
use threadline_catalogue::Format;

use crate::{catalogue, catalogue_with_notes};

/// The paths of two published models: `SchemaDesign/SchemaExamples/ChatSystem/ChatSystemSchema.json` in
/// `aws-samples/aws-dynamodb-examples`, and `dynamodb/Meetinger.json` in `Arvinje/meetinger`. `[]` is an element of a
/// list. Paths below `TableData[]` have the names of the model's own attributes.
const PUBLISHED: &[&str] = &[
    "DataModel[].BillingMode",
    "DataModel[].DataAccess.MySql",
    "DataModel[].GlobalSecondaryIndexes[].IndexName",
    "DataModel[].GlobalSecondaryIndexes[].KeyAttributes.PartitionKey.AttributeName",
    "DataModel[].GlobalSecondaryIndexes[].KeyAttributes.PartitionKey.AttributeType",
    "DataModel[].GlobalSecondaryIndexes[].KeyAttributes.SortKey.AttributeName",
    "DataModel[].GlobalSecondaryIndexes[].KeyAttributes.SortKey.AttributeType",
    "DataModel[].GlobalSecondaryIndexes[].Projection.ProjectionType",
    "DataModel[].KeyAttributes.PartitionKey.AttributeName",
    "DataModel[].KeyAttributes.PartitionKey.AttributeType",
    "DataModel[].KeyAttributes.SortKey.AttributeName",
    "DataModel[].KeyAttributes.SortKey.AttributeType",
    "DataModel[].NonKeyAttributes[].AttributeName",
    "DataModel[].NonKeyAttributes[].AttributeType",
    "DataModel[].TableName",
    "ModelMetadata.AWSService",
    "ModelMetadata.Author",
    "ModelMetadata.DateCreated",
    "ModelMetadata.DateLastModified",
    "ModelMetadata.Description",
    "ModelMetadata.Version",
    "ModelName",
];

/// The paths of facets. The published models have none. The page "Editing an existing data model" of DynamoDB's
/// developer guide shows them.
const DOCUMENTED: &[&str] = &[
    "DataModel[].TableFacets[].FacetName",
    "DataModel[].TableFacets[].KeyAttributeAlias.PartitionKeyAlias",
    "DataModel[].TableFacets[].KeyAttributeAlias.SortKeyAlias",
    "DataModel[].TableFacets[].NonKeyAttributes[]",
];

async fn model() -> Value {
    serde_json::from_str(&catalogue().print(Format::Workbench).await.unwrap()).unwrap()
}

fn table(model: &Value) -> &Value {
    &model["DataModel"][0]
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

/// Collects the paths of all values without parts.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let join = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fields.iter().for_each(|(name, value)| paths(value, &join(name), found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| paths(element, &format!("{path}[]"), found)),
        _ => drop(found.insert(path.to_owned())),
    }
}

/// Returns the declared type of each attribute.
fn declared(table: &Value) -> BTreeMap<&str, &str> {
    let keys = ["PartitionKey", "SortKey"].map(|key| &table["KeyAttributes"][key]);
    let declared = keys.into_iter().chain(list(table, "NonKeyAttributes"));
    declared.map(|attribute| (text(attribute, "AttributeName"), text(attribute, "AttributeType"))).collect()
}

#[tokio::test]
async fn structure_is_that_of_published_models() {
    let mut model = model().await;
    assert_eq!(text(&model["ModelMetadata"], "Version"), "3.0");
    assert!(model["DataModel"][0].as_object_mut().unwrap().remove("TableData").is_some());
    let mut found = BTreeSet::new();
    paths(&model, "", &mut found);
    let expected = PUBLISHED.iter().chain(DOCUMENTED).map(|path| (*path).to_owned()).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn items_have_their_keys_and_declared_types() {
    let model = model().await;
    let declared = declared(table(&model));
    let items = list(table(&model), "TableData");
    assert!(items.len() > 10);
    for item in items {
        for key in ["pk", "sk"] {
            assert!(item[key]["S"].is_string(), "{item}");
        }
        for (name, value) in item.as_object().unwrap() {
            let types: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(types, [declared[name.as_str()]], "{name}");
        }
    }
    let keys: BTreeSet<_> = items.iter().map(|item| (item["pk"].to_string(), item["sk"].to_string())).collect();
    assert_eq!(keys.len(), items.len(), "two items have the same key");
}

#[tokio::test]
async fn index_and_facets_name_declared_attributes() {
    let model = model().await;
    let table = table(&model);
    let declared = declared(table);
    for key in ["PartitionKey", "SortKey"] {
        let attribute = &table["GlobalSecondaryIndexes"][0]["KeyAttributes"][key];
        assert_eq!(declared.get(text(attribute, "AttributeName")), Some(&text(attribute, "AttributeType")));
    }
    let facets = list(table, "TableFacets");
    assert_eq!(facets.len(), ENTITIES.len());
    for (facet, entity) in facets.iter().zip(ENTITIES) {
        assert_eq!(text(facet, "FacetName"), entity.name);
        assert_eq!(text(&facet["KeyAttributeAlias"], "PartitionKeyAlias"), entity.pk);
        for name in list(facet, "NonKeyAttributes") {
            let name = name.as_str().unwrap();
            assert!(declared.contains_key(name) && !["pk", "sk"].contains(&name), "{name}");
        }
    }
}

#[tokio::test]
async fn entity_of_an_application_is_a_facet() {
    let model = catalogue_with_notes().print(Format::Workbench).await.unwrap();
    let model: Value = serde_json::from_str(&model).unwrap();
    assert_eq!(list(table(&model), "TableFacets").last().unwrap()["FacetName"], "Note");
}
