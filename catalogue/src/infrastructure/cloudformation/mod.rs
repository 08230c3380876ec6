//! The CloudFormation template.

mod resources;
mod table;

use serde_json::{Map, Value, json};
use threadline::card::registry::Registry;
use threadline::entity::GSI1;
use threadline::table::TableSpec;

use super::policies::keep_given_up;
use super::{FUNCTION_NAME, input};
use crate::error::Error;
use crate::iam::Resources;

/// Returns the template of a table with these access patterns.
///
/// # Errors
/// The errors of [`projector`](super::policies::projector).
pub(super) fn template(registry: &Registry, spec: &TableSpec) -> Result<Value, Error> {
    let mut resources = Map::new();
    resources.insert("Table".to_owned(), table::resource(spec));
    resources.insert("GivenUpBatches".to_owned(), resources::queue());
    resources.insert("ProjectorRole".to_owned(), resources::role(registry, spec, &named())?);
    resources.insert("ProjectorMapping".to_owned(), resources::mapping());
    resources.insert("Endpoint".to_owned(), resources::endpoint(&named()));
    resources.insert("AuditTrail".to_owned(), resources::trail());
    resources.insert("DeadLetters".to_owned(), resources::dead_letters());
    resources.extend(resources::alarms(registry)?);
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A Threadline table with its projector, alarms, endpoint and audit trail.",
        "Parameters": parameters(spec),
        "Conditions": conditions(),
        "Resources": resources,
        "Outputs": outputs(),
    }))
}

fn parameters(spec: &TableSpec) -> Value {
    json!({
        "TableName": { "Type": "String", "Default": spec.name(), "Description": input::TABLE_NAME },
        "FunctionName": { "Type": "String", "Default": FUNCTION_NAME, "Description": input::FUNCTION_NAME },
        "FunctionExists": {
            "Type": "String", "Default": "false", "AllowedValues": ["true", "false"],
            "Description": input::FUNCTION_EXISTS,
        },
        "LogGroupName": { "Type": "String", "Default": "", "Description": input::LOG_GROUP },
        "AlarmTopicArn": { "Type": "String", "Description": input::ALARM_TOPIC },
        "AuditBucketName": { "Type": "String", "Default": "", "Description": input::AUDIT_BUCKET },
        "VpcId": { "Type": "String", "Default": "", "Description": input::VPC },
        "RouteTableIds": { "Type": "CommaDelimitedList", "Default": "", "Description": input::ROUTE_TABLES },
    })
}

fn conditions() -> Value {
    let given = |parameter: &str| json!({ "Fn::Not": [{ "Fn::Equals": [reference(parameter), ""] }] });
    json!({
        "HasFunction": { "Fn::Equals": [reference("FunctionExists"), "true"] },
        "HasLogGroup": given("LogGroupName"),
        "HasAuditBucket": given("AuditBucketName"),
        "HasVpc": given("VpcId"),
    })
}

fn outputs() -> Value {
    let output = |description: &str, value: Value| json!({ "Description": description, "Value": value });
    json!({
        "TableArn": output("The ARN of the table.", attribute("Table", "Arn")),
        "StreamArn": output("The ARN of the table's stream.", attribute("Table", "StreamArn")),
        "ProjectorRoleArn": output("The role of the projector's function.", attribute("ProjectorRole", "Arn")),
        "QueueUrl": output("The queue of given-up batches.", reference("GivenUpBatches")),
    })
}

fn named() -> Resources {
    let logs = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${FunctionName}:*";
    Resources {
        table: attribute("Table", "Arn"),
        index: substitute(&format!("${{Table.Arn}}/index/{GSI1}")),
        stream: attribute("Table", "StreamArn"),
        on_failure: vec![keep_given_up(&attribute("GivenUpBatches", "Arn"))],
        logs: substitute(logs),
    }
}

/// Refers to a parameter, or to the name of a resource.
fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

/// Refers to an attribute of a resource.
fn attribute(resource: &str, name: &str) -> Value {
    json!({ "Fn::GetAtt": [resource, name] })
}

/// Replaces the variables of a text.
fn substitute(text: &str) -> Value {
    json!({ "Fn::Sub": text })
}
