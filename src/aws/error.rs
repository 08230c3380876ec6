//! Conversion of the SDK's errors to this crate's, by kind and by the service's code. It ignores the service's text and
//! keeps no item.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::Error as DynamoDbError;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_smithy_async::future::timeout::TimedOutError;

use super::attempts::{Attempts, could_not_connect};
use super::codes;
use crate::error::{Error, ErrorKind, ServiceError};

/// A failed request, from the SDK's error without its type parameters.
pub(crate) struct Failure {
    stage: Stage,
    service: ServiceError,
    /// The error in the service's answer. It may contain an item, so only the store uses it.
    pub(crate) error: Option<DynamoDbError>,
    cause: Option<Cause>,
}

/// The stage at which a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The client could not build the request.
    NotMade,
    /// The request exceeded the client's time limit.
    TimedOut,
    /// The request got no answer.
    NotAnswered { not_sent: Option<NotSent> },
    /// The answer could not be read.
    Unreadable,
    /// The service refused the request, or failed.
    Answered,
}

/// The reason why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotSent {
    /// There was no connection.
    NoConnection,
    /// The provider of credentials failed and may succeed later.
    NoCredentialsYet,
    /// There are no credentials, or the client is incomplete.
    Client,
}

/// The effect of a request. It determines the kind of capacity units if the answer does not, and the meaning of some
/// error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    /// A write of a single item.
    WriteItem {
        /// `true` if the write is an update, which the stored item may not accept.
        updates: bool,
    },
    Transact {
        /// `true` if an action is an update.
        updates: bool,
    },
    /// A batch of writes, or a change of the table.
    Write,
}

impl Effect {
    pub(crate) fn writes(self) -> bool {
        self != Self::Read
    }

    pub(super) fn updates(self) -> bool {
        matches!(self, Self::WriteItem { updates: true } | Self::Transact { updates: true })
    }
}

/// A call of the service: its name and table for errors, and its attempts.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) table: &'a str,
    pub(crate) effect: Effect,
    pub(crate) attempts: Attempts,
}

impl<'a> Call<'a> {
    pub(crate) fn read(operation: &'static str, table: &'a str) -> Self {
        Self { operation, table, effect: Effect::Read, attempts: Attempts::in_current_span() }
    }

    pub(crate) fn write(operation: &'static str, table: &'a str) -> Self {
        Self { effect: Effect::Write, ..Self::read(operation, table) }
    }

    /// Returns the error for the caller of a failed request.
    pub(crate) fn error<E>(&self, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Failure::of(error).into_error(self)
    }

    pub(crate) fn named(&self, error: Error) -> Error {
        error.with_operation(self.operation).with_table(self.table)
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Box<Failure>
where
    E: StdError + ProvideErrorMetadata + Into<DynamoDbError> + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let mut failure = Failure::of(&error);
        if let SdkError::ServiceError(context) = error {
            failure.error = Some(context.into_err().into());
        }
        Box::new(failure)
    }
}

/// Creates the error of an SDK builder. A checked request has all parts that the builders require, so this is a bug.
pub(crate) fn incomplete(error: BuildError) -> Error {
    Error::invalid(format!("the request is incomplete: {error}"))
}

impl Failure {
    /// Creates a failure from the error of any service, without the service's own.
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let service = ServiceError::new(error.code(), error.message(), request_id.as_deref());
        // `service` has the service's words. Other errors keep their causes, as text.
        let cause = || error.source().map(Cause::of);
        let (stage, cause) = match error {
            SdkError::ConstructionFailure(_) => (Stage::NotMade, cause()),
            SdkError::TimeoutError(_) => (Stage::TimedOut, cause()),
            SdkError::DispatchFailure(failure) => {
                (Stage::NotAnswered { not_sent: failure.as_connector_error().map(|error| not_sent(error)) }, cause())
            }
            SdkError::ServiceError(_) => (Stage::Answered, None),
            _ => (Stage::Unreadable, cause()),
        };
        Self { stage, service, error: None, cause }
    }

    /// Returns the error for the caller.
    pub(crate) fn into_error(self, call: &Call<'_>) -> Error {
        let (kind, message) = self.classify(call);
        let mut error = call.named(Error::new(kind, message));
        if self.service != ServiceError::default() {
            error = error.with_service(self.service);
        }
        if let Some(cause) = self.cause {
            error = error.with_source(cause);
        }
        error
    }

    fn classify(&self, call: &Call<'_>) -> (ErrorKind, &'static str) {
        let certain = self.service.code.as_deref().and_then(|code| codes::certain(code, call.effect));
        let is_unknown = self.stage == Stage::Answered && certain.is_none();
        if call.effect.writes() && (is_unknown || call.attempts.may_have_been_done()) {
            return (
                ErrorKind::OutcomeUnknown,
                "the request was sent, and its answer was lost or is unknown: it may have been done; read the state \
                 before trying again",
            );
        }
        match self.stage {
            Stage::NotMade => {
                (ErrorKind::Misconfigured, "the client could not build the request; check its configuration")
            }
            Stage::TimedOut => (ErrorKind::Unavailable, "there was no answer within the client's time limit"),
            Stage::NotAnswered { not_sent: Some(reason) } if call.attempts.last_is_certain() => match reason {
                NotSent::NoConnection => (ErrorKind::Unavailable, "the service could not be reached"),
                NotSent::NoCredentialsYet => {
                    (ErrorKind::Unavailable, "the client's credentials could not be loaded; try again later")
                }
                NotSent::Client => (
                    ErrorKind::Misconfigured,
                    "the client could not sign or send the request; check its credentials, region and HTTP client",
                ),
            },
            Stage::NotAnswered { .. } => (ErrorKind::Unavailable, "the service could not be reached"),
            Stage::Unreadable => (ErrorKind::Unavailable, "the service's answer could not be read"),
            Stage::Answered => {
                certain.unwrap_or((ErrorKind::Unavailable, "the service failed or sent an unknown answer"))
            }
        }
    }
}

/// Returns the reason why a request was not sent, from its chain of errors.
fn not_sent(error: &(dyn StdError + 'static)) -> NotSent {
    if could_not_connect(error) {
        return NotSent::NoConnection;
    }
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<CredentialsError>() {
            Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)) => {
                return NotSent::Client;
            }
            Some(_) => return NotSent::NoCredentialsYet,
            None if error.is::<TimedOutError>() || error.is::<std::io::Error>() => return NotSent::NoCredentialsYet,
            None => cause = error.source(),
        }
    }
    NotSent::Client
}

/// The text of an error and of its causes. The errors are not kept, because `Debug` of an SDK error prints whole items
/// and responses.
pub(crate) struct Cause {
    text: String,
    source: Option<Box<Cause>>,
}

impl Cause {
    fn of(error: &(dyn StdError + 'static)) -> Self {
        Self { text: error.to_string(), source: error.source().map(|source| Box::new(Self::of(source))) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.source {
            Some(source) => write!(f, ": {source:?}"),
            None => Ok(()),
        }
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    /// An error with a cause.
    #[derive(Debug)]
    struct Wrapped<T>(T);

    impl<T: fmt::Debug> fmt::Display for Wrapped<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl<T: StdError + 'static> StdError for Wrapped<T> {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn request_that_cannot_be_built_is_misconfigured() {
        let error = SdkError::<GetItemError, HttpResponse>::construction_failure("no region");
        for effect in [Effect::Read, Effect::Write] {
            let call = Call { effect, ..Call::read("get", "t") };
            assert_eq!(call.error(&error).kind(), ErrorKind::Misconfigured);
        }
    }

    #[test]
    fn timeouts_and_io_errors_of_a_provider_are_temporary() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(not_sent(&Wrapped(refused())), NotSent::NoCredentialsYet);
        assert_eq!(not_sent(&Wrapped(TimedOutError)), NotSent::NoCredentialsYet);
        assert_eq!(not_sent(&Wrapped(CredentialsError::not_loaded(refused()))), NotSent::Client);
        assert_eq!(not_sent(&Wrapped(fmt::Error)), NotSent::Client);
    }

    #[test]
    fn debug_of_a_cause_prints_its_chain_of_texts() {
        let cause = Cause::of(&Wrapped(Wrapped(fmt::Error)));
        assert_eq!(format!("{cause:?}"), format!("wrapped: wrapped: {}", fmt::Error));
        assert_eq!(StdError::source(&cause).unwrap().to_string(), "wrapped");
    }
}
