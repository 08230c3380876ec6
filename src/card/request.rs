//! The cards of requests, and of the entities that they read and write.

use std::fmt;

use crate::capacity::Consistency;

/// The declaration of an entity: its name and the templates of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct EntityCard {
    /// The name of the entity, which is the value of its items' `type` attribute.
    pub name: &'static str,
    /// The template of the partition key, such as `MSG#<group>`.
    pub pk: &'static str,
    /// The template of the sort key, such as `USER#<user>`.
    pub sk: &'static str,
    /// The templates of the partition key and the sort key in the index, if the entity's items are in the index.
    pub index: Option<(&'static str, &'static str)>,
}

impl EntityCard {
    /// Creates the card of an entity from its name and the templates of its keys in the table. For an entity in the
    /// index, add [`indexed`](Self::indexed).
    pub const fn new(name: &'static str, pk: &'static str, sk: &'static str) -> Self {
        Self { name, pk, sk, index: None }
    }

    /// Sets the templates of the entity's keys in the index. Default: the entity is not in the index.
    pub const fn indexed(mut self, pk: &'static str, sk: &'static str) -> Self {
        self.index = Some((pk, sk));
        self
    }
}

/// The declaration of one request of an access pattern, or of one action of a transaction that the pattern sends.
///
/// By default, the request goes to the table, is eventually consistent and has no condition. A query or scan is made
/// once for each page, and any other request is made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct RequestCard {
    /// The operation of the request.
    pub kind: RequestKind,
    /// The entity whose keys the request uses. `None` for a scan.
    pub entity: Option<&'static EntityCard>,
    /// The source of a read: the table or the index.
    pub source: Source,
    /// The range of sort keys that a query reads, in words. Empty if the query reads all sort keys.
    pub range: &'static str,
    /// The consistency of a read.
    pub consistency: Consistency,
    /// The condition of a write, in words. Empty if the write has none.
    pub condition: &'static str,
    /// The number of times that one call makes the request.
    pub times: Times,
    /// `true` if the request is an action of a transaction. Adjacent actions belong to one transaction.
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

    /// Declares the read of one item of this entity.
    pub const fn get(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Get, Some(entity))
    }

    /// Declares the read of several items of this entity by their keys.
    pub const fn batch_get(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::BatchGet, Some(entity))
    }

    /// Declares the read of a partition of this entity, page by page.
    pub const fn query(entity: &'static EntityCard) -> Self {
        Self { times: Times::PerPage, ..Self::new(RequestKind::Query, Some(entity)) }
    }

    /// Declares the read of the whole table, page by page.
    pub const fn scan() -> Self {
        Self { times: Times::PerPage, ..Self::new(RequestKind::Scan, None) }
    }

    /// Declares the put of an item of this entity.
    pub const fn put(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Put, Some(entity))
    }

    /// Declares the update of an item of this entity.
    pub const fn update(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Update, Some(entity))
    }

    /// Declares the deletion of an item of this entity.
    pub const fn delete(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Delete, Some(entity))
    }

    /// Declares an action of a transaction that checks a condition on an item of this entity: `ConditionCheck`.
    pub const fn check(entity: &'static EntityCard) -> Self {
        Self::new(RequestKind::Check, Some(entity)).in_transaction()
    }

    /// Makes the request read the index. Default: it reads the table.
    pub const fn on_index(mut self) -> Self {
        self.source = Source::Index;
        self
    }

    /// Sets the range of sort keys that a query reads, in words. Default: all sort keys.
    pub const fn range(mut self, range: &'static str) -> Self {
        self.range = range;
        self
    }

    /// Makes the read strongly consistent. Default: eventually consistent.
    pub const fn consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// Sets the condition of a write, in words. Default: none.
    pub const fn when(mut self, condition: &'static str) -> Self {
        self.condition = condition;
        self
    }

    /// Sets the number of times that one call makes the request. Default: once for each page of a query or scan, and
    /// once for any other request.
    pub const fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }

    /// Makes the request an action of a transaction. Default: it is sent alone.
    pub const fn in_transaction(mut self) -> Self {
        self.transaction = true;
        self
    }

    /// Returns the templates of the partition key and the sort key that the request uses, or `None` for a scan. For a
    /// read of the index, these are the templates of the index key.
    ///
    /// For a query, the second text is its [range](Self::range), not the template of the sort key.
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

/// Shows the request in a few words, such as `consistent Query Membership`.
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

/// The operation of a [`RequestCard`], by DynamoDB's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// `GetItem`: the read of one item.
    Get,
    /// `BatchGetItem`: the read of several items by their keys.
    BatchGet,
    /// `Query`: the read of a page of one partition.
    Query,
    /// `Scan`: the read of a page of the table.
    Scan,
    /// `PutItem`, or `Put` in a transaction.
    Put,
    /// `UpdateItem`, or `Update` in a transaction.
    Update,
    /// `DeleteItem`, or `Delete` in a transaction.
    Delete,
    /// `ConditionCheck` in a transaction: a condition on an item that is not written.
    Check,
}

/// The source of a read that a [`RequestCard`] declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The table.
    Table,
    /// The index `gsi1`, whose reads are eventually consistent.
    Index,
}

/// The number of times that one call of an access pattern makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Times {
    /// Once in each call.
    Once,
    /// Once for each page that DynamoDB returns, until the page of the access pattern is full.
    PerPage,
    /// Once for each member of the conversation.
    PerMember,
    /// Once for each object of this kind, such as `user`.
    Each(&'static str),
    /// Once, but only if this condition is met. The text states the condition: `the draft has an id`.
    OnlyIf(&'static str),
}
