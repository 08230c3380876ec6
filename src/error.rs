//! The one error type of this crate. An error has a kind and never contains the content of an item.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A [`Result`](std::result::Result) with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: its [kind](ErrorKind), the operation that failed, and the [outcome](Outcome) of the request.
///
/// The error's text says what failed and how to resolve it. The method [`source`](StdError::source) returns the cause,
/// which the text does not repeat. Neither the text nor `Debug` shows a message's text, a person's name or the value of
/// a key.
///
/// ```
/// use threadline::{ErrorKind, MessageBody, Recovery};
///
/// let error = MessageBody::new("").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert_eq!(error.recovery(), Recovery::Permanent);
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

/// The kind of an [`Error`], by which a caller chooses its reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The item does not exist, or the user has no permission to learn that it exists.
    NotFound,
    /// Another item already has this id, handle or identity.
    AlreadyExists,
    /// The condition of a write was not met, so nothing was written.
    ConditionFailed,
    /// Another request was writing one of the items at the same time. Nothing was written: retry the request.
    Conflict,
    /// The table or the AWS account exceeded its throughput. The request did nothing: retry it later.
    Throttled,
    /// The service could not be reached, failed, or sent an unknown answer. The request did nothing: retry it later.
    Unavailable,
    /// The deployment is at fault, and an operator must change it.
    ///
    /// Examples: a missing table or index, a table with other keys than this crate's, a missing IAM permission, missing
    /// credentials, an event that is not from a DynamoDB stream.
    Misconfigured,
    /// The input is wrong, so the same request will always fail. The request was not sent, or the service refused it.
    Invalid,
    /// The user has no permission for this change, for example to edit another user's message.
    Denied,
    /// A write was sent, but its answer was lost. The write may have taken effect.
    ///
    /// Read the stored state, or retry the call if it is idempotent. For example, [`Thread::send`](crate::Thread::send)
    /// is idempotent: a retry with the same message id sends no second message.
    OutcomeUnknown,
    /// A stored item cannot be read, because its attributes do not fit its [entity](crate::entity::Entity).
    Corrupt,
}

/// The way to make a failed call succeed, as [`Error::recovery`] returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// Retry the call: a later attempt may succeed without any change.
    Retry,
    /// Retry the call after an operator has changed the deployment.
    Operator,
    /// Do not retry the call: it will always fail.
    Permanent,
}

/// The effect of one failed request on the table: none, or unknown. [`Error::outcome`] returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request changed nothing.
    NotDone,
    /// The request was sent, but its answer was lost. It may have changed something.
    Unknown,
}

/// The answer of the AWS service that refused a request: its error code, its message and the request's id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The service's error code, for example `ThrottlingException`. Match on the code, never on the message.
    pub code: Option<String>,
    /// The service's error message. AWS changes such messages without notice, and they differ between regions.
    pub message: Option<String>,
    /// The id of the request, which AWS support asks for.
    pub request_id: Option<String>,
}

impl ServiceError {
    /// Creates a service error from the service's code and message and the request's id.
    pub fn new(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
        }
    }
}

impl Error {
    /// Creates an error of this kind. Use it when you implement a [`Store`](crate::store::Store).
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

    /// Sets the name of the operation that failed. The last call wins, so the outermost caller names the operation.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// Sets the name of the entity that the error concerns, for example `Message`.
    #[must_use]
    pub fn with_entity(mut self, entity: &'static str) -> Self {
        self.inner.entity = Some(entity);
        self
    }

    /// Sets the name of the table that the error concerns.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.inner.table = Some(table.into());
        self
    }

    /// Adds the answer of the service that refused the request.
    #[must_use]
    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.inner.service = Some(service);
        self
    }

    /// Adds the cause of this error.
    ///
    /// `Debug` of this error prints the cause's `Display` text, often to a log. The text must therefore not show the
    /// content of items.
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

    /// Returns the name of the entity that the error concerns, for example `Message`.
    pub fn entity(&self) -> Option<&'static str> {
        self.inner.entity
    }

    /// Returns the name of the table that the error concerns.
    pub fn table(&self) -> Option<&str> {
        self.inner.table.as_deref()
    }

    /// Returns the service's answer, if the service refused the request.
    pub fn service(&self) -> Option<&ServiceError> {
        self.inner.service.as_ref()
    }

    /// Returns a text that is safe to show to a client of your API.
    ///
    /// The text names no table, operation or request id, and quotes nothing from DynamoDB's error message. Write the
    /// [`Display`](fmt::Display) form to your logs instead.
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

    /// Returns the way to make the failed call succeed: a retry, a change by an operator, or none.
    ///
    /// The [projector](crate::stream::Projector) uses this value too. A record becomes a dead letter if its error is
    /// [`Permanent`](Recovery::Permanent). After any other error, the record is retried later.
    ///
    /// After [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), retry only an idempotent call. The calls of
    /// [`Threadline`](crate::Threadline) and [`Thread`](crate::Thread) are idempotent, with one exception: a call that
    /// creates an item is idempotent only if you pass the item's id.
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

    /// Returns the effect of the failed request on the table: none, or unknown.
    ///
    /// If a call makes several requests, the outcome describes only the failed request. The effects of earlier requests
    /// remain: for example, a created table remains if a later change of its settings fails. The section `# Errors` of
    /// such a call documents this. A call that writes with one request, such as a transaction, is done as a whole or
    /// not at all.
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
