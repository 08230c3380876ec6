//! Errors: their kinds, lost answers, and the content that they must not show.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};

use super::*;

/// A provider that fails with this error once, and then returns credentials.
#[derive(Debug)]
struct FailsOnce(std::sync::Mutex<Option<CredentialsError>>);

impl ProvideCredentials for FailsOnce {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let provided: Provided = match self.0.lock().unwrap().take() {
            Some(error) => Err(error),
            None => Ok(Credentials::new("id", "secret", None, None, "test")),
        };
        future::ProvideCredentials::ready(provided)
    }
}

#[tokio::test]
async fn credentials_that_fail_once_are_retried() -> Result<(), Error> {
    let timed_out = std::io::Error::new(std::io::ErrorKind::TimedOut, "connect");
    for error in [
        CredentialsError::provider_timed_out(Duration::from_secs(5)),
        CredentialsError::provider_error(timed_out),
        CredentialsError::unhandled("not UTF-8"),
    ] {
        let server = Server::answering([ok(json!({}))]);
        let provider = FailsOnce(std::sync::Mutex::new(Some(error)));
        let store = plain_store(server.client_with_credentials(provider));
        let error = store.write(put()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotDone), "{error:?}");
        assert_eq!(error.recovery(), Recovery::Retry);
        store.write(put()).await?.done()?;
    }
    Ok(())
}

#[tokio::test]
async fn credentials_that_are_missing_are_the_operators_fault() {
    for error in [CredentialsError::not_loaded("none"), CredentialsError::invalid_configuration("a loop")] {
        let server = Server::answering([]);
        let provider = FailsOnce(std::sync::Mutex::new(Some(error)));
        let error = plain_store(server.client_with_credentials(provider)).write(put()).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Misconfigured, Recovery::Operator), "{error:?}");
    }
}

/// Returns the lines of the documented table: a code, and the kinds after a read and a write.
fn documented() -> Vec<(String, String, String)> {
    let page = include_str!("../../../docs/errors.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| code |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned());
        (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap())
    });
    rows.map(|row| if row.0 == "any other" { ("SomethingNewException".to_owned(), row.1, row.2) } else { row })
        .collect()
}

/// Sends a read, a put and a transaction to a server that answers everything with this error.
async fn after(status: u16, code: &str) -> [Error; 3] {
    let server = Server::answering([fault(status, code), fault(status, code), fault(status, code)]);
    let store = store(&server, &Sleeps::default()).retry(RetryPolicy::default().max_attempts(1));
    [
        store.get(Get::new(key(1))).await.unwrap_err(),
        store.write(put()).await.unwrap_err(),
        store.transact(transaction(1)).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn every_documented_code_has_its_kind() {
    let rows = documented();
    assert_eq!(rows.len(), 31);
    for (code, read, write) in rows {
        let status = if matches!(&*code, "InternalServerError" | "ServiceUnavailable") { 500 } else { 400 };
        let errors = after(status, &code).await;
        for (error, (kind, operation)) in errors.iter().zip([(&read, "get"), (&write, "write"), (&write, "transact")]) {
            assert_eq!(&format!("{:?}", error.kind()), kind, "{code} on {operation}");
            assert_eq!(error.operation(), Some(operation));
            assert_eq!(error.table(), Some("threadline"));
            let service = error.service().expect("the service spoke");
            assert_eq!(service.code.as_deref(), Some(&*code));
            assert_eq!(service.message.as_deref(), Some("said by the service"));
            assert!(service.request_id.as_deref().is_some_and(|id| id.starts_with("request-")));
            for part in ["threadline", operation, "said by the service", "request-", &*code] {
                assert!(!error.message().contains(part), "{code}: {}", error.message());
            }
        }
    }
}

#[tokio::test]
async fn unknown_answers_are_retried_at_any_status() {
    for status in 400..600 {
        let [read, put, transaction] = after(status, &format!("Code{status}")).await;
        assert_eq!((read.kind(), read.recovery()), (ErrorKind::Unavailable, Recovery::Retry), "{status}");
        for write in [put, transaction] {
            assert_eq!((write.kind(), write.recovery()), (ErrorKind::OutcomeUnknown, Recovery::Retry), "{status}");
        }
    }
}

#[tokio::test]
async fn a_refusal_with_status_500_leaves_a_write_unknown() {
    let [read, put, transaction] = after(500, "ThrottlingException").await;
    assert_eq!(read.kind(), ErrorKind::Throttled);
    assert_eq!([put.kind(), transaction.kind()], [ErrorKind::OutcomeUnknown; 2]);
}

#[tokio::test]
async fn a_proxy_page_leaves_a_write_unknown_and_a_read_unavailable() {
    for status in [301, 400, 403, 408, 413, 429, 502] {
        let page = || Reply::Answer { status, body: "<html>Request Timeout</html>".to_owned() };
        let server = Server::answering([page(), page()]);
        let store = store(&server, &Sleeps::default());
        assert_eq!(store.write(put()).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown, "{status}");
        assert_eq!(store.get(Get::new(key(1))).await.unwrap_err().kind(), ErrorKind::Unavailable, "{status}");
    }
}

#[tokio::test]
async fn an_update_that_does_not_fit_the_item_is_invalid() {
    for code in ["ValidationException", "ItemCollectionSizeLimitExceededException"] {
        let server = Server::answering([fault(400, code)]);
        let update = Write::update(key(1), Update::new().add("count", 1));
        let error = store(&server, &Sleeps::default()).write(update).await.unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Invalid, Recovery::Permanent), "{code}");
        assert_eq!(error.operation(), Some("write"));
    }
}

#[tokio::test]
async fn a_token_of_another_transaction_is_invalid() {
    let [_, write, transaction] = after(400, "IdempotentParameterMismatchException").await;
    assert_eq!((transaction.kind(), transaction.recovery()), (ErrorKind::Invalid, Recovery::Permanent));
    assert_eq!(write.kind(), ErrorKind::OutcomeUnknown, "a single write has no token");
}

#[tokio::test]
async fn codes_of_other_requests_are_unknown() {
    for code in
        ["ConditionalCheckFailedException", "IdempotentParameterMismatchException", "TransactionCanceledException"]
    {
        let server = Server::answering([fault(400, code), fault(400, code)]);
        let store = store(&server, &Sleeps::default());
        let query = store.query(Query::table(PartitionKey::parse("A").unwrap())).await.unwrap_err();
        assert_eq!(query.kind(), ErrorKind::Unavailable, "{code}");
        let batch = store.batch_write(batch_write([1])).await.unwrap_err();
        assert_ne!(batch.recovery(), Recovery::Permanent, "{code}");
    }
}

#[tokio::test]
async fn a_lost_attempt_before_an_unknown_refusal_is_unknown() {
    let timed_out = || fault(408, "RequestTimeoutException");
    let server = Server::answering([timed_out(), fault(400, "ThrottlingException"), fault(400, "ThrottlingException")]);
    let error = plain_store(server.retrying_client()).write(put()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
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
        assert_eq!((error.outcome(), error.recovery()), (Outcome::Unknown, Recovery::Retry));
    }
    let error = store.get(Get::new(key(1))).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Unavailable, Recovery::Retry));
}

#[tokio::test]
async fn an_unreadable_answer_leaves_a_write_unknown_a_read_unavailable() {
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
    let error = store.get(Get::new(key(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("time limit"), "{error}");
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
async fn a_connect_timeout_counts_as_no_connection() {
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
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Misconfigured, Recovery::Operator), "{error:?}");
    }
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn a_lost_attempt_before_refusals_leaves_the_outcome_unknown() {
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
async fn no_error_shows_an_items_content() {
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
        let error = store(&server, &Sleeps::default()).retry(policy).write(put()).await.unwrap_err();
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

#[tokio::test]
async fn a_success_without_a_body_is_no_answer() {
    for status in [200, 204] {
        let empty = || Reply::Answer { status, body: String::new() };
        let server = Server::answering([empty(), empty()]);
        let store = store(&server, &Sleeps::default());
        assert_eq!(store.get(Get::new(key(1))).await.unwrap_err().kind(), ErrorKind::Unavailable, "{status}");
        assert_eq!(store.write(put()).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown, "{status}");
    }
}
