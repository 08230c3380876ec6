//! An AWS Lambda function for the stream of a Threadline table. It updates the inbox entries when messages and users
//! change. README.md shows the deployment.

mod dead_letter;
mod handler;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use threadline::DynamoDbStore;
use tracing::Level;

use handler::Handler;

// An invocation mostly waits for answers, and there is one at a time: one thread is enough.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    // The level is fixed: below INFO, the SDK and the runtime log requests and events, which contain content.
    tracing_subscriber::fmt().json().with_max_level(Level::INFO).init();
    let table = std::env::var("TABLE_NAME").map_err(|_| "TABLE_NAME is not set: set it to the name of the table")?;
    let handler = Handler::new(DynamoDbStore::new(client().await, table));
    let handle = async |event: LambdaEvent<Value>| {
        handler
            .handle(event.payload)
            .await
            .map_err(|error| Diagnostic { error_type: format!("{:?}", error.kind()), error_message: error.to_string() })
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Creates a client with the function's region and role. Its time limits allow several requests within the function's
/// own limit. Records not done by then are redelivered.
async fn client() -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(8))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .retry_config(retries)
        .timeout_config(limits)
        .load()
        .await;
    Client::new(&config)
}

#[cfg(feature = "tls")]
fn http_client() -> SharedHttpClient {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

#[cfg(not(feature = "tls"))]
fn http_client() -> SharedHttpClient {
    Builder::new().build_http()
}
