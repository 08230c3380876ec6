//! What became of each attempt that the SDK made of one call.
//!
//! The SDK retries by itself and reports the last attempt alone. A write whose first attempt was lost after it was sent, and
//! whose second was throttled, may have been done, and "throttled" would say that it was not. So each attempt is watched.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use hyper_util::client::legacy::Error as HttpError;
use serde::Deserialize;

use super::codes;

/// The attempts of one call, the store's own retries included. Each request of the call carries them as an interceptor. Clones
/// share what they saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last attempt was sent, and nothing certain is known of it.
    in_flight: AtomicBool,
    /// An attempt before the last was sent, and nothing certain is known of it.
    lost: AtomicBool,
}

impl Attempts {
    /// What is not certain of the attempts so far stays so, whatever becomes of the next.
    fn leave_behind(&self) {
        if self.state.in_flight.swap(false, Ordering::Relaxed) {
            self.state.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a write may have been done by an attempt that was not answered, or answered with a fault of the service.
    pub(crate) fn may_have_been_done(&self) -> bool {
        self.state.in_flight.load(Ordering::Relaxed) || self.state.lost.load(Ordering::Relaxed)
    }

    /// Whether nothing was sent by the last attempt, or the service answered it.
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
        self.leave_behind();
        self.state.in_flight.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses a success without a body, which the SDK reads as "no item", or as done. The service's successes are JSON.
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
                // The service refused it with a code that is known. After any other answer the outcome is open. The SDK
                // gives out an unreadable success as an error of the operation, with status 200.
                (None, Some(response)) => {
                    let is_refusal = error.is_operation_error() && (400..500).contains(&response.status().as_u16());
                    is_refusal && error_code(response).is_some_and(|code| codes::says_not_done(&code))
                }
                // It ended before anything was sent, for example for want of credentials.
                (None, None) => !error.is_timeout_error(),
            },
        };
        // The request is taken away when it is sent. One that is still here was not, and says nothing of the attempt before: that
        // may have run into its time limit, which not every version of the SDK lets an interceptor see.
        if context.request().is_some() {
            self.leave_behind();
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

/// Whether no connection came about, so that nothing was sent. An application may bring an HTTP client of its own, whose
/// errors are not known here: they count as ones that came after sending.
pub(crate) fn could_not_connect(error: &(dyn StdError + 'static)) -> bool {
    let is_connect = error.downcast_ref::<HttpError>().is_some_and(HttpError::is_connect);
    is_connect || error.source().is_some_and(could_not_connect)
}
