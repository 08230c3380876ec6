//! The records: dead letters, checkpoints, and no content in logs.

use super::*;

#[tokio::test]
async fn an_invalid_record_is_a_dead_letter_and_blocks_nothing() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let seen = app.records(0).len();
    thread.send(thread.new_message_id(), "second").await?;
    let mut message = app.records(seen).remove(0);
    // An attribute of the application, of an unknown type.
    message["dynamodb"]["NewImage"]["shape"] = json!({"TRIANGLE": "obtuse"});
    let mut unreadable = message.clone();
    unreadable["dynamodb"]["NewImage"]["message"] = json!({"TRIANGLE": "acute"});
    let records =
        [json!({}), json!({"eventName": "SHUFFLE", "dynamodb": {"SequenceNumber": "?"}}), unreadable, message];
    let replies = one_batch(&records);
    let server = Server::answering(replies);
    let lines = Lines::default();
    let projector = Projector::new(app.store.clone()).dead_letters(JsonLinesSink::new(lines.clone()));
    let summary = Poller::new(app.client(&server), projector, app.store.clone()).drain().await?;

    assert_eq!((summary.records, summary.dead_letters, summary.projected), (4, 3, 1));
    assert_eq!(lines.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count(), 3);
    assert_eq!(app.preview(&andrew).await, "second");
    Ok(())
}

#[tokio::test]
async fn its_own_checkpoints_are_not_counted_or_checkpointed() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let replies = one_batch(&records);
    app.poller(&Server::answering(replies)).drain().await?;

    let own = app.records(records.len());
    assert!(own.iter().all(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("STREAM#")
        || record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("GRP#")));
    let own: Vec<_> = own
        .into_iter()
        .filter(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("STREAM#"))
        .collect();
    assert_eq!(own.len(), 2, "one at the start, one after the batch");
    let changes = app.records(0).len();
    let replies = one_batch(&own);
    let summary = app.poller(&Server::answering(replies)).drain().await?;
    assert_eq!(summary.records, 0);
    assert_eq!(app.records(0).len(), changes, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn each_batch_is_a_span_that_holds_no_content() -> Result<(), Error> {
    const CANARY: &str = "canary-5c0ffee";
    let app = App::on("spans");
    let (_, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), CANARY).await?;
    let records = app.records(0);
    let replies = one_batch(&records);
    let server = Server::answering(replies);
    let lines = Lines::default();
    let to = lines.clone();
    // For all threads: with a subscriber of this thread only, another test that meets a span first may disable it. So
    // the spans of the other tests are in the text too. The SDK's own spans contain whole requests.
    let of_crate = tracing_subscriber::fmt::layer()
        .with_writer(move || to.clone())
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_filter(Targets::new().with_target("threadline", tracing::Level::TRACE));
    tracing_subscriber::registry().with(of_crate).init();
    app.poller(&server).drain().await?;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let is_batch = |line: &&str| line.contains("poller::worker: close") && line.contains("\"spans\"");
    let batches: Vec<_> = text.lines().filter(is_batch).collect();
    let expected = format!(
        "poller.batch{{db.collection.name=\"spans\" threadline.poller.shard=\"a\" threadline.poller.records={}",
        records.len()
    );
    assert!(batches.len() == 1 && batches[0].contains(&expected), "{text}");
    assert!(text.contains("projector.advance"), "{text}");
    let group = thread.group_id().to_string();
    for content in [CANARY, "first", "andrewbrown", &group] {
        assert!(!text.contains(content), "{content} is in {text}");
    }
    Ok(())
}

/// The output of a sink.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
