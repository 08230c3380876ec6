//! A client for DynamoDB Local, for tests and examples.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpBuilder;

/// A client for [DynamoDB Local](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html) or
/// another emulator at this address, over plain http: `http://127.0.0.1:8000`. Its credentials are made up, so it reaches no
/// real table.
pub fn local_client(endpoint: &str) -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "threadline"))
        .endpoint_url(endpoint)
        // Without TLS: which TLS stack there is, is the application's choice, and an emulator needs none.
        .http_client(HttpBuilder::new().build_http())
        .build();
    Client::from_conf(config)
}
