//! The policies and their probes, decided by the crate `iam-rs`.

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policies};
use serde_json::{Value, json};
use threadline_catalogue::Format;

use crate::catalogue;

/// The names of all policies.
pub(crate) const POLICIES: [&str; 9] =
    ["application", "projector", "poller", "analyst", "operator", "table-creator", "tenant", "user", "guard-rails"];

/// A policy with its probes: the requests that it must allow or deny.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) policy: Value,
    pub(crate) probes: Vec<Value>,
}

/// Returns all policies with their probes.
pub(crate) async fn subjects() -> Vec<Subject> {
    let catalogue = catalogue();
    let probes: Value = serde_json::from_str(&named(&catalogue.print(Format::IamRequests).await.unwrap())).unwrap();
    let probes = probes.as_array().unwrap();
    let subject = |name: &'static str| {
        let policy = serde_json::from_str(&named(&catalogue.policy(name).unwrap())).unwrap();
        let probes = probes.iter().filter(|probe| probe["policy"] == name).cloned().collect();
        Subject { name, policy, probes }
    };
    POLICIES.map(subject).into()
}

/// Replaces the placeholders.
fn named(text: &str) -> String {
    let names =
        [("REGION", "eu-west-1"), ("ACCOUNT", "123456789012"), ("BUCKET", "given-up"), ("ADMIN", "table-admin")];
    let names = names.into_iter().chain([("FUNCTION", "projector"), ("TABLE", "threadline")]);
    names.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

impl Subject {
    pub(crate) fn statements(&self) -> &[Value] {
        self.policy["Statement"].as_array().unwrap()
    }

    /// Returns a copy of the policy with a changed statement.
    pub(crate) fn with(&self, place: usize, change: impl FnOnce(&mut Value)) -> Value {
        let mut policy = self.policy.clone();
        change(&mut policy["Statement"][place]);
        policy
    }

    /// Returns a copy of the policy without a statement.
    pub(crate) fn without(&self, place: usize) -> Value {
        let mut policy = self.policy.clone();
        policy["Statement"].as_array_mut().unwrap().remove(place);
        policy
    }

    /// Returns the first probe of these actions, or of any, that a policy decides otherwise than expected.
    pub(crate) fn mismatch(&self, policy: &Value, actions: &[String]) -> Option<&Value> {
        let is_of = |probe: &&Value| actions.is_empty() || actions.iter().any(|action| probe["action"] == **action);
        self.probes.iter().filter(is_of).find(|probe| self.allows(policy, probe) != (probe["allowed"] == true))
    }

    fn allows(&self, policy: &Value, probe: &Value) -> bool {
        let mut policy = policy.to_string();
        let mut context = Context::new();
        for (key, value) in probe["context"].as_object().unwrap() {
            // `iam-rs` resolves variables in resources only, so this resolves those in conditions. One without a value
            // stays as it is, and matches no key.
            if let (true, Some(value)) = (key.starts_with("aws:PrincipalTag/"), value.as_str()) {
                policy = policy.replace(&format!("${{{key}}}"), value);
            }
            let value = match value {
                Value::String(text) if text == "true" || text == "false" => ContextValue::Boolean(text == "true"),
                Value::String(text) => ContextValue::String(text.clone()),
                keys => ContextValue::StringList(serde_json::from_value(keys.clone()).unwrap()),
            };
            context.insert(key.clone(), value);
        }
        let mut policies = vec![IAMPolicy::from_json(&policy).unwrap()];
        if self.name == "guard-rails" {
            let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
            let everything = json!({ "Version": "2012-10-17", "Statement": [everything] });
            policies.push(IAMPolicy::from_json(&everything.to_string()).unwrap());
        }
        let role = Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:role/caller".to_owned()));
        let resource = match probe["resource"].as_str().unwrap() {
            // An action without a resource type.
            "*" => "arn:aws:dynamodb:eu-west-1:123456789012:table/*",
            resource => resource,
        };
        let resource = Arn::parse(resource).unwrap();
        let request = IAMRequest::new_with_context(role, probe["action"].as_str().unwrap(), resource, context);
        evaluate_policies(&policies, &request).unwrap() == Decision::Allow
    }
}

/// Returns the actions of a statement, or its resources, as a list.
pub(crate) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(),
        value => vec![value.as_str().unwrap().to_owned()],
    }
}
