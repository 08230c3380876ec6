//! The alarms of a deployment, as plain data.

use std::collections::BTreeSet;

use threadline::card::registry::Registry;
use threadline::card::{RequestCard, RequestKind};
use threadline::entity::GSI1;

/// An alarm on one metric: `threshold` exceeded in each of the last `periods` periods. No data is no alarm.
pub(super) struct Alarm {
    /// The name in capitalized words, such as `IteratorAge`.
    pub(super) name: String,
    /// The meaning, and what to do.
    pub(super) description: String,
    pub(super) namespace: &'static str,
    pub(super) metric: String,
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
pub(super) fn alarms(registry: &Registry) -> Vec<Alarm> {
    let mut alarms = vec![iterator_age(), function_errors(), given_up()];
    for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
        let advice = "The table's or the account's throughput may be too low.";
        alarms.extend([throttled(metric, advice, false), throttled(metric, advice, true)]);
    }
    for metric in ["ReadKeyRangeThroughputThrottleEvents", "WriteKeyRangeThroughputThrottleEvents"] {
        let advice = "One partition key is too busy, such as a large group: more throughput does not help.";
        alarms.extend([throttled(metric, advice, false), throttled(metric, advice, true)]);
    }
    alarms.extend(operations(registry).into_iter().map(system_errors));
    alarms
}

fn iterator_age() -> Alarm {
    Alarm {
        name: "IteratorAge".to_owned(),
        description: "The inboxes are more than 5 minutes late: the projector is too slow or fails.".to_owned(),
        namespace: "AWS/Lambda",
        metric: "IteratorAge".to_owned(),
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
        metric: "Errors".to_owned(),
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
        metric: "ApproximateNumberOfMessagesVisible".to_owned(),
        statistic: "Maximum",
        dimensions: vec![("QueueName", Dimension::Queue)],
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
        metric: metric.to_owned(),
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
        metric: "SystemErrors".to_owned(),
        statistic: "Sum",
        dimensions: vec![("TableName", Dimension::Table), ("Operation", Dimension::Text(operation))],
        period: 60,
        periods: 5,
        threshold: 0,
    }
}

/// Returns the operations that the access patterns use.
fn operations(registry: &Registry) -> BTreeSet<&'static str> {
    let cases = registry.cards().iter().flat_map(|card| card.cases);
    cases.flat_map(|case| case.requests).filter_map(operation).collect()
}

/// Returns the operation of a request, or `None` for a kind that this version does not know.
fn operation(request: &RequestCard) -> Option<&'static str> {
    if request.transaction {
        return Some("TransactWriteItems");
    }
    match request.kind {
        RequestKind::Get => Some("GetItem"),
        RequestKind::BatchGet => Some("BatchGetItem"),
        RequestKind::Query => Some("Query"),
        RequestKind::Scan => Some("Scan"),
        RequestKind::Put => Some("PutItem"),
        RequestKind::Update => Some("UpdateItem"),
        RequestKind::Delete => Some("DeleteItem"),
        _ => None,
    }
}
