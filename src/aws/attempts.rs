//! The outcomes of the attempts that the SDK makes for one call.
//!
//! The SDK retries, and reports only the last attempt. Suppose that the answer to the first attempt of a write is lost
//! and the second attempt is throttled. The write may have been done, so the error "throttled" would be wrong. This
//! module therefore watches each attempt.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use hyper_util::client::legacy::Error as HttpError;
use serde::Deserialize;
use tracing::Span;

use super::codes;
use crate::telemetry::{AWS_REQUEST_ID, THROTTLING_REASON};

/// The attempts of one call, including the store's own retries. Each request of the call carries them as an
/// interceptor. Clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    state: Arc<State>,
    trace: Option<Arc<Trace>>,
}

#[derive(Debug, Default)]
struct State {
    /// The last attempt was sent, and its outcome is unknown.
    in_flight: AtomicBool,
    /// An earlier attempt was sent, and its outcome is unknown.
    lost: AtomicBool,
}

/// The facts that only the service knows about a request. They are recorded in its span once, at its end.
#[derive(Debug)]
struct Trace {
    span: Span,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    /// The id of the last answer.
    request_id: Option<String>,
    /// The reason of the first throttled attempt, also if a later attempt succeeded.
    throttling: Option<String>,
}

impl Trace {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let Facts { request_id, throttling } = std::mem::take(&mut *self.facts());
        self.span.record(AWS_REQUEST_ID, request_id);
        self.span.record(THROTTLING_REASON, throttling);
    }
}

impl Attempts {
    /// Creates the attempts of a call that is traced in the current span, unless that is an application's own span.
    pub(crate) fn in_current_span() -> Self {
        let span = Span::current();
        let is_own = span.metadata().is_some_and(|span| span.target().starts_with("threadline::"));
        let trace = is_own.then(|| Arc::new(Trace { span, facts: Mutex::default() }));
        Self { state: Arc::default(), trace }
    }

    /// Creates the attempts of another request in the same span.
    pub(crate) fn of_another_request(&self) -> Self {
        Self { state: Arc::default(), trace: self.trace.clone() }
    }

    /// Records an attempt with an unknown outcome as lost, before the next attempt replaces it.
    fn mark_lost(&self) {
        if self.state.in_flight.swap(false, Ordering::Relaxed) {
            self.state.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Returns `true` if a write may have been done: an attempt got no answer, or a fault of the service.
    pub(crate) fn may_have_been_done(&self) -> bool {
        self.state.in_flight.load(Ordering::Relaxed) || self.state.lost.load(Ordering::Relaxed)
    }

    /// Returns `true` if the last attempt was not sent, or its outcome is known.
    pub(crate) fn last_is_certain(&self) -> bool {
        !self.state.in_flight.load(Ordering::Relaxed)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "threadline::Attempts"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.mark_lost();
        self.state.in_flight.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses a success without a body, which the SDK would read as "no item" or as done. The service's successes are
    /// JSON.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_empty = context.response().body().bytes().is_some_and(<[u8]>::is_empty);
        if context.output_or_error().is_ok() && is_empty {
            return Err("the answer has no body".into());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_certain = match context.output_or_error() {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(error)) => match (error.as_connector_error(), context.response()) {
                (Some(error), _) => could_not_connect(error),
                // Only a refusal with a known code is certain. The SDK reports an unreadable success as an operation
                // error with status 200.
                (None, Some(response)) => {
                    let is_refusal = error.is_operation_error() && (400..500).contains(&response.status().as_u16());
                    is_refusal && error_code(response).is_some_and(|code| codes::says_not_done(&code))
                }
                // The attempt ended before it was sent, for example because there are no credentials.
                (None, None) => !error.is_timeout_error(),
            },
        };
        if let (Some(trace), Some(response)) = (&self.trace, context.response()) {
            let mut facts = trace.facts();
            facts.request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
            if facts.throttling.is_none() && context.output_or_error().is_some_and(|outcome| outcome.is_err()) {
                facts.throttling = throttling_reason(response);
            }
        }
        // The SDK removes the request when it sends it. If the request is present, it was not sent, but the attempt
        // before it may have timed out. Some versions of the SDK do not show that to an interceptor.
        if context.request().is_some() {
            self.mark_lost();
        } else if is_certain {
            self.state.in_flight.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Returns the service's error code: the part of `__type` after the `#`.
fn error_code(response: &HttpResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "__type", alias = "code")]
        code: String,
    }
    let code = match response.headers().get("x-amzn-errortype") {
        Some(code) => code.to_owned(),
        None => serde_json::from_slice::<Body>(response.body().bytes()?).ok()?.code,
    };
    let code = code.rsplit('#').next()?;
    code.split(':').next().map(str::to_owned)
}

/// Returns the reason of a throttled request, such as `TableWriteKeyRangeThroughputExceeded`. Returns the code if the
/// service gives no reason, and `None` for any other refusal.
fn throttling_reason(refusal: &HttpResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "ThrottlingReasons", alias = "throttlingReasons")]
        reasons: Vec<Reason>,
    }
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
    }
    let code = error_code(refusal).filter(|code| codes::says_throttled(code))?;
    let Ok(Body { reasons }) = serde_json::from_slice(refusal.body().bytes()?) else { return Some(code) };
    let reasons: Vec<_> = reasons.into_iter().map(|reason| reason.reason).collect();
    Some(if reasons.is_empty() { code } else { reasons.join(", ") })
}

/// Returns `true` if there was no connection, so nothing was sent.
///
/// An application may use its own HTTP client, whose errors are not known here. They count as errors after sending.
pub(crate) fn could_not_connect(error: &(dyn StdError + 'static)) -> bool {
    let is_connect = error.downcast_ref::<HttpError>().is_some_and(HttpError::is_connect);
    is_connect || error.source().is_some_and(could_not_connect)
}
