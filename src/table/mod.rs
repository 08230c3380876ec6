//! The definition of the table: [`TableSpec`]. With the feature `dynamodb`, a `TableSpec` also creates and verifies the
//! table.
//!
//! The table has the primary key `pk` and `sk`, and the sparse index `gsi1` with the key `gsi1pk` and `gsi1sk`. The
//! attribute `type` contains the name of an item's entity, and `expires_at` contains the time of the item's expiry. The
//! key attributes have generic names, so that an application can add [entities](crate::entity) of its own. The table
//! has no local index, because a local index would limit a conversation to 10 GB.

#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "dynamodb")]
mod live;
#[cfg(feature = "dynamodb")]
mod verify;

use std::collections::BTreeMap;

use crate::error::{Error, Result};

#[cfg(feature = "dynamodb")]
pub use dynamodb::Created;
#[cfg(feature = "dynamodb")]
pub use verify::{Difference, Setting, Unsupported, Verified};

/// The definition of this crate's table, as plain data. With the feature `dynamodb`, a `TableSpec` also creates and
/// verifies the table.
///
/// By default, the table has on-demand billing, a stream of new and old images, time to live, deletion protection and
/// point-in-time recovery. It is encrypted with the AWS account's key for DynamoDB. The keys and the index are fixed,
/// because the [entities](crate::entity::Entity) depend on them.
///
/// ```
/// use threadline::table::{Billing, StreamView, TableSpec, Throughput};
///
/// let spec = TableSpec::new("threadline")
///     .billing(Billing::Provisioned { table: Throughput::new(5, 5), index: Throughput::new(5, 10) })
///     .stream(Some(StreamView::NewImage))
///     .tag("team", "messaging");
/// assert_eq!(spec.name(), "threadline");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TableSpec {
    name: String,
    billing: Billing,
    stream: Option<StreamView>,
    time_to_live: bool,
    point_in_time_recovery: bool,
    deletion_protection: bool,
    encryption: Encryption,
    tags: BTreeMap<String, String>,
}

/// The [billing mode](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html) of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Billing {
    /// On demand: a price per consumed capacity unit.
    #[default]
    OnDemand,
    /// Provisioned: a price per provisioned capacity unit, used or not. Requests above the provisioned throughput are
    /// throttled.
    Provisioned {
        /// The throughput of the table.
        table: Throughput,
        /// The throughput of the index. If it is too low for the index's writes, writes to the table are throttled.
        index: Throughput,
    },
}

/// The provisioned throughput of the table or of its index, in capacity units per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// The read capacity units per second.
    pub read: u32,
    /// The write capacity units per second.
    pub write: u32,
}

impl Throughput {
    /// Creates a throughput of these read and write capacity units per second. [`TableSpec::check`] requires at least 1
    /// of each.
    ///
    /// ```
    /// use threadline::table::Throughput;
    ///
    /// let throughput = Throughput::new(5, 10);
    /// assert_eq!((throughput.read, throughput.write), (5, 10));
    /// ```
    pub fn new(read: u32, write: u32) -> Self {
        Self { read, write }
    }
}

/// The images that the table's stream contains for each changed item. An image is the item before or after the change.
/// This setting cannot be changed while the stream is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamView {
    /// The item's keys only.
    KeysOnly,
    /// The item after the change. This image is sufficient for the [projector](crate::stream::Projector).
    NewImage,
    /// The item before the change. The [projector](crate::stream::Projector) needs the new image, so it cannot use this
    /// setting.
    OldImage,
    /// The item before and after the change.
    NewAndOldImages,
}

/// The [key](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html) that
/// encrypts the table at rest. Every table is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encryption {
    /// A key that AWS owns, without charge and without a record of the key's use.
    OwnedByAws,
    /// The AWS account's key `aws/dynamodb`, which AWS manages. CloudTrail records the key's use, and KMS charges for
    /// it.
    ManagedByAws,
    /// A key that the customer manages in KMS, identified by its ARN.
    OwnKey(String),
}

impl TableSpec {
    /// Creates a definition of a table with this name and the default settings.
    ///
    /// The name consists of 3 to 255 ASCII letters, digits, `_`, `-` and `.`. [`check`](Self::check) validates the
    /// name.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline");
    /// assert!(spec.check().is_ok());
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            billing: Billing::OnDemand,
            stream: Some(StreamView::NewAndOldImages),
            time_to_live: true,
            point_in_time_recovery: true,
            deletion_protection: true,
            encryption: Encryption::ManagedByAws,
            tags: BTreeMap::new(),
        }
    }

    /// Checks this definition, without any request.
    ///
    /// The table's name must follow the naming [rules]: 3 to 255 characters, each an ASCII letter, a digit, `_`, `-` or
    /// `.`. A provisioned throughput needs at least 1 unit of each kind. The methods `create`, `complete` and
    /// `verify` call `check` before any request.
    ///
    /// ```
    /// use threadline::table::{Billing, TableSpec, Throughput};
    ///
    /// let none = Throughput::new(0, 0);
    /// let spec = TableSpec::new("threadline").billing(Billing::Provisioned { table: none, index: none });
    /// assert!(spec.check().is_err());
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the definition violates a rule. The error's message names the rule.
    ///
    /// [rules]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    pub fn check(&self) -> Result<()> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=255).contains(&self.name.len()) || !self.name.bytes().all(allowed) {
            return Err(Error::invalid(
                "table name is invalid: it must have 3 to 255 of the characters a-z, A-Z, 0-9, `_`, `-` and `.`",
            ));
        }
        if let Billing::Provisioned { table, index } = self.billing
            && [table.read, table.write, index.read, index.write].contains(&0)
        {
            return Err(Error::invalid(
                "provisioned throughput is 0; table and index need at least 1 unit of each kind",
            ));
        }
        Ok(())
    }

    /// Returns the name of the table.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// assert_eq!(TableSpec::new("threadline").name(), "threadline");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Replaces the table name, and keeps the other settings.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline").tag("team", "messaging");
    /// assert_eq!(spec.with_name("test"), TableSpec::new("test").tag("team", "messaging"));
    /// ```
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the billing mode. Default: [`Billing::OnDemand`].
    ///
    /// ```
    /// use threadline::table::{Billing, TableSpec, Throughput};
    ///
    /// let (table, index) = (Throughput::new(5, 5), Throughput::new(5, 10));
    /// let spec = TableSpec::new("threadline").billing(Billing::Provisioned { table, index });
    /// assert!(spec.check().is_ok());
    /// ```
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Sets the images that the table's stream contains for each changed item. `None` means no stream. Default:
    /// [`StreamView::NewAndOldImages`].
    ///
    /// The [projector](crate::stream::Projector) needs the new image.
    ///
    /// ```
    /// use threadline::table::{StreamView, TableSpec};
    ///
    /// let spec = TableSpec::new("threadline").stream(Some(StreamView::NewImage));
    /// assert_ne!(spec, TableSpec::new("threadline"));
    /// ```
    pub fn stream(mut self, stream: Option<StreamView>) -> Self {
        self.stream = stream;
        self
    }

    /// Enables or disables time to live: DynamoDB deletes items some time after their `expires_at`. Default: enabled.
    ///
    /// This crate never returns an expired item, deleted or not.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline").time_to_live(false);
    /// assert_ne!(spec, TableSpec::new("threadline"));
    /// ```
    pub fn time_to_live(mut self, on: bool) -> Self {
        self.time_to_live = on;
        self
    }

    /// Enables or disables point-in-time recovery. With it, AWS can restore the table to any second of the last 35
    /// days. Default: enabled.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline").point_in_time_recovery(false);
    /// assert_ne!(spec, TableSpec::new("threadline"));
    /// ```
    pub fn point_in_time_recovery(mut self, on: bool) -> Self {
        self.point_in_time_recovery = on;
        self
    }

    /// Enables or disables deletion protection. A protected table cannot be deleted. Default: enabled.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline-test").deletion_protection(false);
    /// assert_ne!(spec, TableSpec::new("threadline-test"));
    /// ```
    pub fn deletion_protection(mut self, on: bool) -> Self {
        self.deletion_protection = on;
        self
    }

    /// Sets the key that encrypts the table. Default: [`Encryption::ManagedByAws`].
    ///
    /// ```
    /// use threadline::table::{Encryption, TableSpec};
    ///
    /// let spec = TableSpec::new("threadline").encryption(Encryption::OwnedByAws);
    /// assert_ne!(spec, TableSpec::new("threadline"));
    /// ```
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// Adds a tag to the table, or replaces the tag with this key.
    ///
    /// ```
    /// use threadline::table::TableSpec;
    ///
    /// let spec = TableSpec::new("threadline").tag("team", "messaging");
    /// assert_ne!(spec, TableSpec::new("threadline"));
    /// ```
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Returns the billing mode.
    pub fn get_billing(&self) -> Billing {
        self.billing
    }

    /// Returns the images in the stream, or `None` for no stream.
    pub fn get_stream(&self) -> Option<StreamView> {
        self.stream
    }

    /// Returns `true` if DynamoDB deletes items some time after their `expires_at`.
    pub fn get_time_to_live(&self) -> bool {
        self.time_to_live
    }

    /// Returns `true` if the table has point-in-time recovery.
    pub fn get_point_in_time_recovery(&self) -> bool {
        self.point_in_time_recovery
    }

    /// Returns `true` if the table has deletion protection.
    pub fn get_deletion_protection(&self) -> bool {
        self.deletion_protection
    }

    /// Returns the key that encrypts the table.
    pub fn get_encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// Returns the tags.
    pub fn get_tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}
