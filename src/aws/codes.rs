//! DynamoDB's error codes and their kinds. The page [Errors](crate::guide::errors) shows the table.
//!
//! The list contains only codes for which DynamoDB documents that nothing was done. After any other code, the outcome
//! is unknown: a read is `Unavailable`, a write `OutcomeUnknown`. ([Error
//! handling](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html))

use super::Effect;
use crate::error::ErrorKind;

/// Returns the kind and the text of a code that guarantees that nothing was done; `None` for any other code.
pub(super) fn certain(code: &str, effect: Effect) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => {
            (ErrorKind::Throttled, "the table or the account exceeded its throughput; try again later")
        }
        "TransactionConflictException" | "TransactionCanceledException" | "ReplicatedWriteConflictException"
            if effect.writes() =>
        {
            (ErrorKind::Conflict, "another request was writing the item and nothing was written; try again")
        }
        "ResourceInUseException" => {
            (ErrorKind::Conflict, "the table is being created, changed or deleted; try again when it is active")
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            (ErrorKind::Unavailable, "the client's credentials or its signature expired; try again with new ones")
        }
        "ResourceNotFoundException" | "TableNotFoundException" => (
            ErrorKind::Misconfigured,
            "the table or its index does not exist in the client's account and region; create the table",
        ),
        // The crate has checked the request, so the cause is the stored item.
        "ValidationException" if effect.updates() => (
            ErrorKind::Invalid,
            "the update does not fit the stored item: an attribute has another type, or the result exceeds 400 KB",
        ),
        "ValidationException" => (
            ErrorKind::Misconfigured,
            "the service refused the request as invalid: the table has other keys, or its index is missing or not yet \
             active; verify the table",
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
            "the client's credentials do not allow this; check the credentials, their policy and the system's clock",
        ),
        "ConditionalCheckFailedException" if matches!(effect, Effect::WriteItem { .. }) => {
            (ErrorKind::ConditionFailed, "the condition was not met")
        }
        "IdempotentParameterMismatchException" if matches!(effect, Effect::Transact { .. }) => {
            (ErrorKind::Invalid, "the client token was used for another transaction; use a new one")
        }
        "ItemCollectionSizeLimitExceededException" if effect.writes() => {
            (ErrorKind::Invalid, "the partition is full: a table with a local index is limited to 10 GB per partition")
        }
        _ => return None,
    })
}

/// Returns `true` for a code that guarantees that an attempt to write changed nothing.
pub(super) fn says_not_done(code: &str) -> bool {
    let writes = [Effect::WriteItem { updates: true }, Effect::Transact { updates: true }];
    writes.into_iter().any(|effect| certain(code, effect).is_some())
}

/// Returns `true` for a code of a throttled request.
pub(super) fn says_throttled(code: &str) -> bool {
    certain(code, Effect::Read).is_some_and(|(kind, _)| kind == ErrorKind::Throttled)
}
