//! The resources that the policies name.

use serde_json::{Value, json};

use super::policy::allow;

/// The resources of the policies. Each is a JSON value: an ARN, or the expression of a template that yields one.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    /// The ARN of the table.
    pub(crate) table: Value,
    /// The ARN of the index `gsi1`.
    pub(crate) index: Value,
    /// The ARN of the table's stream, or a pattern of its streams.
    pub(crate) stream: Value,
    /// The statements that let Lambda keep the records that the projector's function could not handle.
    pub(crate) on_failure: Vec<Value>,
    /// The ARN pattern of the log streams of the projector's function.
    pub(crate) logs: Value,
}

impl Resources {
    /// Returns resources with placeholders: `REGION`, `ACCOUNT`, `TABLE`, `FUNCTION` and `BUCKET`.
    pub(crate) fn placeholders() -> Self {
        let table = "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE";
        Self {
            table: json!(table),
            index: json!(format!("{table}/index/gsi1")),
            stream: json!(format!("{table}/stream/*")),
            on_failure: vec![
                allow("FindFailureBucket", &json!("s3:ListBucket"), &json!("arn:aws:s3:::BUCKET")),
                allow("KeepFailedRecords", &json!("s3:PutObject"), &json!("arn:aws:s3:::BUCKET/*")),
            ],
            logs: json!("arn:aws:logs:REGION:ACCOUNT:log-group:/aws/lambda/FUNCTION:*"),
        }
    }
}
