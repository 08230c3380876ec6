//! The resources beside the table, in Terraform.

use serde_json::{Map, Value, json};
use threadline::card::registry::Registry;
use threadline::table::{Encryption, TableSpec};

use super::{QUEUE_ARN, STREAM_ARN, TABLE_ARN};
use crate::error::Error;
use crate::infrastructure::alarms::{self, Alarm, DEAD_LETTERS, Dimension, NAMESPACE};
use crate::infrastructure::{QUEUE_RETENTION, filters, mapping as settings};

pub(super) fn queue() -> Value {
    json!({
        "name": "${var.function_name}-given-up-batches",
        "sqs_managed_sse_enabled": true,
        "message_retention_seconds": QUEUE_RETENTION,
    })
}

pub(super) fn role() -> Value {
    json!({
        "name": "${var.function_name}",
        "assume_role_policy": "${data.aws_iam_policy_document.projector_trust.json}",
    })
}

pub(super) fn role_policies(spec: &TableSpec) -> Map<String, Value> {
    let policy = |name: &str| {
        let document = format!("${{data.aws_iam_policy_document.{name}.json}}");
        (name.to_owned(), json!({ "name": name, "role": "${aws_iam_role.projector.name}", "policy": document }))
    };
    let mut all = Map::from_iter([policy("projector")]);
    if let Encryption::OwnKey(_) = spec.get_encryption() {
        all.extend([policy("projector_key")]);
    }
    all
}

pub(super) fn mapping() -> Value {
    json!({
        "count": "${var.function_exists ? 1 : 0}",
        "function_name": "${var.function_name}",
        "event_source_arn": STREAM_ARN,
        "starting_position": "TRIM_HORIZON",
        "filter_criteria": {
            "filter": filters::patterns().map(|pattern| json!({ "pattern": pattern })).collect::<Vec<_>>(),
        },
        "function_response_types": ["ReportBatchItemFailures"],
        "batch_size": settings::BATCH_SIZE,
        "maximum_batching_window_in_seconds": settings::BATCH_WINDOW,
        "bisect_batch_on_function_error": true,
        "maximum_retry_attempts": settings::RETRIES,
        "maximum_record_age_in_seconds": settings::RECORD_AGE,
        "parallelization_factor": settings::PARALLELIZATION,
        "destination_config": { "on_failure": { "destination_arn": QUEUE_ARN } },
        // Lambda checks the role's permissions when it creates the mapping.
        "depends_on": ["aws_iam_role_policy.projector"],
    })
}

pub(super) fn endpoint() -> Value {
    json!({
        "count": "${var.vpc_id == \"\" ? 0 : 1}",
        "vpc_endpoint_type": "Gateway",
        "service_name": "com.amazonaws.${data.aws_region.current.region}.dynamodb",
        "vpc_id": "${var.vpc_id}",
        "route_table_ids": "${var.route_table_ids}",
        "policy": "${data.aws_iam_policy_document.endpoint.json}",
    })
}

pub(super) fn trail() -> Value {
    json!({
        "count": "${var.audit_bucket_name == \"\" ? 0 : 1}",
        "name": "${var.table_name}",
        "s3_bucket_name": "${var.audit_bucket_name}",
        "enable_log_file_validation": true,
        "include_global_service_events": false,
        "event_selector": {
            "include_management_events": false,
            "read_write_type": "All",
            "data_resource": { "type": "AWS::DynamoDB::Table", "values": [TABLE_ARN] },
        },
    })
}

/// The number of metric filters and alarms of dead letters.
const HAS_LOG_GROUP: &str = "${var.log_group_name == \"\" ? 0 : 1}";
/// A metric of a log has no constant dimension, so its name has the table.
const DEAD_LETTERS_METRIC: &str = "DeadLetters-${var.table_name}";

/// Counts the dead letters in the function's log.
pub(super) fn dead_letters() -> Value {
    json!({
        "count": HAS_LOG_GROUP,
        "name": "${var.table_name}-dead-letters",
        "log_group_name": "${var.log_group_name}",
        "pattern": DEAD_LETTERS,
        "metric_transformation": { "name": DEAD_LETTERS_METRIC, "namespace": NAMESPACE, "value": "1" },
    })
}

pub(super) fn alarms(registry: &Registry) -> Result<Map<String, Value>, Error> {
    let mut all: Map<_, _> =
        alarms::alarms(registry)?.iter().map(|alarm| (lower(&alarm.name, '_'), resource(alarm))).collect();
    let mut dead_letters = resource(&alarms::dead_letters(json!(DEAD_LETTERS_METRIC)));
    if let Some(fields) = dead_letters.as_object_mut() {
        fields.insert("count".to_owned(), json!(HAS_LOG_GROUP));
    }
    all.insert("dead_letters".to_owned(), dead_letters);
    Ok(all)
}

fn resource(alarm: &Alarm) -> Value {
    let value = |dimension: &Dimension| match dimension {
        Dimension::Table => "${aws_dynamodb_table.threadline.name}",
        Dimension::Function => "${var.function_name}",
        Dimension::Queue => "${aws_sqs_queue.given_up_batches.name}",
        Dimension::Text(text) => text,
    };
    let dimensions = alarm.dimensions.iter().map(|(name, of)| ((*name).to_owned(), json!(value(of))));
    json!({
        "alarm_name": format!("${{var.table_name}}-{}", lower(&alarm.name, '-')),
        "alarm_description": alarm.description,
        "namespace": alarm.namespace,
        "metric_name": alarm.metric,
        "dimensions": dimensions.collect::<Map<_, _>>(),
        "statistic": alarm.statistic,
        "period": alarm.period,
        "evaluation_periods": alarm.periods,
        "threshold": alarm.threshold,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "notBreaching",
        "alarm_actions": ["${var.alarm_topic_arn}"],
    })
}

/// Returns a name such as `IteratorAge` in lowercase words: `iterator_age`.
fn lower(name: &str, separator: char) -> String {
    let mut all = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !all.is_empty() {
            all.push(separator);
        }
        all.push(letter.to_ascii_lowercase());
    }
    all
}
