//! Helpers of the tests that need DynamoDB Local.

use aws_sdk_dynamodb::Client;
use threadline::store::dynamodb::local_client;
use threadline::table::TableSpec;

/// Returns a client for the server at DYNAMODB_ENDPOINT.
pub(crate) fn client() -> Client {
    // Without a server a test fails: a pass would be false.
    let endpoint = std::env::var("DYNAMODB_ENDPOINT").unwrap_or_else(|_| {
        panic!("DYNAMODB_ENDPOINT is not set: set it to the address of scripts/dynamodb-local, or run ./scripts/test")
    });
    local_client(&endpoint)
}

/// Returns the definition of a table for this test and run only. It is not protected, so that it can be deleted.
pub(crate) fn spec(test: &str) -> TableSpec {
    TableSpec::new(format!("threadline-{test}-{}", std::process::id())).deletion_protection(false)
}
