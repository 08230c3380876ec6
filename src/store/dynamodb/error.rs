//! From the SDK's errors to this crate's: by kind and by the service's code, never by its text, and never with an item.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::Error as Answer;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;

use super::attempts::{Attempts, could_not_connect};
use super::convert::Effect;
use crate::error::{Error, ErrorKind, ServiceError};

/// A request that failed, as the SDK told it, without the type parameters.
pub(crate) struct Failure {
    how: How,
    service: ServiceError,
    /// What the service answered. It may hold an item, so it is for the store alone.
    pub(crate) answer: Option<Answer>,
    cause: Option<Cause>,
}

/// How far the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The client could not make it.
    NotMade,
    /// It ran into the client's time limit.
    TimedOut,
    /// No answer came.
    NotAnswered { could_not_connect: bool },
    /// An answer came that is none.
    Unreadable,
    /// The service refused it, or had a fault of its own.
    Answered { status: u16 },
}

/// What a call is, for its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) table: &'a str,
    pub(crate) effect: Effect,
    pub(crate) attempts: &'a Attempts,
}

impl<E> From<SdkError<E, HttpResponse>> for Box<Failure>
where
    E: StdError + ProvideErrorMetadata + Into<Answer> + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let mut failure = Failure::of(&error);
        if let SdkError::ServiceError(context) = error {
            failure.answer = Some(context.into_err().into());
        }
        Box::new(failure)
    }
}

impl Failure {
    /// What went wrong with a request of any of the services, without the answer.
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let service = ServiceError::new(error.code(), error.message(), request_id.as_deref());
        // What the service said is in `service`. The chain of any other error is kept, as text.
        let cause = || error.source().map(Cause::of);
        let (how, cause) = match error {
            SdkError::ConstructionFailure(_) => (How::NotMade, cause()),
            SdkError::TimeoutError(_) => (How::TimedOut, cause()),
            SdkError::DispatchFailure(failure) => {
                let connector = failure.as_connector_error();
                let could_not_connect = connector.is_some_and(|error| could_not_connect(error));
                (How::NotAnswered { could_not_connect }, cause())
            }
            SdkError::ServiceError(context) => (How::Answered { status: context.raw().status().as_u16() }, None),
            _ => (How::Unreadable, cause()),
        };
        Self { how, service, answer: None, cause }
    }

    /// The service's code.
    pub(crate) fn code(&self) -> Option<&str> {
        self.service.code.as_deref()
    }

    /// The error that a caller sees.
    pub(crate) fn into_error(self, call: Call<'_>) -> Error {
        let (kind, message) = self.classify(call);
        let mut error = Error::new(kind, message).with_operation(call.operation).with_table(call.table);
        if self.service != ServiceError::default() {
            error = error.with_service(self.service);
        }
        if let Some(cause) = self.cause {
            error = error.with_source(cause);
        }
        error
    }

    fn classify(&self, call: Call<'_>) -> (ErrorKind, &'static str) {
        if call.effect == Effect::Write && call.attempts.may_have_been_done() {
            return (
                ErrorKind::OutcomeUnknown,
                "the request was sent and its answer was lost: it may have been done or not; read the state before \
                 trying again",
            );
        }
        match self.how {
            How::NotMade => (ErrorKind::Invalid, "the client could not make the request; check its configuration"),
            How::TimedOut => (ErrorKind::Unavailable, "there was no answer within the client's time limit"),
            How::NotAnswered { could_not_connect } => {
                if could_not_connect || !call.attempts.last_is_certain() {
                    (ErrorKind::Unavailable, "the service could not be reached")
                } else {
                    (
                        ErrorKind::Denied,
                        "the client could not sign or send the request; check its credentials, region and HTTP client",
                    )
                }
            }
            How::Unreadable => (ErrorKind::Unavailable, "the service's answer could not be read"),
            How::Answered { status } => self.classify_answer(status),
        }
    }

    fn classify_answer(&self, status: u16) -> (ErrorKind, &'static str) {
        match self.code().unwrap_or_default() {
            "ResourceNotFoundException" => {
                (ErrorKind::NotFound, "the table or its index does not exist in the client's account and region")
            }
            "ConditionalCheckFailedException" => (ErrorKind::ConditionFailed, "the condition was not met"),
            "TransactionConflictException" | "TransactionCanceledException" | "ReplicatedWriteConflictException" => {
                (ErrorKind::Conflict, "another request was writing the item; nothing was written, try again")
            }
            // The same transaction, sent before, has not ended yet: it may still be done.
            "TransactionInProgressException" => (
                ErrorKind::OutcomeUnknown,
                "the same transaction is still in progress; try again with the same token after 5 seconds",
            ),
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TooManyRequestsException" => {
                (ErrorKind::Throttled, "the table or the account is over its throughput; try again later")
            }
            "AccessDeniedException"
            | "AccessDenied"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotAuthorized"
            | "OptInRequired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => {
                (ErrorKind::Denied, "the client's credentials do not allow this; check them and their policy")
            }
            "ResourceInUseException" => {
                (ErrorKind::Conflict, "the table is being created, changed or deleted; try again when it is active")
            }
            "IdempotentParameterMismatchException" => {
                (ErrorKind::Invalid, "the client token came with another transaction before; take a new one")
            }
            "ItemCollectionSizeLimitExceededException" => {
                (ErrorKind::Invalid, "the partition has the most that a table with a local index can hold, 10 GB")
            }
            _ => match status {
                401 | 403 => (ErrorKind::Denied, "the service did not accept the client's credentials"),
                429 => (ErrorKind::Throttled, "the service takes no more requests now; try again later"),
                400..500 => (ErrorKind::Invalid, "the service refused the request"),
                200..300 => (ErrorKind::Unavailable, "the service's answer could not be read"),
                _ => (ErrorKind::Unavailable, "the service had a fault of its own; try again later"),
            },
        }
    }
}

/// The text of an error and of its causes. The errors themselves are not kept: `Debug` of one of the SDK's prints whole items
/// and whole responses.
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
