//! The attributes that only an answer of the service has: its id, its code, the reason of throttling.

use crate::span_recorder::{Closed, spans_of};

use super::*;

/// The resource of a throttling reason. No span shows it, because it contains the account's id.
const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline";

/// Returns the answer to a throttled write. Its name for the reasons depends on the code.
fn throttled(code: &str, field: &str, reasons: &[&str]) -> Reply {
    let reasons: Vec<_> = reasons.iter().map(|reason| json!({"reason": reason, "resource": ARN})).collect();
    fault_with(400, code, json!({ field: reasons }))
}

fn hot_partition() -> Reply {
    throttled("ThrottlingException", "throttlingReasons", &["TableWriteKeyRangeThroughputExceeded"])
}

/// Returns the only span of the work.
async fn span_of(work: impl Future<Output = ()>) -> Closed {
    let mut spans = spans_of(work).await;
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans.remove(0)
}

#[tokio::test]
async fn span_of_an_answered_request_has_its_id() {
    let server = Server::answering([ok(json!({}))]);
    let span = span_of(async {
        store(&server, &Sleeps::default()).get(Get::new(key(1))).await.unwrap();
    });
    let span = span.await;
    assert_eq!((span.name, span.get("aws.request_id")), ("DynamoDB.GetItem", "request-1"));
    assert_eq!((span.get("error.type"), span.get("threadline.throttling_reason")), ("", ""));
}

#[tokio::test]
async fn span_of_a_refused_write_has_its_id_and_code() {
    let server = Server::answering([fault_with(400, "ConditionalCheckFailedException", json!({"Item": sdk_item(1)}))]);
    let span = span_of(async {
        let _ = store(&server, &Sleeps::default()).write(put()).await.unwrap();
    });
    let span = span.await;
    assert_eq!(span.get("aws.request_id"), "request-1");
    assert_eq!(span.get("db.response.status_code"), "ConditionalCheckFailedException");
    assert_eq!(span.get("error.type"), "");
    assert!(!span.text().contains(CANARY), "{span:?}");
}

#[tokio::test]
async fn span_of_a_failed_request_has_id_code_and_kind() {
    let server = Server::answering([fault(400, "AccessDeniedException")]);
    let span = span_of(async {
        store(&server, &Sleeps::default()).get(Get::new(key(1))).await.unwrap_err();
    });
    let span = span.await;
    assert_eq!(span.get("aws.request_id"), "request-1");
    assert_eq!(span.get("db.response.status_code"), "AccessDeniedException");
    assert_eq!((span.get("error.type"), span.get("otel.status_code")), ("Misconfigured", "ERROR"));
    assert!(!span.text().contains("said by the service"), "{span:?}");
}

#[tokio::test]
async fn unanswered_request_has_no_id() {
    let server = Server::answering([Reply::HangUp]);
    let span = span_of(async {
        store(&server, &Sleeps::default()).get(Get::new(key(1))).await.unwrap_err();
    });
    let span = span.await;
    assert_eq!((span.get("aws.request_id"), span.get("db.response.status_code")), ("", ""));
    assert_eq!(span.get("error.type"), "Unavailable");
}

#[tokio::test]
async fn throttled_attempt_shows_even_if_a_retry_succeeds() {
    let server = Server::answering([hot_partition(), hot_partition(), ok(json!({}))]);
    let span = span_of(async {
        plain_store(server.retrying_client()).write(put()).await.unwrap().done().unwrap();
    });
    let span = span.await;
    assert_eq!(server.requests().len(), 3);
    assert_eq!(span.get("threadline.throttling_reason"), "TableWriteKeyRangeThroughputExceeded");
    assert_eq!(span.get("threadline.key_shape"), "…#…");
    assert_eq!((span.get("error.type"), span.get("aws.request_id")), ("", "request-3"));
    assert!(!span.text().contains(ARN), "{span:?}");
}

#[tokio::test]
async fn reasons_of_throttling_are_read_from_each_code() {
    let two = ["TableReadAccountLimitExceeded", "IndexReadProvisionedThroughputExceeded"];
    for (reply, reason) in [
        (hot_partition(), "TableWriteKeyRangeThroughputExceeded"),
        (
            throttled("ProvisionedThroughputExceededException", "ThrottlingReasons", &two),
            "TableReadAccountLimitExceeded, IndexReadProvisionedThroughputExceeded",
        ),
        (throttled("RequestLimitExceeded", "ThrottlingReasons", &[]), "RequestLimitExceeded"),
        (fault(400, "ThrottlingException"), "ThrottlingException"),
        (fault_with(400, "ThrottlingException", json!({"throttlingReasons": null})), "ThrottlingException"),
    ] {
        let server = Server::answering([reply]);
        let span = span_of(async {
            let error = store(&server, &Sleeps::default()).get(Get::new(key(1))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled);
        });
        let span = span.await;
        assert_eq!((span.get("threadline.throttling_reason"), span.get("error.type")), (reason, "Throttled"));
    }
}

/// The answer is the same to each retry. An unmet condition is no error.
#[tokio::test]
async fn span_of_a_canceled_transaction_has_the_kind_of_its_error() {
    for (codes, kind, status) in [
        (["None", "ThrottlingError"], "Throttled", "ERROR"),
        (["ThrottlingError", "TransactionConflict"], "Conflict", "ERROR"),
        (["None", "ItemCollectionSizeLimitExceeded"], "Invalid", "ERROR"),
        (["ThrottlingError", "ConditionalCheckFailed"], "Throttled", "ERROR"),
        (["None", "ConditionalCheckFailed"], "", ""),
    ] {
        let server = Server::serving(move |_, _| canceled(&codes));
        let span = span_of(async {
            let outcome = store(&server, &Sleeps::default()).transact(transaction(2)).await.unwrap();
            assert!(matches!(outcome, TransactOutcome::Canceled { .. }), "{codes:?}");
        });
        let span = span.await;
        assert_eq!((span.get("error.type"), span.get("otel.status_code")), (kind, status), "{codes:?}");
        assert_eq!(span.get("db.response.status_code"), "TransactionCanceledException");
    }
}

#[tokio::test]
async fn fault_of_the_service_is_no_throttling() {
    let server = Server::answering([fault(500, "InternalServerError")]);
    let span = span_of(async {
        store(&server, &Sleeps::default()).get(Get::new(key(1))).await.unwrap_err();
    });
    assert_eq!(span.await.get("threadline.throttling_reason"), "");
}

#[tokio::test]
async fn requests_of_several_rounds_have_one_span_with_the_last_id() {
    let conflict = || fault(400, "TransactionConflictException");
    let server = Server::answering([
        left_writes([2]),
        hot_partition(),
        conflict(),
        ok(json!({})),
        canceled(&["TransactionConflict"]),
        canceled(&["ConditionalCheckFailed"]),
    ]);
    let spans = spans_of(async {
        let store = store(&server, &Sleeps::default());
        let _ = store.batch_write(batch_write([1, 2])).await.unwrap();
        let _ = store.write(put()).await.unwrap();
        let _ = store.transact(transaction(1)).await.unwrap();
    });
    let spans = spans.await;
    let names: Vec<_> = spans.iter().map(|span| span.name).collect();
    assert_eq!(names, ["DynamoDB.BatchWriteItem", "DynamoDB.PutItem", "DynamoDB.TransactWriteItems"]);
    let ids: Vec<_> = spans.iter().map(|span| span.get("aws.request_id")).collect();
    assert_eq!(ids, ["request-2", "request-4", "request-6"]);
    assert_eq!(spans[0].get("threadline.throttling_reason"), "TableWriteKeyRangeThroughputExceeded");
    assert_eq!(spans[2].get("db.response.status_code"), "TransactionCanceledException");
}
