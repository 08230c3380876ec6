//! What the store makes of each answer that DynamoDB may give, from a server that answers by script.
#![cfg(feature = "dynamodb")]

#[path = "support/canned.rs"]
mod canned;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use canned::{Reply, Server, Sleeps, client_without_server, fault, fault_with, ok};
use serde_json::{Value, json};
use threadline::store::dynamodb::RetryPolicy;
use threadline::{
    AttributeValue, BatchGet, BatchPut, BatchWrite, CancelCode, Capacity, ClientToken, Condition, DynamoDbStore, Error,
    ErrorKind, Get, Item, Key, ManualClock, Outcome, PartitionKey, Query, Scan, SequentialIds, SortKey, Store,
    TransactAction, TransactOutcome, Transaction, Units, Update, Write, WriteOutcome,
};

/// What must never be seen in an error.
const CANARY: &str = "canary-5c0ffee";

/// A store on the server, whose pauses are the longest that they may be.
fn store(server: &Server, sleeps: &Sleeps) -> DynamoDbStore {
    plain_store(server.client(sleeps))
}

fn plain_store(client: aws_sdk_dynamodb::Client) -> DynamoDbStore {
    let clock = ManualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
    DynamoDbStore::new(client, "threadline")
        .with_clock(Arc::new(clock))
        .with_ids(Arc::new(SequentialIds::seeded(1)))
        .with_jitter(|ceiling| ceiling)
}

fn key(number: u32) -> Key {
    Key::new(PartitionKey::parse(format!("A#{number}")).unwrap(), SortKey::parse("B").unwrap())
}

fn sdk_key(number: u32) -> Value {
    json!({"pk": {"S": format!("A#{number}")}, "sk": {"S": "B"}})
}

fn item(number: u32) -> Item {
    let mut item = Item::new();
    item.insert("pk", AttributeValue::S(format!("A#{number}")));
    item.insert("sk", AttributeValue::S("B".into()));
    item.insert("text", AttributeValue::S(CANARY.into()));
    // DynamoDB gives this back as `1000`.
    item.insert("count", AttributeValue::N("1e3".into()));
    item
}

fn sdk_item(number: u32) -> Value {
    let mut item = sdk_key(number);
    item["text"] = json!({"S": CANARY});
    item["count"] = json!({"N": "1000"});
    item
}

fn expired(number: u32) -> Value {
    let mut item = sdk_item(number);
    // One second before the clock of the store.
    item["expires_at"] = json!({"N": "1767225599"});
    item
}

fn put() -> Write {
    Write::put(item(1)).unwrap().when(Condition::item_absent()).unwrap().returning_old()
}

fn puts(numbers: impl IntoIterator<Item = u32>) -> Vec<BatchPut> {
    numbers.into_iter().map(|number| BatchPut::Put(item(number))).collect()
}

fn batch_write(numbers: impl IntoIterator<Item = u32>) -> BatchWrite {
    BatchWrite::new(puts(numbers)).unwrap()
}

fn batch_get(numbers: impl IntoIterator<Item = u32>) -> BatchGet {
    BatchGet::new(numbers.into_iter().map(key).collect()).unwrap()
}

/// The answer to a batch of writes that left these undone.
fn left_writes(numbers: impl IntoIterator<Item = u32>) -> Reply {
    let left: Vec<_> = numbers.into_iter().map(|number| json!({"PutRequest": {"Item": sdk_item(number)}})).collect();
    ok(json!({
        "UnprocessedItems": {"threadline": left},
        "ConsumedCapacity": [{"TableName": "threadline", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}],
    }))
}

/// The answer to a batch of reads that found some and left others unread.
fn read_and_left(read: impl IntoIterator<Item = u32>, left: impl IntoIterator<Item = u32>) -> Reply {
    let items: Vec<_> = read.into_iter().map(sdk_item).collect();
    let keys: Vec<_> = left.into_iter().map(sdk_key).collect();
    let unprocessed = if keys.is_empty() { json!({}) } else { json!({"threadline": {"Keys": keys}}) };
    ok(json!({
        "Responses": {"threadline": items},
        "UnprocessedKeys": unprocessed,
        "ConsumedCapacity": [{"TableName": "threadline", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}],
    }))
}

fn cancelled(codes: &[&str]) -> Reply {
    let reasons: Vec<_> = codes.iter().map(|code| json!({"Code": code})).collect();
    fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}))
}

fn transaction(actions: u32) -> Transaction {
    Transaction::new((1..=actions).map(|number| Write::put(item(number)).unwrap())).unwrap()
}

#[tokio::test]
async fn every_request_asks_for_the_capacity_of_table_and_indexes() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(ok(json!({})), 9));
    let store = store(&server, &Sleeps::default());

    store.get(Get::new(key(1))).await?;
    let _ = store.write(put()).await?;
    let _ = store.write(Write::update(key(1), Update::new().remove("a"))?).await?;
    let _ = store.write(Write::delete(key(1))).await?;
    store.query(Query::index(PartitionKey::parse("A#1")?)).await?;
    store.scan(Scan::new()).await?;
    let _ = store.transact(transaction(1)).await?;
    store.batch_get(batch_get([1])).await?;
    let _ = store.batch_write(batch_write([1])).await?;

    let requests = server.requests();
    let operations: Vec<_> = requests.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(
        operations,
        [
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "TransactWriteItems",
            "BatchGetItem",
            "BatchWriteItem",
        ]
    );
    for (operation, body) in requests {
        assert_eq!(body["ReturnConsumedCapacity"], "INDEXES", "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn a_write_asks_for_the_old_item_only_when_told_to() -> Result<(), Error> {
    let server = Server::answering([ok(json!({})), ok(json!({}))]);
    let store = store(&server, &Sleeps::default());

    let _ = store.write(put()).await?;
    let _ = store.write(Write::delete(key(1)).when(Condition::item_exists())?).await?;

    let bodies = server.bodies();
    assert_eq!(
        bodies[0],
        json!({
            "TableName": "threadline",
            "Item": {"pk": {"S": "A#1"}, "sk": {"S": "B"}, "text": {"S": CANARY}, "count": {"N": "1e3"}},
            "ConditionExpression": "attribute_not_exists(#n0)",
            "ExpressionAttributeNames": {"#n0": "pk"},
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            "ReturnConsumedCapacity": "INDEXES",
        })
    );
    assert_eq!(bodies[1]["ReturnValues"], "NONE");
    assert_eq!(bodies[1].get("ReturnValuesOnConditionCheckFailure"), None);
    Ok(())
}

#[tokio::test]
async fn an_expired_item_is_in_no_answer() -> Result<(), Error> {
    let refused = fault_with(400, "ConditionalCheckFailedException", json!({"Item": expired(1)}));
    let reasons = json!([{"Code": "ConditionalCheckFailed", "Item": expired(1)}]);
    let server = Server::answering([
        ok(json!({"Item": expired(1)})),
        ok(json!({"Items": [expired(1), sdk_item(2)], "LastEvaluatedKey": sdk_key(2)})),
        ok(json!({"Items": [expired(1)]})),
        ok(json!({"Responses": {"threadline": [expired(1)]}})),
        ok(json!({"Attributes": expired(1)})),
        refused,
        fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons})),
    ]);
    let store = store(&server, &Sleeps::default());

    assert_eq!(store.get(Get::new(key(1))).await?.item, None);
    let page = store.query(Query::table(PartitionKey::parse("A")?)).await?;
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.next.map(|next| next.key), Some(key(2)));
    assert_eq!(store.scan(Scan::new()).await?.items, []);
    assert_eq!(store.batch_get(batch_get([1])).await?.items, []);
    assert!(matches!(store.write(put()).await?, WriteOutcome::Done { old: None, .. }));
    assert!(matches!(store.write(put()).await?, WriteOutcome::Refused { current: None, .. }));
    let TransactOutcome::Cancelled { reasons, .. } = store.transact(transaction(1)).await? else {
        panic!("it was done")
    };
    assert_eq!((reasons[0].code, &reasons[0].current), (CancelCode::ConditionFailed, &None));
    Ok(())
}

#[tokio::test]
async fn a_refused_write_brings_the_item_as_it_is_and_the_least_it_cost() -> Result<(), Error> {
    let server = Server::answering([fault_with(400, "ConditionalCheckFailedException", json!({"Item": sdk_item(1)}))]);

    let outcome = store(&server, &Sleeps::default()).write(put()).await?;

    let WriteOutcome::Refused { current: Some(current), capacity } = outcome else { panic!("{outcome:?}") };
    assert_eq!(current.get_s("text"), Some(CANARY));
    assert_eq!(capacity, Capacity::writes(Units::whole(1)));
    Ok(())
}

#[tokio::test]
async fn a_write_that_meets_a_transaction_is_tried_again_after_growing_pauses() -> Result<(), Error> {
    let conflict = || fault(400, "TransactionConflictException");
    let server = Server::answering([conflict(), conflict(), ok(json!({}))]);
    let sleeps = Sleeps::default();

    let outcome = store(&server, &sleeps).write(put()).await?;

    assert!(matches!(outcome, WriteOutcome::Done { .. }));
    assert_eq!(sleeps.millis(), [50, 100]);
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the same request each time");
    Ok(())
}

#[tokio::test]
async fn a_write_that_goes_on_meeting_transactions_is_a_conflict() {
    let server = Server::answering(std::iter::repeat_n(fault(400, "TransactionConflictException"), 9));
    let sleeps = Sleeps::default();
    let policy =
        RetryPolicy::default().max_attempts(4).base(Duration::from_millis(10)).max_delay(Duration::from_millis(15));

    let error = store(&server, &sleeps).with_retry(policy).write(put()).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.is_retryable());
    assert_eq!(sleeps.millis(), [10, 15, 15]);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_cancelled_transaction_has_its_reasons_in_the_order_of_its_actions() -> Result<(), Error> {
    let reasons = json!([
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "failed", "Item": sdk_item(2)},
        {"Code": "TransactionConflict"},
        {"Code": "ProvisionedThroughputExceeded"},
        {"Code": "ThrottlingError"},
        {"Code": "ValidationError"},
        {"Code": "ItemCollectionSizeLimitExceeded"},
        {"Code": "SomethingNew"},
    ]);
    let server =
        Server::answering([fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}))]);
    let sleeps = Sleeps::default();

    let outcome = store(&server, &sleeps).transact(transaction(8)).await?;

    let TransactOutcome::Cancelled { reasons, capacity } = outcome else { panic!("it was done") };
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(
        codes,
        [
            CancelCode::None,
            CancelCode::ConditionFailed,
            CancelCode::Conflict,
            CancelCode::Throttled,
            CancelCode::Throttled,
            CancelCode::Invalid,
            CancelCode::Invalid,
            CancelCode::Invalid,
        ]
    );
    assert_eq!(reasons[1].current.as_ref().and_then(|item| item.get_s("text")), Some(CANARY));
    assert_eq!(capacity, Capacity::writes(Units::whole(16)), "the least: two for each action");
    assert_eq!(sleeps.millis(), [], "a condition that fails is not tried again");
    Ok(())
}

#[tokio::test]
async fn a_transaction_hindered_by_others_alone_is_tried_again_with_one_token() -> Result<(), Error> {
    let server = Server::answering([
        cancelled(&["None", "TransactionConflict"]),
        cancelled(&["ThrottlingError", "ProvisionedThroughputExceeded"]),
        ok(json!({})),
    ]);
    let sleeps = Sleeps::default();

    let outcome = store(&server, &sleeps).transact(transaction(2)).await?;

    assert!(matches!(outcome, TransactOutcome::Done { .. }));
    assert_eq!(sleeps.millis(), [50, 100]);
    let tokens: Vec<_> = server.bodies().iter().map(|body| body["ClientRequestToken"].clone()).collect();
    assert_eq!(tokens[0].as_str().map(str::len), Some(36));
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_stays_hindered_is_an_answer_with_the_last_reasons() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(cancelled(&["TransactionConflict", "None"]), 9));
    let sleeps = Sleeps::default();

    let outcome = store(&server, &sleeps).transact(transaction(2)).await?;

    let TransactOutcome::Cancelled { reasons, .. } = outcome else { panic!("it was done") };
    assert_eq!(reasons[0].code, CancelCode::Conflict);
    assert_eq!(sleeps.millis(), [50, 100, 200, 400]);
    assert_eq!(server.requests().len(), 5);
    Ok(())
}

#[tokio::test]
async fn the_token_of_the_caller_is_the_one_that_is_sent() -> Result<(), Error> {
    let server = Server::answering([ok(json!({}))]);
    let transaction = transaction(1).with_token(ClientToken::new("token-1")?);

    let _ = store(&server, &Sleeps::default()).transact(transaction).await?;

    assert_eq!(server.bodies()[0]["ClientRequestToken"], "token-1");
    Ok(())
}

#[tokio::test]
async fn a_cancellation_without_reasons_is_a_conflict_and_ends_at_once() {
    let server = Server::answering([fault(400, "TransactionCanceledException")]);
    let sleeps = Sleeps::default();

    let error = store(&server, &sleeps).transact(transaction(2)).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(sleeps.millis(), []);
}

#[tokio::test]
async fn checks_are_sent_as_condition_checks() -> Result<(), Error> {
    let server = Server::answering([ok(json!({}))]);
    let check = TransactAction::check(key(1), Condition::item_exists())?;
    let delete = TransactAction::from(Write::delete(key(2)).when(Condition::exists("a"))?.returning_old());

    let _ = store(&server, &Sleeps::default()).transact(Transaction::new([check, delete])?).await?;

    assert_eq!(
        server.bodies()[0]["TransactItems"],
        json!([
            {"ConditionCheck": {
                "Key": sdk_key(1),
                "TableName": "threadline",
                "ConditionExpression": "attribute_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "pk"},
            }},
            {"Delete": {
                "Key": sdk_key(2),
                "TableName": "threadline",
                "ConditionExpression": "attribute_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "a"},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }},
        ])
    );
    Ok(())
}

#[tokio::test]
async fn what_a_batch_of_writes_leaves_is_sent_again_and_nothing_else() -> Result<(), Error> {
    let server = Server::answering([left_writes([2]), left_writes([])]);
    let sleeps = Sleeps::default();

    let output = store(&server, &sleeps).batch_write(batch_write([1, 2, 3])).await?;

    assert_eq!(output.unprocessed, []);
    assert_eq!(output.capacity, Capacity::writes(Units::whole(2)), "both rounds count");
    assert_eq!(sleeps.millis(), [50]);
    let second = &server.bodies()[1]["RequestItems"]["threadline"];
    assert_eq!(second.as_array().map(Vec::len), Some(1));
    assert_eq!(second[0]["PutRequest"]["Item"]["pk"]["S"], "A#2");
    Ok(())
}

#[tokio::test]
async fn a_batch_of_writes_that_goes_nowhere_ends_and_gives_back_the_very_writes() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(left_writes([2, 3]), 9));
    let sleeps = Sleeps::default();

    let output = store(&server, &sleeps).batch_write(batch_write([1, 2, 3])).await?;

    assert_eq!(output.unprocessed, puts([2, 3]), "as they came, not as the server wrote them");
    assert_eq!(sleeps.millis(), [50, 100, 200, 400]);
    assert_eq!(server.requests().len(), 5);
    Ok(())
}

#[tokio::test]
async fn deletes_that_a_batch_leaves_are_found_again() -> Result<(), Error> {
    let left = json!({"threadline": [{"DeleteRequest": {"Key": sdk_key(2)}}]});
    let server = Server::answering(std::iter::repeat_n(ok(json!({"UnprocessedItems": left})), 9));
    let writes = vec![BatchPut::Delete(key(1)), BatchPut::Delete(key(2))];

    let output = store(&server, &Sleeps::default()).batch_write(BatchWrite::new(writes)?).await?;

    assert_eq!(output.unprocessed, [BatchPut::Delete(key(2))]);
    Ok(())
}

#[tokio::test]
async fn a_round_that_reads_something_starts_the_count_anew() -> Result<(), Error> {
    let server = Server::answering([
        read_and_left([1], [2, 3, 4]),
        read_and_left([], [2, 3, 4]),
        read_and_left([2], [3, 4]),
        read_and_left([3], [4]),
        read_and_left([4], []),
    ]);
    let sleeps = Sleeps::default();
    let policy = RetryPolicy::default().max_attempts(3);

    let output = store(&server, &sleeps).with_retry(policy).batch_get(batch_get(1..=4)).await?;

    assert_eq!(output.items.len(), 4);
    assert_eq!(output.unprocessed, []);
    assert_eq!(output.capacity, Capacity::reads(Units::halves(5)));
    assert_eq!(sleeps.millis(), [50, 100, 50, 50]);
    Ok(())
}

#[tokio::test]
async fn a_batch_of_reads_that_goes_nowhere_ends_with_what_it_has_and_the_rest() -> Result<(), Error> {
    let stuck = std::iter::repeat_n(read_and_left([], [2, 3]), 9);
    let server = Server::answering([read_and_left([1], [2, 3])].into_iter().chain(stuck));

    let output = store(&server, &Sleeps::default()).batch_get(batch_get(1..=3).consistent()).await?;

    assert_eq!(output.items.len(), 1);
    assert_eq!(output.unprocessed, [key(2), key(3)]);
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.bodies()[4]["RequestItems"]["threadline"]["ConsistentRead"], true);
    Ok(())
}

#[tokio::test]
async fn an_error_in_a_later_round_leaves_what_was_read_before() -> Result<(), Error> {
    for reply in [fault(400, "ThrottlingException"), fault(500, "InternalServerError"), Reply::HangUp] {
        let server = Server::answering([read_and_left([1], [2]), reply]);
        let output = store(&server, &Sleeps::default()).batch_get(batch_get([1, 2])).await?;
        assert_eq!(output.items.len(), 1);
        assert_eq!(output.unprocessed, [key(2)]);
    }
    Ok(())
}

#[tokio::test]
async fn an_error_in_a_later_round_leaves_the_writes_that_were_not_done() -> Result<(), Error> {
    let server = Server::answering([left_writes([2]), fault(400, "ThrottlingException")]);

    let output = store(&server, &Sleeps::default()).batch_write(batch_write([1, 2])).await?;

    assert_eq!(output.unprocessed, puts([2]));
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_in_a_later_round_makes_the_batch_of_writes_unknown() {
    let server = Server::answering([left_writes([2]), Reply::HangUp]);

    let error = store(&server, &Sleeps::default()).batch_write(batch_write([1, 2])).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test]
async fn an_error_in_the_first_round_of_a_batch_is_an_error() {
    let server = Server::answering([fault(400, "ThrottlingException"), fault(400, "ThrottlingException")]);
    let store = store(&server, &Sleeps::default());
    assert_eq!(store.batch_get(batch_get([1])).await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(store.batch_write(batch_write([1])).await.unwrap_err().kind(), ErrorKind::Throttled);
}

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
