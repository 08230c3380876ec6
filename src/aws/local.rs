//! A client for DynamoDB Local, for tests and examples.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpBuilder;

/// Creates a client for [DynamoDB
/// Local](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html) or another emulator at
/// this address.
///
/// The address uses plain HTTP, such as `http://127.0.0.1:8000`. The client's region is `us-east-1`. The client's
/// credentials are not real, so the client cannot reach a table on AWS.
///
/// ```
/// let client = threadline::store::dynamodb::local_client("http://127.0.0.1:8000");
/// assert_eq!(client.config().region().map(|region| region.as_ref()), Some("us-east-1"));
/// ```
pub fn local_client(endpoint: &str) -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "threadline"))
        .endpoint_url(endpoint)
        // No TLS: the application chooses its TLS stack, and an emulator needs none.
        .http_client(HttpBuilder::new().build_http())
        .build();
    Client::from_conf(config)
}
