//! Grants: the IAM actions of the cards' requests, and the statements that allow them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use threadline::card::{Card, RequestCard, RequestKind, Source};

use super::Resources;
use crate::error::Error;

/// The condition key of a request's partition keys.
pub(super) const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// An action on the table or its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    /// The name of the action: `GetItem`.
    pub(super) action: &'static str,
    /// `true` for the index, `false` for the table.
    pub(super) on_index: bool,
    /// The template of the partition key: `MSG#<group>`. A scan has none.
    pub(super) pk: Option<&'static str>,
}

impl Grant {
    /// Returns the grant that a request needs.
    ///
    /// # Errors
    /// [`Error::NoAction`] for a kind of request that this version does not know.
    pub(super) fn of(request: &RequestCard) -> Result<Self, Error> {
        let action = operation(request.kind)?;
        let on_index = request.source == Source::Index;
        Ok(Self { action, on_index, pk: request.key().map(|(pk, _)| pk) })
    }

    /// Returns the grants that these cards and requests need, each once.
    pub(super) fn all(cards: &[&Card], requests: &[RequestCard]) -> Result<BTreeSet<Self>, Error> {
        let of_cards = cards.iter().flat_map(|card| card.cases).flat_map(|case| case.requests);
        of_cards.chain(requests).map(Self::of).collect()
    }

    /// Returns `true` if the action only reads.
    pub(super) fn reads(self) -> bool {
        matches!(self.action, "GetItem" | "BatchGetItem" | "Query" | "Scan")
    }
}

/// Returns the name of the operation of a request, which is also the name of its action.
///
/// # Errors
/// [`Error::NoAction`] for a kind of request that this version does not know.
pub(crate) fn operation(kind: RequestKind) -> Result<&'static str, Error> {
    Ok(match kind {
        RequestKind::Get => "GetItem",
        RequestKind::BatchGet => "BatchGetItem",
        RequestKind::Query => "Query",
        RequestKind::Scan => "Scan",
        RequestKind::Put => "PutItem",
        RequestKind::Update => "UpdateItem",
        RequestKind::Delete => "DeleteItem",
        RequestKind::Check => "ConditionCheckItem",
        kind => return Err(Error::NoAction(format!("{kind:?}"))),
    })
}

/// Returns one statement for each action on each resource. `key` returns the pattern of a template's partition keys.
pub(super) fn statements(
    grants: impl IntoIterator<Item = Grant>,
    key: impl Fn(&str) -> String,
    resources: &Resources,
) -> Vec<Value> {
    let mut keys = BTreeMap::<_, BTreeSet<_>>::new();
    for Grant { action, on_index, pk } in grants {
        keys.entry((on_index, action)).or_default().extend(pk.map(&key));
    }
    let statement = |((on_index, action), keys): ((bool, &str), BTreeSet<String>)| {
        let resource = if on_index { &resources.index } else { &resources.table };
        let sid = if on_index { format!("{action}OnIndex") } else { action.to_owned() };
        let mut statement = json!({
            "Sid": sid, "Effect": "Allow", "Action": format!("dynamodb:{action}"), "Resource": resource,
        });
        if let (false, Some(fields)) = (keys.is_empty(), statement.as_object_mut()) {
            fields.insert("Condition".to_owned(), under(&keys));
        }
        statement
    };
    keys.into_iter().map(statement).collect()
}

/// Returns the condition that a request names partition keys, and only these.
fn under(keys: &BTreeSet<String>) -> Value {
    json!({
        "ForAllValues:StringLike": { LEADING_KEYS: keys },
        // Without this, a request that names no key would meet the condition.
        "Null": { LEADING_KEYS: "false" },
    })
}

/// Returns the pattern of a template's keys: `MSG#*` for `MSG#<group>`.
pub(super) fn pattern(template: &str) -> String {
    filled(template, |_| "*".to_owned())
}

/// Returns the template with each `<name>` replaced.
pub(super) fn filled(template: &str, value: impl Fn(&str) -> String) -> String {
    let segment = |segment: &str| match segment.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        Some(name) => value(name),
        None => segment.to_owned(),
    };
    template.split('#').map(segment).collect::<Vec<_>>().join("#")
}
