//! The policies: the cards and the further requests of each.

use serde_json::{Value, json};
use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, EntityCard, RequestCard};

use super::grant::{Grant, filled, pattern, statements};
use super::{Resources, guard_rails};
use crate::error::Error;

/// The checkpoints of the poller.
const CHECKPOINT: EntityCard = EntityCard::new("StreamCheckpoint", "STREAM#<stream>", "SHARD#<shard>");
/// The dead letters of the projector's function.
const DEAD_LETTER: EntityCard = EntityCard::new("DeadLetter", "DEADLETTER", "<letter>#<part>");

const KEEP_CHECKPOINTS: &[RequestCard] =
    &[RequestCard::query(&CHECKPOINT), RequestCard::put(&CHECKPOINT), RequestCard::delete(&CHECKPOINT)];
const KEEP_DEAD_LETTERS: &[RequestCard] = &[RequestCard::put(&DEAD_LETTER)];

/// The actions of reading a stream whose ARN is known.
pub(super) const READ_STREAM: &[&str] = &["DescribeStream", "GetRecords", "GetShardIterator"];
/// The actions of `TableSpec::verify`, which `check` and `repair` call first.
pub(crate) const VERIFY_TABLE: &[&str] =
    &["DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive", "ListTagsOfResource"];
/// The actions of `TableSpec`: create, complete and verify.
pub(super) const CREATE_TABLE: &[&str] = &[
    "CreateTable",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "ListTagsOfResource",
    "TagResource",
    "UpdateContinuousBackups",
    "UpdateTimeToLive",
];

/// A policy of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The application: every pattern of users, members and authors.
    Application,
    /// The projector as a Lambda function.
    Projector,
    /// The projector in a process that reads the stream itself.
    Poller,
    /// A reader of the data, who writes nothing.
    Analyst,
    /// An operator who checks and repairs the table.
    Operator,
    /// The tool that creates the table and verifies it.
    TableCreator,
    /// The application, limited to the keys of one tenant.
    Tenant,
    /// One user, limited to their own partition, without writes.
    User,
    /// The service control policy of an organization.
    GuardRails,
}

impl Policy {
    /// All policies.
    pub(crate) const ALL: &[Self] = &[
        Self::Application,
        Self::Projector,
        Self::Poller,
        Self::Analyst,
        Self::Operator,
        Self::TableCreator,
        Self::Tenant,
        Self::User,
        Self::GuardRails,
    ];

    /// Returns the name of the policy, as the program takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Projector => "projector",
            Self::Poller => "poller",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::TableCreator => "table-creator",
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::GuardRails => "guard-rails",
        }
    }

    /// Finds a policy by its name.
    ///
    /// # Errors
    /// [`Error::NoChoice`] with the names of all policies.
    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|policy| policy.name() == name).ok_or_else(|| Error::NoChoice {
            what: "policy",
            given: name.to_owned(),
            choices: Self::ALL.iter().map(|policy| policy.name()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Returns the policy document.
    ///
    /// # Errors
    /// [`Error::NoAction`] for a kind of request that this version does not know.
    pub(crate) fn of(self, registry: &Registry, resources: &Resources) -> Result<Value, Error> {
        if self == Self::GuardRails {
            return Ok(versioned(guard_rails::statements(resources)));
        }
        let mut all = statements(self.grants(registry)?, |template| self.key(template), resources);
        all.extend(self.beside_the_table(resources));
        Ok(versioned(all))
    }

    /// Returns the cards whose calls the policy is for.
    pub(super) fn cards(self, registry: &Registry) -> Vec<&'static Card> {
        let of_callers = |callers: &[Caller]| {
            registry.cards().iter().copied().filter(|card| callers.contains(&card.caller)).collect::<Vec<_>>()
        };
        match self {
            Self::Application | Self::Tenant => of_callers(&[Caller::Anyone, Caller::Member, Caller::Author]),
            Self::Analyst | Self::User => {
                let mut cards = Self::Application.cards(registry);
                cards.retain(|card| only_reads(card));
                cards
            }
            Self::Projector | Self::Poller => of_callers(&[Caller::Projector]),
            Self::Operator => of_callers(&[Caller::Operator]),
            Self::TableCreator | Self::GuardRails => Vec::new(),
        }
    }

    /// Returns the requests that no card declares.
    pub(super) fn further_requests(self) -> &'static [RequestCard] {
        match self {
            Self::Projector => KEEP_DEAD_LETTERS,
            Self::Poller => KEEP_CHECKPOINTS,
            _ => &[],
        }
    }

    fn grants(self, registry: &Registry) -> Result<Vec<Grant>, Error> {
        let grants = Grant::all(&self.cards(registry), self.further_requests())?;
        let is_own = |grant: &Grant| self != Self::User || grant.pk.is_some_and(is_of_one_user);
        Ok(grants.into_iter().filter(is_own).collect())
    }

    /// Returns the pattern of the keys of this template.
    fn key(self, template: &str) -> String {
        match self {
            Self::Tenant => format!("${{aws:PrincipalTag/tenant}}#{}", pattern(template)),
            Self::User => filled(template, |_| "${aws:PrincipalTag/user}".to_owned()),
            _ => pattern(template),
        }
    }

    /// Returns the statements for other resources than the table's items.
    fn beside_the_table(self, resources: &Resources) -> Vec<Value> {
        let Resources { table, stream, on_failure, logs, .. } = resources;
        let mut statements = Vec::new();
        if matches!(self, Self::Projector | Self::Poller) {
            statements.push(allow("ReadStream", &dynamodb(READ_STREAM), stream));
            statements.push(allow("FindStream", &dynamodb(&["ListStreams"]), &json!("*")));
        }
        if self == Self::Projector {
            statements.extend_from_slice(on_failure);
            statements.push(allow("WriteLogs", &json!(["logs:CreateLogStream", "logs:PutLogEvents"]), logs));
        }
        if self == Self::Operator {
            statements.push(allow("VerifyTable", &dynamodb(VERIFY_TABLE), table));
        }
        if self == Self::TableCreator {
            statements.push(allow("CreateAndVerifyTable", &dynamodb(CREATE_TABLE), table));
        }
        statements
    }
}

/// Returns `true` if no case of the card writes.
fn only_reads(card: &Card) -> bool {
    let mut requests = card.cases.iter().flat_map(|case| case.requests);
    requests.all(|request| Grant::of(request).is_ok_and(Grant::reads))
}

/// Returns `true` if the only variable part of the key is a user.
pub(super) fn is_of_one_user(template: &str) -> bool {
    let names: Vec<_> = template.split('#').filter(|segment| segment.starts_with('<')).collect();
    names == ["<user>"]
}

/// Returns the names with the prefix of DynamoDB's actions, as one value if there is one.
pub(crate) fn dynamodb(actions: &[&str]) -> Value {
    match actions {
        [action] => json!(format!("dynamodb:{action}")),
        actions => actions.iter().map(|action| format!("dynamodb:{action}")).collect(),
    }
}

/// Returns a statement without a condition.
pub(super) fn allow(sid: &str, actions: &Value, resource: &Value) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// Returns a policy document of these statements.
pub(crate) fn versioned(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
