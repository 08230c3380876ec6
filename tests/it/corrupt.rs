//! Errors of unreadable items: they name the entity, the shape of the key and the attribute, but no content.

use threadline::entity::{AttributeValue, Entity, HandleClaim, IdentityClaim, Item};
use threadline::{ErrorKind, Membership, Message, MessageGroup, User};

use crate::entities::everything;
use crate::support::scan;

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: &str) -> AttributeValue {
    AttributeValue::N(number.into())
}

/// Returns the error of an item of this type after the change.
async fn error_of<E: Entity>(change: impl Fn(&mut Item)) -> String {
    let items = scan(&everything().await.store).await;
    let mut item = items.into_iter().find(|item| item.type_name() == Some(E::TYPE)).unwrap();
    change(&mut item);
    let error = E::from_item(item).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.entity(), Some(E::TYPE));
    assert!(!format!("{error} {error:?}").contains("canary"));
    error.to_string()
}

#[tokio::test]
async fn a_missing_attribute_is_named() {
    let error = error_of::<User>(|item| drop(item.remove("handle"))).await;
    assert_eq!(error, "the item at `USER#… / USER` is not a valid User: attribute `handle` is missing");
    let error = error_of::<Membership>(|item| drop(item.remove("joined_at"))).await;
    assert_eq!(error, "the item at `GRP#… / USER#…` is not a valid Membership: attribute `joined_at` is missing");
    let error = error_of::<IdentityClaim>(|item| drop(item.remove("user_uuid"))).await;
    assert_eq!(
        error,
        "the item at `IDENTITY#… / IDENTITY` is not a valid IdentityClaim: attribute `user_uuid` is missing"
    );
    let error = error_of::<Message>(|item| drop(item.remove("message_uuid"))).await;
    assert_eq!(error, "the item at `MSG#… / …#…` is not a valid Message: attribute `message_uuid` is missing");
}

#[tokio::test]
async fn an_attribute_of_another_type_is_named_with_its_type() {
    let error = error_of::<User>(|item| drop(item.insert("version", s("canary")))).await;
    assert_eq!(
        error,
        "the item at `USER#… / USER` is not a valid User: attribute `version` has type S and an invalid value"
    );
    let error = error_of::<MessageGroup>(|item| drop(item.insert("created_at", n("7")))).await;
    assert_eq!(
        error,
        "the item at `GRP#… / GRP` is not a valid MessageGroup: attribute `created_at` has type N and an invalid value"
    );
    let list = AttributeValue::L(vec![s("canary")]);
    let error = error_of::<Message>(|item| drop(item.insert("message", list.clone()))).await;
    assert_eq!(
        error,
        "the item at `MSG#… / …#…` is not a valid Message: attribute `message` has type L and an invalid value"
    );
}

#[tokio::test]
async fn null_is_a_missing_value_of_an_optional_attribute_only() {
    let null = AttributeValue::Null(true);
    for name in ["version", "handle", "created_at"] {
        let error = error_of::<User>(|item| drop(item.insert(name, null.clone()))).await;
        assert!(error.ends_with("has type NULL and an invalid value") && error.contains(name), "{error}");
    }
    let error = error_of::<Message>(|item| drop(item.insert("revision", null.clone()))).await;
    assert!(error.contains("`revision` has type NULL"), "{error}");
    let items = scan(&everything().await.store).await;
    let mut user = items.into_iter().find(|item| item.type_name() == Some(User::TYPE)).unwrap();
    user.insert("cognito_user_id", null);
    assert_eq!(User::from_item(user).unwrap().identity(), None);
}

#[tokio::test]
async fn an_invalid_value_is_named_and_not_repeated() {
    let error = error_of::<HandleClaim>(|item| drop(item.insert("handle", s("canary canary")))).await;
    assert_eq!(
        error,
        "the item at `HANDLE#… / HANDLE` is not a valid HandleClaim: attribute `handle` has type S and an invalid value"
    );
    for version in ["-1", "1.5", "18446744073709551616"] {
        let error = error_of::<User>(|item| drop(item.insert("version", n(version)))).await;
        assert_eq!(
            error,
            "the item at `USER#… / USER` is not a valid User: attribute `version` has type N and an invalid value"
        );
    }
    let error = error_of::<Membership>(|item| drop(item.insert("last_message", s("canary")))).await;
    assert!(error.contains("`last_message`"), "{error}");
    let error = error_of::<Message>(|item| drop(item.insert("pk", s("GRP#canary")))).await;
    assert_eq!(
        error,
        "the item at `GRP#… / …#…` is not a valid Message: attribute `pk` has type S and an invalid value"
    );
}

#[tokio::test]
async fn an_item_of_another_type_is_reported_with_key_and_both_types() {
    let error = error_of::<User>(|item| drop(item.insert("type", s("Message")))).await;
    assert_eq!(error, "the item at `USER#… / USER` is not a valid User: attribute `type` is `Message`");
    let error = error_of::<User>(|item| drop(item.insert("type", s("canary".repeat(50))))).await;
    assert_eq!(
        error,
        "the item at `USER#… / USER` is not a valid User: attribute `type` has type S and an invalid value"
    );
    let error = error_of::<User>(|item| drop(item.insert("type", n("7")))).await;
    assert_eq!(
        error,
        "the item at `USER#… / USER` is not a valid User: attribute `type` has type N and an invalid value"
    );
}

#[tokio::test]
async fn attributes_that_contradict_each_other_are_refused() {
    // A message that is not deleted has a text, and its id equals that in its key.
    let error = error_of::<Message>(|item| {
        item.remove("deleted_at");
        item.remove("message");
    });
    assert_eq!(error.await, "the item at `MSG#… / …#…` is not a valid Message: its attributes contradict each other");
    let error =
        error_of::<Message>(|item| drop(item.insert("message_uuid", s("6513270e-269e-4d37-b2a7-4de452e6b438")))).await;
    assert_eq!(error, "the item at `MSG#… / …#…` is not a valid Message: its attributes contradict each other");
}

#[test]
fn an_item_without_a_key_is_refused_in_the_same_way() {
    let error = User::from_item(Item::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().starts_with("the item at `no key / no key` is not a valid User: attribute `"));
}
