//! The files that the README deploys.

use serde_json::Value;
use threadline::entity::{FoldedHandle, KnownKey, MessageKey};
use threadline::{GroupId, IdentitySubject, UserId};

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("it is a list")
}

/// Returns the prefixes of partition keys that the filters accept.
fn prefixes() -> Vec<String> {
    let filters: Value = serde_json::from_str(include_str!("../../filters.json")).unwrap();
    let pattern = |filter: &Value| serde_json::from_str::<Value>(filter["Pattern"].as_str().unwrap()).unwrap();
    let prefix = |pattern: Value| pattern["dynamodb"]["Keys"]["pk"]["S"][0]["prefix"].as_str().unwrap().to_owned();
    list(&filters["Filters"]).iter().map(pattern).map(prefix).collect()
}

#[test]
fn filters_accept_only_records_of_messages_and_users() {
    let group: GroupId = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399".parse().unwrap();
    let user: UserId = "76d2f241-a860-4d8b-a8e3-6cd68db75ab9".parse().unwrap();
    let message = MessageKey { group, position: "2023-06-26T10:16:00.375877+00:00".parse().unwrap() };
    let prefixes = prefixes();
    for (key, expected) in [
        (KnownKey::Message(message), true),
        (KnownKey::User(user), true),
        (KnownKey::MessageGroup(group), false),
        (KnownKey::Membership(group, user), false),
        (KnownKey::HandleClaim(FoldedHandle::new("user").unwrap()), false),
        (KnownKey::IdentityClaim(IdentitySubject::new("user").unwrap()), false),
    ] {
        let pk = key.to_key().pk;
        let is_in = prefixes.iter().any(|prefix| pk.as_str().starts_with(prefix));
        assert_eq!(is_in, expected, "{key:?}");
    }
}
