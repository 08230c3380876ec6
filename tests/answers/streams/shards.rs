//! The shards to read, their start and their order.

use super::*;

#[tokio::test]
async fn the_newest_stream_of_the_table_is_read_from_its_oldest_record() -> Result<(), Error> {
    let app = App::new();
    let (andrew, thread) = app.thread("andrewbrown", "bayko").await;
    thread.send(thread.new_message_id(), "second").await?;
    let records = app.records(0);
    let replies = one_batch(&records);
    let server = Server::answering(replies);

    let summary = app.poller(&server).batch_size(500).drain().await?;

    assert_eq!(summary.records, records.len() as u64);
    assert_eq!(summary.projected, 4, "the messages and the new entries; the projector ignores the rest");
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
async fn a_new_poller_continues_after_the_last_batch() -> Result<(), Error> {
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
async fn an_expired_iterator_is_replaced_after_the_last_record() -> Result<(), Error> {
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
    let (parents, child) = records.split_at(records.len() - 1);
    let family = [shard("b", Some("a"), false), shard("a", None, true)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("a1")];
    replies.extend([page(parents, Some("a2")), page(&[], None)]);
    replies.extend([shards("ENABLED", &family), iterator("b1"), page(child, Some("b2"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);

    let summary = app.poller(&server).drain().await?;

    assert_eq!(summary.projected, 4, "two messages and two new entries");
    assert_eq!(app.preview(&andrew).await, "second");
    let asked: Vec<_> = iterators(&server).iter().map(|body| body["ShardId"].clone()).collect();
    assert_eq!(asked, ["a", "b"]);
    let before = format!("a: {} records, 0 failed", parents.len());
    assert_eq!(app.events(), [before.as_str(), "a: ended", "b: 1 records, 0 failed"]);
    Ok(())
}

#[tokio::test]
async fn a_closed_shard_is_read_to_its_end_through_empty_reads() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let closed = shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![streams(), closed.clone(), iterator("i1")];
    replies.extend(vec![page(&[], Some("i2")); 12]);
    replies.extend([page(&records, None), closed.clone(), closed.clone(), closed, streams()]);
    let server = Server::answering(replies);

    let summary = app.poller(&server).run_until(pending()).await?;

    assert_eq!(summary.records, records.len() as u64);
    assert!(summary.stream_ended, "the stream was disabled");
    Ok(())
}

#[tokio::test]
async fn an_open_shard_without_a_next_iterator_is_read_further() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (first, rest) = records.split_at(2);
    let mut replies = vec![streams(), one_shard(), iterator("i1"), page(first, None)];
    replies.extend([one_shard(), iterator("i2"), page(&[], None), one_shard(), iterator("i3"), page(rest, Some("i4"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = app.poller(&server).drain().await?;
    assert_eq!((summary.records, summary.errors), (records.len() as u64, 0), "the list is asked before an iterator");
    assert_eq!(&iterators(&server)[1]["SequenceNumber"], sequence(&first[1]));
    assert!(!app.events().contains(&"a: ended".to_owned()));
    Ok(())
}

#[tokio::test]
async fn an_empty_list_of_shards_is_requested_again() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let none = || shards("ENABLED", &[]);
    let mut replies = vec![streams(), none(), none(), one_shard(), iterator("i1"), page(&app.records(0), Some("i2"))];
    replies.extend(nothing_more());
    assert_eq!(app.poller(&Server::answering(replies)).drain().await?.projected, 3);
    let summary = app.poller(&Server::answering([streams(), none(), none(), none()])).drain().await;
    assert!(summary.is_err() || summary.is_ok_and(|summary| summary.records == 0));
    Ok(())
}

#[tokio::test]
async fn a_list_that_ends_where_it_started_is_an_error() {
    let app = App::new();
    let endless =
        || ok(json!({"StreamDescription": {"StreamStatus": "ENABLED", "Shards": [], "LastEvaluatedShardId": "a"}}));
    let server = Server::answering(vec![endless(); 8]);
    let mut poller = app.poller(&server).stream(ARN).retry(RetryPolicy::default().max_attempts(2));
    assert_eq!(poller.drain().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(operations(&server).len(), 4, "two for each attempt");
}

#[tokio::test]
async fn a_start_at_latest_applies_to_open_shards_of_a_first_start() -> Result<(), Error> {
    let app = App::new();
    let family = [shard("a", None, true), shard("b", Some("a"), false)];
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).start_at(PollStart::Latest).drain().await?;
    assert_eq!(iterators(&server).len(), 1);
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "LATEST");

    // Without a record there is no sequence number of the latest position, so nothing is missed.
    let mut replies = vec![streams(), shards("ENABLED", &family), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    app.poller(&server).start_at(PollStart::Latest).drain().await?;
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

    app.poller(&server).stream(ARN).drain().await?;

    assert_eq!(server.bodies()[1], json!({"StreamArn": ARN, "ExclusiveStartShardId": "a"}));
    assert_eq!(iterators(&server)[1]["ShardId"], "b");
    Ok(())
}

#[tokio::test]
async fn an_early_stop_signal_reads_nothing() -> Result<(), Error> {
    let app = App::new();
    let server = Server::answering([]);
    let summary = app.poller(&server).run_until(std::future::ready(())).await?;
    assert_eq!((summary.records, summary.stream_ended), (0, false));
    assert_eq!(operations(&server), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn an_unlisted_parent_is_read_to_its_end_before_its_child() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (old, new) = records.split_at(2);
    let family = || shards("ENABLED", &[shard("b", Some("a"), false)]);
    let mut replies = vec![streams(), family(), family(), family(), family(), iterator("a1"), page(old, None)];
    replies.extend([family(), iterator("b1"), page(new, Some("b2"))]);
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = drained(&mut app.poller(&server)).await?;
    assert_eq!((summary.records, summary.trimmed), (records.len() as u64, 0));
    let asked: Vec<_> = iterators(&server).iter().map(|body| body["ShardId"].clone()).collect();
    assert_eq!(asked, ["a", "b"]);
    Ok(())
}

#[tokio::test]
async fn a_drain_ends_at_a_closed_shard_without_an_end() {
    let app = App::new();
    let server = Server::serving(|operation, _| match operation {
        "DescribeStream" => shards("ENABLED", &[shard("a", None, true)]),
        "GetShardIterator" => iterator("i"),
        _ => page(&[], Some("i")),
    });
    let mut poller = app.poller(&server).stream(ARN).retry(RetryPolicy::default().max_attempts(1));
    assert_eq!(drained(&mut poller).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(operations(&server).iter().filter(|operation| *operation == "GetRecords").count(), 1001);
}

#[tokio::test]
async fn a_shard_that_a_disabled_stream_does_not_list_ends() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    drained(&mut app.poller(&Server::answering(one_batch(&records[..1])))).await?;
    let none = || shards("DISABLED", &[]);
    let replies = [streams(), none(), iterator("a1"), page(&records[1..], None), none(), none(), none(), streams()];
    let summary = drained(&mut app.poller(&Server::answering(replies))).await?;
    assert_eq!((summary.records, summary.stream_ended), (records.len() as u64 - 1, true));
    Ok(())
}

#[tokio::test]
async fn a_start_at_latest_that_fails_at_first_misses_nothing() -> Result<(), Error> {
    let app = App::new();
    let throttled = || fault(400, "ThrottlingException");
    let mut replies = vec![streams(), one_shard(), throttled(), one_shard(), iterator("i1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    drained(&mut app.poller(&server).start_at(PollStart::Latest)).await?;
    let kinds: Vec<_> = iterators(&server).iter().map(|body| body["ShardIteratorType"].clone()).collect();
    assert_eq!(kinds, ["LATEST", "TRIM_HORIZON"], "the latest record is another one by then");
    Ok(())
}

#[tokio::test]
async fn an_empty_parent_id_is_no_parent() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrew", "bayko").await;
    let records = app.records(0);
    let mut listed = shard("a", None, false);
    listed["ParentShardId"] = "".into();
    let mut replies = vec![streams(), shards("ENABLED", &[listed]), iterator("i1"), page(&records, Some("i2"))];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let summary = drained(&mut app.poller(&server).retry(RetryPolicy::default().max_attempts(1))).await?;
    assert_eq!(summary.records, u64::try_from(records.len()).unwrap());
    Ok(())
}

#[tokio::test]
async fn an_empty_next_iterator_is_the_end_of_a_closed_shard() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrew", "bayko").await;
    let records = app.records(0);
    let server = Server::serving(move |operation, body| match operation {
        "ListStreams" => streams(),
        "DescribeStream" => shards("ENABLED", &[shard("a", None, true)]),
        "GetShardIterator" => iterator("i1"),
        _ if body["ShardIterator"] == "" => fault(400, "ValidationException"),
        _ => page(&records, Some("")),
    });
    drained(&mut app.poller(&server)).await?;
    Ok(())
}

#[tokio::test]
async fn an_open_shard_with_an_empty_end_is_read_further() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrew", "bayko").await;
    let records = app.records(0);
    let count = records.len();
    let mut open = shard("a", None, false);
    open["SequenceNumberRange"]["EndingSequenceNumber"] = "".into();
    let server = Server::serving(move |operation, body| match operation {
        "ListStreams" => streams(),
        "DescribeStream" => shards("ENABLED", std::slice::from_ref(&open)),
        "GetShardIterator" if body["SequenceNumber"].is_null() => iterator("first"),
        "GetShardIterator" => iterator("rest"),
        _ if body["ShardIterator"] == "first" => page(&records[..1], None),
        _ if body["ShardIterator"] == "rest" => page(&records[1..], Some("end")),
        _ => page(&[], Some("end")),
    });
    let summary = drained(&mut app.poller(&server)).await?;
    assert_eq!(summary.records, u64::try_from(count).unwrap());
    Ok(())
}

#[tokio::test]
async fn a_list_without_the_parents_name_forgets_no_parent() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrew", "bayko").await;
    let records = app.records(0);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut lists, mut reads) = (order.clone(), 0, 0);
    let server = Server::serving(move |operation, body| match operation {
        "ListStreams" => streams(),
        "DescribeStream" => {
            lists += 1;
            let parent = (lists == 1).then_some("a");
            shards("ENABLED", &[shard("a", None, true), shard("b", parent, false)])
        }
        "GetShardIterator" => iterator(body["ShardId"].as_str().unwrap()),
        _ => {
            reads += 1;
            let shard = body["ShardIterator"].as_str().unwrap().to_owned();
            seen.lock().unwrap().push(shard.clone());
            match (&*shard, reads) {
                (_, 1) => fault(400, "SomethingNewException"),
                ("a", ..5) => page(&[], Some("a")),
                ("a", _) => page(&records[..1], None),
                _ => page(&[], Some("b")),
            }
        }
    });
    drained(&mut app.poller(&server)).await?;
    let order = order.lock().unwrap().clone();
    let last_a = order.iter().rposition(|shard| shard == "a").unwrap();
    let first_b = order.iter().position(|shard| shard == "b").unwrap();
    assert!(last_a < first_b, "{order:?}");
    Ok(())
}

#[tokio::test]
async fn a_run_pauses_after_each_round_and_list_without_records() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrew", "bayko").await;
    let records = app.records(0);
    let off = || shards("DISABLED", &[shard("a", None, true)]);
    let mut replies = vec![streams(), off(), iterator("i1"), page(&records, Some("i2"))];
    replies.extend([page(&[], Some("i3")), page(&[], Some("i4")), page(&[], None), off(), off(), off(), streams()]);
    let pause = std::time::Duration::from_millis(250);
    let mut poller = app.poller(&Server::answering(replies)).idle_pause(pause);
    assert!(poller.run_until(pending()).await?.stream_ended);
    assert_eq!(app.sleeps.millis(), [250; 4], "two rounds, and the lists before the third");
    Ok(())
}

#[tokio::test]
async fn shards_are_listed_until_a_missing_parent_is_confirmed() -> Result<(), Error> {
    let app = App::new();
    let family = || shards("ENABLED", &[shard("b", Some("a"), false), shard("c", None, false)]);
    let mut replies = vec![streams(), family(), iterator("c1"), page(&[], Some("c2"))];
    replies.extend([family(), page(&[], Some("c3")), family(), page(&[], Some("c4")), family(), iterator("a1")]);
    replies.extend([page(&[], Some("a2")), page(&[], Some("c5"))]);
    let server = Server::answering(replies);
    let _ = drained(&mut app.poller(&server).retry(RetryPolicy::default().max_attempts(1))).await;
    let requests: Vec<_> = operations(&server).iter().map(|operation| operation[..3].to_owned()).collect();
    let lists = requests.iter().enumerate().filter(|(_, operation)| *operation == "Des").map(|(place, _)| place);
    assert_eq!(lists.take(4).collect::<Vec<_>>(), [1, 4, 6, 8], "{requests:?}");
    Ok(())
}
