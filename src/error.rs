//! The crate's one error type: opaque, with a kind, and without the content of any item.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A [`Result`](std::result::Result) with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: its [kind](ErrorKind), the operation that failed, and the [outcome](Outcome) of the request.
///
/// The text says what failed and how to resolve it. A cause is in [`source`](StdError::source) and is not repeated.
/// Neither the text nor `Debug` shows a message's text, a person's name or the value of a key.
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

/// The kind of an [`Error`]. A caller chooses its reaction by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The item does not exist, or the caller may not know that it does.
    NotFound,
    /// Another item already has this id, handle or identity.
    AlreadyExists,
    /// The condition of a write was not met. Nothing was written.
    ConditionFailed,
    /// Another request was writing one of the items. Nothing was written. Retry.
    Conflict,
    /// The table or the account exceeded its throughput. Nothing was done. Retry later.
    Throttled,
    /// The service could not be reached, failed, or sent an unknown answer. Nothing was done. Retry later.
    Unavailable,
    /// The deployment is at fault, and an operator must change it. Examples: a missing table or index, a table with
    /// other keys, a missing IAM permission, missing credentials, an event of another source.
    Misconfigured,
    /// The input will always fail. Nothing was sent, or the service refused it.
    Invalid,
    /// The user may not do this, for example edit another user's message.
    Denied,
    /// A write was sent and its answer was lost. It may have taken effect.
    ///
    /// Read the state, or retry the call if it is idempotent. A send with the same message id is.
    OutcomeUnknown,
    /// A stored item does not match its entity.
    Corrupt,
}

/// The way to make a failed call succeed. Returned by [`Error::recovery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// Retry: a later attempt may succeed without any change.
    Retry,
    /// An operator must change the deployment first.
    Operator,
    /// The call will always fail.
    Permanent,
}

/// The effect of a failed request: none, or unknown. It describes one request; see [`Error::outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request changed nothing.
    NotDone,
    /// The request may have changed something. It was sent, and its answer was lost.
    Unknown,
}

/// The service's code, message and request id for a request that it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The service's code, for example `ThrottlingException`. Match on the code, never on the message.
    pub code: Option<String>,
    /// The service's message. It changes without notice, and between regions.
    pub message: Option<String>,
    /// The request's id, which AWS support needs.
    pub request_id: Option<String>,
}

impl ServiceError {
    /// Creates a service error from its three parts.
    pub fn new(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
        }
    }
}

impl Error {
    /// Creates an error of this kind, for an implementation of a store.
    ///
    /// The message says what failed and how to resolve it, in lower case. It must not show the content of an item.
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

    /// Sets the operation that failed. The last call wins, so the outermost caller names it.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// Sets the entity concerned, for example `Message`.
    #[must_use]
    pub fn with_entity(mut self, entity: &'static str) -> Self {
        self.inner.entity = Some(entity);
        self
    }

    /// Sets the table concerned.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.inner.table = Some(table.into());
        self
    }

    /// Adds the service's code, message and request id.
    #[must_use]
    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.inner.service = Some(service);
        self
    }

    /// Adds the cause. Its `Display` must not show the content of items, because `Debug` of this error prints it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the operation that failed: an access pattern (`messages.send`), or a store's operation (`query`).
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// Returns the entity concerned, for example `Message`.
    pub fn entity(&self) -> Option<&'static str> {
        self.inner.entity
    }

    /// Returns the table concerned.
    pub fn table(&self) -> Option<&str> {
        self.inner.table.as_deref()
    }

    /// Returns the service's code, message and request id, if the service refused the request.
    pub fn service(&self) -> Option<&ServiceError> {
        self.inner.service.as_ref()
    }

    /// Returns a text that is safe to show to an API's client.
    ///
    /// It names no table, operation or request id, and repeats no words of the service. The [`Display`](fmt::Display)
    /// form is for logs.
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
            ErrorKind::OutcomeUnknown => "the request may have been carried out; try again",
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

    /// Returns the way to make the call succeed: a retry, a change by an operator, or none. The projector and the
    /// poller decide by the same value.
    ///
    /// After [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), retry only an idempotent call. The access patterns are
    /// idempotent.
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

    /// Returns `true` if a retry of the same request is safe and may succeed.
    ///
    /// Its [`recovery`](Self::recovery) is then [`Retry`](Recovery::Retry), and its [`outcome`](Self::outcome) is
    /// [`NotDone`](Outcome::NotDone).
    pub fn is_retryable(&self) -> bool {
        self.recovery() == Recovery::Retry && self.outcome() == Outcome::NotDone
    }

    /// Returns the effect of the failed request: none, or unknown.
    ///
    /// If a call makes several requests, the outcome is that of the last one, which failed. The earlier requests stay
    /// done, for example the creation of a table whose settings then failed. Such calls document this under `# Errors`.
    /// A call that writes with one request, such as a transaction, is done as a whole or not at all.
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

// Not derived: a derived impl prints the source's Debug, and an SDK error's Debug prints whole items.
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

// Lets `impl TryInto<MessageBody, Error: Into<Error>>` accept a valid value, whose conversion cannot fail.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
