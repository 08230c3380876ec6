//! The IAM policies: each allows its own requests and denies all others, and each of its parts is needed.

mod evaluator;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use threadline::card::registry::Registry;
use threadline::card::{Caller, Card, Case, Cost, EntityCard, RequestCard, Term};
use threadline_catalogue::{Catalogue, Format};

use self::evaluator::{POLICIES, Subject, list, subjects};
use crate::catalogue;

const KEYS: &str = "dynamodb:LeadingKeys";
const LIKE: &str = "ForAllValues:StringLike";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline";
/// The actions on items, each with `true` if it names partition keys.
const OF_ITEMS: [(&str, bool); 13] = [
    ("BatchGetItem", true),
    ("BatchWriteItem", true),
    ("ConditionCheckItem", true),
    ("DeleteItem", true),
    ("GetItem", true),
    ("PartiQLDelete", true),
    ("PartiQLInsert", true),
    ("PartiQLSelect", true),
    ("PartiQLUpdate", true),
    ("PutItem", true),
    ("Query", true),
    ("Scan", false),
    ("UpdateItem", true),
];
/// Actions on the table as a whole.
const OF_TABLES: [&str; 15] = [
    "CreateBackup",
    "CreateTable",
    "DeleteTable",
    "DescribeTable",
    "DescribeTimeToLive",
    "ExportTableToPointInTime",
    "ImportTable",
    "ListTagsOfResource",
    "PutResourcePolicy",
    "RestoreTableToPointInTime",
    "TagResource",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
];

#[tokio::test]
async fn policies_allow_their_own_requests_and_deny_all_others() {
    for subject in subjects().await {
        for allowed in [true, false] {
            assert!(subject.probes.iter().any(|probe| probe["allowed"] == allowed), "{}: {allowed}", subject.name);
        }
        assert_eq!(subject.mismatch(&subject.policy, &[]), None, "{}", subject.name);
    }
}

#[tokio::test]
async fn application_asks_for_every_action_that_its_cards_declare() {
    let subjects = subjects().await;
    let allowed = |name: &str| {
        let subject = subjects.iter().find(|subject| subject.name == name).unwrap();
        let allowed = subject.probes.iter().filter(|probe| probe["allowed"] == true);
        let mut actions: Vec<_> = allowed.map(|probe| probe["action"].as_str().unwrap().to_owned()).collect();
        actions.sort();
        actions.dedup();
        actions.retain(|action| OF_ITEMS.iter().any(|(name, _)| action.strip_prefix("dynamodb:") == Some(name)));
        actions.iter().map(|action| action.trim_start_matches("dynamodb:").to_owned()).collect::<Vec<_>>()
    };
    let writes = ["ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];
    assert_eq!(allowed("application"), writes);
    assert_eq!(allowed("tenant"), writes);
    assert_eq!(allowed("projector"), ["GetItem", "PutItem", "Query", "UpdateItem"]);
    assert_eq!(allowed("poller"), ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]);
    assert_eq!(allowed("analyst"), ["GetItem", "Query"]);
    assert_eq!(allowed("user"), ["GetItem", "Query"]);
    assert!(allowed("operator").contains(&"Scan".to_owned()));
}

#[tokio::test]
async fn each_action_is_needed() {
    for subject in subjects().await {
        for (place, statement) in subject.statements().iter().enumerate() {
            let actions = list(&statement["Action"]);
            for action in &actions {
                let left: Vec<_> = actions.iter().filter(|other| *other != action).collect();
                let without = match left.is_empty() {
                    true => subject.without(place),
                    false => subject.with(place, |statement| statement["Action"] = json!(left)),
                };
                let found = subject.mismatch(&without, &[]);
                assert!(found.is_some(), "{}: {action} of {} is not needed", subject.name, statement["Sid"]);
            }
        }
    }
}

#[tokio::test]
async fn each_key_pattern_and_each_guard_is_needed() {
    for subject in subjects().await {
        for (place, statement) in subject.statements().iter().enumerate() {
            let Some(condition) = statement.get("Condition") else { continue };
            let sid = &statement["Sid"];
            for operator in condition.as_object().unwrap().keys() {
                let without = subject.with(place, |statement| {
                    statement["Condition"].as_object_mut().unwrap().remove(operator);
                });
                assert!(subject.mismatch(&without, &[]).is_some(), "{}: {operator} of {sid}", subject.name);
            }
            let Some(patterns) = condition.get(LIKE).map(|like| list(&like[KEYS])) else { continue };
            for pattern in &patterns {
                let left: Vec<_> = patterns.iter().filter(|other| *other != pattern).collect();
                let without = subject.with(place, |statement| statement["Condition"][LIKE][KEYS] = json!(left));
                assert!(subject.mismatch(&without, &[]).is_some(), "{}: {pattern} of {sid}", subject.name);
            }
        }
    }
}

#[tokio::test]
async fn each_further_action_on_items_is_found() {
    let mut added = 0;
    for subject in subjects().await.iter().filter(|subject| subject.name != "guard-rails") {
        for (place, statement) in subject.statements().iter().enumerate() {
            let Some(patterns) = statement["Condition"].get(LIKE).map(|like| list(&like[KEYS])) else { continue };
            let on_index = list(&statement["Resource"])[0].contains("/index/");
            for (name, _) in
                OF_ITEMS.iter().filter(|(name, is_keyed)| *is_keyed && (!on_index || *name == "PartiQLSelect"))
            {
                let action = format!("dynamodb:{name}");
                if patterns.iter().all(|pattern| has(subject, &action, statement, pattern)) {
                    continue;
                }
                added += 1;
                let more = subject.with(place, |statement| {
                    statement["Action"] = json!([statement["Action"], action]);
                });
                let found = subject.mismatch(&more, std::slice::from_ref(&action));
                assert!(found.is_some(), "{}: {action} in {}", subject.name, statement["Sid"]);
            }
        }
    }
    assert!(added > 250, "{added}");
}

/// Returns `true` if the policy has this action under this pattern, on the resource of the statement.
fn has(subject: &Subject, action: &str, beside: &Value, pattern: &String) -> bool {
    subject.statements().iter().any(|statement| {
        statement["Action"] == action
            && statement["Resource"] == beside["Resource"]
            && list(&statement["Condition"][LIKE][KEYS]).contains(pattern)
    })
}

#[tokio::test]
async fn each_further_statement_is_found() {
    for subject in subjects().await.iter().filter(|subject| subject.name != "guard-rails") {
        let of_items = OF_ITEMS.iter().map(|(name, _)| *name);
        for action in of_items.chain(OF_TABLES).map(|name| format!("dynamodb:{name}")) {
            let is_own = |statement: &&Value| {
                list(&statement["Action"]).contains(&action)
                    && statement["Resource"] == TABLE
                    && statement.get("Condition").is_none()
            };
            if subject.statements().iter().find(is_own).is_some() {
                continue;
            }
            let mut more = subject.policy.clone();
            let statement = json!({ "Effect": "Allow", "Action": action, "Resource": TABLE });
            more["Statement"].as_array_mut().unwrap().push(statement);
            let found = subject.mismatch(&more, std::slice::from_ref(&action));
            assert!(found.is_some(), "{}: {action}", subject.name);
        }
    }
}

#[tokio::test]
async fn guard_rails_deny_nothing_more() {
    let subjects = subjects().await;
    let subject = subjects.iter().find(|subject| subject.name == "guard-rails").unwrap();
    for action in ["GetItem", "Query", "CreateBackup", "DescribeTable", "TagResource"] {
        let action = format!("dynamodb:{action}");
        let more = subject.with(0, |statement| statement["Action"] = json!([action]));
        assert!(subject.mismatch(&more, std::slice::from_ref(&action)).is_some(), "{action}");
    }
    for (place, statement) in subject.statements().iter().enumerate() {
        let resources = list(&statement["Resource"]);
        for resource in &resources {
            let left: Vec<_> = resources.iter().filter(|other| *other != resource).collect();
            let without = match left.is_empty() {
                true => subject.without(place),
                false => subject.with(place, |statement| statement["Resource"] = json!(left)),
            };
            assert!(subject.mismatch(&without, &[]).is_some(), "{resource} of {}", statement["Sid"]);
        }
    }
}

#[test]
fn only_actions_without_a_resource_type_have_every_resource() {
    for name in POLICIES {
        let policy: Value = serde_json::from_str(&catalogue().policy(name).unwrap()).unwrap();
        for statement in policy["Statement"].as_array().unwrap() {
            let is_every = list(&statement["Resource"]).contains(&"*".to_owned());
            assert!(!is_every || statement["Action"] == "dynamodb:ListStreams", "{name}: {statement}");
            let condition = &statement["Condition"];
            assert_eq!(condition.get(LIKE).is_some(), condition.get("Null").is_some(), "{name}: {statement}");
        }
    }
}

#[tokio::test]
async fn document_has_every_policy_and_the_notes() {
    let document: Value = serde_json::from_str(&catalogue().print(Format::Iam).await.unwrap()).unwrap();
    assert_eq!(document["policies"].as_object().unwrap().len(), POLICIES.len());
    for name in POLICIES {
        let policy: Value = serde_json::from_str(&catalogue().policy(name).unwrap()).unwrap();
        assert_eq!(document["policies"][name], policy);
    }
    let notes = document["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("cannot be limited to their conversations")));
}

#[test]
fn policy_of_the_lambda_example_is_generated() {
    let kept = include_str!("../../../../examples/lambda/policy.json");
    let printed = catalogue().policy("projector").unwrap();
    assert!(printed == kept, "run `threadline catalogue iam --policy projector --output examples/lambda/policy.json`");
}

#[test]
fn unknown_policy_is_refused_with_the_choices() {
    let error = catalogue().policy("admin").unwrap_err().to_string();
    assert_eq!(error, format!("there is no policy `admin`: choose one of {}", POLICIES.join(", ")));
}

#[test]
fn program_prints_one_policy() {
    let threadline = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_threadline")).arg("catalogue").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let policy = catalogue().policy("user").unwrap();
    assert_eq!(threadline(&["iam", "--policy", "user"]), (Some(0), policy));
    let refused = "error: `--policy` needs the format `iam`\n".to_owned();
    assert_eq!(threadline(&["svg", "--policy", "user"]), (Some(2), refused));
}

/// Returns the IAM actions of the operations that are named after this text in a source file.
fn actions_in(source: &str, before: &str) -> BTreeSet<String> {
    let names = source.split(before).skip(1).filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    names.map(|name| format!("dynamodb:{}", name.split('_').map(word).collect::<String>())).collect()
}

#[test]
fn table_creator_may_make_the_calls_of_the_table_definition() {
    let sources = [include_str!("../../../../src/table/dynamodb.rs"), include_str!("../../../../src/table/live.rs")];
    let calls =
        sources.iter().flat_map(|source| [actions_in(source, "Call::read(\""), actions_in(source, "Call::write(\"")]);
    let mut calls: BTreeSet<_> = calls.flatten().collect();
    // These two delete the table. `CreateTable` with tags needs `TagResource`.
    assert!(calls.remove("dynamodb:DeleteTable") && calls.remove("dynamodb:UpdateTable"), "{calls:?}");
    calls.insert("dynamodb:TagResource".to_owned());
    let policy: Value = serde_json::from_str(&catalogue().policy("table-creator").unwrap()).unwrap();
    assert_eq!(Vec::from_iter(calls), list(&policy["Statement"][0]["Action"]));
}

#[test]
fn operator_may_verify_the_table() {
    // `verify` makes every call that only reads the settings.
    let sources = [include_str!("../../../../src/table/dynamodb.rs"), include_str!("../../../../src/table/live.rs")];
    let calls: BTreeSet<_> = sources.iter().flat_map(|source| actions_in(source, "Call::read(\"")).collect();
    let policy: Value = serde_json::from_str(&catalogue().policy("operator").unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let statement = statements.iter().find(|statement| statement["Sid"] == "VerifyTable").unwrap();
    assert_eq!(Vec::from_iter(calls), list(&statement["Action"]));
}

#[test]
fn stream_readers_may_make_the_calls_of_the_streams_api() {
    let calls = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
    let calls = calls.map(|call| format!("dynamodb:{call}"));
    for name in ["poller", "projector"] {
        let policy: Value = serde_json::from_str(&catalogue().policy(name).unwrap()).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        let of_stream =
            statements.filter(|statement| ["ReadStream", "FindStream"].contains(&statement["Sid"].as_str().unwrap()));
        assert_eq!(of_stream.flat_map(|statement| list(&statement["Action"])).collect::<Vec<_>>(), calls, "{name}");
    }
}

#[test]
fn patterns_of_an_application_are_allowed() {
    const NOTE: EntityCard = EntityCard::new("Note", "NOTE#<user>", "<note>");
    const WRITE: Card = Card::new("notes.write", "Notes::write", Caller::Anyone)
        .cases(&[Case::new(&[RequestCard::put(&NOTE)], Cost::of(&[Term::writes(1)]))]);
    const READ: Card = Card::new("notes.read", "Notes::read", Caller::Anyone)
        .cases(&[Case::new(&[RequestCard::get(&NOTE)], Cost::of(&[Term::half_reads(1)]))]);
    let catalogue = Catalogue::new(Registry::new().entity(&NOTE).pattern(&WRITE).pattern(&READ)).unwrap();
    for (policy, sid, key, is_allowed) in [
        ("application", "PutItem", "NOTE#*", true),
        ("tenant", "PutItem", "${aws:PrincipalTag/tenant}#NOTE#*", true),
        ("analyst", "GetItem", "NOTE#*", true),
        ("user", "GetItem", "NOTE#${aws:PrincipalTag/user}", true),
        ("user", "PutItem", "NOTE#${aws:PrincipalTag/user}", false),
        ("projector", "GetItem", "NOTE#*", false),
    ] {
        let printed: Value = serde_json::from_str(&catalogue.policy(policy).unwrap()).unwrap();
        let statements = printed["Statement"].as_array().unwrap();
        let statement = statements.iter().find(|statement| statement["Sid"] == sid);
        let is_in = |statement: &Value| list(&statement["Condition"][LIKE][KEYS]).contains(&key.to_owned());
        assert_eq!(statement.is_some_and(is_in), is_allowed, "{policy}: {sid} {key}");
    }
}
