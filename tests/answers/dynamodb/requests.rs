//! The requests that are sent, and the parts of answers that are dropped.

use super::*;

#[tokio::test]
async fn every_request_asks_for_the_capacity_of_table_and_indexes() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(ok(json!({})), 9));
    let store = store(&server, &Sleeps::default());

    store.get(Get::new(key(1))).await?;
    let _ = store.write(put()).await?;
    let _ = store.write(Write::update(key(1), Update::new().remove("a"))).await?;
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
async fn a_write_asks_for_the_old_item_only_on_request() -> Result<(), Error> {
    let server = Server::answering([ok(json!({})), ok(json!({}))]);
    let store = store(&server, &Sleeps::default());

    let _ = store.write(put()).await?;
    let _ = store.write(Write::delete(key(1)).when(Condition::item_exists())).await?;

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
    let page = store.query(Query::table(PartitionKey::parse("A#2")?)).await?;
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.next.map(|next| next.key), Some(key(2)));
    assert_eq!(store.scan(Scan::new()).await?.items, []);
    assert_eq!(store.batch_get(batch_get([1])).await?.items, []);
    assert!(matches!(store.write(put()).await?, WriteOutcome::Done { old: None, .. }));
    assert!(matches!(store.write(put()).await?, WriteOutcome::Refused { current: None, .. }));
    let TransactOutcome::Canceled { reasons, .. } = store.transact(transaction(1)).await? else {
        panic!("it was done")
    };
    assert_eq!((reasons[0].code, &reasons[0].current), (CancelCode::ConditionFailed, &None));
    Ok(())
}

#[tokio::test]
async fn the_callers_token_is_sent() -> Result<(), Error> {
    let server = Server::answering([ok(json!({}))]);
    let transaction = transaction(1).token(ClientToken::new("token-1")?);

    let _ = store(&server, &Sleeps::default()).transact(transaction).await?;

    assert_eq!(server.bodies()[0]["ClientRequestToken"], "token-1");
    Ok(())
}

#[tokio::test]
async fn checks_are_sent_as_condition_checks() -> Result<(), Error> {
    let server = Server::answering([ok(json!({}))]);
    let check = TransactAction::check(key(1), Condition::item_exists());
    let delete = TransactAction::from(Write::delete(key(2)).when(Condition::exists("a")).returning_old());

    let _ = store(&server, &Sleeps::default()).transact(Transaction::new([check, delete])).await?;

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
async fn a_refused_request_is_not_sent() {
    let server = Server::answering([]);
    let store = store(&server, &Sleeps::default());
    let mut too_large = item(1);
    too_large.insert("large", AttributeValue::B(vec![0; 409_600]));

    let refused = [
        store.batch_write(BatchWrite::new([])).await.unwrap_err(),
        store.batch_get(BatchGet::new([])).await.unwrap_err(),
        store.transact(Transaction::default()).await.unwrap_err(),
        store.write(put().when(Condition::All(vec![]))).await.unwrap_err(),
        store.write(Write::put(too_large)).await.unwrap_err(),
        store.write(Write::update(key(1), Update::new())).await.unwrap_err(),
    ];

    let found: Vec<_> = refused.iter().map(|error| (error.kind(), error.operation(), error.table())).collect();
    let operations = ["batch_write", "batch_get", "transact", "write", "write", "write"];
    assert_eq!(found, operations.map(|operation| (ErrorKind::Invalid, Some(operation), Some("threadline"))));
    assert_eq!(server.bodies(), [] as [Value; 0]);
}

#[tokio::test]
async fn an_empty_last_key_is_the_last_page() -> Result<(), Error> {
    let answer = || ok(json!({"Items": [sdk_item(1)], "LastEvaluatedKey": {}}));
    let server = Server::answering([answer(), answer()]);
    let store = store(&server, &Sleeps::default());
    let query = store.query(Query::table(PartitionKey::parse("A#1")?)).await?;
    assert_eq!((query.items.len(), query.next), (1, None));
    let scan = store.scan(Scan::new()).await?;
    assert_eq!((scan.items.len(), scan.next), (1, None));
    Ok(())
}

#[tokio::test]
async fn a_page_that_ends_where_it_started_is_an_error() -> Result<(), Error> {
    let answer = || ok(json!({"Items": [], "LastEvaluatedKey": sdk_key(1)}));
    let server = Server::answering([answer(), answer(), answer(), answer()]);
    let store = store(&server, &Sleeps::default());
    let query = Query::table(PartitionKey::parse("A#1")?);
    let next = store.query(query.clone()).await?.next;
    assert!(next.is_some());
    let error = store.query(query.start(next)).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Unavailable, Recovery::Retry));
    let next = store.scan(Scan::new()).await?.next;
    assert_eq!(store.scan(Scan::new().start(next)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    Ok(())
}

#[tokio::test]
async fn pages_that_form_a_cycle_are_an_error() {
    let key = |n: u32| json!({"pk": {"S": "A#1"}, "sk": {"S": n.to_string()}});
    let server = Server::answering((0..100).map(|n| ok(json!({"Items": [], "LastEvaluatedKey": key(n % 2)}))));
    let store = store(&server, &Sleeps::default());
    let mut query = Query::table(PartitionKey::parse("A#1").unwrap());
    let error = loop {
        match store.query(query.clone()).await {
            Ok(page) => query = query.start(Some(page.next.expect("every page has a next one"))),
            Err(error) => break error,
        }
    };
    assert!(
        error.kind() == ErrorKind::Unavailable && server.requests().len() <= 3,
        "{} requests",
        server.requests().len()
    );
}

#[tokio::test]
async fn pages_of_an_inbox_lead_to_older_entries() -> Result<(), Error> {
    let user: threadline::UserId = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse()?;
    let at = |number: u32, time: &str| {
        json!({"LastEvaluatedKey": {
            "pk": {"S": format!("GRP#{number}")}, "sk": {"S": format!("USER#{user}")},
            "gsi1pk": {"S": format!("USER#{user}")}, "gsi1sk": {"S": format!("GRP#{time}")},
        }, "Items": []})
    };
    for (second, kind) in [
        (at(2, "2026-01-01"), None),
        (at(2, "2026-01-02"), None),
        (at(2, "2026-01-03"), Some(ErrorKind::Unavailable)),
        (at(1, "2026-01-02"), Some(ErrorKind::Unavailable)),
    ] {
        let pages = [at(1, "2026-01-02"), second.clone(), json!({"Items": []})];
        let server = Server::answering(pages.map(ok));
        let chat = threadline::Threadline::new(store(&server, &Sleeps::default()));
        let page = chat.inbox(user).fetch().await;
        assert_eq!(page.as_ref().err().map(Error::kind), kind, "{second}");
        assert_eq!(server.requests().len(), if kind.is_none() { 3 } else { 2 }, "{second}");
    }
    Ok(())
}
