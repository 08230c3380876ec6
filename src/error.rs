//! The one error type: opaque, with a kind, and never with the content of an item.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What the crate's fallible calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, to what, and whether the request may have taken effect.
///
/// The message says what happened and what to do; a cause is in [`source`](StdError::source) and is not repeated. Neither
/// the message nor `Debug` ever holds a message's text, a person's name or the value of a key.
///
/// ```
/// use threadline::{ErrorKind, MessageBody};
///
/// let error = MessageBody::new("").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert!(!error.is_retryable());
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    entity: Option<&'static str>,
    table: Option<String>,
    service: Option<ServiceError>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of error it is: what a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing asked for does not exist, or the caller may not know that it does.
    NotFound,
    /// Something else already has this id, handle or identity.
    AlreadyExists,
    /// A condition on a write was not met. Nothing was written.
    ConditionFailed,
    /// Another transaction held one of the items. Nothing was written; try again.
    Conflict,
    /// The table or the account is over its throughput. Nothing was done; try again later.
    Throttled,
    /// The service could not be reached, had a fault of its own, or answered with something unknown. Nothing was done; try
    /// again later.
    Unavailable,
    /// The deployment is at fault, and somebody must change it: a missing table or index, a table with other keys, a
    /// permission that is missing in IAM, missing credentials, an event of another source.
    Misconfigured,
    /// The input can never succeed. Nothing was sent, or the service refused it.
    Invalid,
    /// The user may not do this, such as edit somebody else's message.
    Denied,
    /// A write was sent and its answer was lost: it may have taken effect or not.
    ///
    /// Read the state, or repeat the call where it is idempotent (a send with the same message id is).
    OutcomeUnknown,
    /// A stored item is not what its entity expects.
    Corrupt,
}

/// Who can make a failed call succeed. Returned by [`Error::recovery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// A later attempt may succeed, with nothing changed.
    Retry,
    /// Somebody must change the deployment first.
    Operator,
    /// The same call will always fail.
    Permanent,
}

/// Whether the request that failed may nevertheless have taken effect. It speaks of that one request: see
/// [`Error::outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request changed nothing.
    NotDone,
    /// The request may have changed something: its answer was lost after it was sent.
    Unknown,
}

/// What the service said of a request that it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The service's code, for example `ThrottlingException`. Match on this, never on the message.
    pub code: Option<String>,
    /// The service's own words. They change without notice, and from region to region.
    pub message: Option<String>,
    /// The request's id, which AWS support asks for.
    pub request_id: Option<String>,
}

impl ServiceError {
    /// What the service said, in its three parts.
    pub fn new(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
        }
    }
}

impl Error {
    /// An error of this kind. The message says what happened and what to do, in lower case and without the content of any
    /// item. For those who write a store of their own.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                operation: None,
                entity: None,
                table: None,
                service: None,
                source: None,
            }),
        }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// Names the operation that failed. The name given last, by the outermost caller, is the one kept.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// Names the entity concerned, for example `Message`.
    #[must_use]
    pub fn with_entity(mut self, entity: &'static str) -> Self {
        self.inner.entity = Some(entity);
        self
    }

    /// Names the table concerned.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.inner.table = Some(table.into());
        self
    }

    /// Adds what the service said.
    #[must_use]
    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.inner.service = Some(service);
        self
    }

    /// Adds the cause. Its `Display` must be free of the content of items: `Debug` of this error prints it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What was being done: an access pattern (`messages.send`), or a store's operation (`query`).
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// The entity concerned, for example `Message`.
    pub fn entity(&self) -> Option<&'static str> {
        self.inner.entity
    }

    /// The table concerned.
    pub fn table(&self) -> Option<&str> {
        self.inner.table.as_deref()
    }

    /// What the service said, where it was the service that refused.
    pub fn service(&self) -> Option<&ServiceError> {
        self.inner.service.as_ref()
    }

    /// Returns a text that is fit for an API's client: without the table, the operation, the request's id or the service's
    /// words. The [`Display`](fmt::Display) form is for logs.
    ///
    /// ```
    /// use threadline::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Misconfigured, "the index does not exist").with_table("chat");
    /// assert_eq!(error.message(), "the service is not set up correctly");
    /// assert_eq!(error.to_string(), "table `chat`: the index does not exist");
    /// ```
    pub fn message(&self) -> &str {
        match self.kind() {
            ErrorKind::Throttled => "too many requests; try again later",
            ErrorKind::Unavailable => "the service is not available; try again later",
            ErrorKind::OutcomeUnknown => "the request may have been carried out or not; try again",
            ErrorKind::Misconfigured => "the service is not set up correctly",
            ErrorKind::Corrupt => "the stored data cannot be read",
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::ConditionFailed
            | ErrorKind::Conflict
            | ErrorKind::Invalid
            | ErrorKind::Denied => &self.inner.message,
        }
    }

    /// Returns who can make the call succeed: the one classification of errors in this crate.
    ///
    /// After [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), retry only what is idempotent, as the access patterns are.
    pub fn recovery(&self) -> Recovery {
        match self.kind() {
            ErrorKind::Conflict | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::OutcomeUnknown => {
                Recovery::Retry
            }
            ErrorKind::Misconfigured => Recovery::Operator,
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::ConditionFailed
            | ErrorKind::Invalid
            | ErrorKind::Denied
            | ErrorKind::Corrupt => Recovery::Permanent,
        }
    }

    /// Returns `true` if the same request can be retried safely and may succeed: its [`recovery`](Self::recovery) is
    /// [`Retry`](Recovery::Retry), and nothing was done.
    pub fn is_retryable(&self) -> bool {
        self.recovery() == Recovery::Retry && self.outcome() == Outcome::NotDone
    }

    /// Whether the request that failed may nevertheless have taken effect.
    ///
    /// A call that makes several requests speaks of the last of them, the one that failed. Those before it stay done, such as
    /// the creation of a table whose settings then could not be made, or the first rows of a group that the projector moves.
    /// Such calls say so in their `# Errors`. A call that writes by one request alone, as a transaction does, is done or not
    /// done as a whole.
    pub fn outcome(&self) -> Outcome {
        match self.kind() {
            ErrorKind::OutcomeUnknown => Outcome::Unknown,
            _ => Outcome::NotDone,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        match (inner.operation, inner.table.as_deref()) {
            (Some(operation), Some(table)) => write!(f, "{operation} on table `{table}`: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(table)) => write!(f, "table `{table}`: ")?,
            (None, None) => {}
        }
        f.write_str(&inner.message)?;
        if let Some(service) = &inner.service {
            let code = service.code.as_deref().unwrap_or("no code");
            write!(f, " (service said {code}")?;
            if let Some(message) = &service.message {
                write!(f, ": {message}")?;
            }
            if let Some(request_id) = &service.request_id {
                write!(f, "; request id {request_id}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

// Hand-written: a derived impl would print the source's Debug, and an SDK error's Debug prints whole items.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())?;
        match &self.inner.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

// So that `impl TryInto<MessageBody, Error: Into<Error>>` takes a value that is already valid.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
