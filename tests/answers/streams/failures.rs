//! Failures: retries, errors that end the call, and reports.

use threadline::GroupId;
use threadline::store::Operation;
use threadline_testkit::fault::{Calls, FaultStore, Plan};

use super::*;

#[tokio::test]
async fn a_throttled_read_is_retried_after_growing_pauses() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let throttled = || fault(400, "LimitExceededException");
    let mut replies = vec![streams(), throttled(), one_shard(), iterator("i1")];
    replies.extend([throttled(), one_shard(), fault(400, "ThrottlingException"), one_shard()]);
    replies.push(page(&records, Some("i2")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(app.sleeps.millis(), [100, 100, 200]);
    assert_eq!(iterators(&server).len(), 1, "the iterator is still good");
    Ok(())
}

#[tokio::test]
async fn a_drain_ends_after_its_failures_in_a_row_and_may_be_called_again() -> Result<(), Error> {
    let app = App::new();
    let throttled = || fault(400, "LimitExceededException");
    let mut replies = vec![streams(), throttled(), throttled(), throttled(), throttled(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let mut poller = app.poller(&server).retry(RetryPolicy::default().max_attempts(3));

    let error = poller.drain().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!((error.operation(), error.table()), (Some("describe_stream"), Some("threadline")));
    assert_eq!(app.sleeps.millis(), [50, 100]);
    assert_eq!(poller.drain().await?.records, 0);
    Ok(())
}

#[tokio::test]
async fn a_failed_batch_is_read_again_from_its_first_failure() -> Result<(), Error> {
    let app = App::new();
    let (andrew, first) = app.thread("andrewbrown", "bayko").await;
    let (worf, second) = app.thread("worf", "londo").await;
    let seen = app.records(0).len();
    for (thread, text) in [(&first, "one"), (&first, "two"), (&second, "three"), (&first, "four")] {
        thread.send(thread.new_message_id(), text).await?;
    }
    let records = app.records(seen);
    let store = throttled_for(second.group_id(), &app.store);

    // As if the poller died after the failure.
    let replies =
        [streams(), one_shard(), iterator("i1"), page(&records, Some("i2")), fault(400, "AccessDeniedException")];
    let mut poller = app.poller_on(&Server::answering(replies), store.clone());
    poller.drain().await.unwrap_err();
    assert_eq!(app.events(), ["a: 4 records, 1 failed", "failed: Throttled"]);
    assert_eq!(app.preview(&andrew).await, "four", "the other records are projected despite the failure");
    assert_eq!(app.preview(&worf).await, "first");
    assert_eq!(app.sleeps.millis(), [100]);

    store.set_plan(Plan::new());
    let replies = one_batch(&records[2..]);
    let server = Server::answering(replies);
    app.poller_on(&server, store).drain().await?;
    assert_eq!(
        &iterators(&server)[0]["SequenceNumber"],
        sequence(&records[1]),
        "the records before it were checkpointed"
    );
    assert_eq!(app.preview(&worf).await, "three");
    Ok(())
}

#[tokio::test]
async fn a_lasting_failure_ends_the_call_with_its_cause() -> Result<(), Error> {
    let app = App::new();
    let (_, thread) = app.thread("andrewbrown", "bayko").await;
    let mut records = app.records(0);
    // The new memberships belong to the same group, and would fail first.
    records.retain(|record| !record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap().starts_with("USER#"));
    let store = throttled_for(thread.group_id(), &app.store);
    let (before, failing) = records.split_at(records.len() - 1);
    let mut replies =
        vec![streams(), one_shard(), iterator("i1"), page(&records, Some("i2")), one_shard(), iterator("i3")];
    replies.extend([page(failing, Some("i4")), one_shard(), page(failing, Some("i4"))]);
    let server = Server::answering(replies);
    let mut poller = app.poller_on(&server, store).retry(RetryPolicy::default().max_attempts(3));

    let error = poller.drain().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.operation(), Some("poller.project"));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(app.events().iter().filter(|event| event.starts_with("a: ")).count(), 3);
    let summary = poller.summary();
    assert_eq!(
        (summary.records, summary.failed),
        (records.len() as u64 + 2, 3),
        "the summary includes the work before the error"
    );
    assert_eq!(&iterators(&server)[1]["SequenceNumber"], sequence(before.last().unwrap()));
    Ok(())
}

#[tokio::test]
async fn a_record_with_an_operators_error_holds_its_shard() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let seen = app.records(0).len();
    for text in ["one", "two", "three"] {
        thread.send(thread.new_message_id(), text).await?;
    }
    let records = app.records(seen);
    // Records of a stream without new images.
    let mut bare = records.clone();
    bare[1]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    let mut poller = app.poller(&Server::answering(one_batch(&bare)));
    let error = drained(&mut poller).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Misconfigured, Some("poller.project")));
    assert_eq!((poller.summary().failed, poller.summary().dead_letters), (1, 0));

    let server = Server::answering(one_batch(&records[1..]));
    let summary = drained(&mut app.poller(&server)).await?;
    assert_eq!(&iterators(&server)[0]["SequenceNumber"], sequence(&records[0]), "it is read again");
    assert_eq!(summary.projected, 2);
    assert_eq!(app.preview(&andrew).await, "three");

    Ok(())
}

#[tokio::test]
async fn a_run_retries_a_record_until_the_operators_repair() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let seen = app.records(0).len();
    thread.send(thread.new_message_id(), "one").await?;
    let records = app.records(seen);
    let mut bare = records.clone();
    bare[0]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    let failing = || [one_shard(), iterator("i"), page(&bare, Some("i"))];
    let off = || shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![streams()];
    replies.extend(failing());
    replies.extend(failing());
    replies.extend([off(), iterator("i"), page(&records, None), off(), off(), off(), streams()]);
    let server = Server::answering(replies);
    let summary = app.poller(&server).run_until(pending()).await?;
    assert_eq!((summary.errors, summary.projected, summary.dead_letters), (2, 1, 0));
    assert!(iterators(&server).iter().all(|body| body["ShardIteratorType"] == "TRIM_HORIZON"));
    assert_eq!(app.preview(&andrew).await, "one");
    Ok(())
}

#[tokio::test]
async fn a_permanent_error_reports_the_records_done_before_it() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let denied = || fault(400, "AccessDeniedException");
    let server =
        Server::answering([streams(), one_shard(), iterator("i1"), page(&records, Some("i2")), denied(), denied()]);
    let mut poller = app.poller(&server);

    assert_eq!(poller.drain().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    let summary = poller.summary();
    assert_eq!((summary.records, summary.projected), (records.len() as u64, 3), "a message and two new entries");

    assert_eq!(poller.drain().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    assert_eq!(poller.summary(), PollSummary::default(), "of the last call alone");
    Ok(())
}

#[tokio::test]
async fn a_run_continues_after_an_operators_error_at_its_longest_pause() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let denied = || fault(400, "AccessDeniedException");
    let no_stream = || ok(json!({"Streams": []}));
    let off = || shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![no_stream(), denied(), streams(), denied(), fault(400, "SomethingNewException"), off()];
    replies.extend([denied(), off(), iterator("a1"), page(&app.records(0), None), off(), off(), off(), streams()]);
    let server = Server::answering(replies);
    let mut poller = app.poller(&server).idle_pause(std::time::Duration::ZERO);

    let summary = poller.run_until(pending()).await?;

    assert_eq!((summary.projected, summary.errors), (3, 5));
    let pauses: Vec<_> = app.sleeps.millis().into_iter().filter(|pause| *pause > 0).collect();
    assert_eq!(pauses, [20_000, 20_000, 20_000, 800, 20_000]);
    assert_eq!(app.events().iter().filter(|event| event.starts_with("failed: ")).count(), 5);
    Ok(())
}

#[tokio::test]
async fn a_run_does_not_give_up_after_many_failures() -> Result<(), Error> {
    let app = App::new();
    let mut replies = vec![streams()];
    replies.extend(vec![fault(503, "ServiceUnavailable"); 30]);
    let off = || shards("DISABLED", &[]);
    replies.extend([off(), off(), off(), streams()]);
    let summary = app.poller(&Server::answering(replies)).run_until(pending()).await?;
    assert_eq!((summary.errors, summary.stream_ended), (30, true));
    Ok(())
}

#[tokio::test]
async fn a_permanent_read_error_is_reported_at_once() {
    let app = App::new();
    let server = Server::answering([ok(json!({"Streams": []}))]);
    let error = app.poller(&server).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);

    let keys_only = json!({"StreamStatus": "ENABLED", "StreamViewType": "KEYS_ONLY", "Shards": []});
    let server = Server::answering([ok(json!({"StreamDescription": keys_only}))]);
    let error = app.poller(&server).stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);

    let server = Server::answering([fault(400, "ResourceNotFoundException")]);
    let error = app.poller(&server).stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);

    let server = Server::answering([one_shard(), fault(400, "AccessDeniedException")]);
    let error = app.poller(&server).stream(ARN).drain().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert_eq!(app.sleeps.millis(), [0_u128; 0]);
}

/// Returns a store whose reads of one group are throttled until its plan is replaced.
fn throttled_for(group: GroupId, store: &MemoryStore) -> FaultStore<MemoryStore> {
    let reads = |partition: &str| Calls::all().of(Operation::Query).on_partition(format!("{partition}{group}"));
    FaultStore::new(store.clone(), Plan::new().throttle(reads("GRP#")).throttle(reads("MSG#")))
}
