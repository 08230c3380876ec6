//! The formats of a deployment: CloudFormation and Terraform.

mod agreement;
#[cfg(feature = "dynamodb")]
mod local;
mod references;
mod settings;

use serde_json::Value;
use threadline::table::{Billing, Encryption, StreamView, TableSpec, Throughput};
use threadline_catalogue::Format;

use crate::catalogue;

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Returns a definition for each variant of each setting.
fn variants() -> Vec<TableSpec> {
    let spec = || TableSpec::new("messages");
    let provisioned = Billing::Provisioned { table: Throughput::new(1, 2), index: Throughput::new(3, 4) };
    let all = vec![
        spec(),
        spec().billing(provisioned),
        spec().stream(Some(StreamView::NewImage)),
        spec().time_to_live(false),
        spec().point_in_time_recovery(false),
        spec().deletion_protection(false),
        spec().encryption(Encryption::OwnedByAws),
        spec().encryption(Encryption::OwnKey(KEY.to_owned())),
        spec().tag("team", "messaging").tag("stage", "test"),
    ];
    let different = |index: usize| all[..index].iter().all(|earlier| earlier != &all[index]);
    assert!((0..all.len()).all(different), "two variants are equal");
    all
}

/// Prints a table in a format and parses it.
async fn printed(format: Format, spec: &TableSpec) -> Value {
    serde_json::from_str(&catalogue().table(spec.clone()).print(format).await.unwrap()).unwrap()
}

/// Returns the properties of the table in CloudFormation.
async fn properties(spec: &TableSpec) -> Value {
    printed(Format::CloudFormation, spec).await["Resources"]["Table"]["Properties"].take()
}

fn object(value: &Value) -> &serde_json::Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}
