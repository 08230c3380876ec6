//! The requests that the poller makes beside the projector's. The catalogue's policy `poller` allows exactly these.

use std::collections::BTreeSet;

use threadline::store::{Request, WriteAction};
use threadline_testkit::scenario::Recorder;

use super::*;

/// Returns the action and the partition key of a request to the table.
fn action(request: &Request) -> (&'static str, String) {
    match request {
        Request::Get(get) => ("GetItem", get.key().pk.as_str().to_owned()),
        Request::Query(query) => ("Query", query.partition().as_str().to_owned()),
        Request::Write(write) => {
            let action = match write.action() {
                WriteAction::Put(_) => "PutItem",
                WriteAction::Update(_) => "UpdateItem",
                WriteAction::Delete => "DeleteItem",
            };
            (action, write.key().unwrap().pk.as_str().to_owned())
        }
        other => panic!("the poller makes no {other:?}"),
    }
}

#[tokio::test]
async fn checkpoints_are_queried_put_and_deleted() -> Result<(), Error> {
    let app = App::new();
    let recorder = Recorder::new(app.store.clone());
    // Each list names the child of the shard before, which has ended and is deleted. The last one is open.
    let mut lists = 0_u32;
    let server = Server::serving(move |operation, body| match operation {
        "ListStreams" => streams(),
        "DescribeStream" => {
            let number = lists;
            lists += 1;
            let parent = number.checked_sub(1).map(|parent| format!("s{parent}"));
            shards("ENABLED", &[shard(&format!("s{number}"), parent.as_deref(), number < 8)])
        }
        "GetShardIterator" => iterator(body["ShardId"].as_str().unwrap()),
        _ if body["ShardIterator"] == "s8" => page(&[], Some("s8")),
        _ => page(&[], None),
    });
    drained(&mut app.poller_on(&server, recorder.clone())).await?;
    let asked: BTreeSet<_> = operations(&server).into_iter().collect();
    assert_eq!(Vec::from_iter(asked), ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]);
    let requests = recorder.take();
    let of_table = requests.iter().map(|request| action(request.request()));
    let of_checkpoints = of_table.filter_map(|(action, pk)| pk.starts_with("STREAM#").then_some(action));
    assert_eq!(Vec::from_iter(BTreeSet::from_iter(of_checkpoints)), ["DeleteItem", "PutItem", "Query"]);
    Ok(())
}
