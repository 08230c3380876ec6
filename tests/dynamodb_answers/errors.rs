//! Errors: their kinds, lost answers, and what must not be seen in them.

use super::*;

#[tokio::test]
async fn every_code_of_the_service_has_its_kind() {
    use ErrorKind::{Conflict, Denied, Invalid, NotFound, OutcomeUnknown, Throttled, Unavailable};
    for (status, code, read, write) in [
        (400, "ResourceNotFoundException", NotFound, NotFound),
        (400, "ProvisionedThroughputExceededException", Throttled, Throttled),
        (400, "ThrottlingException", Throttled, Throttled),
        (400, "RequestLimitExceeded", Throttled, Throttled),
        (400, "LimitExceededException", Throttled, Throttled),
        (400, "ReplicatedWriteConflictException", Conflict, Conflict),
        (400, "TransactionInProgressException", OutcomeUnknown, OutcomeUnknown),
        (400, "ValidationException", Invalid, Invalid),
        (400, "IdempotentParameterMismatchException", Invalid, Invalid),
        (400, "ItemCollectionSizeLimitExceededException", Invalid, Invalid),
        (400, "SomethingNewException", Invalid, Invalid),
        (400, "AccessDeniedException", Denied, Denied),
        (400, "UnrecognizedClientException", Denied, Denied),
        (400, "ExpiredTokenException", Denied, Denied),
        (400, "MissingAuthenticationTokenException", Denied, Denied),
        (403, "SomethingNewException", Denied, Denied),
        (429, "SomethingNewException", Throttled, Throttled),
        (500, "InternalServerError", Unavailable, OutcomeUnknown),
        (503, "ServiceUnavailable", Unavailable, OutcomeUnknown),
        (502, "SomethingNewException", Unavailable, OutcomeUnknown),
    ] {
        let server = Server::answering([fault(status, code), fault(status, code), fault(status, code)]);
        let store = store(&server, &Sleeps::default());
        let errors = [
            (read, store.get(Get::new(key(1))).await.unwrap_err(), "get"),
            (write, store.write(put()).await.unwrap_err(), "write"),
            (write, store.transact(transaction(1)).await.unwrap_err(), "transact"),
        ];
        for (kind, error, operation) in errors {
            assert_eq!(error.kind(), kind, "{status} {code} on {operation}");
            assert_eq!(error.operation(), Some(operation));
            assert_eq!(error.table(), Some("threadline"));
            let service = error.service().expect("the service spoke");
            assert_eq!(service.code.as_deref(), Some(code));
            assert_eq!(service.message.as_deref(), Some("said by the service"));
            assert_eq!(service.request_id.as_deref(), Some("request-1"));
        }
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_a_write_unknown_and_a_read_unavailable() {
    let server = Server::answering(std::iter::repeat_n(Reply::HangUp, 4));
    let store = store(&server, &Sleeps::default());
    for error in [
        store.write(put()).await.unwrap_err(),
        store.transact(transaction(1)).await.unwrap_err(),
        store.batch_write(batch_write([1])).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(!error.is_retryable());
    }
    let error = store.get(Get::new(key(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_a_write_unknown_and_a_read_unavailable() {
    let garbage = || Reply::Answer { status: 200, body: "{\"Attributes\": {".to_owned() };
    let server = Server::answering([garbage(), garbage()]);
    let store = store(&server, &Sleeps::default());
    assert_eq!(store.write(put()).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(store.get(Get::new(key(1))).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_time_limit_leaves_a_write_unknown_and_a_read_unavailable() {
    let server = Server::answering([]);
    let store = plain_store(server.impatient_client());
    assert_eq!(store.write(put()).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(store.get(Get::new(key(1))).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn without_a_connection_nothing_was_done() {
    let store = plain_store(client_without_server());
    for error in [
        store.get(Get::new(key(1))).await.unwrap_err(),
        store.write(put()).await.unwrap_err(),
        store.transact(transaction(1)).await.unwrap_err(),
        store.batch_write(batch_write([1])).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone);
        assert!(error.source().is_some(), "the cause is kept");
    }
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_none() {
    let server = Server::answering([]);
    let store = plain_store(server.client_that_cannot_wait_to_connect());
    let error = store.write(put()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = Server::answering([]);
    let store = plain_store(server.client_without_credentials());

    for error in [store.get(Get::new(key(1))).await.unwrap_err(), store.write(put()).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
    }
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn a_lost_attempt_is_not_forgotten_when_the_next_ones_are_refused() {
    let throttled = || fault(400, "ThrottlingException");
    for lost in [Reply::HangUp, fault(500, "InternalServerError")] {
        let server = Server::answering([lost, throttled(), throttled()]);
        let store = plain_store(server.retrying_client());
        let error = store.write(put()).await.unwrap_err();
        assert_eq!(server.requests().len(), 3, "the SDK tried three times");
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    }

    let server = Server::answering([throttled(), throttled(), throttled()]);
    let error = plain_store(server.retrying_client()).write(put()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "all three attempts were refused");
}

#[tokio::test]
async fn a_lost_attempt_does_not_matter_once_the_next_is_done() -> Result<(), Error> {
    let server = Server::answering([Reply::HangUp, ok(json!({}))]);
    let outcome = plain_store(server.retrying_client()).write(put()).await?;
    assert!(matches!(outcome, WriteOutcome::Done { .. }));
    Ok(())
}

#[tokio::test]
async fn no_error_shows_what_is_in_an_item() {
    let with_item =
        |code| fault_with(400, code, json!({"Item": sdk_item(1), "CancellationReasons": [{"Item": sdk_item(1)}]}));
    let replies = [
        with_item("TransactionConflictException"),
        with_item("ValidationException"),
        Reply::HangUp,
        Reply::Answer { status: 200, body: format!("{{\"Attributes\": {{\"text\": {{\"S\": \"{CANARY}\" {CANARY}") },
        Reply::Answer { status: 500, body: CANARY.to_owned() },
    ];
    for reply in replies {
        let server = Server::answering([reply.clone()]);
        let policy = RetryPolicy::default().max_attempts(1);
        let error = store(&server, &Sleeps::default()).with_retry(policy).write(put()).await.unwrap_err();
        let mut seen = format!("{error} {error:?} {error:#?}");
        let mut source = error.source();
        while let Some(cause) = source {
            seen += &format!(" {cause} {cause:?} {cause:#?}");
            source = cause.source();
        }
        assert!(!seen.contains(CANARY), "{reply:?} gave {seen}");
    }
}

#[tokio::test]
async fn the_store_shows_its_table_and_nothing_of_its_client() {
    let server = Server::answering([]);
    let store = DynamoDbStore::new(server.client(&Sleeps::default()), "threadline");
    assert!(format!("{store:?}").starts_with(r#"DynamoDbStore { table: "threadline", retry: RetryPolicy"#));
    assert_eq!(store.table_name(), "threadline");
}
