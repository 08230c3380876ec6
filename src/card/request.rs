//! The requests of a card, and the entities that they read and write.

use std::fmt;

use crate::capacity::Consistency;

/// The declaration of an entity: its type and the templates of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityCard {
    /// The value of the `type` attribute.
    pub name: &'static str,
    /// The template of the partition key: `MSG#<group>`.
    pub pk: &'static str,
    /// The template of the sort key.
    pub sk: &'static str,
    /// The templates of the index keys, if the entity is in the index.
    pub index: Option<(&'static str, &'static str)>,
}

impl EntityCard {
    /// Creates the card of an entity that is not in the index.
    pub const fn new(name: &'static str, pk: &'static str, sk: &'static str) -> Self {
        Self { name, pk, sk, index: None }
    }

    /// Sets the templates of the index keys. Default: not in the index.
    #[must_use]
    pub const fn indexed(mut self, pk: &'static str, sk: &'static str) -> Self {
        self.index = Some((pk, sk));
        self
    }
}

/// One request of a pattern, or one action of its transaction.
///
/// Default: eventually consistent, from the table, once, without a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestCard {
    /// The operation.
    pub kind: RequestKind,
    /// The entity whose keys the request uses. A scan has none.
    pub entity: Option<&'static EntityCard>,
    /// The source of a read.
    pub source: Source,
    /// The range of sort keys of a query, in words. Empty for all sort keys.
    pub range: &'static str,
    /// The consistency of a read.
    pub consistency: Consistency,
    /// The condition of a write, in words. Empty if there is none.
    pub condition: &'static str,
    /// The number of times that the pattern makes the request.
    pub times: Times,
    /// `true` for an action of a transaction. Adjacent actions belong to one transaction.
    pub transaction: bool,
}

impl RequestCard {
    const fn new(kind: RequestKind, entity: Option<&'static EntityCard>) -> Self {
        Self {
            kind,
            entity,
            source: Source::Table,
            range: "",
            consistency: Consistency::Eventual,
            condition: "",
            times: Times::Once,
            transaction: false,
        }
    }

    /// Declares the read of one item.
    pub const fn get(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Get, Some(entity))
    }

    /// Declares the read of several items by their keys.
    pub const fn batch_get(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::BatchGet, Some(entity))
    }

    /// Declares the read of a partition's items, page by page.
    pub const fn query(entity: &'static EntityCard) -> Self {
        Self { times: Times::PerPage, ..Self::new(RequestKind::Query, Some(entity)) }
    }

    /// Declares the read of the table's items, page by page.
    pub const fn scan() -> Self {
        Self { times: Times::PerPage, ..Self::new(RequestKind::Scan, None) }
    }

    /// Declares the put of an item.
    pub const fn put(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Put, Some(entity))
    }

    /// Declares the update of an item.
    pub const fn update(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Update, Some(entity))
    }

    /// Declares the deletion of an item.
    pub const fn delete(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Delete, Some(entity))
    }

    /// Declares the check of a condition on an item, in a transaction.
    pub const fn check(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Check, Some(entity)).in_transaction()
    }

    /// Sets the source to the index. Default: the table.
    #[must_use]
    pub const fn on_index(mut self) -> Self {
        self.source = Source::Index;
        self
    }

    /// Sets the range of sort keys, in words. Default: all sort keys.
    #[must_use]
    pub const fn range(mut self, range: &'static str) -> Self {
        self.range = range;
        self
    }

    /// Makes the read strongly consistent. Default: eventually consistent.
    #[must_use]
    pub const fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the condition, in words. Default: none.
    #[must_use]
    pub const fn when(mut self, condition: &'static str) -> Self {
        self.condition = condition;
        self
    }

    /// Sets the number of times that the pattern makes the request. Default: once; for a query or scan, once for each
    /// page.
    #[must_use]
    pub const fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }

    /// Makes the request an action of a transaction. Default: a request of its own.
    #[must_use]
    pub const fn in_transaction(mut self) -> Self {
        self.transaction = true;
        self
    }

    /// Returns the templates of the partition key and the sort key, or of the index keys for a read of the index. For a
    /// query, the second value is the range.
    pub const fn key(&self) -> Option<(&'static str, &'static str)> {
        let Some(entity) = self.entity else { return None };
        let (pk, sk) = match (self.source, entity.index) {
            (Source::Index, Some(keys)) => keys,
            _ => (entity.pk, entity.sk),
        };
        match self.kind {
            RequestKind::Query => Some((pk, self.range)),
            _ => Some((pk, sk)),
        }
    }
}

/// Shows the request in a few words: `consistent Query Membership`.
impl fmt::Display for RequestCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.consistency == Consistency::Strong {
            f.write_str("consistent ")?;
        }
        write!(f, "{:?}", self.kind)?;
        if let Some(entity) = self.entity {
            write!(f, " {}", entity.name)?;
        }
        if self.source == Source::Index {
            f.write_str(" on the index")?;
        }
        match self.times {
            Times::Once | Times::PerPage => Ok(()),
            Times::PerMember => f.write_str(" per member"),
            Times::Each(unit) => write!(f, " per {unit}"),
            Times::OnlyIf(condition) => write!(f, " if {condition}"),
        }
    }
}

/// The operation of a request, by DynamoDB's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// `GetItem`.
    Get,
    /// `BatchGetItem`.
    BatchGet,
    /// `Query`: a page of one partition.
    Query,
    /// `Scan`: a page of the table.
    Scan,
    /// `PutItem`, or `Put` in a transaction.
    Put,
    /// `UpdateItem`, or `Update` in a transaction.
    Update,
    /// `DeleteItem`, or `Delete` in a transaction.
    Delete,
    /// `ConditionCheck` in a transaction.
    Check,
}

/// The source of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Reads from the table.
    Table,
    /// Reads from the index `gsi1`, eventually consistent.
    Index,
}

/// The number of times that a pattern makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Times {
    /// Once.
    Once,
    /// Once for each page that DynamoDB returns, until the pattern's own page is full.
    PerPage,
    /// Once for each member of the conversation.
    PerMember,
    /// Once for each unit of this name, such as `user`.
    Each(&'static str),
    /// Once, if this condition, in words, is met: `the draft has an id`.
    OnlyIf(&'static str),
}
