//! Dead letters and their sinks.

use std::io::{self, Write};

use threadline::entity::{AttributeValue, Item};
use threadline::stream::{DeadLetterSink, JsonLinesSink, Projector, RecordKind, RecordOutcome, StreamRecord};
use threadline::{Error, ErrorKind, Recovery};

use crate::support::App;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn item(attributes: &[(&'static str, AttributeValue)]) -> Item {
    let mut item = Item::new();
    for (name, value) in attributes {
        item.insert(*name, value.clone());
    }
    item
}

fn poison() -> StreamRecord {
    let group = "MSG#0ac1266c-dcf6-4b97-ab92-53e7ab719fb2";
    let key = [("sk", text("2026-11-22T12:00:00.000000+00:00")), ("pk", text(group))];
    let mut record = StreamRecord::new(RecordKind::Modify, item(&key), Some("8500000000009229331846".parse().unwrap()));
    record.old = Some(item(&[("message", text("before \"quoted\"\n")), ("flags", AttributeValue::Null(true))]));
    record.new = Some(item(&[("revision", AttributeValue::N("7".into()))]));
    record
}

#[tokio::test]
async fn a_record_is_one_line_of_dynamodbs_json_with_its_error() {
    let sink = JsonLinesSink::new(Vec::new());
    let error = Error::new(ErrorKind::Corrupt, "it has no sender").with_entity("Message");
    sink.keep(&poison(), &error).await.unwrap();
    let mut expired = StreamRecord::new(RecordKind::Remove, item(&[("pk", text("A"))]), None);
    expired.expired = true;
    sink.keep(&expired, &error).await.unwrap();
    let written = String::from_utf8(sink.into_inner()).unwrap();
    let first = concat!(
        r#"{"eventName":"MODIFY","sequenceNumber":"8500000000009229331846","expired":false,"#,
        r#""keys":{"pk":{"S":"MSG#0ac1266c-dcf6-4b97-ab92-53e7ab719fb2"},"#,
        r#""sk":{"S":"2026-11-22T12:00:00.000000+00:00"}},"#,
        r#""oldImage":{"flags":{"NULL":true},"message":{"S":"before \"quoted\"\n"}},"#,
        r#""newImage":{"revision":{"N":"7"}},"error":"it has no sender"}"#,
    );
    let second = r#"{"eventName":"REMOVE","expired":true,"keys":{"pk":{"S":"A"}},"error":"it has no sender"}"#;
    assert_eq!(written, format!("{first}\n{second}\n"));
}

/// A full disk.
#[derive(Debug)]
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_dead_letter_that_its_sink_refuses_is_a_failure() {
    let app = App::new();
    let projector = Projector::new(app.store.clone()).dead_letters(JsonLinesSink::new(Full));
    let projection = projector.project(&[poison()]).await;
    let [RecordOutcome::Failed(error)] = &projection.outcomes[..] else { panic!("{projection:?}") };
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Unavailable, Recovery::Retry));
    assert_eq!(projection.lowest_failed, poison().sequence);
    let source = std::error::Error::source(&**error).unwrap();
    assert!(source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull));
}

#[tokio::test]
async fn without_a_sink_a_dead_letter_blocks_nothing() {
    let app = App::new();
    let projection = Projector::new(app.store.clone()).project(&[poison()]).await;
    assert!(matches!(&projection.outcomes[..], [RecordOutcome::DeadLetter(_)]));
    assert!(!projection.has_failed());
}
