//! No answer of the service lets the projector acknowledge a record that it did not project.

use threadline::stream::{Projector, RecordOutcome, StreamRecord};
use threadline::{Handle, MemoryStore, NewUser, Threadline, UserChange};

use super::*;

/// The error codes of botocore's models of DynamoDB and DynamoDB Streams.
const CODES: &str = include_str!("../../data/dynamodb_codes.txt");

/// Returns the records of a sent message, an edited message, a renamed user and a new membership, and the membership's
/// item.
async fn records() -> Result<(Vec<StreamRecord>, Value), Error> {
    let store = MemoryStore::new();
    let chat = Threadline::new(store.clone()).ids(SequentialIds::seeded(1));
    let andrew = chat.create_user(NewUser::new("andrew", "Andrew")?).await?;
    let bayko = chat.create_user(NewUser::new("bayko", "Bayko")?).await?;
    let thread = chat.start_direct(&andrew, &bayko, "first").await?;
    let message = thread.send(chat.new_message_id(), "second").await?;
    thread.edit(&message, "third").await?;
    chat.update_user(&andrew, UserChange::new().handle(Handle::new("londo")?).unwrap()).await?;
    let records = store.records_after(None, usize::MAX)?;
    let of = |kind: &str| {
        let is_it = |record: &&StreamRecord| record.new.as_ref().and_then(|new| new.get_s("type")) == Some(kind);
        records.iter().rfind(is_it).cloned().unwrap()
    };
    let membership = of("Membership");
    let item: std::collections::HashMap<_, _> = membership.new.clone().unwrap().into();
    let mut alone = vec![of("Message"), of("User"), membership];
    let first = |record: &&StreamRecord| record.new.as_ref().is_some_and(|new| new.get_s("message") == Some("second"));
    alone.push(records.iter().find(first).cloned().unwrap());
    Ok((alone, json!(item)))
}

fn is_acknowledged(outcome: &RecordOutcome) -> bool {
    !matches!(outcome, RecordOutcome::Failed(_))
}

/// Returns error codes, each with a status.
fn faults() -> Vec<(u16, String)> {
    let known = CODES.lines().flat_map(|code| [(400, code.to_owned()), (500, code.to_owned())]);
    let more = ["ValidationException", "RequestTimeoutException", "AccessDeniedException", "InvalidSignatureException"];
    let more = more.into_iter().map(|code| (400, code.to_owned()));
    // A linear congruential sequence is random enough for unknown codes.
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let random = (0..100).map(move |_| (400 + u16::try_from(next() % 200).unwrap(), format!("Code{}", next())));
    known.chain(more).chain(random).collect()
}

#[tokio::test]
async fn no_answer_to_any_request_acknowledges_a_record() -> Result<(), Error> {
    let (records, _) = records().await?;
    for (status, code) in faults() {
        let server = Server::answering(std::iter::repeat_n(fault(status, &code), 40));
        let store = store(&server, &Sleeps::default()).retry(RetryPolicy::default().max_attempts(1));
        for record in &records {
            let projection = Projector::new(store.clone()).project(std::slice::from_ref(record)).await;
            assert!(!is_acknowledged(&projection.outcomes[0]), "{status} {code}: {:?}", projection.outcomes);
        }
        assert!(!server.requests().is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn only_two_answers_to_a_membership_update_give_up_a_record() -> Result<(), Error> {
    let (records, membership) = records().await?;
    let mut given_up = Vec::new();
    for (status, code) in faults() {
        let members = ok(json!({"Items": [membership], "Count": 1}));
        let server = Server::answering([members, fault(status, &code)]);
        let store = store(&server, &Sleeps::default()).retry(RetryPolicy::default().max_attempts(1));
        let projection = Projector::new(store).project(std::slice::from_ref(&records[3])).await;
        let names: Vec<_> = server.requests().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[..2], ["Query", "UpdateItem"], "{names:?}");
        // A refused condition is an answer: the membership is deleted.
        if is_acknowledged(&projection.outcomes[0]) && code != "ConditionalCheckFailedException" {
            assert!(matches!(projection.outcomes[0], RecordOutcome::DeadLetter(_)), "{status} {code}");
            given_up.push((status, code));
        }
    }
    given_up.sort();
    let expected = ["ItemCollectionSizeLimitExceededException", "ValidationException"];
    assert_eq!(given_up, expected.map(|code| (400, code.to_owned())));
    Ok(())
}

#[tokio::test]
async fn a_backfilling_index_fails_a_rename() -> Result<(), Error> {
    let (records, _) = records().await?;
    let filling = fault_with(400, "ValidationException", json!({}));
    let server = Server::answering([filling]);
    let projection = Projector::new(store(&server, &Sleeps::default())).project(&records[1..2]).await;
    assert!(!is_acknowledged(&projection.outcomes[0]));
    assert_eq!(projection.lowest_failed, records[1].sequence);
    Ok(())
}

#[tokio::test]
async fn a_page_of_another_partition_acknowledges_no_record() -> Result<(), Error> {
    let (records, _) = records().await?;
    let elsewhere = json!({"pk": {"S": "GRP#1"}, "sk": {"S": "USER#2"}});
    let mut wrong = Vec::new();
    for record in &records {
        let page = ok(json!({"Items": [], "LastEvaluatedKey": elsewhere}));
        let server = Server::answering(std::iter::repeat_n(page, 40));
        let store = store(&server, &Sleeps::default());
        let projection = Projector::new(store).project(std::slice::from_ref(record)).await;
        if is_acknowledged(&projection.outcomes[0]) {
            wrong.push(format!("{:?}", projection.outcomes[0]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    Ok(())
}
