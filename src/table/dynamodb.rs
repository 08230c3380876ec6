//! Creates the table, waits until it is active, and deletes it.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    SseSpecification, SseType, StreamSpecification, TableDescription, TableStatus, Tag, TimeToLiveSpecification,
};

use super::live::view_type;
use super::verify::{INVALID_REQUEST, Setting, Unsupported, if_supported, time_to_live_on};
use super::{Billing, Encryption, TableSpec, Throughput};
use crate::aws::{Backoff, Call, incomplete};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{EXPIRES_AT, GSI1, GSI1PK, GSI1SK, PK, SK};

/// The longest pause between two requests while the table changes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The maximum number of pauses: 5 minutes in total.
const PAUSES: u32 = 63;
/// The maximum number of pauses for a missing table: 12 s in total. A new table may not be visible at once.
const PAUSES_TO_APPEAR: u32 = 5;

/// The result of [`TableSpec::create`] and [`TableSpec::complete`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The settings that the table lacks, because the service does not support them.
    ///
    /// The list is always empty on AWS. An emulator may lack point-in-time recovery, encryption or tags.
    pub unsupported: Vec<Unsupported>,
}

impl TableSpec {
    /// Creates the table that this definition describes, and [completes](Self::complete) it. On AWS this takes about 10
    /// to 30 s.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// let created = TableSpec::new("threadline").create(&client).await?;
    /// for unsupported in &created.unsupported {
    ///     println!("{unsupported}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) if [`check`](Self::check) fails, before any request.
    /// * [`AlreadyExists`](ErrorKind::AlreadyExists) if a table with this name already exists. To compare that table
    ///   with this definition, call [`verify`](Self::verify).
    /// * Any other error of the service if a step fails. The error's [`operation`](Error::operation) names the step.
    ///   If a step other than `create_table` failed, the table exists, no matter which [`outcome`](Error::outcome) the
    ///   error has. Then continue with [`complete`](Self::complete).
    pub async fn create(&self, client: &Client) -> Result<Created> {
        self.checked("create_table")?;
        let call = Call::write("create_table", &self.name);
        let request = self.creation(client).map_err(|error| call.named(error))?;
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        sent.map_err(|error| match error.code() {
            Some("ResourceInUseException") if !call.attempts.may_have_been_done() => {
                call.named(Error::new(ErrorKind::AlreadyExists, "a table with this name already exists"))
            }
            _ => call.error(&error),
        })?;
        self.complete(client).await
    }

    /// Waits up to 5 minutes until the table is active. Then enables time to live and point-in-time recovery, if the
    /// definition enables them.
    ///
    /// These are the last steps of [`create`](Self::create). Call `complete` after a `create` that failed or whose
    /// answer was lost. The call is safe to repeat, even on a complete table.
    ///
    /// The call disables no setting. It does not change the settings that only `create` sets, such as billing. To
    /// compare all settings with the definition, call [`verify`](Self::verify).
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// TableSpec::new("threadline").complete(&client).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Invalid`](ErrorKind::Invalid) if [`check`](Self::check) fails, before any request.
    /// * [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table after 12 s.
    /// * [`Unavailable`](ErrorKind::Unavailable) if the table is not active after 5 minutes.
    /// * Any other error of the service if a step fails. The error's [`operation`](Error::operation) names the step.
    ///   All earlier steps are done.
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
            if_supported(Setting::Tags, &table, tags, &mut unsupported)?;
        }
        if self.time_to_live {
            let done = self.set_time_to_live(client).await;
            if_supported(Setting::TimeToLive, &table, done, &mut unsupported)?;
        }
        if self.point_in_time_recovery {
            let done = self.set_point_in_time_recovery(client).await;
            if_supported(Setting::PointInTimeRecovery, &table, done, &mut unsupported)?;
        }
        Ok(Created { unsupported })
    }

    /// Waits up to 5 minutes until the table and its index are active.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// TableSpec::new("threadline").wait_until_active(&client).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table after 12 s.
    /// * [`Unavailable`](ErrorKind::Unavailable) if the table is not active after 5 minutes.
    /// * Any other error of the service if a request fails.
    pub async fn wait_until_active(&self, client: &Client) -> Result<()> {
        self.until_active(client).await.map(|_| ())
    }

    /// Deletes the table with all of its data, and waits up to 5 minutes until the table is gone.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// let spec = TableSpec::new("threadline-test");
    /// spec.remove_protection(&client).await?;
    /// spec.delete(&client).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Denied`](ErrorKind::Denied) if the table has deletion protection: call
    ///   [`remove_protection`](Self::remove_protection) first.
    /// * [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table.
    /// * [`Unavailable`](ErrorKind::Unavailable) if the table still exists after 5 minutes.
    /// * Any other error of the service if a request fails.
    pub async fn delete(&self, client: &Client) -> Result<()> {
        let call = Call::write("delete_table", &self.name);
        let table = self.describe(client).await?.ok_or_else(|| self.not_there(call.operation))?;
        if table.deletion_protection_enabled == Some(true) {
            let message =
                "the table has deletion protection; remove the protection first if all of its data may be deleted";
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
        Err(self.not_in_time(call.operation, "the table still exists after 5 minutes"))
    }

    /// Removes the table's deletion protection, and waits up to 5 minutes until the table is active again.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> threadline::Result<()> {
    /// use threadline::store::dynamodb::local_client;
    /// use threadline::table::TableSpec;
    ///
    /// let client = local_client("http://localhost:8000");
    /// TableSpec::new("threadline-test").remove_protection(&client).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// * [`Misconfigured`](ErrorKind::Misconfigured) if there is no such table.
    /// * [`Unavailable`](ErrorKind::Unavailable) if the table is not active after 5 minutes.
    /// * Any other error of the service if a request fails.
    pub async fn remove_protection(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_table", &self.name);
        let request = client.update_table().table_name(&self.name).deletion_protection_enabled(false);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        sent.map_err(|error| call.error(&error))?;
        self.wait_until_active(client).await
    }

    fn creation(&self, client: &Client) -> Result<CreateTableFluentBuilder> {
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
            .build()
            .map_err(incomplete)?;
        let stream = StreamSpecification::builder()
            .stream_enabled(self.stream.is_some())
            .set_stream_view_type(self.stream.map(view_type))
            .build()
            .map_err(incomplete)?;
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
            request = request.attribute_definitions(attribute.build().map_err(incomplete)?);
        }
        for (key, value) in &self.tags {
            request = request.tags(Tag::builder().key(key).value(value).build().map_err(incomplete)?);
        }
        Ok(request)
    }

    async fn set_time_to_live(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_time_to_live", &self.name);
        let on =
            TimeToLiveSpecification::builder().attribute_name(EXPIRES_AT).enabled(true).build().map_err(incomplete)?;
        let request = client.update_time_to_live().table_name(&self.name).time_to_live_specification(on);
        let sent = request.customize().interceptor(call.attempts.clone()).send().await;
        let Err(error) = sent else { return Ok(()) };
        // The service refuses to enable it twice with the same code as an invalid request, so this reads the setting.
        if error.code() == Some(INVALID_REQUEST)
            && self.live_time_to_live(client).await.is_ok_and(|live| live == time_to_live_on())
        {
            return Ok(());
        }
        Err(call.error(&error))
    }

    async fn set_point_in_time_recovery(&self, client: &Client) -> Result<()> {
        let call = Call::write("update_continuous_backups", &self.name);
        let on = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .map_err(incomplete)?;
        let request =
            client.update_continuous_backups().table_name(&self.name).point_in_time_recovery_specification(on);
        let mut pauses = 0;
        loop {
            let sent = request.clone().customize().interceptor(call.attempts.clone()).send().await;
            let Err(error) = sent else { return Ok(()) };
            // AWS is still preparing backups of a new table.
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

/// Waits before the next request: not before the first, then 500 ms, doubled each time up to the longest pause.
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

fn key_element(name: &str, key_type: KeyType) -> Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().map_err(incomplete)
}

fn provisioned(throughput: Throughput) -> Result<ProvisionedThroughput> {
    ProvisionedThroughput::builder()
        .read_capacity_units(throughput.read.into())
        .write_capacity_units(throughput.write.into())
        .build()
        .map_err(incomplete)
}

fn sse(encryption: &Encryption) -> Option<SseSpecification> {
    let on = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    match encryption {
        Encryption::OwnedByAws => None,
        Encryption::ManagedByAws => Some(on.build()),
        Encryption::OwnKey(arn) => Some(on.kms_master_key_id(arn).build()),
    }
}
