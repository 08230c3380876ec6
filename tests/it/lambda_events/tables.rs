//! Events of other sources and tables, which `records_of_table` refuses.

use super::*;

#[test]
fn an_event_of_another_source_is_misconfigured() {
    let queue = json!({"messageId": "m1", "eventSource": "aws:sqs", "body": "..."});
    let kinesis = json!({"eventSource": "aws:kinesis", "kinesis": {"data": "e30=", "sequenceNumber": "1"}});
    let topic = json!({"EventSource": "aws:sns", "Sns": {"Message": "..."}});
    for foreign in [queue, kinesis, topic, json!({"eventSource": 17})] {
        let mut event = real_event();
        event["Records"].as_array_mut().unwrap().push(foreign.clone());
        for event in [json!({ "Records": [foreign.clone()] }), event] {
            let error = records_from_event(&event).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{event}");
        }
    }
}

#[test]
fn an_event_of_a_table_with_other_keys_names_the_table() {
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-02T03:04:05.678";
    for keys in [
        json!({"Id": {"N": "101"}}),
        json!({"pk": {"S": "a"}}),
        json!({"pk": {"N": "1"}, "sk": {"S": "a"}}),
        json!({"pk": {"S": "a"}, "sk": {"B": "YQ=="}}),
    ] {
        let change = json!({"Keys": keys, "SequenceNumber": "1"});
        let record = json!({
            "eventSource": "aws:dynamodb", "eventName": "INSERT", "eventSourceARN": arn, "dynamodb": change,
        });
        let error = records_from_event(&json!({ "Records": [record] })).unwrap_err();
        assert_eq!((error.kind(), error.table()), (ErrorKind::Misconfigured, Some("orders")), "{keys}");
    }
}

#[test]
fn an_event_of_another_table_is_misconfigured() {
    let arn = |table: &str| format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{table}/stream/2026-01-02");
    let event = |table: &str| changed(|record| record["eventSourceARN"] = arn(table).into());
    let error = records_of_table(&event("threadline-staging"), "threadline").unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::Misconfigured, Some("threadline-staging")));
    assert_eq!(records_of_table(&event("threadline"), "threadline").unwrap().len(), 1);
}

#[test]
fn an_event_without_stream_records_is_misconfigured() {
    let edge = json!({"cf": {"config": {"eventType": "viewer-request"}}});
    let queue = json!({"messageId": "m1", "body": "..."});
    for records in [json!([edge]), json!([queue, queue]), json!(["nothing like a record"]), json!([null])] {
        let error = records_from_event(&json!({ "Records": records })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{records}");
    }
}

#[test]
fn a_null_source_counts_as_missing() {
    let event = changed(|record| record["eventSource"] = Value::Null);
    assert_eq!(read_tolerantly(&event).raw, None);
}

#[test]
fn a_table_may_be_named_by_its_arn() {
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline";
    let event = changed(|record| record["eventSourceARN"] = format!("{arn}/stream/2026-01-02").into());
    for (table, is_ours) in [
        (arn, true),
        ("threadline", true),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", false),
        ("orders", false),
        ("thread", false),
    ] {
        assert_eq!(records_of_table(&event, table).is_ok(), is_ours, "{table}");
    }
}

#[test]
fn a_table_of_another_account_or_region_is_another_table() {
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline";
    for other in [arn.replace("eu-west-1", "us-east-1"), arn.replace("123456789012", "999999999999")] {
        let event = changed(|record| record["eventSourceARN"] = format!("{other}/stream/2026-01-02").into());
        assert_eq!(records_of_table(&event, arn).map_err(|error| error.kind()).err(), Some(ErrorKind::Misconfigured));
    }
}
