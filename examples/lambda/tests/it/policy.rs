//! The role's policy, evaluated for the function's real requests by an independent IAM evaluator.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy};
use serde_json::{Value, json};
use threadline::entity::Entity;
use threadline::store::{Answer, Checked, QuerySource, Request, Store, StoreExt, Write, WriteAction};
use threadline::stream::Projector;
use threadline::{DisplayName, MemoryStore, NewGroup, NewUser, Result, Threadline, UserChange};

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/threadline";

/// A question to IAM: an action on a resource, with the request's partition keys, if any.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    action: &'static str,
    resource: String,
    keys: Option<Vec<String>>,
}

fn asked(action: &'static str, resource: impl Into<String>, keys: Option<&str>) -> Asked {
    Asked { action, resource: resource.into(), keys: keys.map(|key| vec![key.to_owned()]) }
}

/// A store that records its requests.
#[derive(Clone, Debug)]
struct Recorder {
    table: MemoryStore,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }
}

#[async_trait]
impl Store for Recorder {
    fn table_name(&self) -> &str {
        self.table.table_name()
    }

    async fn execute(&self, request: Checked) -> Result<Answer> {
        let index = format!("{TABLE}/index/gsi1");
        self.note(match request.request() {
            Request::Get(get) => asked("dynamodb:GetItem", TABLE, Some(get.key().pk.as_str())),
            Request::Write(write) => {
                let action = match write.action() {
                    WriteAction::Put(_) => "dynamodb:PutItem",
                    WriteAction::Update(_) => "dynamodb:UpdateItem",
                    WriteAction::Delete => "dynamodb:DeleteItem",
                };
                asked(action, TABLE, Some(write.key()?.pk.as_str()))
            }
            Request::Query(query) => match query.source() {
                QuerySource::Table { partition, .. } => asked("dynamodb:Query", TABLE, Some(partition.as_str())),
                QuerySource::Index { partition } => asked("dynamodb:Query", index, Some(partition.as_str())),
            },
            Request::Scan(_) => asked("dynamodb:Scan", TABLE, None),
            Request::Transact(_) | Request::BatchGet(_) | Request::BatchWrite(_) => {
                panic!("the projector makes no transactions or batches: its policy would have to allow them")
            }
        });
        self.table.execute(request).await
    }
}

/// Records the requests of all the projector's work.
async fn recorded() -> Vec<Asked> {
    let table = MemoryStore::new();
    let chat = Threadline::new(table.clone());
    let user = async |handle: &str| chat.create_user(NewUser::new(handle, handle).unwrap()).await.unwrap();
    let (andrew, bayko, vir) = (user("andrew").await, user("bayko").await, user("vir").await);
    let direct = chat.start_direct(&andrew, &bayko, &*"語".repeat(300)).await.unwrap();
    let group = NewGroup::new("Babylon 5", &andrew).unwrap().member(&bayko);
    let group = chat.create_group(group, "Welcome").await.unwrap();
    let recorder = Recorder { table: table.clone(), asked: Arc::default() };
    let projector = Projector::new(recorder.clone());
    let mut seen = 0;
    let mut project = async || {
        let records = table.records_after(None, usize::MAX).unwrap();
        for record in records.get(seen..).unwrap() {
            let projection = projector.project(std::slice::from_ref(record)).await;
            assert!(!projection.has_failed());
        }
        seen = records.len();
    };
    project().await;
    let sent = group.send(chat.new_message_id(), "one").await.unwrap();
    let gone = group.send(chat.new_message_id(), "two").await.unwrap();
    group.edit(&sent, "three").await.unwrap();
    group.delete(&gone).await.unwrap();
    project().await;
    table.write(Write::delete(gone.key())).await.unwrap().done().unwrap();
    group.add_member(&vir).await.unwrap();
    project().await;
    let long = UserChange::new().display_name(DisplayName::new("é".repeat(40)).unwrap()).unwrap();
    let long = chat.update_user(&andrew, long).await.unwrap();
    project().await;
    // Shorter names: the preview may grow, so the message is read.
    chat.update_user(&long, UserChange::new().display_name(DisplayName::new("A").unwrap()).unwrap()).await.unwrap();
    direct.send(chat.new_message_id(), "last").await.unwrap();
    project().await;
    recorder.asked.lock().unwrap().clone()
}

/// Returns the requests of the event source mapping, the dead-letter sink and Lambda itself.
fn around() -> Vec<Asked> {
    let stream = format!("{TABLE}/stream/2026-01-02T03:04:05.678");
    let log = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/projector:log-stream:1";
    vec![
        asked("dynamodb:ListStreams", "arn:aws:dynamodb:eu-west-1:123456789012:table/*", None),
        asked("dynamodb:DescribeStream", &*stream, None),
        asked("dynamodb:GetShardIterator", &*stream, None),
        asked("dynamodb:GetRecords", &*stream, None),
        asked("dynamodb:PutItem", TABLE, Some("DEADLETTER")),
        asked("s3:ListBucket", "arn:aws:s3:::given-up", None),
        asked("s3:PutObject", "arn:aws:s3:::given-up/aws/lambda/1", None),
        asked("logs:CreateLogStream", log, None),
        asked("logs:PutLogEvents", log, None),
    ]
}

fn policy() -> Value {
    let text = include_str!("../../policy.json");
    let names = [("REGION", "eu-west-1"), ("ACCOUNT", "123456789012"), ("TABLE", "threadline")];
    let names = names.into_iter().chain([("FUNCTION", "projector"), ("BUCKET", "given-up")]);
    serde_json::from_str(&names.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))).unwrap()
}

fn allows(policy: &Value, asked: &Asked) -> bool {
    let policy = IAMPolicy::from_json(&policy.to_string()).unwrap();
    let mut context = Context::new();
    if let Some(keys) = &asked.keys {
        context.insert("dynamodb:LeadingKeys".to_owned(), ContextValue::StringList(keys.clone()));
    }
    let role = Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:role/projector".to_owned()));
    let resource = Arn::parse(&asked.resource).unwrap();
    let request = IAMRequest::new_with_context(role, asked.action, resource, context);
    evaluate_policy(&policy, &request).unwrap() == Decision::Allow
}

fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::Array(actions) => actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect(),
        action => vec![action.as_str().unwrap().to_owned()],
    }
}

#[tokio::test]
async fn the_policy_allows_every_request_of_the_function() {
    let recorded = recorded().await;
    for action in ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"] {
        assert!(recorded.iter().any(|asked| asked.action == action), "{action} was not recorded");
    }
    for prefix in ["GRP#", "MSG#", "USER#"] {
        let is_read =
            |asked: &&Asked| asked.action == "dynamodb:GetItem" && asked.keys.as_ref().unwrap()[0].starts_with(prefix);
        assert!(recorded.iter().any(|asked| is_read(&asked)), "no item of {prefix} was read");
    }
    for asked in recorded.iter().chain(&around()) {
        assert!(allows(&policy(), asked), "{asked:?}");
    }
}

#[tokio::test]
async fn each_action_of_each_statement_is_needed() {
    let needed: Vec<_> = recorded().await.into_iter().chain(around()).collect();
    let whole = policy();
    for (place, statement) in whole["Statement"].as_array().unwrap().iter().enumerate() {
        for action in actions(statement) {
            let mut without = whole.clone();
            let mut left = actions(statement);
            left.retain(|other| *other != action);
            // An unused action: a statement must have one.
            left.push("dynamodb:DeleteBackup".to_owned());
            without["Statement"][place]["Action"] = json!(left);
            assert!(needed.iter().any(|asked| !allows(&without, asked)), "{action} of statement {place} is not needed");
        }
    }
}

#[test]
fn the_policy_denies_what_the_function_does_not_do() {
    let policy = policy();
    let other = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";
    for denied in [
        asked("dynamodb:GetItem", other, Some("GRP#1")),
        asked("dynamodb:Query", format!("{TABLE}/index/gsi2"), Some("USER#1")),
        asked("dynamodb:GetItem", TABLE, Some("DEADLETTER")),
        asked("dynamodb:GetItem", TABLE, Some("HANDLE#andrew")),
        asked("dynamodb:UpdateItem", TABLE, Some("USER#1")),
        asked("dynamodb:PutItem", TABLE, Some("GRP#1")),
        asked("dynamodb:DeleteItem", TABLE, Some("GRP#1")),
        asked("dynamodb:Scan", TABLE, None),
        asked("dynamodb:BatchWriteItem", TABLE, Some("GRP#1")),
        asked("dynamodb:DeleteTable", TABLE, None),
        asked("dynamodb:GetRecords", format!("{other}/stream/1"), None),
    ] {
        assert!(!allows(&policy, &denied), "{denied:?}");
    }
    for action in ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"] {
        assert!(!allows(&policy, &asked(action, TABLE, None)), "{action} without a partition key in its context");
    }
    assert!(!allows(&policy, &asked("dynamodb:Query", TABLE, None)));
}
