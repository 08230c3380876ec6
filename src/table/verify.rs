//! Compares a live table with its definition.

use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, Projection, ProvisionedThroughputDescription, SseStatus,
    TableDescription,
};

use super::live::view_type;
use super::{Billing, Encryption, TableSpec, Throughput};
use crate::error::Result;
use crate::key::{EXPIRES_AT, GSI1};

/// A setting of a table that [`TableSpec::verify`] compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// The primary key of the table.
    Keys,
    /// The secondary indexes of the table.
    Index,
    /// The billing mode and the provisioned throughput.
    Billing,
    /// The stream of the table, and the images in it.
    Stream,
    /// Time to live: the deletion of expired items.
    TimeToLive,
    /// Point-in-time recovery.
    PointInTimeRecovery,
    /// Encryption at rest.
    Encryption,
    /// Deletion protection.
    DeletionProtection,
    /// The tags.
    Tags,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Keys => "keys",
            Self::Index => "index",
            Self::Billing => "billing",
            Self::Stream => "stream",
            Self::TimeToLive => "time to live",
            Self::PointInTimeRecovery => "point-in-time recovery",
            Self::Encryption => "encryption",
            Self::DeletionProtection => "deletion protection",
            Self::Tags => "tags",
        })
    }
}

/// A difference between a live table and its definition. It displays as `stream: should be NEW_IMAGE, is KEYS_ONLY`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The setting that differs.
    pub setting: Setting,
    /// The value in the definition, in words.
    pub expected: String,
    /// The value of the live table, in words.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: should be {}, is {}", self.setting, self.expected, self.found)
    }
}

/// A setting of a table that the service does not support. Only emulators lack settings: AWS supports all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsupported {
    /// The setting that the service does not support.
    pub setting: Setting,
    /// The reaction of the service to the setting, in words, such as `the service ignored it`.
    pub reason: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not supported here: {}", self.setting, self.reason)
    }
}

impl Unsupported {
    pub(super) fn silent(setting: Setting) -> Self {
        Self { setting, reason: "the service ignored it".to_owned() }
    }
}

/// The error code for an unknown operation.
const UNKNOWN_OPERATION: &str = "UnknownOperationException";
/// The error code for an invalid request.
pub(super) const INVALID_REQUEST: &str = "ValidationException";

/// Returns `true` if the table is in DynamoDB Local, whose tables have their own region.
fn is_local(table: &TableDescription) -> bool {
    table.table_arn().is_some_and(|arn| arn.split(':').nth(3) == Some("ddblocal"))
}

/// The result of [`TableSpec::verify`]: the differences between a live table and its definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The differences between the table and its definition.
    pub differences: Vec<Difference>,
    /// The settings that were not compared, because the service does not support them. The list is always empty on AWS.
    pub unsupported: Vec<Unsupported>,
}

impl Verified {
    /// Returns `true` if the table and its definition have no differences. Unsupported settings do not count.
    ///
    /// ```
    /// use threadline::table::Verified;
    ///
    /// assert!(Verified::default().is_match());
    /// ```
    pub fn is_match(&self) -> bool {
        self.differences.is_empty()
    }

    fn compare(&mut self, setting: Setting, expected: impl Into<String>, found: impl Into<String>) {
        let (expected, found) = (expected.into(), found.into());
        if expected != found {
            self.differences.push(Difference { setting, expected, found });
        }
    }
}

impl TableSpec {
    /// Compares this definition with the live table of the same name.
    ///
    /// The call compares the keys, the indexes, billing, the stream, time to live, point-in-time recovery, encryption,
    /// deletion protection and tags. An additional index is a difference. These are not differences:
    /// * additional tags;
    /// * deletion protection that the definition does not have;
    /// * an encryption key that the customer manages, if the definition has [`Encryption::ManagedByAws`].
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// let verified = TableSpec::new("threadline").verify(&client).await?;
    /// for difference in &verified.differences {
    ///     println!("{difference}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid) if [`check`](Self::check) fails, before any request.
    /// * [`Misconfigured`](crate::ErrorKind::Misconfigured) if there is no such table.
    /// * Any other error of the service if a request fails.
    pub async fn verify(&self, client: &Client) -> Result<Verified> {
        self.checked("describe_table")?;
        let table = self.describe(client).await?.ok_or_else(|| self.not_there("describe_table"))?;
        let mut verified = Verified::default();
        self.compare_description(&table, &mut verified);

        let time_to_live = self.live_time_to_live(client).await;
        if let Some(found) = if_supported(Setting::TimeToLive, &table, time_to_live, &mut verified.unsupported)? {
            let expected = if self.time_to_live { time_to_live_on() } else { "off".to_owned() };
            verified.compare(Setting::TimeToLive, expected, found);
        }
        let recovery = self.live_recovery(client).await;
        if let Some(found) = if_supported(Setting::PointInTimeRecovery, &table, recovery, &mut verified.unsupported)? {
            verified.compare(Setting::PointInTimeRecovery, on_or_off(self.point_in_time_recovery), on_or_off(found));
        }
        if !self.tags.is_empty() {
            let tags = self.live_tags(client, &table).await;
            if let Some(tags) = if_supported(Setting::Tags, &table, tags, &mut verified.unsupported)? {
                for (key, value) in &self.tags {
                    let found =
                        tags.get(key).map_or_else(|| format!("`{key}` missing"), |tag| format!("`{key}={tag}`"));
                    verified.compare(Setting::Tags, format!("`{key}={value}`"), found);
                }
            }
        }
        Ok(verified)
    }

    fn compare_description(&self, table: &TableDescription, verified: &mut Verified) {
        let attributes = table.attribute_definitions();
        verified.compare(Setting::Keys, "pk (HASH, S), sk (RANGE, S)", keys(table.key_schema(), attributes));
        self.compare_indexes(table, verified);

        let mode = table.billing_mode_summary.as_ref().and_then(|summary| summary.billing_mode.clone());
        let found = match mode {
            Some(BillingMode::PayPerRequest) => "on demand".to_owned(),
            _ => throughput(table.provisioned_throughput.as_ref()),
        };
        verified.compare(Setting::Billing, self.expected_billing(|table, _| table), found);

        let stream = table.stream_specification.as_ref().filter(|stream| stream.stream_enabled);
        let found = stream.and_then(|stream| stream.stream_view_type.as_ref());
        let expected = self.stream.map(view_type);
        let words = |view: Option<&aws_sdk_dynamodb::types::StreamViewType>| {
            view.map_or_else(|| "off".to_owned(), |view| view.as_str().to_owned())
        };
        verified.compare(Setting::Stream, words(expected.as_ref()), words(found));

        let protected = table.deletion_protection_enabled == Some(true);
        // Additional protection is no difference.
        let found = protected || !self.deletion_protection;
        verified.compare(Setting::DeletionProtection, "on", on_or_off(found));
        self.compare_encryption(table, verified);
    }

    fn compare_indexes(&self, table: &TableDescription, verified: &mut Verified) {
        let attributes = table.attribute_definitions();
        let expected = "`gsi1` on gsi1pk (HASH, S), gsi1sk (RANGE, S) with ALL attributes";
        let mut found = "missing".to_owned();
        for index in table.global_secondary_indexes() {
            let name = index.index_name().unwrap_or_default();
            if name != GSI1 {
                verified.compare(
                    Setting::Index,
                    format!("without `{name}`"),
                    format!("with the global index `{name}`"),
                );
                continue;
            }
            let projection = index.projection.as_ref().and_then(Projection::projection_type);
            let projection = projection.map_or("no", |projection| projection.as_str());
            found = format!("`gsi1` on {} with {projection} attributes", keys(index.key_schema(), attributes));
            if let Billing::Provisioned { .. } = self.billing {
                let provisioned = throughput(index.provisioned_throughput.as_ref());
                verified.compare(Setting::Billing, self.expected_billing(|_, index| index), provisioned);
            }
        }
        verified.compare(Setting::Index, expected, found);
        for index in table.local_secondary_indexes() {
            let name = index.index_name().unwrap_or_default();
            verified.compare(
                Setting::Index,
                format!("without `{name}`"),
                format!("with the local index `{name}`, which caps each partition at 10 GB"),
            );
        }
    }

    fn expected_billing(&self, of: impl Fn(Throughput, Throughput) -> Throughput) -> String {
        match self.billing {
            Billing::OnDemand => "on demand".to_owned(),
            Billing::Provisioned { table, index } => {
                let throughput = of(table, index);
                format!("provisioned, {} RCU and {} WCU", throughput.read, throughput.write)
            }
        }
    }

    fn compare_encryption(&self, table: &TableDescription, verified: &mut Verified) {
        let live = table
            .sse_description
            .as_ref()
            .filter(|sse| !matches!(sse.status, Some(SseStatus::Disabled | SseStatus::Disabling)));
        // DynamoDB Local accepts the setting and ignores it.
        if live.is_none() && is_local(table) && self.encryption != Encryption::OwnedByAws {
            verified.unsupported.push(Unsupported::silent(Setting::Encryption));
            return;
        }
        let found_arn = live.and_then(|sse| sse.kms_master_key_arn()).unwrap_or("unknown");
        let (expected, found) = match (&self.encryption, live) {
            (Encryption::OwnKey(arn), Some(_)) => (format!("by the key {arn}"), format!("by the key {found_arn}")),
            (Encryption::OwnKey(arn), None) => (format!("by the key {arn}"), OWNED_KEY.to_owned()),
            (Encryption::ManagedByAws, None) => ("by a key in the account".to_owned(), OWNED_KEY.to_owned()),
            (Encryption::OwnedByAws, Some(_)) => (OWNED_KEY.to_owned(), format!("by the key {found_arn}")),
            (Encryption::ManagedByAws, Some(_)) | (Encryption::OwnedByAws, None) => return,
        };
        verified.compare(Setting::Encryption, expected, found);
    }
}

const OWNED_KEY: &str = "by a key that AWS owns";

/// Returns the answer, or `None` and an entry in `unsupported` if the service does not support the operation.
///
/// DynamoDB Local refuses some operations with [`INVALID_REQUEST`], so there this code counts as unsupported, too.
///
/// # Errors
/// Any other error, unchanged.
pub(super) fn if_supported<T>(
    setting: Setting,
    table: &TableDescription,
    answer: Result<T>,
    unsupported: &mut Vec<Unsupported>,
) -> Result<Option<T>> {
    let error = match answer {
        Ok(found) => return Ok(Some(found)),
        Err(error) => error,
    };
    match error.service().and_then(|service| service.code.as_deref()) {
        Some(code) if code == UNKNOWN_OPERATION || code == INVALID_REQUEST && is_local(table) => {
            unsupported.push(Unsupported { setting, reason: format!("the service answered {code}") });
            Ok(None)
        }
        _ => Err(error),
    }
}

/// Returns the words for the defined time to live.
pub(super) fn time_to_live_on() -> String {
    format!("on, by `{EXPIRES_AT}`")
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn throughput(live: Option<&ProvisionedThroughputDescription>) -> String {
    let units = |units: Option<i64>| units.unwrap_or(0);
    let (read, write) = live.map_or((0, 0), |live| (units(live.read_capacity_units), units(live.write_capacity_units)));
    format!("provisioned, {read} RCU and {write} WCU")
}

/// Returns a key schema in words, such as `pk (HASH, S), sk (RANGE, S)`.
fn keys(schema: &[KeySchemaElement], attributes: &[AttributeDefinition]) -> String {
    let words: Vec<_> = schema
        .iter()
        .map(|key| {
            let attribute = attributes.iter().find(|attribute| attribute.attribute_name == key.attribute_name);
            let attribute_type = attribute.map_or("no type", |attribute| attribute.attribute_type.as_str());
            format!("{} ({}, {attribute_type})", key.attribute_name, key.key_type.as_str())
        })
        .collect();
    words.join(", ")
}
