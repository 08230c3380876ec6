//! Each reference names something that the document declares.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use threadline_catalogue::Format;

use super::{object, printed, variants};
use crate::catalogue;

/// Collects the names that a template refers to: of parameters, resources and conditions.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("Ref" | "Condition", Value::String(text)) => drop(names.insert(text.clone())),
                    ("Fn::GetAtt", value) => drop(names.insert(value[0].as_str().unwrap().to_owned())),
                    ("Fn::Sub", Value::String(text)) => {
                        names.extend(variables(text).map(|name| name.split('.').next().unwrap().to_owned()));
                    }
                    _ => references(value, names),
                }
            }
        }
        _ => {}
    }
}

/// Returns the contents of each `${...}`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap())
}

/// Returns the references of a template that lead nowhere, and the parameters and conditions that nothing uses.
fn faults_of_template(template: &Value) -> Vec<String> {
    let declared = |section: &str| object(&template[section]).keys().cloned().collect::<BTreeSet<_>>();
    let used_by = ["Resources", "Conditions", "Outputs"];
    let mut used = BTreeSet::new();
    used_by.iter().for_each(|section| references(&template[section], &mut used));
    let inputs: BTreeSet<_> = declared("Parameters").union(&declared("Conditions")).cloned().collect();
    let resources = declared("Resources");
    let unknown =
        used.iter().filter(|name| !name.starts_with("AWS::") && !inputs.contains(*name) && !resources.contains(*name));
    unknown.chain(inputs.difference(&used)).cloned().collect()
}

/// Collects the strings of a value.
fn strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, all)),
        _ => {}
    }
}

/// Returns the references of a configuration that lead nowhere, and the variables and data sources that nothing uses.
fn faults_of_terraform(configuration: &Value) -> Vec<String> {
    let pairs = |section: &Value, prefix: &str| -> BTreeSet<String> {
        let all = object(section).iter();
        all.flat_map(|(kind, named)| object(named).keys().map(move |name| format!("{prefix}{kind}.{name}"))).collect()
    };
    let mut inputs = pairs(&configuration["data"], "data.");
    inputs.extend(object(&configuration["variable"]).keys().map(|name| format!("var.{name}")));
    let resources = pairs(&configuration["resource"], "");

    let mut texts = Vec::new();
    ["data", "resource", "output"].iter().for_each(|section| strings(&configuration[section], &mut texts));
    let used: BTreeSet<_> = texts.iter().flat_map(|text| variables(text)).map(head).collect();
    let unknown = used.iter().filter(|name| !inputs.contains(*name) && !resources.contains(*name));
    unknown.chain(inputs.difference(&used)).cloned().collect()
}

/// Returns the object of an expression: `aws_x.y` of `aws_x.y.arn`, `var.x` of `var.x == ""`.
fn head(expression: &str) -> String {
    let path = expression.split(' ').next().unwrap();
    let parts = if path.starts_with("data.") { 3 } else { 2 };
    path.split('.').take(parts).collect::<Vec<_>>().join(".")
}

#[tokio::test]
async fn references_of_the_template_resolve() {
    for spec in variants() {
        let mut template = printed(Format::CloudFormation, &spec).await;
        assert_eq!(faults_of_template(&template), [""; 0]);
        template["Resources"]["AuditTrail"]["Properties"]["S3BucketName"] = json!({ "Ref": "Bucket" });
        template["Resources"]["Endpoint"]["Properties"]["VpcId"] = json!({ "Fn::GetAtt": ["Network", "VpcId"] });
        template["Resources"]["Endpoint"]["Condition"] = json!("HasNetwork");
        assert_eq!(faults_of_template(&template), ["Bucket", "HasNetwork", "Network", "HasVpc"]);
    }
}

#[tokio::test]
async fn references_of_terraform_resolve() {
    for spec in variants() {
        let mut configuration = printed(Format::Terraform, &spec).await;
        assert_eq!(faults_of_terraform(&configuration), [""; 0]);
        let projector = &mut configuration["resource"]["aws_lambda_event_source_mapping"]["projector"];
        projector["function_name"] = json!("${var.function}");
        projector["event_source_arn"] = json!("${aws_dynamodb_table.messages.stream_arn}");
        projector["count"] = json!(1);
        let faults = ["aws_dynamodb_table.messages", "var.function", "var.function_exists"];
        assert_eq!(faults_of_terraform(&configuration), faults);
    }
}

#[tokio::test]
async fn no_placeholder_of_the_policies_is_left() {
    let placeholders = ["REGION", "ACCOUNT", "table/TABLE", "FUNCTION", "BUCKET", "ADMIN"];
    let found = |text: &str| placeholders.into_iter().filter(|name| text.contains(*name)).collect::<Vec<_>>();
    for format in [Format::CloudFormation, Format::Terraform] {
        assert_eq!(found(&catalogue().print(format).await.unwrap()), [""; 0]);
    }
    assert_eq!(found(&catalogue().print(Format::Iam).await.unwrap()), placeholders);
}
