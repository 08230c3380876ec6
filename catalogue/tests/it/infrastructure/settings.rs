//! The settings of the table and of the resources beside it.

use std::process::Command;

use serde_json::{Value, json};
use threadline::ErrorKind;
use threadline::table::{Billing, Encryption, StreamView, TableSpec, Throughput};
use threadline_catalogue::{Error, Format};

use super::{KEY, list, object, printed, properties};
use crate::catalogue;

fn spec() -> TableSpec {
    TableSpec::new("messages")
}

#[tokio::test]
async fn template_has_every_setting_of_the_table() {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let expected = json!({
        "TableName": { "Ref": "TableName" },
        "AttributeDefinitions": [attribute("pk"), attribute("sk"), attribute("gsi1pk"), attribute("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi1",
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true, "SSEType": "KMS" },
        "StreamSpecification": { "StreamViewType": "NEW_AND_OLD_IMAGES" },
        "TimeToLiveSpecification": { "AttributeName": "expires_at", "Enabled": true },
    });
    assert_eq!(properties(&spec()).await, expected);
}

#[tokio::test]
async fn each_variant_changes_its_own_properties() {
    let provisioned = Billing::Provisioned { table: Throughput::new(1, 2), index: Throughput::new(3, 4) };
    let units = |read: u32, write: u32| json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write });
    let default = properties(&spec()).await;
    let mut index = default["GlobalSecondaryIndexes"][0].clone();
    index["ProvisionedThroughput"] = units(3, 4);
    let own_key = json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": KEY });
    let variants = [
        (
            spec().billing(provisioned),
            json!({
                "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 2), "GlobalSecondaryIndexes": [index],
            }),
        ),
        (
            spec().stream(Some(StreamView::NewImage)),
            json!({ "StreamSpecification": { "StreamViewType": "NEW_IMAGE" } }),
        ),
        (spec().time_to_live(false), json!({ "TimeToLiveSpecification": null })),
        (
            spec().point_in_time_recovery(false),
            json!({ "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": false } }),
        ),
        (spec().deletion_protection(false), json!({ "DeletionProtectionEnabled": false })),
        (spec().encryption(Encryption::OwnedByAws), json!({ "SSESpecification": { "SSEEnabled": false } })),
        (spec().encryption(Encryption::OwnKey(KEY.to_owned())), json!({ "SSESpecification": own_key })),
        (spec().tag("team", "messaging"), json!({ "Tags": [{ "Key": "team", "Value": "messaging" }] })),
    ];
    for (spec, changes) in variants {
        let mut expected = default.clone();
        let expected = expected.as_object_mut().unwrap();
        expected.extend(object(&changes).clone());
        expected.retain(|_, value| !value.is_null());
        assert_eq!(object(&properties(&spec).await), expected);
    }
}

#[tokio::test]
async fn protected_table_outlives_its_deployment() {
    for (spec, policy, prevented) in
        [(spec(), "Retain", json!(true)), (spec().deletion_protection(false), "Delete", Value::Null)]
    {
        let template = printed(Format::CloudFormation, &spec).await;
        let table = &template["Resources"]["Table"];
        assert_eq!((&table["DeletionPolicy"], &table["UpdateReplacePolicy"]), (&json!(policy), &json!(policy)));
        let terraform = printed(Format::Terraform, &spec).await;
        let table = &terraform["resource"]["aws_dynamodb_table"]["threadline"];
        assert_eq!(table["lifecycle"]["prevent_destroy"], prevented);
    }
}

#[tokio::test]
async fn name_of_the_table_is_the_default_of_a_parameter() {
    let template = printed(Format::CloudFormation, &spec()).await;
    assert_eq!(template["Parameters"]["TableName"]["Default"], "messages");
    let terraform = printed(Format::Terraform, &spec()).await;
    assert_eq!(terraform["variable"]["table_name"]["default"], "messages");
}

#[test]
fn program_sets_the_name_of_the_table() {
    let arguments = ["catalogue", "cloudformation", "--table", "messages"];
    let output = Command::new(env!("CARGO_BIN_EXE_threadline")).args(arguments).output().unwrap();
    let template: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(template["Parameters"]["TableName"]["Default"], "messages");
}

#[tokio::test]
async fn stream_without_new_images_is_refused() {
    for view in [None, Some(StreamView::KeysOnly), Some(StreamView::OldImage)] {
        for format in [Format::CloudFormation, Format::Terraform] {
            let error = catalogue().table(spec().stream(view)).print(format).await.unwrap_err();
            assert!(matches!(&error, Error::Stream { table } if table == "messages"), "{error}");
        }
    }
}

#[tokio::test]
async fn invalid_name_of_a_table_is_refused() {
    for format in [Format::CloudFormation, Format::Terraform] {
        let error = catalogue().table(TableSpec::new("no")).print(format).await.unwrap_err();
        assert!(matches!(&error, Error::Threadline(error) if error.kind() == ErrorKind::Invalid), "{error}");
    }
}

#[tokio::test]
async fn mapping_retries_for_6_hours_and_keeps_given_up_batches() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let filters: Value = serde_json::from_str(&catalogue().print(Format::Filters).await.unwrap()).unwrap();
    let expected = json!({
        "FunctionName": { "Ref": "FunctionName" },
        "EventSourceArn": { "Fn::GetAtt": ["Table", "StreamArn"] },
        "StartingPosition": "TRIM_HORIZON",
        "FilterCriteria": filters,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": 21_600,
        "ParallelizationFactor": 1,
        "DestinationConfig": { "OnFailure": { "Destination": { "Fn::GetAtt": ["GivenUpBatches", "Arn"] } } },
    });
    assert_eq!(template["Resources"]["ProjectorMapping"]["Properties"], expected);
    assert_eq!(template["Resources"]["GivenUpBatches"]["Properties"]["SqsManagedSseEnabled"], true);
}

#[tokio::test]
async fn filters_of_the_lambda_example_are_generated() {
    let printed = catalogue().print(Format::Filters).await.unwrap();
    let kept = include_str!("../../../../examples/lambda/filters.json");
    assert!(printed == kept, "run `threadline catalogue filters --output examples/lambda/filters.json`");
}

#[tokio::test]
async fn endpoint_allows_the_table_and_its_index_only() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let policy = &template["Resources"]["Endpoint"]["Properties"]["PolicyDocument"];
    let [statement] = list(&policy["Statement"]).as_slice() else { panic!("{policy}") };
    let expected = json!([{ "Fn::GetAtt": ["Table", "Arn"] }, { "Fn::Sub": "${Table.Arn}/index/gsi1" }]);
    assert_eq!(statement["Resource"], expected);
}

#[tokio::test]
async fn endpoint_allows_what_the_operator_may_do_on_the_table() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let of_endpoint = &template["Resources"]["Endpoint"]["Properties"]["PolicyDocument"]["Statement"][0]["Action"];
    let operator: Value = serde_json::from_str(&catalogue().policy("operator").unwrap()).unwrap();
    for statement in list(&operator["Statement"]) {
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(|| vec![statement["Action"].clone()]);
        assert!(actions.iter().all(|action| list(of_endpoint).contains(action)), "{statement}");
    }
}

#[tokio::test]
async fn trail_records_reads_and_writes_of_the_table() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let trail = &template["Resources"]["AuditTrail"]["Properties"];
    let table = json!({ "Type": "AWS::DynamoDB::Table", "Values": [{ "Fn::GetAtt": ["Table", "Arn"] }] });
    let selector = json!({ "ReadWriteType": "All", "IncludeManagementEvents": false, "DataResources": [table] });
    assert_eq!(trail["EventSelectors"], json!([selector]));
    assert_eq!((&trail["IsLogging"], &trail["EnableLogFileValidation"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn alarms_cover_delay_throttling_errors_and_given_up_batches() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let resources = object(&template["Resources"]);
    let mut found: Vec<_> = resources.keys().filter_map(|name| name.strip_prefix("Alarm")).collect();
    found.sort_unstable();
    let expected = [
        "DeadLetters",
        "FunctionErrors",
        "GivenUpBatches",
        "IndexReadKeyRangeThroughputThrottleEvents",
        "IndexReadThrottleEvents",
        "IndexWriteKeyRangeThroughputThrottleEvents",
        "IndexWriteThrottleEvents",
        "IteratorAge",
        "SystemErrorsBatchGetItem",
        "SystemErrorsGetItem",
        "SystemErrorsPutItem",
        "SystemErrorsQuery",
        "SystemErrorsScan",
        "SystemErrorsTransactWriteItems",
        "SystemErrorsUpdateItem",
        "TableReadKeyRangeThroughputThrottleEvents",
        "TableReadThrottleEvents",
        "TableWriteKeyRangeThroughputThrottleEvents",
        "TableWriteThrottleEvents",
    ];
    assert_eq!(found, expected);
    for name in found {
        let alarm = &resources[&format!("Alarm{name}")]["Properties"];
        assert_eq!(alarm["AlarmActions"], json!([{ "Ref": "AlarmTopicArn" }]), "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
    }
}

#[tokio::test]
async fn alarm_on_dead_letters_reads_what_the_projector_logs() {
    let template = printed(Format::CloudFormation, &spec()).await;
    let (filter, alarm) = (&template["Resources"]["DeadLetters"], &template["Resources"]["AlarmDeadLetters"]);
    let phrases: Vec<_> = filter["Properties"]["FilterPattern"].as_str().unwrap().split('"').collect();
    let [_, without_sink, _, of_lambda, _] = phrases.as_slice() else { panic!("{phrases:?}") };
    assert!(include_str!("../../../../src/stream/projector.rs").contains(&format!("\"{without_sink},")));
    assert!(include_str!("../../../../examples/lambda/src/dead_letter.rs").contains(&format!("\"{of_lambda},")));
    let metric = &filter["Properties"]["MetricTransformations"][0];
    let alarmed = &alarm["Properties"];
    assert_eq!((&metric["MetricName"], &metric["MetricNamespace"]), (&alarmed["MetricName"], &alarmed["Namespace"]));
    assert_eq!((&filter["Condition"], &alarm["Condition"]), (&json!("HasLogGroup"), &json!("HasLogGroup")));
}

#[tokio::test]
async fn role_may_use_a_customer_key_through_dynamodb_only() {
    let policies = async |spec: TableSpec| {
        let mut template = printed(Format::CloudFormation, &spec).await;
        template["Resources"]["ProjectorRole"]["Properties"]["Policies"].take()
    };
    let names = |policies: &Value| -> Vec<String> {
        list(policies).iter().map(|policy| policy["PolicyName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&policies(spec()).await), ["projector"]);
    let with_key = policies(spec().encryption(Encryption::OwnKey(KEY.to_owned()))).await;
    assert_eq!(names(&with_key), ["projector", "key"]);
    let statement = &with_key[1]["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], json!([KEY]));
    let service = json!({ "Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}" });
    assert_eq!(statement["Condition"], json!({ "StringEquals": { "kms:ViaService": service } }));
}
