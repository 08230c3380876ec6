//! Each case of each pattern makes the requests that its card declares, and no others.

use threadline::card::{Caller, RequestCard};
use threadline::entity::{Entity, HandleClaim, Item, Key, PK, SK, TYPE};
use threadline::store::{BatchAction, BatchGet, BatchWrite, Checked, Request, Transaction, Write};
use threadline::{Handle, User, UserId};
use threadline_testkit::scenario::{Recorder, Scale, World, key_fits, mismatch};

use crate::scenarios::{Staged, cases};

#[tokio::test]
async fn recorded_requests_equal_those_of_the_card() {
    let mut wrong = Vec::new();
    for (card, case, scenario) in cases() {
        // The projector and the audit make several requests at once.
        let in_order = !matches!(card.caller, Caller::Projector | Caller::Operator);
        for members in [2, 3, 50] {
            let scale = Scale { members, message_kb: 1 };
            let staged = Staged::new(&scenario, scale).await;
            let recorder = Recorder::new(staged.store.clone());
            let session = staged.stage.enter(recorder.clone(), World::CALLER).await.unwrap();
            recorder.take();
            staged.stage.call(&session).await.unwrap();
            let expected = scenario.requests(case, scale);
            wrong.extend(mismatch(&expected, &recorder.take(), in_order).map(|what| format!("{scenario:?}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn user_key() -> Key {
    User::key_from(UserId::from_uuid(uuid::Uuid::from_u128(1)))
}

fn claim_key() -> Key {
    HandleClaim::key_from(&Handle::new("andrewbrown").unwrap())
}

fn item(key: &Key, entity: &str) -> Item {
    let keys = [(PK, key.pk.as_str()), (SK, key.sk.as_str()), (TYPE, entity)];
    keys.into_iter().fold(Item::new(), |mut item, (name, value)| {
        item.insert(name, value);
        item
    })
}

/// Returns `true` if these requests are the card's, in any order and in this one.
fn equals(card: &[RequestCard], requests: impl IntoIterator<Item = Request>) -> [bool; 2] {
    let recorded: Vec<_> = requests.into_iter().map(|request| Checked::new(request).unwrap()).collect();
    [false, true].map(|in_order| mismatch(card, &recorded, in_order).is_none())
}

#[test]
fn actions_of_two_transactions_are_not_those_of_one() {
    const USER: RequestCard = RequestCard::delete(&User::CARD).in_transaction();
    const CLAIM: RequestCard = RequestCard::delete(&HandleClaim::CARD).in_transaction();
    const GET: RequestCard = RequestCard::get(&User::CARD);
    let transact =
        |keys: &[&Key]| Request::Transact(Transaction::new(keys.iter().copied().cloned().map(Write::delete)));
    let (user, claim) = (user_key(), claim_key());
    let both = || transact(&[&user, &claim]);
    let (one, other) = (|| transact(&[&user]), || transact(&[&claim]));
    let get = || Request::Get(threadline::store::Get::new(user.clone()));
    assert_eq!(equals(&[USER, CLAIM], [both()]), [true; 2]);
    assert_eq!(equals(&[USER, CLAIM], [one(), other()]), [false; 2]);
    assert_eq!(equals(&[USER, GET, CLAIM], [one(), get(), other()]), [true; 2]);
    assert_eq!(equals(&[USER, GET, CLAIM], [both(), get()]), [false; 2]);
    assert_eq!(equals(&[USER, GET, CLAIM], [get(), both()]), [false; 2]);
    assert_eq!(equals(&[GET, USER, CLAIM], [both(), get()]), [true, false]);
}

#[test]
fn keys_of_batches_are_compared() {
    let write = |action| Request::BatchWrite(BatchWrite::new([action]));
    let put = |key: &Key, entity| write(BatchAction::Put(item(key, entity)));
    let card = [RequestCard::put(&User::CARD)];
    assert_eq!(equals(&card, [put(&user_key(), User::TYPE)]), [true; 2]);
    assert_eq!(equals(&card, [put(&claim_key(), User::TYPE)]), [false; 2]);
    assert_eq!(equals(&card, [put(&user_key(), HandleClaim::TYPE)]), [false; 2]);

    let card = [RequestCard::delete(&User::CARD)];
    assert_eq!(equals(&card, [write(BatchAction::Delete(user_key()))]), [true; 2]);
    assert_eq!(equals(&card, [write(BatchAction::Delete(claim_key()))]), [false; 2]);

    let get = |keys: &[Key]| Request::BatchGet(BatchGet::new(keys.to_vec()));
    let card = [RequestCard::batch_get(&User::CARD)];
    assert_eq!(equals(&card, [get(&[user_key()])]), [true; 2]);
    assert_eq!(equals(&card, [get(&[claim_key()])]), [false; 2]);
    assert_eq!(equals(&card, [get(&[user_key(), claim_key()])]), [false; 2]);
}

#[test]
fn key_fits_template_with_its_constant_segments() {
    for (template, key, fits) in [
        ("USER#<user>", "USER#1", true),
        ("USER#<user>", "GRP#1", false),
        ("USER#<user>", "USER#1#2", false),
        ("USER#<user>", "USER", false),
        ("PROFILE", "PROFILE", true),
        ("PROFILE", "PROFILES", false),
    ] {
        assert_eq!(key_fits(template, key), fits, "{template} {key}");
    }
}
