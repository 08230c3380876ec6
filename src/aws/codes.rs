//! DynamoDB's error codes: the kind of error that each one is. The page [Errors](crate::guide::errors) shows this table.
//!
//! Only codes whose request is documented to have changed nothing stand here. After any other answer nobody knows: a read is
//! retried, and a write has an unknown outcome.
//! ([Error handling](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html))

use super::Effect;
use crate::error::ErrorKind;

/// Returns the kind and the text for a code that says for certain that nothing was done; `None` for any other code.
pub(super) fn certain(code: &str, operation: &str, effect: Effect) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => {
            (ErrorKind::Throttled, "the table or the account is over its throughput; try again later")
        }
        "TransactionConflictException" | "TransactionCanceledException" | "ReplicatedWriteConflictException"
            if effect == Effect::Write =>
        {
            (ErrorKind::Conflict, "another request was writing the item; nothing was written, try again")
        }
        "ResourceInUseException" => {
            (ErrorKind::Conflict, "the table is being created, changed or deleted; try again when it is active")
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            (ErrorKind::Unavailable, "the client's credentials or its signature have expired; try again with new ones")
        }
        "ResourceNotFoundException" | "TableNotFoundException" => (
            ErrorKind::Misconfigured,
            "the table or its index does not exist in the client's account and region; create the table",
        ),
        // The crate has checked the request, so that it is the stored item that an update does not fit.
        "ValidationException" if matches!(operation, "update" | "transact_update") => (
            ErrorKind::Invalid,
            "the update does not fit the stored item: an attribute is of another type, or it would pass 400 KB",
        ),
        "ValidationException" => (
            ErrorKind::Misconfigured,
            "the service refused the request as invalid: the table has other keys, its index is missing or still being \
             filled; verify the table",
        ),
        "AccessDenied"
        | "AccessDeniedException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => (
            ErrorKind::Misconfigured,
            "the client's credentials do not allow this; check them, their policy and the machine's clock",
        ),
        "ConditionalCheckFailedException" if matches!(operation, "write" | "update") => {
            (ErrorKind::ConditionFailed, "the condition was not met")
        }
        "IdempotentParameterMismatchException" if matches!(operation, "transact" | "transact_update") => {
            (ErrorKind::Invalid, "the client token came with another transaction before; take a new one")
        }
        "ItemCollectionSizeLimitExceededException" if effect == Effect::Write => {
            (ErrorKind::Invalid, "the partition has the most that a table with a local index can hold, 10 GB")
        }
        _ => return None,
    })
}

/// Returns `true` for a code that says for certain that an attempt to write changed nothing.
pub(super) fn says_not_done(code: &str) -> bool {
    ["write", "transact"].iter().any(|operation| certain(code, operation, Effect::Write).is_some())
}
