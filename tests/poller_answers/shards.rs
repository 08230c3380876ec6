//! Which shards are read, from where on, and in which order.

use super::*;

#[tokio::test]
async fn the_newest_stream_of_the_table_is_read_from_its_oldest_record() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), "second").await?;
    let records = app.records(0);
    let replies = one_batch(&records);
    let server = Server::answering(replies);

    let summary = app.poller(&server).with_batch_size(500).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(summary.projected, 4, "the messages and the new rows; the rest is none of the projector's business");
    assert_eq!(app.preview(&andrew).await, "second");
    let bodies = server.bodies();
    assert_eq!(bodies[0], json!({"TableName": "threadline"}));
    assert_eq!(bodies[1], json!({"StreamArn": ARN}));
    assert_eq!(bodies[2], json!({"StreamArn": ARN, "ShardId": "a", "ShardIteratorType": "TRIM_HORIZON"}));
    assert_eq!(bodies[3], json!({"ShardIterator": "i1", "Limit": 500}));
    assert_eq!(bodies[4]["ShardIterator"], "i2");
    assert_eq!(operations(&server).len(), 9);
    Ok(())
}

#[tokio::test]
async fn a_new_poller_goes_on_behind_the_last_batch() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let replies = one_batch(&records);
    app.poller(&Server::answering(replies)).drain().await?;

    let mut replies = vec![streams(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, 0);
    let from = &iterators(&server)[0];
    assert_eq!(from["ShardIteratorType"], "AFTER_SEQUENCE_NUMBER");
    assert_eq!(&from["SequenceNumber"], sequence(records.last().unwrap()));
    Ok(())
}

#[tokio::test]
async fn an_expired_iterator_is_replaced_behind_the_last_record() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (first, rest) = records.split_at(2);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(first, Some("i2"))];
    replies.extend([fault(400, "ExpiredIteratorException"), iterator("i3"), page(rest, Some("i4"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(&iterators(&server)[1]["SequenceNumber"], sequence(&first[1]));
    assert_eq!(app.sleeps.millis(), [0_u128; 0], "it is no failure");
    Ok(())
}

#[tokio::test]
async fn children_are_read_when_their_parent_has_ended() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), "second").await?;
    let records = app.records(0);
    let (parents, childs) = records.split_at(records.len() - 1);
    let family = [shard("b", Some("a"), false), shard("a", None, true)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("a1")];
    replies.extend([page(parents, Some("a2")), page(&[], None)]);
    replies.extend([shards("ENABLED", &family), iterator("b1"), page(childs, Some("b2"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.projected, 4, "two messages and two new rows");
    assert_eq!(app.preview(&andrew).await, "second");
    let asked: Vec<_> = iterators(&server).iter().map(|body| body["ShardId"].clone()).collect();
    assert_eq!(asked, ["a", "b"]);
    let before = format!("a: {} records, 0 failed", parents.len());
    assert_eq!(app.events(), [before.as_str(), "a: ended", "b: 1 records, 0 failed"]);
    Ok(())
}

#[tokio::test]
async fn a_closed_shard_is_read_to_its_end_through_any_number_of_empty_reads() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let closed = shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![streams(), closed.clone(), iterator("i1")];
    replies.extend(vec![page(&[], Some("i2")); 12]);
    replies.extend([page(&records, None), closed]);
    let server = Server::answering(replies);

    let summary = app.poller(&server).run_until(pending()).await?;

    assert_eq!(summary.records, records.len() as u64);
    assert!(summary.stream_ended, "it was turned off");
    Ok(())
}

#[tokio::test]
async fn trimmed_records_are_told_of_and_reading_goes_on_from_the_oldest() -> Result<(), Error> {
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
async fn a_shard_that_went_before_it_was_read_is_told_of_once() -> Result<(), Error> {
    let app = App::new();
    let mut replies = vec![streams(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    app.poller(&Server::answering(replies)).drain().await?;

    for trimmed in [1, 0] {
        let mut replies = vec![streams(), shards("ENABLED", &[shard("b", Some("a"), false)]), iterator("i1")];
        replies.extend(nothing_more());
        let summary = app.poller(&Server::answering(replies)).drain().await?;
        assert_eq!(summary.trimmed, trimmed);
    }
    assert_eq!(app.events(), ["a: trimmed"]);
    Ok(())
}

#[tokio::test]
async fn a_start_at_the_latest_is_for_the_first_time_and_for_open_shards() -> Result<(), Error> {
    let app = App::new();
    let family = [shard("a", None, true), shard("b", Some("a"), false)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).with_start(PollStart::Latest).drain().await?;
    assert_eq!(iterators(&server).len(), 1);
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "LATEST");

    // No record was seen, so that no number tells where the latest was: nothing is missed.
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).with_start(PollStart::Latest).drain().await?;
    assert_eq!(iterators(&server).len(), 1);
    assert_eq!(iterators(&server)[0]["ShardId"], "b");
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "TRIM_HORIZON");
    Ok(())
}

#[tokio::test]
async fn shards_are_listed_page_after_page() -> Result<(), Error> {
    let app = App::new();
    let first = json!({"StreamStatus": "ENABLED", "Shards": [shard("a", None, true)], "LastEvaluatedShardId": "a"});
    let pages = || [ok(json!({"StreamDescription": first})), shards("ENABLED", &[shard("b", Some("a"), false)])];
    let mut replies = Vec::from(pages());
    replies.extend([iterator("a1"), page(&[], None)]);
    replies.extend(pages());
    replies.push(iterator("b1"));
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    app.poller(&server).with_stream(ARN).drain().await?;

    assert_eq!(server.bodies()[1], json!({"StreamArn": ARN, "ExclusiveStartShardId": "a"}));
    assert_eq!(iterators(&server)[1]["ShardId"], "b");
    Ok(())
}

#[tokio::test]
async fn a_sign_to_stop_that_has_come_already_reads_nothing() -> Result<(), Error> {
    let app = App::new();
    let server = Server::answering([]);
    let summary = app.poller(&server).run_until(std::future::ready(())).await?;
    assert_eq!((summary.records, summary.stream_ended), (0, false));
    assert_eq!(operations(&server), Vec::<String>::new());
    Ok(())
}
