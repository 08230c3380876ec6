//! The definition of the table: [`TableSpec`]. With the feature `dynamodb` it also creates and verifies the table.
//!
//! The table has the primary key `pk` and `sk`, and the sparse index `gsi1` with the key `gsi1pk` and `gsi1sk`. `type` has the
//! name of an item's entity, and `expires_at` the time of its expiry. The names are generic, so that an application can add
//! entities of its own. There is no local index, because one would limit a conversation to 10 GB.

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

/// What the table is to be: plain data, made the same way for every place it is created in or checked against.
///
/// Unless told otherwise it is billed on demand, has a stream of new and old images, deletes expired items, is protected
/// against deletion, can be restored to any second of the last 35 days, and is encrypted with the account's key for DynamoDB.
/// Keys and index are fixed: the [entities](crate::stored::Entity) are made for them.
///
/// ```
/// use threadline::table::TableSpec;
/// use threadline::table::{Billing, StreamView, Throughput};
///
/// let spec = TableSpec::new("threadline")
///     .billing(Billing::Provisioned { table: Throughput::new(5, 5), index: Throughput::new(5, 10) })
///     .stream(Some(StreamView::NewImage))
///     .tag("team", "messaging");
/// assert_eq!(spec.name(), "threadline");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// How the table's throughput is paid for
/// ([modes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Billing {
    /// By the units consumed.
    #[default]
    OnDemand,
    /// By the units set aside, each second, used or not; what goes over them is throttled.
    Provisioned {
        /// What is set aside for the table.
        table: Throughput,
        /// What is set aside for the index. Where it is too little for the index's writes, writes to the table are throttled.
        index: Throughput,
    },
}

/// Capacity units each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// Read units.
    pub read: u32,
    /// Write units.
    pub write: u32,
}

impl Throughput {
    /// This many read and write units each second, at least 1 of each: [`TableSpec::check`] refuses less.
    pub fn new(read: u32, write: u32) -> Self {
        Self { read, write }
    }
}

/// Which images of a changed item the table's stream carries. It cannot be changed while the stream is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamView {
    /// The item's keys.
    KeysOnly,
    /// The item after the change: enough to keep inboxes in order.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

/// Whose key encrypts the table at rest. There is no table without encryption
/// ([keys](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encryption {
    /// A key that AWS owns: no charge, and no record of its use.
    OwnedByAws,
    /// The account's key `aws/dynamodb`, which AWS manages: its use shows in CloudTrail, and KMS charges for it.
    ManagedByAws,
    /// A key of the account's own, by its ARN.
    OwnKey(String),
}

impl TableSpec {
    /// A table of this name: 3 to 255 ASCII letters, digits, `_`, `-` and `.`, which [`check`](Self::check) looks at.
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

    /// Checks what can be told without the service: the table's name, 3 to 255 of `a` to `z`, `A` to `Z`, `0` to `9`, `_`, `-`
    /// and `.`, and a throughput of at least 1 unit of each kind. `create`, `complete` and `verify` call it before they send
    /// anything.
    /// ([Naming rules](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html))
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), which says what is wrong.
    pub fn check(&self) -> Result<()> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=255).contains(&self.name.len()) || !self.name.bytes().all(allowed) {
            return Err(Error::invalid(
                "a table's name has 3 to 255 of the characters a-z, A-Z, 0-9, `_`, `-` and `.`",
            ));
        }
        if let Billing::Provisioned { table, index } = self.billing
            && [table.read, table.write, index.read, index.write].contains(&0)
        {
            return Err(Error::invalid("a table and its index are provisioned with at least 1 unit of each kind"));
        }
        Ok(())
    }

    /// The name of the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How throughput is paid for; on demand unless told otherwise.
    #[must_use]
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// What the stream carries; new and old images unless told otherwise, and `None` for no stream. The projector needs the
    /// new image.
    #[must_use]
    pub fn stream(mut self, stream: Option<StreamView>) -> Self {
        self.stream = stream;
        self
    }

    /// Whether DynamoDB deletes items some time after their `expires_at`; it does unless told otherwise. An item that has
    /// expired is never returned, deleted or not.
    #[must_use]
    pub fn time_to_live(mut self, on: bool) -> Self {
        self.time_to_live = on;
        self
    }

    /// Whether the table can be restored to any second of the last 35 days; it can unless told otherwise.
    #[must_use]
    pub fn point_in_time_recovery(mut self, on: bool) -> Self {
        self.point_in_time_recovery = on;
        self
    }

    /// Whether the table refuses to be deleted; it does unless told otherwise.
    #[must_use]
    pub fn deletion_protection(mut self, on: bool) -> Self {
        self.deletion_protection = on;
        self
    }

    /// Whose key encrypts the table; the account's `aws/dynamodb` unless told otherwise.
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// Adds a tag, or changes it.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }
}
