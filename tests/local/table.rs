//! Creation, verification and deletion of the table on DynamoDB Local.

use crate::support::{client, spec};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection, ProjectionType,
    ProvisionedThroughput, ScalarAttributeType,
};
use threadline::table::{Billing, Encryption, Setting, StreamView, Throughput};
use threadline::{Error, ErrorKind};

fn settings(unsupported: &[threadline::table::Unsupported]) -> Vec<Setting> {
    unsupported.iter().map(|unsupported| unsupported.setting).collect()
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_new_table_equals_its_definition() -> Result<(), Error> {
    let (client, spec) = (client(), spec("new").tag("team", "messaging"));

    let created = spec.create(&client).await?;
    let verified = spec.verify(&client).await?;

    assert_eq!(verified.differences, []);
    assert!(verified.is_match());
    let lacking = [Setting::Encryption, Setting::Tags, Setting::PointInTimeRecovery];
    assert_eq!(settings(&created.unsupported), lacking, "DynamoDB Local has none of these, which is reported");
    let mut unasked = settings(&verified.unsupported);
    unasked.sort_by_key(|setting| lacking.iter().position(|lacking| lacking == setting));
    assert_eq!(unasked, lacking);
    spec.delete(&client).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_plain_definition_lacks_nothing_on_an_emulator() -> Result<(), Error> {
    let (client, spec) = (client(), spec("plain"));
    let spec = spec.encryption(Encryption::OwnedByAws).point_in_time_recovery(false).stream(None).time_to_live(false);

    let created = spec.create(&client).await?;
    let verified = spec.verify(&client).await?;

    assert_eq!(created.unsupported, []);
    assert!(verified.is_match(), "{verified:?}");
    spec.delete(&client).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn an_existing_table_is_not_created_again() -> Result<(), Error> {
    let (client, spec) = (client(), spec("twice"));
    spec.create(&client).await?;

    let error = spec.create(&client).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.operation(), Some("create_table"));
    assert_eq!(error.table(), Some(spec.name()));
    spec.delete(&client).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_protected_table_is_deleted_only_after_its_protection() -> Result<(), Error> {
    let (client, spec) = (client(), spec("protected").deletion_protection(true));
    spec.create(&client).await?;

    let error = spec.delete(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("remove the protection first"), "{error}");
    assert!(spec.verify(&client).await?.is_match(), "everything is still there");

    spec.remove_protection(&client).await?;
    spec.delete(&client).await?;
    assert_eq!(spec.verify(&client).await.unwrap_err().kind(), ErrorKind::Misconfigured);
    Ok(())
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn an_absent_table_is_not_found() {
    let (client, spec) = (client(), spec("missing"));
    for error in [
        spec.verify(&client).await.unwrap_err(),
        spec.delete(&client).await.unwrap_err(),
        spec.remove_protection(&client).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
        assert_eq!(error.table(), Some(spec.name()));
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn a_table_may_be_completed_repeatedly() -> Result<(), Error> {
    let (client, spec) = (client(), spec("completed"));
    let created = spec.clone().time_to_live(false).create(&client).await?;
    for _ in 0..2 {
        assert_eq!(spec.complete(&client).await?.unsupported, created.unsupported);
        assert!(spec.verify(&client).await?.is_match());
    }
    spec.delete(&client).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn differences_of_billing_stream_protection_expiry_are_described() -> Result<(), Error> {
    let (client, spec) = (client(), spec("differs"));
    let throughput = Billing::Provisioned { table: Throughput::new(5, 6), index: Throughput::new(7, 8) };
    let live = spec.clone().billing(throughput).stream(Some(StreamView::KeysOnly)).time_to_live(false);
    live.create(&client).await?;

    let wanted = Billing::Provisioned { table: Throughput::new(5, 6), index: Throughput::new(7, 9) };
    let protected = spec.clone().deletion_protection(true);
    let on_demand: Vec<_> = protected.verify(&client).await?.differences.iter().map(ToString::to_string).collect();
    let provisioned = live.clone().billing(wanted).verify(&client).await?;

    assert_eq!(
        on_demand,
        [
            "billing: should be on demand, is provisioned, 5 RCU and 6 WCU",
            "stream: should be NEW_AND_OLD_IMAGES, is KEYS_ONLY",
            "deletion protection: should be on, is off",
            "time to live: should be on, by `expires_at`, is off",
        ]
    );
    let [difference] = provisioned.differences.as_slice() else { panic!("{provisioned:?}") };
    assert_eq!(difference.expected, "provisioned, 7 RCU and 9 WCU");
    assert_eq!(difference.found, "provisioned, 7 RCU and 8 WCU");
    assert!(live.verify(&client).await?.is_match());
    spec.delete(&client).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn differences_of_keys_and_indexes_are_described() -> Result<(), Box<dyn std::error::Error>> {
    let (client, spec) = (client(), spec("foreign"));
    create_foreign_table(&client, spec.name()).await?;

    let verified = spec.verify(&client).await?;

    let words: Vec<_> = verified.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        words[..3],
        [
            "keys: should be pk (HASH, S), sk (RANGE, S), is pk (HASH, S), at (RANGE, N)",
            "index: should be `gsi1` on gsi1pk (HASH, S), gsi1sk (RANGE, S) with ALL attributes, is missing",
            "index: should be without `by-name`, is with the local index `by-name`, which caps each partition at 10 GB",
        ]
    );
    spec.delete(&client).await?;
    Ok(())
}

/// Creates a table like another program's: another sort key, a local index, nothing else.
async fn create_foreign_table(client: &Client, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let key = |name: &str, key_type| KeySchemaElement::builder().attribute_name(name).key_type(key_type).build();
    let attribute = |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
    let index = LocalSecondaryIndex::builder()
        .index_name("by-name")
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("name", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    client
        .create_table()
        .table_name(name)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("at", KeyType::Range)?)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("at", ScalarAttributeType::N)?)
        .attribute_definitions(attribute("name", ScalarAttributeType::S)?)
        .local_secondary_indexes(index)
        .billing_mode(BillingMode::Provisioned)
        .provisioned_throughput(
            ProvisionedThroughput::builder().read_capacity_units(1).write_capacity_units(1).build()?,
        )
        .send()
        .await?;
    Ok(())
}
