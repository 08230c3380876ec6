//! The table in CloudFormation.

use serde_json::{Map, Value, json};
use threadline::entity::{EXPIRES_AT, GSI1, GSI1PK, GSI1SK, PK, SK};
use threadline::table::{Encryption, TableSpec, Throughput};

use super::reference;
use crate::infrastructure::{billing, view};

/// Returns the table. A protected table outlives its stack.
pub(super) fn resource(spec: &TableSpec) -> Value {
    let policy = if spec.get_deletion_protection() { "Retain" } else { "Delete" };
    json!({
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": policy,
        "Properties": properties(spec),
    })
}

fn properties(spec: &TableSpec) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    set("TableName", reference("TableName"));
    set("AttributeDefinitions", [PK, SK, GSI1PK, GSI1SK].map(definition).into());
    set("KeySchema", keys(PK, SK));
    set("DeletionProtectionEnabled", spec.get_deletion_protection().into());
    set("PointInTimeRecoverySpecification", json!({ "PointInTimeRecoveryEnabled": spec.get_point_in_time_recovery() }));
    set("SSESpecification", encryption(spec.get_encryption()));
    if let Some(view) = view(spec.get_stream()) {
        set("StreamSpecification", json!({ "StreamViewType": view }));
    }
    if spec.get_time_to_live() {
        set("TimeToLiveSpecification", json!({ "AttributeName": EXPIRES_AT, "Enabled": true }));
    }
    if !spec.get_tags().is_empty() {
        let tags = spec.get_tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
        set("Tags", tags.collect::<Vec<_>>().into());
    }
    let (mode, of_table, of_index) = billing(spec);
    set("BillingMode", mode.into());
    if let Some(units) = of_table {
        set("ProvisionedThroughput", throughput(units));
    }
    set("GlobalSecondaryIndexes", json!([index(of_index)]));
    properties
}

fn index(units: Option<Throughput>) -> Value {
    let mut index =
        json!({ "IndexName": GSI1, "KeySchema": keys(GSI1PK, GSI1SK), "Projection": { "ProjectionType": "ALL" } });
    if let (Some(index), Some(units)) = (index.as_object_mut(), units) {
        index.insert("ProvisionedThroughput".to_owned(), throughput(units));
    }
    index
}

fn definition(name: &str) -> Value {
    json!({ "AttributeName": name, "AttributeType": "S" })
}

fn keys(hash: &str, range: &str) -> Value {
    json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }])
}

fn throughput(throughput: Throughput) -> Value {
    json!({ "ReadCapacityUnits": throughput.read, "WriteCapacityUnits": throughput.write })
}

fn encryption(encryption: &Encryption) -> Value {
    match encryption {
        Encryption::OwnKey(arn) => json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": arn }),
        Encryption::OwnedByAws => json!({ "SSEEnabled": false }),
        _ => json!({ "SSEEnabled": true, "SSEType": "KMS" }),
    }
}
