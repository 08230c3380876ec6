//! The Terraform configuration, in JSON syntax: the content of a `.tf.json` file.

mod policy;
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

/// The ARN of the table.
const TABLE_ARN: &str = "${aws_dynamodb_table.threadline.arn}";
/// The ARN of the table's stream.
const STREAM_ARN: &str = "${aws_dynamodb_table.threadline.stream_arn}";
/// The ARN of the queue of given-up batches.
const QUEUE_ARN: &str = "${aws_sqs_queue.given_up_batches.arn}";

/// Returns the configuration of a table with these access patterns.
///
/// # Errors
/// The errors of [`projector`](super::policies::projector).
pub(super) fn configuration(registry: &Registry, spec: &TableSpec) -> Result<Value, Error> {
    Ok(json!({
        "terraform": { "required_providers": { "aws": { "source": "hashicorp/aws", "version": "~> 6.25" } } },
        "variable": variables(spec),
        "data": {
            "aws_caller_identity": { "current": {} },
            "aws_partition": { "current": {} },
            "aws_region": { "current": {} },
            "aws_iam_policy_document": policy::documents(registry, spec, &named())?,
        },
        "resource": resources(registry, spec)?,
        "output": outputs(),
    }))
}

fn resources(registry: &Registry, spec: &TableSpec) -> Result<Value, Error> {
    Ok(json!({
        "aws_dynamodb_table": { "threadline": table::resource(spec) },
        "aws_sqs_queue": { "given_up_batches": resources::queue() },
        "aws_iam_role": { "projector": resources::role() },
        "aws_iam_role_policy": resources::role_policies(spec),
        "aws_lambda_event_source_mapping": { "projector": resources::mapping() },
        "aws_vpc_endpoint": { "dynamodb": resources::endpoint() },
        "aws_cloudtrail": { "audit": resources::trail() },
        "aws_cloudwatch_log_metric_filter": { "dead_letters": resources::dead_letters() },
        "aws_cloudwatch_metric_alarm": resources::alarms(registry)?,
    }))
}

fn variables(spec: &TableSpec) -> Value {
    json!({
        "table_name": { "type": "string", "default": spec.name(), "description": input::TABLE_NAME },
        "function_name": { "type": "string", "default": FUNCTION_NAME, "description": input::FUNCTION_NAME },
        "function_exists": { "type": "bool", "default": false, "description": input::FUNCTION_EXISTS },
        "log_group_name": { "type": "string", "default": "", "description": input::LOG_GROUP },
        "alarm_topic_arn": { "type": "string", "description": input::ALARM_TOPIC },
        "audit_bucket_name": { "type": "string", "default": "", "description": input::AUDIT_BUCKET },
        "vpc_id": { "type": "string", "default": "", "description": input::VPC },
        "route_table_ids": { "type": "list(string)", "default": [], "description": input::ROUTE_TABLES },
    })
}

fn outputs() -> Map<String, Value> {
    let output = |(name, description, value): (&str, &str, &str)| {
        (name.to_owned(), json!({ "description": description, "value": value }))
    };
    [
        ("table_arn", "The ARN of the table.", TABLE_ARN),
        ("stream_arn", "The ARN of the table's stream.", STREAM_ARN),
        ("projector_role_arn", "The role of the projector's function.", "${aws_iam_role.projector.arn}"),
        ("queue_url", "The queue of given-up batches.", "${aws_sqs_queue.given_up_batches.url}"),
    ]
    .map(output)
    .into_iter()
    .collect()
}

fn named() -> Resources {
    let logs = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:\
        ${data.aws_caller_identity.current.account_id}:log-group:/aws/lambda/${var.function_name}:*";
    Resources {
        table: json!(TABLE_ARN),
        index: json!(format!("{TABLE_ARN}/index/{GSI1}")),
        stream: json!(STREAM_ARN),
        on_failure: vec![keep_given_up(&json!(QUEUE_ARN))],
        logs: json!(logs),
    }
}
