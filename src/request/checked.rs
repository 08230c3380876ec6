//! A request of any kind, its check, and its answer.

use super::batch::{BatchGet, BatchGetOutput, BatchWrite, BatchWriteOutput};
use super::get::{Get, GetOutput};
use super::operation::Operation;
use super::outcome::TransactOutcome;
use super::query::{PageOutput, Query};
use super::scan::Scan;
use super::transaction::Transaction;
use super::write::{Write, WriteOutcome};
use crate::capacity::Capacity;
use crate::error::Result;

/// A request of any kind. This enum is exhaustive, so the compiler checks that a store's `match` handles every kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Reads one item.
    Get(Get),
    /// Puts, updates or deletes one item.
    Write(Write),
    /// Reads a page of one partition.
    Query(Query),
    /// Reads a page of the table.
    Scan(Scan),
    /// Writes several items, all or none.
    Transact(Transaction),
    /// Reads several items.
    BatchGet(BatchGet),
    /// Writes several items, each independently.
    BatchWrite(BatchWrite),
}

/// The answer of a store to a [`Request`]. A store answers each request with the variant of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The answer to a [`Get`].
    Get(GetOutput),
    /// The answer to a [`Write`].
    Write(WriteOutcome),
    /// The answer to a [`Query`].
    Query(PageOutput),
    /// The answer to a [`Scan`].
    Scan(PageOutput),
    /// The answer to a [`Transaction`].
    Transact(TransactOutcome),
    /// The answer to a [`BatchGet`].
    BatchGet(BatchGetOutput),
    /// The answer to a [`BatchWrite`].
    BatchWrite(BatchWriteOutput),
}

impl Request {
    /// Returns the kind of the request, without its contents.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Get(_) => Operation::Get,
            Self::Write(_) => Operation::Write,
            Self::Query(_) => Operation::Query,
            Self::Scan(_) => Operation::Scan,
            Self::Transact(_) => Operation::Transact,
            Self::BatchGet(_) => Operation::BatchGet,
            Self::BatchWrite(_) => Operation::BatchWrite,
        }
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Get(_) => Ok(()),
            Self::Write(write) => write.check(),
            Self::Query(query) => query.check(),
            Self::Scan(scan) => scan.check(),
            Self::Transact(transaction) => transaction.check_parts(),
            Self::BatchGet(batch) => batch.check(),
            Self::BatchWrite(batch) => batch.check(),
        }
    }
}

impl Answer {
    /// Returns the capacity that the request consumed.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::Get(answer) => answer.capacity,
            Self::Write(answer) => answer.capacity(),
            Self::Query(answer) | Self::Scan(answer) => answer.capacity,
            Self::Transact(answer) => answer.capacity(),
            Self::BatchGet(answer) => answer.capacity,
            Self::BatchWrite(answer) => answer.capacity,
        }
    }
}

/// A request that was checked against DynamoDB's limits. A [`Store`](crate::store::Store) receives only checked
/// requests.
///
/// A wrapper around a store can change a request. It takes the request out of `Checked`, changes it, and checks it
/// again:
///
/// ```
/// use threadline::entity::{Key, PartitionKey, SortKey};
/// use threadline::store::{Checked, Query, Request, Update, Write};
///
/// let checked = Checked::new(Query::table(PartitionKey::parse("USER#1")?))?;
/// let request = match checked.into_request() {
///     Request::Query(query) => Request::Query(query.limit(std::num::NonZeroU32::MIN)),
///     other => other,
/// };
/// let checked = Checked::new(request)?;
///
/// let key = Key::new(PartitionKey::parse("USER#1")?, SortKey::parse("USER")?);
/// assert!(Checked::new(Write::update(key, Update::new())).is_err(), "an update changes something");
/// # Ok::<(), threadline::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Checked(Request);

impl Checked {
    /// Checks a request against DynamoDB's limits.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if DynamoDB would refuse the request, no matter what the table contains.
    /// Examples: too many keys, actions or bytes; an item without a valid key; an attribute with an invalid name or
    /// value.
    ///
    /// A request that exceeds a limit of this crate is `Invalid` too. An update has at most 100 changes. A condition
    /// has at most 100 parts: comparisons, and tests that an attribute exists or is missing. `All`, `Any` and `Not` are
    /// nested at most 32 deep.
    pub fn new(request: impl Into<Request>) -> Result<Self> {
        let request = request.into();
        request.check()?;
        Ok(Self(request))
    }

    /// Returns the request that was checked.
    pub fn request(&self) -> &Request {
        &self.0
    }

    /// Returns the request without `Checked`. Before you send the request to a store, check it again with
    /// [`new`](Self::new).
    pub fn into_request(self) -> Request {
        self.0
    }

    /// Returns the kind of the request, without its contents.
    pub fn operation(&self) -> Operation {
        self.0.operation()
    }
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request of a store",
    label = "not a request",
    note = "send a `Get`, `Write`, `Query`, `Scan`, `Transaction`, `BatchGet` or `BatchWrite`",
    note = "to send a `Request` of any kind, use `store.execute(Checked::new(request)?)`"
)]
/// A request that determines the type of its answer, such as a [`Get`] or a [`Write`].
/// [`StoreExt::send`](crate::store::StoreExt::send) accepts any such request.
pub trait TypedRequest: Into<Request> + Send {
    /// The type of the answer to this request.
    type Output: Send;

    /// Returns the contents of the answer. Returns `None` if the answer belongs to another kind of request.
    fn output(answer: Answer) -> Option<Self::Output>;
}

macro_rules! typed {
    ($($request:ident => $variant:ident, $output:ty;)*) => {$(
        impl From<$request> for Request {
            fn from(request: $request) -> Self {
                Self::$variant(request)
            }
        }

        impl TypedRequest for $request {
            type Output = $output;

            fn output(answer: Answer) -> Option<$output> {
                if let Answer::$variant(output) = answer { Some(output) } else { None }
            }
        }
    )*};
}

typed! {
    Get => Get, GetOutput;
    Write => Write, WriteOutcome;
    Query => Query, PageOutput;
    Scan => Scan, PageOutput;
    Transaction => Transact, TransactOutcome;
    BatchGet => BatchGet, BatchGetOutput;
    BatchWrite => BatchWrite, BatchWriteOutput;
}
