//! The check of the client's region.

use super::*;

#[tokio::test]
async fn store_in_an_allowed_region_sends_requests() -> Result<(), Error> {
    let server = Server::answering([ok(json!({}))]);
    let store = store(&server, &Sleeps::default()).regions(["eu-west-1", "us-east-1"])?;
    store.get(Get::new(key(1))).await?;
    assert_eq!(server.requests().len(), 1);
    Ok(())
}

#[test]
fn store_in_another_region_is_misconfigured() {
    let server = Server::answering([]);
    let error = store(&server, &Sleeps::default()).regions(["eu-west-1"]).unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Misconfigured, Recovery::Operator));
    assert_eq!(
        error.to_string(),
        "table `threadline`: the client's region is `us-east-1`, and the allowed regions are: `eu-west-1`; build the \
         client for an allowed region"
    );
}

#[test]
fn store_without_a_region_is_misconfigured() {
    let server = Server::answering([]);
    let config = server.client(&Sleeps::default()).config().to_builder().region(None);
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let error = plain_store(client).regions(["us-east-1"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("the client has no region"), "{error}");
}
