//! Making the table, waiting for it and deleting it.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    SseSpecification, SseType, StreamSpecification, TableDescription, TableStatus, Tag, TimeToLiveSpecification,
};

use super::live::view_type;
use super::verify::{Setting, Unsupported, WRONG, asked, time_to_live_on};
use super::{Billing, Encryption, TableSpec, Throughput};
use crate::aws::{Backoff, Call};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{EXPIRES_AT, GSI1, GSI1PK, GSI1SK, PK, SK};

/// The longest pause between two looks at a table that changes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many pauses there are at most: 5 minutes' worth.
const PAUSES: u32 = 63;
/// How many pauses a table that is not there is waited for: 12 seconds' worth. A new table may not show at once.
const PAUSES_TO_APPEAR: u32 = 5;

/// A table that was made, or completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// What the service does not have, so that the table lacks it. Always empty on AWS; an emulator may have no
    /// point-in-time recovery, encryption or tags.
    pub unsupported: Vec<Unsupported>,
}

impl TableSpec {
    /// Makes the table, and [completes](Self::complete) it. On AWS this takes some 10 to 30 seconds.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`check`](Self::check) refuses, before anything is sent.
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) when there is a table of this name, whatever it is like:
    /// [`verify`](Self::verify) says that. Otherwise by what went wrong, and [`operation`](Error::operation) says at which
    /// step. Behind `create_table` the table exists, whatever [`outcome`](Error::outcome) says of the step that failed: go on
    /// by [`complete`](Self::complete).
    pub async fn create(&self, client: &Client) -> Result<Created> {
        self.checked("create_table")?;
        let call = Call::write("create_table", &self.name);
        let request = self.creation(client).map_err(|error| call.named(error.into()))?;
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        sent.map_err(|error| match error.code() {
            Some("ResourceInUseException") if !call.attempts.may_have_been_done() => {
                call.named(Error::new(ErrorKind::AlreadyExists, "there is a table of this name already"))
            }
            _ => call.error(&error),
        })?;
        self.complete(client).await
    }

    /// Does what can only be done to a table that is there, and what [`create`](Self::create) ends with: waits until the table
    /// is active, for 5 minutes at most, and sets the time to live and point-in-time recovery where they are asked for.
    ///
    /// It may be called as often as wanted, also on a table that is complete: after a `create` that failed on its way, or
    /// whose answer was lost. It turns nothing off, and what a table is only made with it leaves as it is:
    /// [`verify`](Self::verify) says whether that is as defined.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what [`check`](Self::check) refuses, before anything is sent;
    /// [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table after 12 seconds;
    /// [`Unavailable`](ErrorKind::Unavailable) when it is not active after 5 minutes. Otherwise by what went wrong, and
    /// [`operation`](Error::operation) says at which step; those before it are done.
    pub async fn complete(&self, client: &Client) -> Result<Created> {
        self.checked("describe_table")?;
        let table = self.until_active(client).await?;

        let mut unsupported = Vec::new();
        if self.encryption != Encryption::OwnedByAws && table.sse_description.is_none() {
            unsupported.push(Unsupported::silent(Setting::Encryption));
        }
        if self.deletion_protection && table.deletion_protection_enabled != Some(true) {
            unsupported.push(Unsupported::silent(Setting::DeletionProtection));
        }
        if !self.tags.is_empty() {
            let tags = self.live_tags(client, &table).await;
            asked(Setting::Tags, &table, tags, &mut unsupported)?;
        }
        if self.time_to_live {
            let done = self.set_time_to_live(client).await;
            asked(Setting::TimeToLive, &table, done, &mut unsupported)?;
        }
        if self.point_in_time_recovery {
            let done = self.set_point_in_time_recovery(client).await;
            asked(Setting::PointInTimeRecovery, &table, done, &mut unsupported)?;
        }
        Ok(Created { unsupported })
    }

    /// Waits until the table and its index are active, for 5 minutes at most.
    ///
    /// # Errors
    /// [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table after 12 seconds;
    /// [`Unavailable`](ErrorKind::Unavailable) when it is not active after 5 minutes.
    pub async fn wait_until_active(&self, client: &Client) -> Result<()> {
        self.until_active(client).await.map(|_| ())
    }

    /// Deletes the table and all that it holds, and waits until it is gone, for 5 minutes at most.
    ///
    /// # Errors
    /// [`Denied`](ErrorKind::Denied) while the table is protected against deletion: call
    /// [`remove_protection`](Self::remove_protection) first. [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table;
    /// [`Unavailable`](ErrorKind::Unavailable) when it is not gone after 5 minutes.
    pub async fn delete(&self, client: &Client) -> Result<()> {
        let call = Call::write("delete_table", &self.name);
        let table = self.describe(client).await?.ok_or_else(|| self.not_there(call.operation))?;
        if table.deletion_protection_enabled == Some(true) {
            let message = "the table is protected against deletion; remove the protection first, where all that it holds \
                           may go";
            return Err(call.named(Error::new(ErrorKind::Denied, message)));
        }
        let request = client.delete_table().table_name(&self.name).customize().interceptor(call.attempts.clone());
        request.send().await.map_err(|error| call.error(&error))?;
        for pauses in 0..=PAUSES {
            pause(client, pauses).await;
            if self.describe(client).await?.is_none() {
                return Ok(());
            }
        }
        Err(self.not_in_time(call.operation, "the table is still there after 5 minutes"))
    }

    /// Removes the table's protection against deletion, and waits until it is active again.
    ///
    /// # Errors
    /// [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table.
    pub async fn remove_protection(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_table", &self.name);
        let request = client.update_table().table_name(&self.name).deletion_protection_enabled(false);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        sent.map_err(|error| call.error(&error))?;
        self.wait_until_active(client).await
    }

    fn creation(&self, client: &Client) -> Result<CreateTableFluentBuilder, BuildError> {
        let (table, index) = match self.billing {
            Billing::OnDemand => (None, None),
            Billing::Provisioned { table, index } => (Some(provisioned(table)?), Some(provisioned(index)?)),
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(GSI1)
            .key_schema(key_element(GSI1PK, KeyType::Hash)?)
            .key_schema(key_element(GSI1SK, KeyType::Range)?)
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .set_provisioned_throughput(index)
            .build()?;
        let stream = StreamSpecification::builder()
            .stream_enabled(self.stream.is_some())
            .set_stream_view_type(self.stream.map(view_type))
            .build()?;
        let mut request = client
            .create_table()
            .table_name(&self.name)
            .key_schema(key_element(PK, KeyType::Hash)?)
            .key_schema(key_element(SK, KeyType::Range)?)
            .global_secondary_indexes(index)
            .billing_mode(if table.is_some() { BillingMode::Provisioned } else { BillingMode::PayPerRequest })
            .set_provisioned_throughput(table)
            .stream_specification(stream)
            .set_sse_specification(sse(&self.encryption))
            .deletion_protection_enabled(self.deletion_protection);
        for name in [PK, SK, GSI1PK, GSI1SK] {
            let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            request = request.attribute_definitions(attribute.build()?);
        }
        for (key, value) in &self.tags {
            request = request.tags(Tag::builder().key(key).value(value).build()?);
        }
        Ok(request)
    }

    async fn set_time_to_live(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_time_to_live", &self.name);
        let on = TimeToLiveSpecification::builder().attribute_name(EXPIRES_AT).enabled(true).build()?;
        let request = client.update_time_to_live().table_name(&self.name).time_to_live_specification(on);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        let Err(error) = sent else { return Ok(()) };
        // One that is on already is refused by the same code as a request that is wrong, so the table has to tell.
        if error.code() == Some(WRONG)
            && self.live_time_to_live(client).await.is_ok_and(|live| live == time_to_live_on())
        {
            return Ok(());
        }
        Err(call.error(&error))
    }

    async fn set_point_in_time_recovery(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_continuous_backups", &self.name);
        let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build()?;
        let request =
            client.update_continuous_backups().table_name(&self.name).point_in_time_recovery_specification(on);
        let mut pauses = 0;
        loop {
            let sent = request.clone().customize().interceptor(call.attempts.clone()).send().await;
            let Err(error) = sent else { return Ok(()) };
            // AWS is still setting up backups for a table that is new.
            if error.code() != Some("ContinuousBackupsUnavailableException") || pauses >= PAUSES {
                return Err(call.error(&error));
            }
            pauses += 1;
            pause(client, pauses).await;
        }
    }

    async fn until_active(&self, client: &Client) -> Result<TableDescription> {
        for pauses in 0..=PAUSES {
            pause(client, pauses).await;
            match self.describe(client).await? {
                Some(table) if is_active(&table) => return Ok(table),
                None if pauses >= PAUSES_TO_APPEAR => return Err(self.not_there("describe_table")),
                _ => {}
            }
        }
        Err(self.not_in_time("describe_table", "the table is not active after 5 minutes"))
    }

    fn not_in_time(&self, operation: &'static str, message: &'static str) -> Error {
        Error::new(ErrorKind::Unavailable, message).with_operation(operation).with_table(&self.name)
    }
}

/// Waits before a look at the table: not at all before the first, then half a second, and twice as long each time.
async fn pause(client: &Client, pauses: u32) {
    if let Some(doublings) = pauses.checked_sub(1) {
        let pause = Duration::from_millis(500).saturating_mul(1 << doublings.min(16));
        Backoff::new(client).sleep(pause.min(LONGEST_PAUSE)).await;
    }
}

fn is_active(table: &TableDescription) -> bool {
    let indexes = table.global_secondary_indexes();
    table.table_status == Some(TableStatus::Active)
        && indexes.iter().all(|index| index.index_status == Some(IndexStatus::Active))
}

fn key_element(name: &str, key_type: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(key_type).build()
}

fn provisioned(throughput: Throughput) -> Result<ProvisionedThroughput, BuildError> {
    ProvisionedThroughput::builder()
        .read_capacity_units(throughput.read.into())
        .write_capacity_units(throughput.write.into())
        .build()
}

fn sse(encryption: &Encryption) -> Option<SseSpecification> {
    let on = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    match encryption {
        Encryption::OwnedByAws => None,
        Encryption::ManagedByAws => Some(on.build()),
        Encryption::OwnKey(arn) => Some(on.kms_master_key_id(arn).build()),
    }
}
