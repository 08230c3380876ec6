//! Batches, in rounds.

use super::*;

#[tokio::test]
async fn only_unprocessed_writes_are_sent_again() -> Result<(), Error> {
    let server = Server::answering([left_writes([2]), left_writes([])]);
    let sleeps = Sleeps::default();

    let output = store(&server, &sleeps).batch_write(batch_write([1, 2, 3])).await?;

    assert_eq!(output.unprocessed, []);
    assert_eq!(output.capacity, Capacity::writes(Units::whole(2)), "both rounds count");
    assert_eq!(sleeps.millis(), [50]);
    let second = &server.bodies()[1]["RequestItems"]["threadline"];
    assert_eq!(second.as_array().map(Vec::len), Some(1));
    assert_eq!(second[0]["PutRequest"]["Item"]["pk"]["S"], "A#2");
    Ok(())
}

#[tokio::test]
async fn a_batch_write_without_progress_returns_the_same_writes() -> Result<(), Error> {
    let server = Server::answering(std::iter::repeat_n(left_writes([2, 3]), 9));
    let sleeps = Sleeps::default();

    let output = store(&server, &sleeps).batch_write(batch_write([1, 2, 3])).await?;

    assert_eq!(output.unprocessed, puts([2, 3]), "in the caller's form, not in the server's");
    assert_eq!(sleeps.millis(), [50, 100, 200, 400]);
    assert_eq!(server.requests().len(), 5);
    Ok(())
}

#[tokio::test]
async fn unprocessed_deletes_are_recognized() -> Result<(), Error> {
    let left = json!({"threadline": [{"DeleteRequest": {"Key": sdk_key(2)}}]});
    let server = Server::answering(std::iter::repeat_n(ok(json!({"UnprocessedItems": left})), 9));
    let writes = vec![BatchAction::Delete(key(1)), BatchAction::Delete(key(2))];

    let output = store(&server, &Sleeps::default()).batch_write(BatchWrite::new(writes)).await?;

    assert_eq!(output.unprocessed, [BatchAction::Delete(key(2))]);
    Ok(())
}

#[tokio::test]
async fn a_round_with_progress_resets_the_count() -> Result<(), Error> {
    let server = Server::answering([
        read_and_left([1], [2, 3, 4]),
        read_and_left([], [2, 3, 4]),
        read_and_left([2], [3, 4]),
        read_and_left([3], [4]),
        read_and_left([4], []),
    ]);
    let sleeps = Sleeps::default();
    let policy = RetryPolicy::default().max_attempts(3);

    let output = store(&server, &sleeps).retry(policy).batch_get(batch_get(1..=4)).await?;

    assert_eq!(output.items.len(), 4);
    assert_eq!(output.unprocessed, []);
    assert_eq!(output.capacity, Capacity::reads(Units::halves(5)));
    assert_eq!(sleeps.millis(), [50, 100, 50, 50]);
    Ok(())
}

#[tokio::test]
async fn a_batch_get_without_progress_returns_its_items_and_the_rest() -> Result<(), Error> {
    let stuck = std::iter::repeat_n(read_and_left([], [2, 3]), 9);
    let server = Server::answering([read_and_left([1], [2, 3])].into_iter().chain(stuck));

    let output = store(&server, &Sleeps::default()).batch_get(batch_get(1..=3).consistent()).await?;

    assert_eq!(output.items.len(), 1);
    assert_eq!(output.unprocessed, [key(2), key(3)]);
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.bodies()[4]["RequestItems"]["threadline"]["ConsistentRead"], true);
    Ok(())
}

#[tokio::test]
async fn an_error_in_a_later_round_returns_the_items_read_before() -> Result<(), Error> {
    for reply in [fault(400, "ThrottlingException"), fault(500, "InternalServerError"), Reply::HangUp] {
        let server = Server::answering([read_and_left([1], [2]), reply]);
        let output = store(&server, &Sleeps::default()).batch_get(batch_get([1, 2])).await?;
        assert_eq!(output.items.len(), 1);
        assert_eq!(output.unprocessed, [key(2)]);
    }
    Ok(())
}

#[tokio::test]
async fn an_error_in_a_later_round_returns_the_writes_not_done() -> Result<(), Error> {
    let server = Server::answering([left_writes([2]), fault(400, "ThrottlingException")]);

    let output = store(&server, &Sleeps::default()).batch_write(batch_write([1, 2])).await?;

    assert_eq!(output.unprocessed, puts([2]));
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_in_a_later_round_makes_the_outcome_unknown() {
    let server = Server::answering([left_writes([2]), Reply::HangUp]);

    let error = store(&server, &Sleeps::default()).batch_write(batch_write([1, 2])).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test]
async fn an_error_in_the_first_round_of_a_batch_is_an_error() {
    let server = Server::answering([fault(400, "ThrottlingException"), fault(400, "ThrottlingException")]);
    let store = store(&server, &Sleeps::default());
    assert_eq!(store.batch_get(batch_get([1])).await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(store.batch_write(batch_write([1])).await.unwrap_err().kind(), ErrorKind::Throttled);
}
