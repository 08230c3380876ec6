//! Writes that are refused, canceled or retried.

use super::*;

#[tokio::test]
async fn a_refused_write_has_the_current_item_and_its_minimum_cost() -> Result<(), Error> {
    let server = Server::answering([fault_with(400, "ConditionalCheckFailedException", json!({"Item": sdk_item(1)}))]);

    let outcome = store(&server, &Sleeps::default()).write(put()).await?;

    let WriteOutcome::Refused { current: Some(current), capacity } = outcome else { panic!("{outcome:?}") };
    assert_eq!(current.get_s("text"), Some(CANARY));
    assert_eq!(capacity, Capacity::writes(Units::whole(1)));
    Ok(())
}

#[tokio::test]
async fn a_write_in_conflict_is_retried_after_growing_pauses() -> Result<(), Error> {
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
async fn a_put_in_conflict_is_retried_with_every_attribute_type() -> Result<(), Error> {
    let mut every_type = item(1);
    let texts = || vec!["a".to_owned(), CANARY.to_owned()];
    for (name, value) in [
        ("bytes", AttributeValue::B(vec![0, 159, 255])),
        ("flag", AttributeValue::Bool(false)),
        ("nothing", AttributeValue::Null(true)),
        ("texts", AttributeValue::Ss(texts())),
        ("numbers", AttributeValue::Ns(vec!["1.50".into(), "2e2".into()])),
        ("blobs", AttributeValue::Bs(vec![vec![1], vec![2, 200]])),
        (
            "list",
            AttributeValue::L(vec![AttributeValue::S("\"quoted\" \u{1f409}".into()), AttributeValue::Ss(texts())]),
        ),
        ("map", AttributeValue::M([("inner".to_owned(), AttributeValue::B(vec![7]))].into())),
        ("empty", AttributeValue::S(String::new())),
    ] {
        every_type.insert(name, value);
    }
    let server = Server::answering([fault(400, "TransactionConflictException"), ok(json!({}))]);

    let outcome = store(&server, &Sleeps::default()).write(Write::put(every_type)).await?;

    assert!(matches!(outcome, WriteOutcome::Done { .. }));
    let bodies = server.bodies();
    assert_eq!(bodies[0]["Item"].as_object().map(serde_json::Map::len), Some(13));
    assert_eq!(bodies[0], bodies[1]);
    Ok(())
}

#[tokio::test]
async fn an_update_and_a_delete_in_conflict_are_retried() -> Result<(), Error> {
    let conflict = || fault(400, "TransactionConflictException");
    let server = Server::answering([conflict(), ok(json!({})), conflict(), ok(json!({}))]);
    let store = store(&server, &Sleeps::default());

    let update = Write::update(key(1), Update::new().add("n", 1)).when(Condition::exists("n"));
    assert!(matches!(store.write(update).await?, WriteOutcome::Done { .. }));
    assert!(matches!(store.write(Write::delete(key(1))).await?, WriteOutcome::Done { .. }));

    let bodies = server.bodies();
    assert_eq!(bodies.len(), 4);
    assert_eq!((&bodies[0], &bodies[2]), (&bodies[1], &bodies[3]));
    Ok(())
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_after_a_conflict_is_unknown() {
    let server = Server::answering([fault(400, "TransactionConflictException"), Reply::HangUp]);
    let error = store(&server, &Sleeps::default()).write(put()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test]
async fn a_write_in_lasting_conflict_is_a_conflict() {
    let server = Server::answering(std::iter::repeat_n(fault(400, "TransactionConflictException"), 9));
    let sleeps = Sleeps::default();
    let policy =
        RetryPolicy::default().max_attempts(4).base(Duration::from_millis(10)).max_delay(Duration::from_millis(15));

    let error = store(&server, &sleeps).retry(policy).write(put()).await.unwrap_err();

    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Conflict, Recovery::Retry));
    assert_eq!(sleeps.millis(), [10, 15, 15]);
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0] && body["Item"].is_object()), "the last attempt has the item");
}

#[tokio::test]
async fn a_canceled_transaction_has_its_reasons_in_the_order_of_its_actions() -> Result<(), Error> {
    let reasons = json!([
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "failed", "Item": sdk_item(2)},
        {"Code": "TransactionConflict"},
        {"Code": "ProvisionedThroughputExceeded"},
        {"Code": "ThrottlingError"},
        {"Code": "ValidationError"},
        {"Code": "ItemCollectionSizeLimitExceeded"},
    ]);
    let server =
        Server::answering([fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}))]);
    let sleeps = Sleeps::default();

    let mut actions = transaction(7).actions().to_vec();
    actions[5] = Write::update(key(6), Update::new().add("count", 1)).into();
    let request = Transaction::new(actions);

    let outcome = store(&server, &sleeps).transact(request).await?;

    let TransactOutcome::Canceled { reasons, capacity } = outcome else { panic!("it was done") };
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
        ]
    );
    assert_eq!(reasons[1].current.as_ref().and_then(|item| item.get_s("text")), Some(CANARY));
    assert_eq!(capacity, Capacity::writes(Units::whole(14)), "the minimum: two for each action");
    assert_eq!(sleeps.millis(), [], "a failed condition is not retried");
    Ok(())
}

#[tokio::test]
async fn a_transaction_in_conflict_is_retried_with_one_token() -> Result<(), Error> {
    let server = Server::answering([
        canceled(&["None", "TransactionConflict"]),
        canceled(&["ThrottlingError", "ProvisionedThroughputExceeded"]),
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
async fn a_transaction_in_lasting_conflict_has_the_last_reasons() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(canceled(&["TransactionConflict", "None"]), 9));
    let sleeps = Sleeps::default();

    let outcome = store(&server, &sleeps).transact(transaction(2)).await?;

    let TransactOutcome::Canceled { reasons, .. } = outcome else { panic!("it was done") };
    assert_eq!(reasons[0].code, CancelCode::Conflict);
    assert_eq!(sleeps.millis(), [50, 100, 200, 400]);
    assert_eq!(server.requests().len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_cancellation_without_reasons_is_no_conflict() {
    let server = Server::answering([fault(400, "TransactionCanceledException")]);
    let sleeps = Sleeps::default();

    let error = store(&server, &sleeps).transact(transaction(2)).await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Misconfigured, Outcome::NotDone));
    assert_eq!(sleeps.millis(), []);
}

#[tokio::test]
async fn a_put_to_a_table_with_another_key_is_misconfigured() {
    let server = Server::answering([canceled(&["ValidationError", "None"])]);
    let error = store(&server, &Sleeps::default()).transact(transaction(2)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Misconfigured, Outcome::NotDone));
}

#[tokio::test]
async fn an_unknown_cancellation_reason_is_retried() {
    let server = Server::answering([canceled(&["None", "SomethingNew"])]);
    let error = store(&server, &Sleeps::default()).transact(transaction(2)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotDone));
}

#[tokio::test]
async fn a_cancellation_with_empty_reasons_is_misconfigured() {
    for reasons in [json!([{"Code": "None"}]), json!([{}]), json!([{"Code": null}])] {
        let reply = fault_with(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}));
        let server = Server::answering([reply]);
        let outcome = store(&server, &Sleeps::default()).transact(transaction(1)).await;
        let error = outcome.and_then(TransactOutcome::done).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{reasons}: {error}");
    }
}
