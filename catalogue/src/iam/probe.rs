//! Probes: the requests that a policy must allow, and those that it must deny.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use threadline_testkit::scenario::World;

use super::Policy;
use super::grant::{LEADING_KEYS, filled};
use super::guard_rails::{CHANGE, CREATE};
use super::policy::{CREATE_TABLE, READ_STREAM, VERIFY_TABLE};
use super::record::{Asked, asked};
use crate::catalogue::Catalogue;
use crate::error::Error;

pub(super) const TABLE: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE";
const INDEX: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/index/gsi1";
const OTHER_TABLE: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/OTHER";
const OTHER_INDEX: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/index/gsi2";
pub(super) const STREAM: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/2026-01-02T03:04:05.678";
const OTHER_STREAM: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/OTHER/stream/2026-01-02T03:04:05.678";
pub(super) const BACKUP: &str = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/backup/01234567890123-abcdefgh";
const LOG: &str = "arn:aws:logs:REGION:ACCOUNT:log-group:/aws/lambda/FUNCTION:log-stream:1";

/// The actions on items that name partition keys.
const KEYED: &[&str] = &[
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLSelect",
    "PartiQLUpdate",
    "PutItem",
    "Query",
    "UpdateItem",
];
/// The tags of keys that no entity of a registry has: checkpoints, dead letters, and those of another program.
const FURTHER_TAGS: &[&str] = &["STREAM#<stream>", "DEADLETTER", "OTHER#<other>"];

/// A request, and whether the policy must allow it.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    policy: Policy,
    allowed: bool,
    action: String,
    resource: String,
    context: BTreeMap<String, Value>,
}

impl Probe {
    pub(super) fn new(policy: Policy, allowed: bool, action: &str, resource: &str) -> Self {
        let action = if action.contains(':') { action.to_owned() } else { format!("dynamodb:{action}") };
        Self { policy, allowed, action, resource: resource.to_owned(), context: BTreeMap::new() }
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { policy, allowed, action, resource, context } = self;
        json!({
            "policy": policy.name(), "allowed": allowed, "action": action, "resource": resource, "context": context,
        })
    }
}

/// Returns the probes of a policy.
pub(super) async fn probes(policy: Policy, catalogue: &Catalogue) -> Result<Vec<Probe>, Error> {
    if policy == Policy::GuardRails {
        return Ok(super::guard_rails::probes());
    }
    let own = own(policy, catalogue).await?;
    let scope = Scope::of(policy);
    let mut probes: Vec<_> = own.iter().map(|asked| scope.probe(true, asked)).collect();
    probes.extend(scope.of_items(&own, &keys(catalogue, &scope)));
    probes.extend(scope.of_others(&own));
    probes.extend(beside_the_table(policy));
    Ok(probes)
}

/// Returns what the calls of the policy's cards ask, and its further requests.
async fn own(policy: Policy, catalogue: &Catalogue) -> Result<BTreeSet<Asked>, Error> {
    let mut own = asked(catalogue, &policy.cards(catalogue.registry())).await?;
    for request in policy.further_requests() {
        own.insert(Asked::declared(request)?);
    }
    if policy == Policy::User {
        let partition = format!("USER#{}", World::CALLER);
        own.retain(|asked| asked.keys == [partition.as_str()]);
    }
    if policy == Policy::Tenant {
        let prefixed =
            |asked: Asked| Asked { keys: asked.keys.iter().map(|key| format!("acme#{key}")).collect(), ..asked };
        own = own.into_iter().map(prefixed).collect();
    }
    Ok(own)
}

/// Returns one partition key for each tag.
fn keys(catalogue: &Catalogue, scope: &Scope) -> BTreeSet<String> {
    let entities = catalogue.registry().entities().iter();
    let templates = entities.flat_map(|entity| [Some(entity.pk), entity.index.map(|(pk, _)| pk)]).flatten();
    let templates = templates.chain(FURTHER_TAGS.iter().copied());
    templates.map(|template| format!("{}{}", scope.prefix, filled(template, |_| scope.value.clone()))).collect()
}

/// The keys and the principal tag of the session that a policy is for.
struct Scope {
    policy: Policy,
    /// The prefix of all keys.
    prefix: &'static str,
    /// The variable part of a key.
    value: String,
    tag: Option<(&'static str, String)>,
}

impl Scope {
    fn of(policy: Policy) -> Self {
        let whole = Self { policy, prefix: "", value: "1".to_owned(), tag: None };
        match policy {
            Policy::Tenant => {
                Self { prefix: "acme#", tag: Some(("aws:PrincipalTag/tenant", "acme".to_owned())), ..whole }
            }
            Policy::User => {
                let user = World::CALLER.to_string();
                Self { tag: Some(("aws:PrincipalTag/user", user.clone())), value: user, ..whole }
            }
            _ => whole,
        }
    }

    fn probe(&self, allowed: bool, asked: &Asked) -> Probe {
        self.on(if asked.on_index { INDEX } else { TABLE }, allowed, asked)
    }

    fn on(&self, resource: &str, allowed: bool, asked: &Asked) -> Probe {
        let mut probe = Probe::new(self.policy, allowed, asked.action, resource);
        if !asked.keys.is_empty() {
            probe = probe.with(LEADING_KEYS, asked.keys.clone());
        }
        match &self.tag {
            Some((tag, value)) => probe.with(tag, value.clone()),
            None => probe,
        }
    }

    /// Returns the tag of a key, such as `GRP`.
    fn tag_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(self.prefix)?.split('#').next()
    }

    /// Returns probes of every action on items that the policy's own requests do not need.
    fn of_items(&self, own: &BTreeSet<Asked>, keys: &BTreeSet<String>) -> Vec<Probe> {
        let needed: BTreeSet<_> = own
            .iter()
            .flat_map(|asked| asked.keys.iter().map(|key| (asked.action, asked.on_index, self.tag_of(key))))
            .collect();
        let mut probes = Vec::new();
        let actions = KEYED.iter().map(|action| (*action, false)).chain([("Query", true), ("PartiQLSelect", true)]);
        for (action, on_index) in actions {
            let asked = |keys: &[&String]| Asked { action, on_index, keys: keys.iter().copied().cloned().collect() };
            let others = keys.iter().filter(|key| !needed.contains(&(action, on_index, self.tag_of(key))));
            probes.extend(others.map(|key| self.probe(false, &asked(&[key]))));
            // A request without a key in its context.
            probes.push(self.probe(false, &asked(&[])));
        }
        for on_index in [false, true] {
            let scan = Asked { action: "Scan", on_index, keys: Vec::new() };
            if !own.contains(&scan) {
                probes.push(self.probe(false, &scan));
            }
        }
        probes
    }

    /// Returns probes of the policy's own actions on other tables, indexes and keys, and for other sessions.
    fn of_others(&self, own: &BTreeSet<Asked>) -> Vec<Probe> {
        let actions: BTreeMap<_, _> = own.iter().map(|asked| ((asked.action, asked.on_index), asked)).collect();
        let mut probes = Vec::new();
        for asked in actions.into_values() {
            probes.push(self.on(if asked.on_index { OTHER_INDEX } else { OTHER_TABLE }, false, asked));
            if asked.keys.is_empty() {
                continue;
            }
            let with = |keys: Vec<String>| Asked { keys, ..asked.clone() };
            let other = format!("{}OTHER#1", self.prefix);
            probes.push(self.probe(false, &with(asked.keys.iter().cloned().chain([other]).collect())));
            let Some((tag, value)) = &self.tag else { continue };
            let changed = |change: &dyn Fn(&String) -> String| with(asked.keys.iter().map(change).collect());
            probes.push(self.probe(false, &changed(&|key| key.replace(value.as_str(), "other"))));
            if !self.prefix.is_empty() {
                probes.push(self.probe(false, &changed(&|key| key.replacen(self.prefix, "", 1))));
            }
            for tag in [Some((*tag, "other".to_owned())), None] {
                let other_session = Self { tag, ..Self::of(self.policy) };
                probes.push(other_session.probe(false, asked));
            }
        }
        probes
    }
}

/// Returns probes of the stream, the bucket, the logs and the settings of the table.
fn beside_the_table(policy: Policy) -> Vec<Probe> {
    let probe = |allowed, action, resource| Probe::new(policy, allowed, action, resource);
    let has_stream = matches!(policy, Policy::Projector | Policy::Poller);
    let has_function = policy == Policy::Projector;
    let mut probes = vec![
        probe(has_stream, "ListStreams", "*"),
        probe(has_function, "s3:ListBucket", "arn:aws:s3:::BUCKET"),
        probe(has_function, "s3:PutObject", "arn:aws:s3:::BUCKET/aws/lambda/1"),
        probe(has_function, "logs:CreateLogStream", LOG),
        probe(has_function, "logs:PutLogEvents", LOG),
        probe(false, "s3:GetObject", "arn:aws:s3:::BUCKET/aws/lambda/1"),
        probe(false, "s3:DeleteObject", "arn:aws:s3:::BUCKET/aws/lambda/1"),
        probe(false, "s3:PutObject", "arn:aws:s3:::OTHER/aws/lambda/1"),
        probe(false, "ListTables", "*"),
        probe(false, "DeleteBackup", BACKUP),
    ];
    for action in READ_STREAM {
        probes.push(probe(has_stream, action, STREAM));
        probes.push(probe(false, action, OTHER_STREAM));
    }
    let of_table: BTreeSet<_> = [CREATE_TABLE, CREATE, CHANGE, &["CreateBackup", "DeleteTable", "UntagResource"]]
        .concat()
        .into_iter()
        .collect();
    // A global table is a resource of its own.
    for action in of_table.into_iter().filter(|action| *action != "CreateGlobalTable") {
        let is_own = match policy {
            Policy::Operator => VERIFY_TABLE.contains(&action),
            Policy::TableCreator => CREATE_TABLE.contains(&action),
            _ => false,
        };
        probes.push(probe(is_own, action, TABLE));
        probes.push(probe(false, action, OTHER_TABLE));
    }
    probes
}
