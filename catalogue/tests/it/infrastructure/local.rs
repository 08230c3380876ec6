//! The table of the CloudFormation template, created on DynamoDB Local from its own properties.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpRequest;
use serde_json::{Value, json};
use threadline::store::dynamodb::local_client;
use threadline::table::{Billing, Encryption, Setting, StreamView, TableSpec, Throughput};

use super::properties;

/// Returns a client for the server at DYNAMODB_ENDPOINT.
fn client() -> Client {
    // Without a server a test fails: a pass would be false.
    let endpoint = std::env::var("DYNAMODB_ENDPOINT").unwrap_or_else(|_| {
        panic!("DYNAMODB_ENDPOINT is not set: set it to the address of scripts/dynamodb-local, or run ./scripts/test")
    });
    local_client(&endpoint)
}

/// Replaces the body of a request.
fn with_body(body: &Value) -> impl Fn(&mut HttpRequest) + Send + Sync + use<> {
    let body = body.to_string();
    move |request| {
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.clone().into();
    }
}

/// Creates the table as CloudFormation does: the properties with the names of the API go to `CreateTable`, and each of
/// the others to its own call.
async fn create(client: &Client, name: &str, mut properties: Value) {
    let fields = properties.as_object_mut().unwrap();
    fields.insert("TableName".to_owned(), json!(name));
    let time_to_live = fields.remove("TimeToLiveSpecification");
    // DynamoDB Local has none.
    fields.remove("PointInTimeRecoverySpecification");
    // CloudFormation calls it `SSEEnabled`, and enables a stream by its view.
    let enabled = fields["SSESpecification"].as_object_mut().unwrap().remove("SSEEnabled").unwrap();
    fields["SSESpecification"]["Enabled"] = enabled;
    fields["StreamSpecification"]["StreamEnabled"] = json!(true);

    client.create_table().table_name(name).customize().mutate_request(with_body(&properties)).send().await.unwrap();
    if let Some(specification) = time_to_live {
        let body = json!({ "TableName": name, "TimeToLiveSpecification": specification });
        client
            .update_time_to_live()
            .table_name(name)
            .customize()
            .mutate_request(with_body(&body))
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
async fn table_of_the_template_equals_its_definition() {
    let client = client();
    let spec = |variant: &str| {
        TableSpec::new(format!("threadline-template-{variant}-{}", std::process::id())).deletion_protection(false)
    };
    let provisioned = Billing::Provisioned { table: Throughput::new(1, 2), index: Throughput::new(3, 4) };
    for spec in [
        spec("default"),
        spec("protected").deletion_protection(true),
        spec("provisioned").billing(provisioned),
        spec("view").stream(Some(StreamView::NewImage)),
        spec("forever").time_to_live(false),
        spec("owned").encryption(Encryption::OwnedByAws),
        spec("tags").tag("team", "messaging"),
    ] {
        create(&client, spec.name(), properties(&spec).await).await;
        spec.wait_until_active(&client).await.unwrap();
        let verified = spec.verify(&client).await.unwrap();
        assert_eq!(verified.differences, [], "{}", spec.name());
        let lacking = [Setting::PointInTimeRecovery, Setting::Encryption, Setting::Tags];
        assert!(verified.unsupported.iter().all(|unsupported| lacking.contains(&unsupported.setting)), "{verified:?}");

        // Another definition differs, so the comparison compares.
        let other = TableSpec::new(spec.name()).stream(Some(StreamView::KeysOnly));
        assert!(!other.verify(&client).await.unwrap().is_match());
        spec.remove_protection(&client).await.unwrap();
        spec.delete(&client).await.unwrap();
    }
}
