//! The filters of the projector's mapping: they accept the records of messages and users.

use serde_json::{Value, json};
use threadline::card::EntityCard;
use threadline::{Message, User};

/// The entities whose records the projector needs. It writes the memberships itself.
const ENTITIES: [&EntityCard; 2] = [&Message::CARD, &User::CARD];

/// Returns the filter criteria of the mapping, in the form of Lambda's API and CloudFormation.
pub(crate) fn filters() -> Value {
    json!({ "Filters": patterns().map(|pattern| json!({ "Pattern": pattern })).collect::<Vec<_>>() })
}

/// Returns the pattern of each filter, which is JSON as text.
pub(super) fn patterns() -> impl Iterator<Item = String> {
    ENTITIES.iter().map(|entity| {
        let prefix = entity.pk.split('<').next().unwrap_or_default();
        json!({ "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": prefix }] } } } }).to_string()
    })
}
