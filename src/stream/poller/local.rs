//! A client for the streams of DynamoDB Local, for tests and examples.

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpBuilder;

/// Creates a client for the streams of [DynamoDB Local]. Streams and tables have the same endpoint.
///
/// The client has fake credentials, so it reaches no stream on AWS.
///
/// ```
/// use threadline::stream::local_streams_client;
///
/// let client = local_streams_client("http://127.0.0.1:8000");
/// assert!(client.config().region().is_some());
/// ```
///
/// [DynamoDB Local]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html
pub fn local_streams_client(endpoint: &str) -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "threadline"))
        .endpoint_url(endpoint)
        // Without TLS: the application chooses the TLS stack, and an emulator needs none.
        .http_client(HttpBuilder::new().build_http())
        .build();
    Client::from_conf(config)
}
