//! The alarms of a deployment, as plain data.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use threadline::card::registry::Registry;
use threadline::entity::GSI1;

use crate::error::Error;
use crate::iam::operation;

/// The namespace of the metric that counts dead letters.
pub(super) const NAMESPACE: &str = "Threadline";
/// The filter of the function's log: what the projector logs for a dead letter without a sink, and with the sink of
/// the Lambda example.
pub(super) const DEAD_LETTERS: &str = r#"?"a record can never be projected" ?"a record can never succeed""#;

/// An alarm on one metric: `threshold` exceeded in each of the last `periods` periods. No data is no alarm.
pub(super) struct Alarm {
    /// The name in capitalized words, such as `IteratorAge`.
    pub(super) name: String,
    /// The meaning, and what to do.
    pub(super) description: String,
    pub(super) namespace: &'static str,
    /// The name, or the expression of a template that yields it.
    pub(super) metric: Value,
    pub(super) statistic: &'static str,
    pub(super) dimensions: Vec<(&'static str, Dimension)>,
    /// The seconds of a period.
    pub(super) period: u32,
    pub(super) periods: u32,
    pub(super) threshold: u32,
}

/// The value of a metric's dimension.
pub(super) enum Dimension {
    /// The name of the table.
    Table,
    /// The name of the projector's function.
    Function,
    /// The name of the queue of given-up batches.
    Queue,
    /// A constant.
    Text(&'static str),
}

/// Returns the alarms of a table with these access patterns.
///
/// # Errors
/// [`Error::NoAction`] for a kind of request that this version does not know.
pub(super) fn alarms(registry: &Registry) -> Result<Vec<Alarm>, Error> {
    let mut alarms = vec![iterator_age(), function_errors(), given_up()];
    for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
        let advice = "The table's or the account's throughput may be too low.";
        alarms.extend([throttled(metric, advice, false), throttled(metric, advice, true)]);
    }
    for metric in ["ReadKeyRangeThroughputThrottleEvents", "WriteKeyRangeThroughputThrottleEvents"] {
        let advice = "One partition key is too busy, such as a large group: more throughput does not help.";
        alarms.extend([throttled(metric, advice, false), throttled(metric, advice, true)]);
    }
    alarms.extend(operations(registry)?.into_iter().map(system_errors));
    Ok(alarms)
}

fn iterator_age() -> Alarm {
    Alarm {
        name: "IteratorAge".to_owned(),
        description: "The inboxes are more than 5 minutes late: the projector is too slow or fails.".to_owned(),
        namespace: "AWS/Lambda",
        metric: json!("IteratorAge"),
        statistic: "Maximum",
        dimensions: vec![("FunctionName", Dimension::Function)],
        period: 60,
        periods: 3,
        threshold: 300_000,
    }
}

fn function_errors() -> Alarm {
    Alarm {
        name: "FunctionErrors".to_owned(),
        description: "Invocations of the projector failed as a whole: read its log.".to_owned(),
        namespace: "AWS/Lambda",
        metric: json!("Errors"),
        statistic: "Sum",
        dimensions: vec![("FunctionName", Dimension::Function)],
        period: 60,
        periods: 3,
        threshold: 0,
    }
}

fn given_up() -> Alarm {
    Alarm {
        name: "GivenUpBatches".to_owned(),
        description: "Lambda gave up batches of the stream: remove the cause, then run the repair.".to_owned(),
        namespace: "AWS/SQS",
        metric: json!("ApproximateNumberOfMessagesVisible"),
        statistic: "Maximum",
        dimensions: vec![("QueueName", Dimension::Queue)],
        period: 60,
        periods: 1,
        threshold: 0,
    }
}

/// Returns the alarm on the metric that counts dead letters in the function's log.
pub(super) fn dead_letters(metric: Value) -> Alarm {
    Alarm {
        name: "DeadLetters".to_owned(),
        description: "The projector met records that can never succeed: read the dead letters.".to_owned(),
        namespace: NAMESPACE,
        metric,
        statistic: "Sum",
        dimensions: Vec::new(),
        period: 60,
        periods: 1,
        threshold: 0,
    }
}

/// Short throttling is normal, because the SDK retries it. So the alarm needs 5 minutes.
fn throttled(metric: &str, advice: &str, of_index: bool) -> Alarm {
    let (owner, name) = if of_index { ("the index", "Index") } else { ("the table", "Table") };
    let mut dimensions = vec![("TableName", Dimension::Table)];
    if of_index {
        dimensions.push(("GlobalSecondaryIndexName", Dimension::Text(GSI1)));
    }
    Alarm {
        name: format!("{name}{metric}"),
        description: format!("Requests to {owner} were throttled for 5 minutes. {advice}"),
        namespace: "AWS/DynamoDB",
        metric: json!(metric),
        statistic: "Sum",
        dimensions,
        period: 60,
        periods: 5,
        threshold: 0,
    }
}

/// DynamoDB reports errors of the service for each operation of a table, never for the table as a whole.
fn system_errors(operation: &'static str) -> Alarm {
    Alarm {
        name: format!("SystemErrors{operation}"),
        description: format!("DynamoDB failed to answer {operation} for 5 minutes: see the AWS Health Dashboard."),
        namespace: "AWS/DynamoDB",
        metric: json!("SystemErrors"),
        statistic: "Sum",
        dimensions: vec![("TableName", Dimension::Table), ("Operation", Dimension::Text(operation))],
        period: 60,
        periods: 5,
        threshold: 0,
    }
}

/// Returns the operations that the access patterns use. The parts of a transaction are one operation.
fn operations(registry: &Registry) -> Result<BTreeSet<&'static str>, Error> {
    let cases = registry.cards().iter().flat_map(|card| card.cases);
    let requests = cases.flat_map(|case| case.requests);
    requests.map(|each| if each.transaction { Ok("TransactWriteItems") } else { operation(each.kind) }).collect()
}
