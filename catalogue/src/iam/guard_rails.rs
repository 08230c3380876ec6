//! The guard-rails: a service control policy that denies what nobody in an organization should do.

use serde_json::{Value, json};

use super::policy::dynamodb;
use super::probe::{BACKUP, Probe, STREAM, TABLE};
use super::{Policy, Resources};

/// The actions that delete the data.
pub(super) const DELETE: &[&str] = &["DeleteBackup", "DeleteTable"];
/// The actions that change the settings of the table, or give its data away.
pub(super) const CHANGE: &[&str] = &[
    "DeleteResourcePolicy",
    "EnableKinesisStreamingDestination",
    "ExportTableToPointInTime",
    "PutResourcePolicy",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
];
/// The actions that create a table or a replica.
pub(super) const CREATE: &[&str] = &[
    "CreateGlobalTable",
    "CreateTable",
    "CreateTableReplica",
    "ImportTable",
    "RestoreTableFromAwsBackup",
    "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
];
/// All tables in all regions, with their indexes, streams and backups.
const ALL_TABLES: &str = "arn:aws:dynamodb:*:*:table/*";

/// The backups of the table.
const BACKUPS: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/backup/*";
/// The only role that may change the table's settings.
const ADMIN: &str = "arn:aws:iam::ACCOUNT:role/ADMIN";

/// Returns the statements.
pub(super) fn statements(resources: &Resources) -> Vec<Value> {
    let Resources { table, stream, .. } = resources;
    vec![
        json!({
            "Sid": "KeepTableAndBackups",
            "Effect": "Deny",
            "Action": dynamodb(DELETE),
            "Resource": [table, BACKUPS],
        }),
        json!({
            "Sid": "KeepSettings",
            "Effect": "Deny",
            "Action": dynamodb(CHANGE),
            "Resource": [table, stream],
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": ADMIN } },
        }),
        json!({
            "Sid": "KeepRegion",
            "Effect": "Deny",
            "Action": dynamodb(CREATE),
            "Resource": ALL_TABLES,
            "Condition": { "StringNotEquals": { "aws:RequestedRegion": ["REGION"] } },
        }),
        json!({
            "Sid": "KeepTransportEncrypted",
            "Effect": "Deny",
            "Action": "dynamodb:*",
            "Resource": ALL_TABLES,
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }),
    ]
}

/// Returns the probes of the guard-rails, beside a policy that allows everything.
pub(super) fn probes() -> Vec<Probe> {
    const APPLICATION: &str = "arn:aws:iam::ACCOUNT:role/application";
    let probe = |allowed, action: &str, resource: &str, role: &str, region: &str, is_secure: &str| {
        Probe::new(Policy::GuardRails, allowed, action, resource)
            .with("aws:PrincipalArn", role)
            .with("aws:RequestedRegion", region)
            .with("aws:SecureTransport", is_secure)
    };
    let mut probes = Vec::new();
    for action in DELETE {
        let resource = if *action == "DeleteBackup" { BACKUP } else { TABLE };
        probes.push(probe(false, action, resource, ADMIN, "REGION", "true"));
        // Other tables are none of this policy's.
        probes.push(probe(true, action, &resource.replace("TABLE", "OTHER"), ADMIN, "REGION", "true"));
    }
    for action in CHANGE {
        probes.push(probe(true, action, TABLE, ADMIN, "REGION", "true"));
        probes.push(probe(false, action, TABLE, APPLICATION, "REGION", "true"));
    }
    for action in ["DeleteResourcePolicy", "PutResourcePolicy"] {
        probes.push(probe(false, action, STREAM, APPLICATION, "REGION", "true"));
    }
    for action in CREATE {
        for (allowed, region) in [(true, "REGION"), (false, "xx-other-1")] {
            let table = TABLE.replace("REGION", region);
            probes.push(probe(allowed, action, &table, ADMIN, region, "true"));
        }
    }
    for action in ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"] {
        probes.push(probe(true, action, TABLE, APPLICATION, "REGION", "true"));
        probes.push(probe(false, action, TABLE, APPLICATION, "REGION", "false"));
    }
    for action in ["CreateBackup", "DescribeTable", "TagResource"] {
        probes.push(probe(true, action, TABLE, APPLICATION, "REGION", "true"));
    }
    probes
}
