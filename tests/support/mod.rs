//! What the tests that need a DynamoDB Local share.

use aws_sdk_dynamodb::Client;
use threadline::store::dynamodb::local_client;
use threadline::table::TableSpec;

/// A client for the server that DYNAMODB_ENDPOINT names.
pub(crate) fn client() -> Client {
    // Without a server a test fails: one that passed would say something that is not true.
    let endpoint = std::env::var("DYNAMODB_ENDPOINT").unwrap_or_else(|_| {
        panic!("DYNAMODB_ENDPOINT is not set: set it to the address of scripts/dynamodb-local, or run ./scripts/test")
    });
    local_client(&endpoint)
}

/// The definition of a table that no other test and no other run uses. It is not protected, so that it can be dropped.
pub(crate) fn spec(test: &str) -> TableSpec {
    TableSpec::new(format!("threadline-{test}-{}", std::process::id())).deletion_protection(false)
}
