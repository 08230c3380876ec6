//! Records and shards that vanished before they were read, and those that count as trimmed.

use super::*;

#[tokio::test]
async fn trimmed_records_are_reported_and_reading_continues() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let replies = one_batch(&records);
    app.poller(&Server::answering(replies)).drain().await?;
    app.events.lock().unwrap().clear();

    thread.send(thread.new_message_id(), "missed").await?;
    thread.send(thread.new_message_id(), "left").await?;
    let left = app.records(0).pop().unwrap();
    let trimmed = || fault(400, "TrimmedDataAccessException");
    let mut replies = vec![streams(), one_shard(), trimmed(), iterator("i1"), trimmed(), iterator("i2")];
    replies.push(page(&[left], Some("i3")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = app.poller(&server).drain().await?;

    assert_eq!((summary.trimmed, summary.records), (1, 1));
    assert_eq!(app.events(), ["a: trimmed", "a: 1 records, 0 failed"]);
    assert_eq!(app.preview(&andrew).await, "left");
    let kinds: Vec<_> = iterators(&server).iter().map(|body| body["ShardIteratorType"].clone()).collect();
    assert_eq!(kinds, ["AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "TRIM_HORIZON"]);
    Ok(())
}

#[tokio::test]
async fn a_vanished_shard_counts_as_trimmed_once() -> Result<(), Error> {
    for listed in [true, false] {
        let app = App::new();
        let mut replies = vec![streams(), one_shard(), iterator("i1")];
        replies.extend(nothing_more());
        app.poller(&Server::answering(replies)).drain().await?;

        let mut family = vec![shard("b", Some("a"), false)];
        if listed {
            family.push(shard("a", None, true));
        }
        let family = || shards("ENABLED", &family);
        let mut replies =
            vec![streams(), family(), gone(), family(), gone(), family(), gone(), family(), iterator("b1")];
        replies.extend(nothing_more());
        let server = Server::answering(replies);
        let summary = app.poller(&server).drain().await?;
        assert_eq!((summary.trimmed, summary.errors), (1, 2), "listed: {listed}");
        assert_eq!(iterators(&server)[3]["ShardId"], "b");

        let mut replies = vec![streams(), family(), iterator("b1")];
        replies.extend(nothing_more());
        let summary = app.poller(&Server::answering(replies)).drain().await?;
        assert_eq!(summary.trimmed, 0, "it is not reported again");
        assert_eq!(app.events().iter().filter(|event| *event == "a: trimmed").count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_passing_refusal_does_not_count_as_trimmed() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let mut replies = vec![streams(), one_shard(), gone(), one_shard(), gone(), one_shard(), iterator("i1")];
    replies.push(page(&app.records(0), Some("i2")));
    replies.extend(nothing_more());
    let summary = app.poller(&Server::answering(replies)).drain().await?;
    assert_eq!((summary.trimmed, summary.projected), (0, 3));
    Ok(())
}

#[tokio::test]
async fn a_parent_that_was_never_started_is_not_trimmed() -> Result<(), Error> {
    let app = App::new();
    let family = || shards("ENABLED", &[shard("b", Some("a"), false)]);
    let mut replies = vec![streams(), family(), family(), family(), family()];
    replies.extend([gone(), family(), gone(), family(), gone(), family(), iterator("b1")]);
    replies.extend(nothing_more());
    let summary = app.poller(&Server::answering(replies)).drain().await?;
    assert_eq!(summary.trimmed, 0);
    Ok(())
}

#[tokio::test]
async fn a_parent_absent_before_the_start_is_never_trimmed() -> Result<(), Error> {
    for start in [PollStart::Oldest, PollStart::Latest] {
        let app = App::new();
        let family = || shards("ENABLED", &[shard("b", Some("a"), false)]);
        // The first process ends after a single list, with an error.
        let denied = || fault(400, "AccessDeniedException");
        let first = Server::answering([streams(), family(), denied(), denied()]);
        drained(&mut app.poller(&first).start_at(start)).await.unwrap_err();

        let mut replies = vec![streams(), family(), family(), family(), family()];
        replies.extend([gone(), family(), gone(), family(), gone(), family(), iterator("b1")]);
        replies.extend(nothing_more());
        let summary = drained(&mut app.poller(&Server::answering(replies)).start_at(start)).await?;
        assert_eq!(summary.trimmed, 0, "{start:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_start_at_latest_does_not_report_parents() -> Result<(), Error> {
    let app = App::new();
    let family = || shards("ENABLED", &[shard("b", Some("a"), false)]);
    let mut replies = vec![streams(), family(), iterator("b1")];
    replies.extend(nothing_more());
    replies.extend([family(), family(), family(), family(), gone(), family(), gone(), family(), gone(), family()]);
    replies.extend(nothing_more());
    let mut poller = app.poller(&Server::answering(replies)).start_at(PollStart::Latest);
    drained(&mut poller).await?;
    let summary = drained(&mut poller).await?;
    assert_eq!((summary.trimmed, summary.errors), (0, 2));
    Ok(())
}

#[tokio::test]
async fn a_parent_that_appeared_and_vanished_unseen_is_trimmed() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    drained(&mut app.poller(&Server::answering(one_batch(&app.records(0))))).await?;
    // In between, a has ended, b has started and ended, and c has started.
    let family = || shards("ENABLED", &[shard("a", None, true), shard("c", Some("b"), false)]);
    let mut replies = vec![streams(), family(), iterator("a1"), page(&[], None), family(), family(), family()];
    replies.extend([gone(), family(), gone(), family(), gone(), family(), iterator("c1")]);
    replies.extend(nothing_more());
    let summary = drained(&mut app.poller(&Server::answering(replies))).await?;
    assert_eq!(summary.trimmed, 1);
    assert!(app.events().contains(&"b: trimmed".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_trimmed_shard_ignores_its_finished_parent() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let both = || shards("ENABLED", &[shard("a", None, true), shard("b", Some("a"), false)]);
    let mut replies = vec![streams(), both(), iterator("a1"), page(&records[..1], None), both(), iterator("b1")];
    replies.push(page(&records[1..2], Some("b2")));
    replies.extend(nothing_more());
    let child = || shards("ENABLED", &[shard("b", Some("a"), false)]);
    // Three lists without the parent make the poller forget it.
    for _ in 0..3 {
        replies.push(child());
        replies.extend(nothing_more());
    }
    let trimmed = || fault(400, "TrimmedDataAccessException");
    replies.extend([child(), trimmed(), iterator("b3"), fault(400, "ThrottlingException"), child()]);
    replies.push(page(&records[2..], Some("b4")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let mut poller = app.poller(&server);
    for _ in 0..4 {
        drained(&mut poller).await?;
    }
    // The iterator is lost.
    let summary = drained(&mut poller).await?;
    assert_eq!((summary.trimmed, summary.records), (1, records.len() as u64 - 2));
    Ok(())
}

#[tokio::test]
async fn records_that_stay_trimmed_are_reported_once() {
    let app = App::new();
    let server = Server::serving(|operation, _| match operation {
        "DescribeStream" => one_shard(),
        _ => fault(400, "TrimmedDataAccessException"),
    });
    let mut poller = app.poller(&server).stream(ARN);
    drained(&mut poller).await.unwrap_err();
    assert_eq!(poller.summary().trimmed, 1);
}
