//! Which call an attempt of the SDK's belongs to.
//!
//! To hang an interceptor onto each call costs the SDK a configuration for each call. So the store's client has one for all of
//! them, and a call says which it is for as long as it is polled: the SDK runs interceptors within the poll of the caller's
//! future, its own retries included.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use super::attempts::Attempts;

thread_local! {
    /// The attempts of the call that this thread polls now.
    static CURRENT: Cell<Option<Attempts>> = const { Cell::new(None) };
}

/// The same client, whose attempts are watched by the call that they are of.
pub(super) fn watched(client: &Client) -> Client {
    let mut config = client.config().to_builder();
    // Permanent, so that the SDK does not look up before each hook whether somebody has switched it off.
    config.push_interceptor(SharedInterceptor::permanent(Watch));
    Client::from_conf(config.build())
}

/// Sends the request of a [`watched`] client's, and watches its attempts. By an unwatched one, a write counts as one that may
/// have been done.
pub(super) async fn watch<F: Future>(attempts: &Attempts, mut call: Pin<&mut F>) -> F::Output {
    attempts.expect_call();
    poll_fn(|context| {
        let _scope = Scope::of(attempts);
        call.as_mut().poll(context)
    })
    .await
}

/// While it lives, attempts on this thread are of this call, also where the thread was polling another one.
struct Scope {
    outer: Option<Attempts>,
}

impl Scope {
    fn of(attempts: &Attempts) -> Self {
        Self { outer: swap(Some(attempts.clone())) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        swap(self.outer.take());
    }
}

fn swap(attempts: Option<Attempts>) -> Option<Attempts> {
    // A thread that is ending may have no place for it any more. Then nothing is seen, and a write may have been done.
    CURRENT.try_with(|current| current.replace(attempts)).ok().flatten()
}

/// Does this with the attempts of the call that is polled, where there is one.
fn with_current(see: impl FnOnce(&Attempts)) {
    if let Some(attempts) = swap(None) {
        see(&attempts);
        swap(Some(attempts));
    }
}

/// Lets each call watch its attempts.
#[derive(Debug)]
struct Watch;

#[dyn_dispatch_hint]
impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "threadline::Watch"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        with_current(Attempts::call_begins);
        Ok(())
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        with_current(|attempts| attempts.was_made(context));
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        with_current(Attempts::will_be_sent);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        with_current(|attempts| attempts.has_ended(context));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};
    use std::thread;

    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
    use aws_sdk_dynamodb::config::{
        BehaviorVersion, Builder, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
    };
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use tokio::sync::oneshot;

    use super::*;

    type Answer = oneshot::Sender<HttpResponse>;
    type Waiting = oneshot::Receiver<HttpResponse>;

    /// Each request waits for an answer, in the order sent. One whose answer is dropped is lost.
    #[derive(Clone, Debug, Default)]
    struct Wire(Arc<Mutex<VecDeque<Waiting>>>);

    impl Wire {
        /// What the next request will wait for.
        fn next(&self) -> Answer {
            let (answer, waiting) = oneshot::channel();
            self.0.lock().unwrap().push_back(waiting);
            answer
        }

        fn plain_client(&self) -> Client {
            let config = Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(Credentials::new("local", "local", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .timeout_config(TimeoutConfig::disabled())
                .identity_cache(IdentityCache::no_cache())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .http_client(self.clone());
            Client::from_conf(config.build())
        }

        fn client(&self) -> Client {
            watched(&self.plain_client())
        }
    }

    impl HttpClient for Wire {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Wire {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let waiting = self.0.lock().unwrap().pop_front().unwrap();
            HttpConnectorFuture::new(async move { waiting.await.map_err(|lost| ConnectorError::io(lost.into())) })
        }
    }

    fn refuse(answer: Answer) {
        let refusal = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException"}"#;
        answer.send(HttpResponse::new(400.try_into().unwrap(), SdkBody::from(refusal))).unwrap();
    }

    /// A write that is refused or lost.
    async fn write(client: Client, attempts: Attempts) {
        let failed = watch(&attempts, pin!(client.delete_item().table_name("t").send())).await;
        assert!(failed.is_err());
    }

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn two_calls_in_turns_on_one_thread_each_learn_what_became_of_their_own() {
        for first_is_lost in [true, false] {
            let wire = Wire::default();
            let (client, first, second) = (wire.client(), Attempts::new(), Attempts::new());
            let (first_answer, second_answer) = (wire.next(), wire.next());
            let mut first_call = pin!(write(client.clone(), first.clone()));
            let mut second_call = pin!(write(client, second.clone()));
            assert!(poll(first_call.as_mut()).is_pending());
            assert!(poll(second_call.as_mut()).is_pending());
            assert!(first.may_have_been_done() && second.may_have_been_done());
            let (lost, refused) =
                if first_is_lost { (first_answer, second_answer) } else { (second_answer, first_answer) };
            refuse(refused);
            drop(lost);
            // The second ends first.
            assert!(poll(second_call.as_mut()).is_ready());
            assert!(first.may_have_been_done(), "it waits still");
            assert!(poll(first_call.as_mut()).is_ready());
            assert_eq!((first.may_have_been_done(), second.may_have_been_done()), (first_is_lost, !first_is_lost));
        }
    }

    #[test]
    fn calls_on_many_threads_each_learn_what_became_of_their_own() {
        // All threads share two clients, of which the one loses every answer and the other none.
        for is_lost in [true, false] {
            let (wire, other) = (Wire::default(), Wire::default());
            let (client, other_client) = (wire.client(), other.client());
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..20 {
                            let (attempts, others) = (Attempts::new(), Attempts::new());
                            let mut call = pin!(write(client.clone(), attempts.clone()));
                            let mut others_call = pin!(write(other_client.clone(), others.clone()));
                            let (answer, others_answer) = (wire.next(), other.next());
                            let settle = |answer, is_lost| if is_lost { drop(answer) } else { refuse(answer) };
                            settle(answer, is_lost);
                            settle(others_answer, !is_lost);
                            // The answer that a call took may be another thread's, which has not been given yet.
                            let (mut is_open, mut others_is_open) = (true, true);
                            while is_open || others_is_open {
                                is_open = is_open && poll(call.as_mut()).is_pending();
                                others_is_open = others_is_open && poll(others_call.as_mut()).is_pending();
                                thread::yield_now();
                            }
                            assert_eq!(attempts.may_have_been_done(), is_lost);
                            assert_eq!(others.may_have_been_done(), !is_lost);
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn a_call_may_go_on_on_another_thread() {
        let wire = Wire::default();
        let (attempts, answer) = (Attempts::new(), wire.next());
        let mut call = Box::pin(write(wire.client(), attempts.clone()));
        assert!(poll(call.as_mut()).is_pending());
        refuse(answer);
        thread::spawn(move || assert!(poll(call.as_mut()).is_ready())).join().unwrap();
        assert!(!attempts.may_have_been_done());
    }

    #[test]
    fn a_call_that_is_dropped_or_panics_leaves_nothing_behind() {
        let wire = Wire::default();
        let (dropped, answer) = (Attempts::new(), wire.next());
        let mut call = Box::pin(write(wire.client(), dropped.clone()));
        assert!(poll(call.as_mut()).is_pending());
        drop(call);
        drop(answer);
        assert!(dropped.may_have_been_done());
        assert!(swap(None).is_none());

        let attempts = Attempts::new();
        let panics = catch_unwind(AssertUnwindSafe(|| {
            poll(pin!(watch(&attempts, pin!(poll_fn(|_| -> Poll<()> { panic!("as the test wants") })))))
        }));
        assert!(panics.is_err());
        assert!(swap(None).is_none());
    }

    #[test]
    fn a_call_within_the_poll_of_another_gives_way_to_it_again() {
        let wire = Wire::default();
        let (outer, inner, client) = (Attempts::new(), Attempts::new(), wire.client());
        let (inner_answer, outer_answer) = (wire.next(), wire.next());
        drop(inner_answer);
        refuse(outer_answer);
        // As where an application's source of credentials reads a table.
        let both = async {
            write(client.clone(), inner.clone()).await;
            client.delete_item().table_name("t").send().await
        };
        assert!(poll(pin!(watch(&outer, pin!(both)))).is_ready());
        assert!(inner.may_have_been_done());
        assert!(!outer.may_have_been_done());
        assert!(swap(None).is_none());
    }

    #[test]
    fn a_write_that_nobody_watched_may_have_been_done() {
        let wire = Wire::default();
        let attempts = Attempts::new();
        refuse(wire.next());
        assert!(poll(pin!(write(wire.plain_client(), attempts.clone()))).is_ready());
        assert!(attempts.may_have_been_done());
        // Nor does a later call of the same make it certain.
        refuse(wire.next());
        assert!(poll(pin!(write(wire.client(), attempts.clone()))).is_ready());
        assert!(attempts.may_have_been_done());
    }
}
