//! CloudFormation and Terraform define the same deployment.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use threadline_catalogue::Format;

use super::{list, object, printed, properties, variants};

/// Renames the fields of an object, and leaves out the missing ones.
fn renamed(of: &Value, names: &[(&str, &str)]) -> Value {
    let known = names.iter().filter_map(|(from, to)| Some(((*to).to_owned(), of.get(from)?.clone())));
    let all: Map<_, _> = known.collect();
    assert_eq!(all.len(), object(of).len(), "a name is missing: {of}");
    all.into()
}

/// Translates the table from Terraform to CloudFormation.
fn table_of(terraform: &Value) -> Value {
    let mut table = terraform["resource"]["aws_dynamodb_table"]["threadline"].clone();
    let fields = table.as_object_mut().unwrap();
    fields.remove("lifecycle");
    let mut take = |name: &str| fields.remove(name);
    let key = |name: Option<Value>, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let keys = |hash, range| json!([key(hash, "HASH"), key(range, "RANGE")]);
    let throughput = |of: &mut dyn FnMut(&str) -> Option<Value>| match (of("read_capacity"), of("write_capacity")) {
        (None, None) => None,
        (read, write) => Some(json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })),
    };
    let mut index = take("global_secondary_index").unwrap();
    let mut of_index = |name: &str| index.as_object_mut().unwrap().remove(name);
    let gsi1 = json!({
        "IndexName": of_index("name"), "KeySchema": keys(of_index("hash_key"), of_index("range_key")),
        "Projection": { "ProjectionType": of_index("projection_type") },
        "ProvisionedThroughput": throughput(&mut of_index),
    });
    assert_eq!(index, json!({}));
    let attributes = take("attribute").unwrap();
    let attribute = |of: &Value| renamed(of, &[("name", "AttributeName"), ("type", "AttributeType")]);
    let encryption = [("enabled", "SSEEnabled"), ("kms_key_arn", "KMSMasterKeyId")];
    let mut encryption = renamed(&take("server_side_encryption").unwrap(), &encryption);
    if encryption["SSEEnabled"] == true {
        encryption["SSEType"] = json!("KMS");
    }
    assert_eq!((take("name"), take("stream_enabled")), (Some(json!("${var.table_name}")), Some(json!(true))));
    let recovery = take("point_in_time_recovery").unwrap();
    let ttl = take("ttl").map(|ttl| renamed(&ttl, &[("attribute_name", "AttributeName"), ("enabled", "Enabled")]));
    let tags = take("tags").map(|tags| object(&tags).iter().map(|(k, v)| json!({ "Key": k, "Value": v })).collect());
    let translated = json!({
        "TableName": { "Ref": "TableName" },
        "AttributeDefinitions": list(&attributes).iter().map(attribute).collect::<Value>(),
        "KeySchema": keys(take("hash_key"), take("range_key")),
        "GlobalSecondaryIndexes": [gsi1],
        "ProvisionedThroughput": throughput(&mut take),
        "BillingMode": take("billing_mode"),
        "DeletionProtectionEnabled": take("deletion_protection_enabled"),
        "PointInTimeRecoverySpecification": renamed(&recovery, &[("enabled", "PointInTimeRecoveryEnabled")]),
        "SSESpecification": encryption,
        "StreamSpecification": { "StreamViewType": take("stream_view_type") },
        "TimeToLiveSpecification": ttl,
        "Tags": tags.map(Value::Array),
    });
    assert_eq!(table, json!({}), "an argument was not translated");
    without_nulls(translated)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(without_nulls).collect(),
        Value::Object(all) => {
            let present = all.into_iter().filter(|(_, value)| !value.is_null());
            present.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>().into()
        }
        value => value,
    }
}

#[tokio::test]
async fn tables_of_both_formats_agree() {
    for spec in variants() {
        assert_eq!(table_of(&printed(Format::Terraform, &spec).await), properties(&spec).await);
    }
}

#[tokio::test]
async fn mappings_of_both_formats_agree() {
    let spec = &variants()[0];
    let template = printed(Format::CloudFormation, spec).await;
    let expected = &template["Resources"]["ProjectorMapping"]["Properties"];
    let terraform = printed(Format::Terraform, spec).await;
    let mapping = &terraform["resource"]["aws_lambda_event_source_mapping"]["projector"];
    let patterns = list(&mapping["filter_criteria"]["filter"]).iter().map(|filter| &filter["pattern"]);
    let expected_patterns = list(&expected["FilterCriteria"]["Filters"]).iter().map(|filter| &filter["Pattern"]);
    assert!(patterns.eq(expected_patterns));
    for (name, property) in [
        ("starting_position", "StartingPosition"),
        ("function_response_types", "FunctionResponseTypes"),
        ("batch_size", "BatchSize"),
        ("maximum_batching_window_in_seconds", "MaximumBatchingWindowInSeconds"),
        ("bisect_batch_on_function_error", "BisectBatchOnFunctionError"),
        ("maximum_retry_attempts", "MaximumRetryAttempts"),
        ("maximum_record_age_in_seconds", "MaximumRecordAgeInSeconds"),
        ("parallelization_factor", "ParallelizationFactor"),
    ] {
        assert_eq!(mapping.get(name).unwrap(), expected.get(property).unwrap(), "{name}");
    }
    // The rest refers to other resources: the function, the stream, the destination and the filters.
    assert_eq!(object(expected).len(), 8 + 4);
}

#[tokio::test]
async fn queues_and_trails_of_both_formats_agree() {
    let spec = &variants()[0];
    let (template, terraform) = (printed(Format::CloudFormation, spec).await, printed(Format::Terraform, spec).await);
    let (resources, of_terraform) = (&template["Resources"], &terraform["resource"]);

    let queue = &of_terraform["aws_sqs_queue"]["given_up_batches"];
    let encrypted = (&queue["sqs_managed_sse_enabled"], &queue["message_retention_seconds"]);
    let expected = &resources["GivenUpBatches"]["Properties"];
    assert_eq!(encrypted, (&expected["SqsManagedSseEnabled"], &expected["MessageRetentionPeriod"]));

    let trail = &of_terraform["aws_cloudtrail"]["audit"];
    let expected = &resources["AuditTrail"]["Properties"];
    assert_eq!(trail["enable_log_file_validation"], expected["EnableLogFileValidation"]);
    assert_eq!(trail["include_global_service_events"], expected["IncludeGlobalServiceEvents"]);
    let (selector, expected) = (&trail["event_selector"], &expected["EventSelectors"][0]);
    assert_eq!(selector["include_management_events"], expected["IncludeManagementEvents"]);
    assert_eq!(selector["read_write_type"], expected["ReadWriteType"]);
    assert_eq!(selector["data_resource"]["type"], expected["DataResources"][0]["Type"]);
    assert_eq!(selector["data_resource"]["values"], json!(["${aws_dynamodb_table.threadline.arn}"]));
}

/// Returns the value of a template's property, as Terraform spells it.
fn with_variables(value: &Value) -> Value {
    match value["Fn::Sub"].as_str() {
        Some(text) => json!(text.replace("${TableName}", "${var.table_name}")),
        None => value.clone(),
    }
}

#[tokio::test]
async fn filters_of_dead_letters_agree() {
    let spec = &variants()[0];
    let (template, terraform) = (printed(Format::CloudFormation, spec).await, printed(Format::Terraform, spec).await);
    let expected = &template["Resources"]["DeadLetters"]["Properties"];
    let filter = &terraform["resource"]["aws_cloudwatch_log_metric_filter"]["dead_letters"];
    assert_eq!(filter["pattern"], expected["FilterPattern"]);
    let (metric, expected) = (&filter["metric_transformation"], &expected["MetricTransformations"][0]);
    assert_eq!(metric["name"], with_variables(&expected["MetricName"]));
    assert_eq!((&metric["namespace"], &metric["value"]), (&expected["MetricNamespace"], &expected["MetricValue"]));
    let alarm = &terraform["resource"]["aws_cloudwatch_metric_alarm"]["dead_letters"];
    assert_eq!((&alarm["count"], &alarm["metric_name"]), (&filter["count"], &metric["name"]));
}

/// Returns the value of a dimension of a template's alarm, as Terraform spells it.
fn dimension(value: &Value) -> Value {
    if *value == json!({ "Ref": "Table" }) {
        json!("${aws_dynamodb_table.threadline.name}")
    } else if *value == json!({ "Ref": "FunctionName" }) {
        json!("${var.function_name}")
    } else if *value == json!({ "Fn::GetAtt": ["GivenUpBatches", "QueueName"] }) {
        json!("${aws_sqs_queue.given_up_batches.name}")
    } else {
        value.clone()
    }
}

#[tokio::test]
async fn alarms_of_both_formats_agree() {
    let spec = &variants()[0];
    let (template, terraform) = (printed(Format::CloudFormation, spec).await, printed(Format::Terraform, spec).await);
    let settings = |alarm: &Value, names: [&str; 7], dimensions: Value| {
        let settings = names.map(|name| with_variables(alarm.get(name).unwrap()));
        json!([settings, dimensions]).to_string()
    };
    let names =
        ["AlarmDescription", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold"];
    let resources = object(&template["Resources"]).values();
    let alarms = resources.filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    let of_template = alarms.map(|alarm| {
        let dimensions = list(&alarm["Properties"]["Dimensions"]).iter();
        let named = dimensions.map(|of| (of["Name"].as_str().unwrap().to_owned(), dimension(&of["Value"])));
        settings(&alarm["Properties"], names, named.collect::<Map<_, _>>().into())
    });
    let names =
        ["alarm_description", "namespace", "metric_name", "statistic", "period", "evaluation_periods", "threshold"];
    let alarms = object(&terraform["resource"]["aws_cloudwatch_metric_alarm"]).values();
    let of_terraform = alarms.map(|alarm| settings(alarm, names, alarm["dimensions"].clone()));
    assert_eq!(of_terraform.collect::<BTreeSet<_>>(), of_template.collect::<BTreeSet<_>>());
}

/// Returns a statement of a policy as its parts in a comparable form. A reference to another resource is `null`.
fn parts(statement: &Value) -> Vec<Value> {
    let many = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let known = |value: Value| match value.as_str() {
        Some(text) if !text.contains("${") => value,
        _ => Value::Null,
    };
    let values = |value: &Value| many(value).into_iter().map(known).collect::<Value>();
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut conditions = Vec::new();
    for (test, keys) in fields(&statement["Condition"]) {
        conditions.extend(fields(&keys).iter().map(|(key, of)| json!([test, key, values(of)])));
    }
    for of in statement["condition"].as_array().into_iter().flatten() {
        conditions.push(json!([of["test"], of["variable"], values(&of["values"])]));
    }
    let mut principals: Vec<_> =
        fields(&statement["Principal"]).iter().map(|(kind, of)| json!([kind, values(of)])).collect();
    for of in statement["principals"].as_array().into_iter().flatten() {
        principals.push(json!([of["type"], values(&of["identifiers"])]));
    }
    let either = |names: [&str; 2]| names.iter().find_map(|name| statement.get(name)).cloned().unwrap_or_default();
    vec![
        either(["Sid", "sid"]),
        either(["Effect", "effect"]),
        values(&either(["Action", "actions"])),
        values(&either(["Resource", "resources"])),
        conditions.into(),
        principals.into(),
    ]
}

#[tokio::test]
async fn policies_of_both_formats_agree() {
    for spec in variants() {
        let template = printed(Format::CloudFormation, &spec).await;
        let terraform = printed(Format::Terraform, &spec).await;
        let resources = &template["Resources"];
        let role = &resources["ProjectorRole"]["Properties"];
        for (policy, name) in [
            (&role["Policies"][0]["PolicyDocument"], "projector"),
            (&role["Policies"][1]["PolicyDocument"], "projector_key"),
            (&role["AssumeRolePolicyDocument"], "projector_trust"),
            (&resources["Endpoint"]["Properties"]["PolicyDocument"], "endpoint"),
        ] {
            let document = &terraform["data"]["aws_iam_policy_document"][name];
            assert_eq!(policy.is_null(), document.is_null(), "{name}");
            let all =
                |statements: &Value| -> Vec<_> { statements.as_array().into_iter().flatten().map(parts).collect() };
            assert_eq!(all(&document["statement"]), all(&policy["Statement"]), "{name}");
        }
    }
}
