//! Retries of requests that the SDK does not retry, with exponential backoff and full jitter.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::rt::sleep::TokioSleep;

/// The retry policy of a [`DynamoDbStore`](crate::DynamoDbStore) for the requests that the SDK does not retry.
///
/// These requests are:
/// * the unprocessed parts of a batch;
/// * a write that conflicts with a transaction;
/// * a transaction that was canceled only because of conflicts or throttling.
///
/// For all other requests, configure the retries of the SDK's client. A `stream::Poller` (feature `streams`) has a
/// policy of this type too, for all of its temporary errors.
///
/// The pause before the n-th retry is random: between zero and the smaller of `base * 2^(n-1)` and `max_delay`
/// ([exponential backoff with full jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)).
///
/// ```
/// use std::time::Duration;
/// use threadline::store::dynamodb::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(8).max_delay(Duration::from_secs(5));
/// assert_ne!(patient, RetryPolicy::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    base: Duration,
    max_delay: Duration,
}

impl Default for RetryPolicy {
    /// Returns the policy of 5 attempts, with a base of 50 ms and a maximum delay of 2 s.
    fn default() -> Self {
        Self { max_attempts: 5, base: Duration::from_millis(50), max_delay: Duration::from_secs(2) }
    }
}

impl RetryPolicy {
    /// Sets the maximum number of attempts of a request, including the first one; 1 means no retry. Default: 5.
    ///
    /// For a batch, the count starts again after each attempt that processes a part of the batch.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the maximum pause before the first retry. The maximum doubles with each further retry. Default: 50 ms.
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the limit on the pause before any retry. Default: 2 s.
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    fn ceiling(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.max_delay)
    }
}

/// A function that picks a pause from zero to the given ceiling.
pub(crate) type Jitter = Arc<dyn Fn(Duration) -> Duration + Send + Sync>;

/// A retry policy with its jitter and its sleep.
#[derive(Clone)]
pub(crate) struct Backoff {
    pub(crate) policy: RetryPolicy,
    pub(crate) jitter: Jitter,
    sleep: SharedAsyncSleep,
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

impl Backoff {
    pub(crate) fn new(client: &Client) -> Self {
        Self::sleeping_with(client.config().sleep_impl())
    }

    /// Creates a backoff with this sleep, or with the SDK's default.
    pub(crate) fn sleeping_with(sleep: Option<SharedAsyncSleep>) -> Self {
        let sleep = sleep.unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new()));
        Self { policy: RetryPolicy::default(), jitter: Arc::new(random_part), sleep }
    }

    /// Returns `true` if the policy allows another attempt after this many failed.
    pub(crate) fn allows_another(&self, failed: u32) -> bool {
        failed < self.policy.max_attempts
    }

    /// Waits before the next attempt, after this many failed. Returns `false` if the policy allows no further attempt.
    pub(crate) async fn pause(&self, operation: &'static str, failed: u32) -> bool {
        let is_allowed = self.allows_another(failed);
        if is_allowed {
            self.pause_again(operation, failed).await;
        }
        is_allowed
    }

    /// Waits before the next attempt, even if the policy allows none.
    pub(crate) async fn pause_again(&self, operation: &'static str, failed: u32) {
        let ceiling = self.policy.ceiling(failed);
        let delay = (self.jitter)(ceiling).min(ceiling);
        tracing::debug!(operation, failed, ?delay, "retrying after a pause");
        self.sleep(delay).await;
    }

    #[cfg(feature = "streams")]
    /// Waits for the maximum pause of the policy.
    pub(crate) async fn longest_pause(&self) {
        self.sleep(self.policy.max_delay).await;
    }

    /// Waits this long.
    pub(crate) async fn sleep(&self, pause: Duration) {
        self.sleep.sleep(pause).await;
    }
}

/// Returns a random part of the ceiling. The random keys of a new `RandomState` are good enough to spread retries.
fn random_part(ceiling: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    // The upper 53 bits, which a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
    ceiling.mul_f64(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_maximum_pause() {
        let policy = RetryPolicy::default();
        let ceilings: Vec<_> = (1..=8).map(|failed| policy.ceiling(failed).as_millis()).collect();
        assert_eq!(ceilings, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(policy.ceiling(u32::MAX), Duration::from_secs(2), "no overflow");
    }

    #[test]
    fn random_pauses_differ_and_stay_below_the_ceiling() {
        let ceiling = Duration::from_secs(1);
        let pauses: Vec<_> = (0..100).map(|_| random_part(ceiling)).collect();
        assert!(pauses.iter().all(|pause| *pause < ceiling));
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
