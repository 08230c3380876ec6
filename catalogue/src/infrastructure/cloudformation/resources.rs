//! The resources beside the table, in CloudFormation.

use serde_json::{Map, Value, json};
use threadline::card::registry::Registry;
use threadline::table::{Encryption, TableSpec};

use super::{attribute, reference, substitute};
use crate::error::Error;
use crate::iam::Resources;
use crate::infrastructure::alarms::{self, Alarm, DEAD_LETTERS, Dimension, NAMESPACE};
use crate::infrastructure::policies;
use crate::infrastructure::{QUEUE_RETENTION, filters, mapping as settings};

pub(super) fn queue() -> Value {
    json!({
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": { "SqsManagedSseEnabled": true, "MessageRetentionPeriod": QUEUE_RETENTION },
    })
}

pub(super) fn role(registry: &Registry, spec: &TableSpec, named: &Resources) -> Result<Value, Error> {
    let inline = |name: &str, policy: Value| json!({ "PolicyName": name, "PolicyDocument": policy });
    let mut inlines = vec![inline("projector", policies::projector(registry, named)?)];
    if let Encryption::OwnKey(arn) = spec.get_encryption() {
        let service = substitute("dynamodb.${AWS::Region}.${AWS::URLSuffix}");
        inlines.push(inline("key", policies::key(arn, &service)));
    }
    Ok(json!({
        "Type": "AWS::IAM::Role",
        "Properties": { "AssumeRolePolicyDocument": policies::trust(), "Policies": inlines },
    }))
}

pub(super) fn mapping() -> Value {
    json!({
        "Type": "AWS::Lambda::EventSourceMapping",
        "Condition": "HasFunction",
        "Properties": {
            "FunctionName": reference("FunctionName"),
            "EventSourceArn": attribute("Table", "StreamArn"),
            "StartingPosition": "TRIM_HORIZON",
            "FilterCriteria": filters(),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BatchSize": settings::BATCH_SIZE,
            "MaximumBatchingWindowInSeconds": settings::BATCH_WINDOW,
            "BisectBatchOnFunctionError": true,
            "MaximumRetryAttempts": settings::RETRIES,
            "MaximumRecordAgeInSeconds": settings::RECORD_AGE,
            "ParallelizationFactor": settings::PARALLELIZATION,
            "DestinationConfig": { "OnFailure": { "Destination": attribute("GivenUpBatches", "Arn") } },
        },
    })
}

pub(super) fn endpoint(named: &Resources) -> Value {
    json!({
        "Type": "AWS::EC2::VPCEndpoint",
        "Condition": "HasVpc",
        "Properties": {
            "VpcEndpointType": "Gateway",
            "ServiceName": substitute("com.amazonaws.${AWS::Region}.dynamodb"),
            "VpcId": reference("VpcId"),
            "RouteTableIds": reference("RouteTableIds"),
            "PolicyDocument": policies::endpoint(named),
        },
    })
}

pub(super) fn trail() -> Value {
    json!({
        "Type": "AWS::CloudTrail::Trail",
        "Condition": "HasAuditBucket",
        "Properties": {
            "IsLogging": true,
            "S3BucketName": reference("AuditBucketName"),
            "EnableLogFileValidation": true,
            "IncludeGlobalServiceEvents": false,
            "EventSelectors": [{
                "IncludeManagementEvents": false,
                "ReadWriteType": "All",
                "DataResources": [{ "Type": "AWS::DynamoDB::Table", "Values": [attribute("Table", "Arn")] }],
            }],
        },
    })
}

/// Counts the dead letters in the function's log.
pub(super) fn dead_letters() -> Value {
    json!({
        "Type": "AWS::Logs::MetricFilter",
        "Condition": "HasLogGroup",
        "Properties": {
            "LogGroupName": reference("LogGroupName"),
            "FilterPattern": DEAD_LETTERS,
            "MetricTransformations": [
                { "MetricName": dead_letters_metric(), "MetricNamespace": NAMESPACE, "MetricValue": "1" },
            ],
        },
    })
}

/// A metric of a log has no constant dimension, so its name has the table.
fn dead_letters_metric() -> Value {
    substitute("DeadLetters-${TableName}")
}

pub(super) fn alarms(registry: &Registry) -> Result<Map<String, Value>, Error> {
    let mut all: Map<_, _> =
        alarms::alarms(registry)?.iter().map(|alarm| (format!("Alarm{}", alarm.name), resource(alarm))).collect();
    let mut dead_letters = resource(&alarms::dead_letters(dead_letters_metric()));
    if let Some(fields) = dead_letters.as_object_mut() {
        fields.insert("Condition".to_owned(), json!("HasLogGroup"));
    }
    all.insert("AlarmDeadLetters".to_owned(), dead_letters);
    Ok(all)
}

fn resource(alarm: &Alarm) -> Value {
    let value = |dimension: &Dimension| match dimension {
        Dimension::Table => reference("Table"),
        Dimension::Function => reference("FunctionName"),
        Dimension::Queue => attribute("GivenUpBatches", "QueueName"),
        Dimension::Text(text) => json!(text),
    };
    let dimensions = alarm.dimensions.iter().map(|(name, of)| json!({ "Name": name, "Value": value(of) }));
    json!({
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": alarm.description,
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric,
            "Dimensions": dimensions.collect::<Vec<_>>(),
            "Statistic": alarm.statistic,
            "Period": alarm.period,
            "EvaluationPeriods": alarm.periods,
            "Threshold": alarm.threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [reference("AlarmTopicArn")],
        },
    })
}
