//! The IAM policies of a deployment, as policy documents.

use serde_json::{Value, json};
use threadline::card::registry::Registry;

use crate::error::Error;
use crate::iam::{Policy, Resources, VERIFY_TABLE, dynamodb, versioned};

/// The actions of the application, the projector and the audit on items.
const ITEM_ACTIONS: &[&str] = &[
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
];

/// The actions on a customer managed key that DynamoDB takes in the name of the caller.
const KEY_ACTIONS: [&str; 7] = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// Returns the policy of the projector's role.
///
/// # Errors
/// [`Error::NoAction`] for a kind of request that this version does not know.
pub(super) fn projector(registry: &Registry, resources: &Resources) -> Result<Value, Error> {
    Policy::Projector.of(registry, resources)
}

/// Returns the statement that lets Lambda send the positions of given-up batches to the queue.
pub(super) fn keep_given_up(queue: &Value) -> Value {
    json!({ "Sid": "KeepGivenUpBatches", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue })
}

/// Returns the policy for the use of a customer managed key by DynamoDB alone. `service` is the name of DynamoDB in
/// the region of the table.
pub(super) fn key(arn: &str, service: &Value) -> Value {
    versioned(vec![json!({
        "Sid": "UseTheKeyOfTheTable", "Effect": "Allow", "Action": KEY_ACTIONS, "Resource": [arn],
        "Condition": { "StringEquals": { "kms:ViaService": service } },
    })])
}

/// Returns the policy of the gateway endpoint: this table only. The roles decide who may do what.
pub(super) fn endpoint(resources: &Resources) -> Value {
    versioned(vec![json!({
        "Sid": "ThisTableOnly", "Effect": "Allow", "Principal": { "AWS": "*" },
        "Action": dynamodb(&[ITEM_ACTIONS, VERIFY_TABLE].concat()), "Resource": [resources.table, resources.index],
    })])
}

/// Returns the policy that lets Lambda take the projector's role.
pub(super) fn trust() -> Value {
    versioned(vec![json!({
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": ["sts:AssumeRole"],
    })])
}
