//! The streams of a table whose stream was disabled and enabled again.

use threadline::entity::AttributeValue;
use threadline::store::Write;

use super::*;

/// Lists the old stream and the next.
fn both() -> Reply {
    let next = json!({"StreamArn": format!("{ARN}-next"), "StreamLabel": "2026-01-05"});
    ok(json!({"Streams": [next, {"StreamArn": ARN, "StreamLabel": "2026-01-02"}]}))
}

/// Lists only the next stream.
fn next_alone() -> Reply {
    ok(json!({"Streams": [{"StreamArn": format!("{ARN}-next"), "StreamLabel": "2026-01-05"}]}))
}

/// Describes the old stream, disabled.
fn off() -> Reply {
    shards("DISABLED", &[shard("a", None, true)])
}

/// Describes a shard of the next stream.
fn new_shard() -> Reply {
    shards("ENABLED", &[shard("n", None, false)])
}

#[tokio::test]
async fn a_stream_enabled_again_continues_the_old_one() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (old, new) = records.split_at(2);
    let mut replies = vec![streams(), off(), iterator("a1"), page(old, None), off(), off(), off(), streams()];
    replies.extend([off(), off(), off(), both(), new_shard(), iterator("n1")]);
    replies.push(page(new, Some("n2")));
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    let mut poller = app.poller(&server);

    let first = poller.run_until(pending()).await?;
    assert_eq!((first.records, first.stream_ended), (2, true));
    let second = poller.drain().await?;
    assert_eq!((second.records, second.stream_ended), (new.len() as u64, false));
    assert_eq!(iterators(&server)[1]["StreamArn"], format!("{ARN}-next"));
    Ok(())
}

#[tokio::test]
async fn an_old_stream_is_read_to_its_end_before_the_next() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let (old, new) = records.split_at(2);
    app.poller(&Server::answering(one_batch(&old[..1]))).drain().await?;

    // Another process, after the stream was disabled and enabled again.
    let mut replies = vec![both(), off(), iterator("a1"), page(&old[1..], None), off(), off(), off(), both()];
    replies.extend([new_shard(), iterator("n1"), page(new, Some("n2"))]);
    replies.extend(nothing_more());
    let summary = app.poller(&Server::answering(replies)).drain().await?;
    assert_eq!(summary.records, records.len() as u64 - 1);
    Ok(())
}

#[tokio::test]
async fn a_vanished_stream_is_trimmed_and_the_next_is_read() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let server = Server::answering(
        one_batch(&app.records(0))
            .into_iter()
            .chain([gone(), next_alone(), gone(), next_alone(), gone(), next_alone(), new_shard(), iterator("n1")])
            .chain(nothing_more()),
    );
    let mut poller = app.poller(&server);
    poller.drain().await?;
    let summary = poller.drain().await?;
    assert_eq!((summary.trimmed, summary.errors, summary.stream_ended), (1, 2, false));
    Ok(())
}

#[tokio::test]
async fn the_next_stream_is_read_from_its_oldest_record() -> Result<(), Error> {
    for is_new_process in [false, true] {
        let app = App::new();
        app.thread("andrewbrown", "bayko").await;
        let records = app.records(0);
        let mut first = vec![streams(), one_shard(), iterator("a1")];
        first.extend(nothing_more());
        let mut second = match is_new_process {
            true => vec![both(), off(), iterator("a1")],
            false => vec![off()],
        };
        second.extend([page(&[], None), off(), off(), off(), both(), new_shard(), iterator("n1")]);
        second.push(page(&records, Some("n2")));
        second.extend(nothing_more());
        let server = Server::answering(first.into_iter().chain(second));
        let mut poller = app.poller(&server).start_at(PollStart::Latest);
        drained(&mut poller).await?;
        if is_new_process {
            poller = app.poller(&server).start_at(PollStart::Latest);
        }
        assert_eq!(drained(&mut poller).await?.records, records.len() as u64);
        let last = iterators(&server).pop().unwrap();
        assert_eq!((&last["ShardId"], &last["ShardIteratorType"]), (&json!("n"), &json!("TRIM_HORIZON")));
    }
    Ok(())
}

#[tokio::test]
async fn a_parent_missing_from_the_next_stream_is_trimmed() -> Result<(), Error> {
    let app = App::new();
    let family = || shards("ENABLED", &[shard("n", Some("m"), false)]);
    let mut replies = vec![streams(), off(), iterator("a1"), page(&[], None), off(), off(), off(), both()];
    replies.extend([family(), family(), family(), family(), gone(), family(), gone(), family(), gone(), family()]);
    replies.push(iterator("n1"));
    replies.extend(nothing_more());
    assert_eq!(drained(&mut app.poller(&Server::answering(replies))).await?.trimmed, 1);
    assert!(app.events().contains(&"m: trimmed".to_owned()));
    Ok(())
}

#[tokio::test]
async fn an_old_stream_without_shards_still_precedes_the_next() -> Result<(), Error> {
    let app = App::new();
    let none = || shards("DISABLED", &[]);
    let replies = [streams(), off(), iterator("a1"), page(&[], None), none(), none(), none(), streams(), none()];
    let server = Server::answering(replies.into_iter().chain([none(), none(), streams()]));
    let mut poller = app.poller(&server);
    drained(&mut poller).await?;
    assert!(drained(&mut poller).await?.stream_ended);

    let mut replies = vec![both(), none(), none(), none(), both(), new_shard(), iterator("n1")];
    replies.extend(nothing_more());
    let server = Server::answering(replies);
    drained(&mut app.poller(&server).start_at(PollStart::Latest)).await?;
    assert_eq!(iterators(&server)[0]["ShardIteratorType"], "TRIM_HORIZON");
    Ok(())
}

#[tokio::test]
async fn a_drain_ends_if_the_next_stream_cannot_be_found() {
    let app = App::new();
    let mut lists = 0;
    let server = Server::serving(move |operation, _| match operation {
        "DescribeStream" => shards("DISABLED", &[]),
        _ if lists == 0 => {
            lists += 1;
            streams()
        }
        _ => fault(400, "ThrottlingException"),
    });
    assert_eq!(drained(&mut app.poller(&server)).await.unwrap_err().kind(), ErrorKind::Throttled);
}

#[tokio::test]
async fn a_stream_refused_once_is_not_abandoned() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    drained(&mut app.poller(&Server::answering(one_batch(&records[..1])))).await?;
    for (streams, n) in [(both(), 1), (streams(), 2)] {
        let mut replies = vec![streams.clone(), gone(), streams, one_shard(), iterator("a1")];
        replies.push(page(&records[n..=n], Some("a2")));
        replies.extend(nothing_more());
        let summary = drained(&mut app.poller(&Server::answering(replies))).await?;
        assert_eq!((summary.trimmed, summary.records), (0, 1));
    }
    Ok(())
}

#[tokio::test]
async fn an_unlisted_parent_is_not_lost_with_its_stream() -> Result<(), Error> {
    let app = App::new();
    let family = || shards("ENABLED", &[shard("b", Some("a"), false)]);
    let mut replies = vec![streams(), family(), gone(), both(), gone(), both(), gone(), both(), new_shard()];
    replies.push(iterator("n1"));
    replies.extend(nothing_more());
    drained(&mut app.poller(&Server::answering(replies))).await?;
    let events = app.events();
    let trimmed: Vec<_> = events.iter().filter(|event| event.ends_with("trimmed")).collect();
    assert_eq!(trimmed, ["b: trimmed"]);
    Ok(())
}

#[tokio::test]
async fn a_next_stream_is_not_skipped_after_one_empty_list() -> Result<(), Error> {
    for status in ["ENABLED", "DISABLED"] {
        let app = App::new();
        app.thread("andrewbrown", "bayko").await;
        let records = app.records(0);
        let mut replies = vec![streams(), off(), iterator("a1"), page(&[], None), off(), off(), off(), both()];
        replies.extend([shards(status, &[]), new_shard(), iterator("n1"), page(&records, Some("n2"))]);
        replies.extend(nothing_more());
        let summary = drained(&mut app.poller(&Server::answering(replies))).await?;
        assert_eq!(summary.records, records.len() as u64, "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn a_disabled_stream_without_new_images_is_skipped() -> Result<(), Error> {
    let app = App::new();
    app.thread("andrewbrown", "bayko").await;
    let records = app.records(0);
    let new = records[2..].to_vec();
    let count = records.len() as u64;
    let first = records[..2].to_vec();
    let listed = |name: &str, label: &str| json!({"StreamArn": format!("{ARN}{name}"), "StreamLabel": label});
    let all =
        json!({"Streams": [listed("", "2026-01-02"), listed("-keys", "2026-01-05"), listed("-next", "2026-01-06")]});
    let keys_only = json!({"StreamDescription": {
        "StreamStatus": "DISABLED", "StreamViewType": "KEYS_ONLY", "Shards": [shard("k", None, true)],
    }});
    let server = Server::serving(move |operation, body| match operation {
        "ListStreams" => ok(all.clone()),
        "DescribeStream" if body["StreamArn"] == ARN => off(),
        "DescribeStream" if body["StreamArn"] == format!("{ARN}-keys") => ok(keys_only.clone()),
        "DescribeStream" => new_shard(),
        "GetShardIterator" => iterator(body["ShardId"].as_str().unwrap()),
        _ => match body["ShardIterator"].as_str().unwrap() {
            "a" => page(&first, None),
            "n" => page(&new, Some("end")),
            _ => page(&[], Some("end")),
        },
    });
    // Another process has started the first stream.
    app.poller(&Server::answering(one_batch(&records[..1]))).drain().await?;
    let summary = drained(&mut app.poller(&server)).await?;
    assert_eq!(summary.records, count);
    assert!(summary.trimmed > 0, "the lost records of the stream without images are reported");
    Ok(())
}

#[tokio::test]
async fn an_unreadable_item_among_the_checkpoints_stops_nothing() -> Result<(), Error> {
    let items = [
        ("SHARD#other", "Other", "AFTER_SEQUENCE_NUMBER"),
        ("SHARD#spoiled", "StreamCheckpoint", "AFTER_SEQUENCE_NUMBER"),
        // The shard's only checkpoint.
        ("SHARD#a", "StreamCheckpoint", "TRIM_HORIZON"),
    ];
    for (sk, kind, start) in items {
        let app = App::new();
        app.thread("andrewbrown", "bayko").await;
        let records = app.records(0);
        app.poller(&Server::answering(one_batch(&records[..1]))).drain().await?;
        let is_checkpoint = |record: &StreamRecord| record.key().unwrap().pk.as_str().starts_with("STREAM#");
        let checkpoint = app.store.records_after(None, usize::MAX)?.into_iter().find(is_checkpoint).unwrap();
        let mut item = checkpoint.keys;
        item.insert("sk", AttributeValue::S(sk.into()));
        item.insert("type", AttributeValue::S(kind.into()));
        let _ = app.store.write(Write::put(item)).await?;

        let replies = vec![streams(), one_shard(), iterator("i1"), page(&records[1..], Some("i2"))];
        let server = Server::answering(replies.into_iter().chain(nothing_more()));
        let summary = drained(&mut app.poller(&server).start_at(PollStart::Latest)).await?;
        assert_eq!(summary.records, records.len() as u64 - 1, "{sk}");
        assert_eq!(iterators(&server)[0]["ShardIteratorType"], start, "{sk}");
    }
    Ok(())
}

#[tokio::test]
async fn lists_whose_pages_form_a_cycle_end() {
    let app = App::new();
    let mut pages = 0;
    let server = Server::serving(move |operation, _| match operation {
        "ListStreams" => streams(),
        "DescribeStream" => {
            pages += 1;
            let last = (pages <= 200).then(|| ["a", "b"][pages % 2]);
            ok(json!({"StreamDescription": {
                "StreamStatus": "ENABLED", "StreamViewType": "NEW_IMAGE", "LastEvaluatedShardId": last,
                "Shards": [shard("a", None, false), shard("b", None, false)],
            }}))
        }
        "GetShardIterator" => iterator("i"),
        _ => page(&[], Some("i")),
    });
    let _ = drained(&mut app.poller(&server).retry(RetryPolicy::default().max_attempts(1))).await;
    let lists = operations(&server).into_iter().filter(|operation| operation == "DescribeStream").count();
    assert!(lists < 20, "{lists} requests for one list");
}
