//! Creation and verification of the table where AWS differs from an emulator: it takes time, and supports every
//! feature.

use threadline::table::TableSpec;
use threadline::table::{Billing, Encryption, Setting, Throughput};

use super::*;

fn spec() -> TableSpec {
    TableSpec::new("threadline").tag("team", "messaging")
}

/// Returns a table as AWS describes it.
fn described(status: &str, index_status: &str) -> Value {
    let key_part = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let key = |pk: &str, sk: &str| json!([key_part(pk, "HASH"), key_part(sk, "RANGE")]);
    let attributes: Vec<_> = ["gsi1pk", "gsi1sk", "pk", "sk"]
        .map(|name| json!({"AttributeName": name, "AttributeType": "S"}))
        .into_iter()
        .collect();
    json!({
        "TableName": "threadline",
        "TableArn": "arn:aws:dynamodb:eu-central-1:123456789012:table/threadline",
        "TableStatus": status,
        "AttributeDefinitions": attributes,
        "KeySchema": key("pk", "sk"),
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi1",
            "IndexStatus": index_status,
            "KeySchema": key("gsi1pk", "gsi1sk"),
            "Projection": {"ProjectionType": "ALL"},
        }],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:aws:kms:key-1"},
        "DeletionProtectionEnabled": true,
    })
}

fn describing(status: &str, index_status: &str) -> Reply {
    ok(json!({"Table": described(status, index_status)}))
}

fn active() -> Reply {
    describing("ACTIVE", "ACTIVE")
}

fn time_to_live(status: &str) -> Reply {
    ok(json!({"TimeToLiveDescription": {"TimeToLiveStatus": status, "AttributeName": "expires_at"}}))
}

fn recovery(status: &str) -> Reply {
    ok(json!({"ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
    }}))
}

fn tags(value: &str) -> Reply {
    ok(json!({"Tags": [{"Key": "team", "Value": value}, {"Key": "aws:cloudformation:stack", "Value": "x"}]}))
}

fn operations(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|(operation, _)| operation).collect()
}

#[tokio::test]
async fn a_table_is_created_in_one_request_and_completed_once_active() -> Result<(), Error> {
    let server = Server::answering([
        ok(json!({"TableDescription": described("CREATING", "CREATING")})),
        fault(400, "ResourceNotFoundException"),
        describing("CREATING", "CREATING"),
        describing("ACTIVE", "CREATING"),
        active(),
        tags("messaging"),
        ok(json!({})),
        fault(400, "ContinuousBackupsUnavailableException"),
        recovery("ENABLED"),
    ]);
    let sleeps = Sleeps::default();

    let created = spec().create(&server.client(&sleeps)).await?;

    assert_eq!(created.unsupported, []);
    assert_eq!(sleeps.millis(), [500, 1000, 2000, 500], "three reads of the table's state, one of its backups");
    assert_eq!(
        operations(&server),
        [
            "CreateTable",
            "DescribeTable",
            "DescribeTable",
            "DescribeTable",
            "DescribeTable",
            "ListTagsOfResource",
            "UpdateTimeToLive",
            "UpdateContinuousBackups",
            "UpdateContinuousBackups",
        ]
    );
    let bodies = server.bodies();
    assert_eq!(bodies[0]["SSESpecification"], json!({"Enabled": true, "SSEType": "KMS"}));
    assert_eq!(bodies[0]["DeletionProtectionEnabled"], true);
    assert_eq!(bodies[0]["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(bodies[0]["Tags"], json!([{"Key": "team", "Value": "messaging"}]));
    assert_eq!(bodies[0].get("LocalSecondaryIndexes"), None);
    assert_eq!(bodies[6]["TimeToLiveSpecification"], json!({"AttributeName": "expires_at", "Enabled": true}));
    assert_eq!(bodies[7]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    Ok(())
}

#[tokio::test]
async fn a_missing_permission_is_an_error_at_its_step() {
    let denied = fault(400, "AccessDeniedException");
    let server = Server::answering([ok(json!({})), active(), tags("messaging"), denied]);

    let error = spec().create(&server.client(&Sleeps::default())).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert_eq!(error.operation(), Some("update_time_to_live"));
}

#[tokio::test]
async fn a_half_created_table_is_completed() -> Result<(), Error> {
    let server = Server::answering([
        ok(json!({})),
        active(),
        tags("messaging"),
        fault(500, "InternalServerError"),
        active(),
        tags("messaging"),
        ok(json!({})),
        recovery("ENABLED"),
    ]);
    let client = server.client(&Sleeps::default());

    let error = spec().create(&client).await.unwrap_err();
    assert_eq!((error.operation(), error.outcome()), (Some("update_time_to_live"), Outcome::Unknown));
    assert_eq!(spec().complete(&client).await?.unsupported, []);

    assert_eq!(
        operations(&server)[4..],
        ["DescribeTable", "ListTagsOfResource", "UpdateTimeToLive", "UpdateContinuousBackups"]
    );
    Ok(())
}

#[tokio::test]
async fn only_an_enabled_time_to_live_is_no_error() -> Result<(), Error> {
    let refused = || fault(400, "ValidationException");
    for live in ["ENABLED", "ENABLING"] {
        let server =
            Server::answering([active(), tags("messaging"), refused(), time_to_live(live), recovery("ENABLED")]);
        assert_eq!(spec().complete(&server.client(&Sleeps::default())).await?.unsupported, []);
    }
    for live in [time_to_live("DISABLED"), fault(400, "AccessDeniedException")] {
        let server = Server::answering([active(), tags("messaging"), refused(), live]);
        let error = spec().complete(&server.client(&Sleeps::default())).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Misconfigured, Some("update_time_to_live")));
    }
    Ok(())
}

/// Returns the table as DynamoDB Local describes it.
fn local() -> Reply {
    let mut table = described("ACTIVE", "ACTIVE");
    table["TableArn"] = "arn:aws:dynamodb:ddblocal:000000000000:table/threadline".into();
    ok(json!({"Table": table}))
}

#[tokio::test]
async fn only_an_unknown_operation_counts_as_unsupported() -> Result<(), Error> {
    let answered = |table: Reply, code: &str| {
        Server::answering([table, time_to_live("ENABLED"), recovery("ENABLED"), fault(400, code)])
    };
    for (table, code) in [
        (active(), "UnknownOperationException"),
        (local(), "UnknownOperationException"),
        (local(), "ValidationException"),
    ] {
        let server = answered(table, code);
        let verified = spec().verify(&server.client(&Sleeps::default())).await?;
        let found: Vec<_> = verified.unsupported.iter().map(|lack| (lack.setting, &*lack.reason)).collect();
        assert_eq!(found, [(Setting::Tags, &*format!("the service answered {code}"))]);
    }
    for (table, code) in [
        (active(), "ValidationException"),
        (active(), "InvalidArnException"),
        (local(), "IdempotentParameterMismatchException"),
        (local(), "AccessDeniedException"),
    ] {
        let server = answered(table, code);
        let error = spec().verify(&server.client(&Sleeps::default())).await.unwrap_err();
        assert_eq!(error.operation(), Some("list_tags_of_resource"), "{code}");
        assert_eq!(error.service().and_then(|service| service.code.as_deref()), Some(code));
    }
    Ok(())
}

#[tokio::test]
async fn a_definition_that_no_table_can_have_is_refused_and_not_sent() {
    let server = Server::answering([]);
    let client = server.client(&Sleeps::default());
    let (none, one) = (Throughput::new(1, 0), Throughput::new(1, 1));
    let provisioned = |table, index| TableSpec::new("abc").billing(Billing::Provisioned { table, index });
    assert!(provisioned(one, one).check().is_ok());
    assert!(TableSpec::new("a".repeat(255)).check().is_ok());
    for spec in [
        TableSpec::new("ab"),
        TableSpec::new("a".repeat(256)),
        TableSpec::new("no spaces"),
        TableSpec::new("a\u{fc}\u{e9}"),
        provisioned(none, one),
        provisioned(one, none),
    ] {
        for error in [
            spec.create(&client).await.unwrap_err(),
            spec.complete(&client).await.unwrap_err(),
            spec.verify(&client).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.table()), (ErrorKind::Invalid, Some(spec.name())));
            assert!(error.service().is_none());
        }
    }
    assert_eq!(operations(&server), [] as [String; 0]);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_creation_unknown() {
    let server = Server::answering([Reply::HangUp, fault(400, "ResourceInUseException")]);
    let error = spec().create(&server.retrying_client()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "the existing table may be the one just created");
}

#[tokio::test]
async fn waiting_for_a_table_ends_after_five_minutes() {
    let server = Server::answering(std::iter::repeat_n(describing("CREATING", "CREATING"), 80));
    let sleeps = Sleeps::default();

    let error = spec().wait_until_active(&server.client(&sleeps)).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(sleeps.millis().iter().sum::<u128>() / 60_000, 5);
}

#[tokio::test]
async fn waiting_for_a_table_that_never_appears_ends_soon() {
    let server = Server::answering(std::iter::repeat_n(fault(400, "ResourceNotFoundException"), 80));
    let sleeps = Sleeps::default();

    let error = spec().wait_until_active(&server.client(&sleeps)).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert_eq!(sleeps.millis(), [500, 1000, 2000, 4000, 5000]);
}

#[tokio::test]
async fn a_protected_table_gets_no_delete_request() {
    let server = Server::answering([active()]);
    let error = spec().delete(&server.client(&Sleeps::default())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(operations(&server), ["DescribeTable"]);
}

#[tokio::test]
async fn a_delete_waits_until_the_table_is_gone() -> Result<(), Error> {
    let mut unprotected = described("ACTIVE", "ACTIVE");
    unprotected["DeletionProtectionEnabled"] = false.into();
    let server = Server::answering([
        ok(json!({"Table": unprotected})),
        ok(json!({})),
        describing("DELETING", "DELETING"),
        fault(400, "ResourceNotFoundException"),
    ]);
    let sleeps = Sleeps::default();

    spec().delete(&server.client(&sleeps)).await?;

    assert_eq!(sleeps.millis(), [500]);
    assert_eq!(operations(&server), ["DescribeTable", "DeleteTable", "DescribeTable", "DescribeTable"]);
    Ok(())
}

#[tokio::test]
async fn a_table_on_aws_that_is_as_defined_has_no_difference() -> Result<(), Error> {
    for (expiry, own_key) in [("ENABLED", None), ("ENABLING", Some("arn:aws:kms:key-1"))] {
        let server = Server::answering([active(), time_to_live(expiry), recovery("ENABLED"), tags("messaging")]);
        let spec = match own_key {
            Some(arn) => spec().encryption(Encryption::OwnKey(arn.to_owned())),
            None => spec(),
        };
        let verified = spec.verify(&server.client(&Sleeps::default())).await?;
        assert!(verified.is_match(), "{verified:?}");
        assert_eq!(verified.unsupported, []);
    }
    Ok(())
}

#[tokio::test]
async fn more_protection_is_no_difference() -> Result<(), Error> {
    let server = Server::answering([active(), time_to_live("ENABLED"), recovery("ENABLED"), tags("messaging")]);
    let verified = spec().deletion_protection(false).verify(&server.client(&Sleeps::default())).await?;
    assert!(verified.is_match(), "{verified:?}");
    Ok(())
}

#[tokio::test]
async fn a_lack_of_protection_is_a_difference() -> Result<(), Error> {
    let mut live = described("ACTIVE", "ACTIVE");
    live["DeletionProtectionEnabled"] = json!(false);
    let server = Server::answering([
        ok(json!({"Table": live})),
        time_to_live("ENABLED"),
        recovery("ENABLED"),
        tags("messaging"),
    ]);
    let verified = spec().verify(&server.client(&Sleeps::default())).await?;
    let settings: Vec<_> = verified.differences.iter().map(|difference| difference.setting).collect();
    assert_eq!(settings, [Setting::DeletionProtection]);
    Ok(())
}

#[tokio::test]
async fn differences_of_recovery_expiry_encryption_tags_are_described() -> Result<(), Error> {
    let mut live = described("ACTIVE", "ACTIVE");
    live["SSEDescription"] = Value::Null;
    let server =
        Server::answering([ok(json!({"Table": live})), time_to_live("DISABLED"), recovery("DISABLED"), tags("other")]);

    let verified = spec().verify(&server.client(&Sleeps::default())).await?;

    let words: Vec<_> = verified.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "encryption: should be by a key in the account, is by a key that AWS owns",
            "time to live: should be on, by `expires_at`, is off",
            "point-in-time recovery: should be on, is off",
            "tags: should be `team=messaging`, is `team=other`",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn another_key_and_a_missing_tag_are_differences() -> Result<(), Error> {
    let server = Server::answering([active(), time_to_live("ENABLED"), recovery("ENABLED"), ok(json!({"Tags": []}))]);
    let spec = spec().encryption(Encryption::OwnKey("arn:aws:kms:key-2".to_owned()));

    let verified = spec.verify(&server.client(&Sleeps::default())).await?;

    let found: Vec<_> =
        verified.differences.iter().map(|difference| (difference.setting, &*difference.found)).collect();
    assert_eq!(found, [(Setting::Encryption, "by the key arn:aws:kms:key-1"), (Setting::Tags, "`team` missing")]);
    Ok(())
}
