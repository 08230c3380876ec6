//! The rates of random faults.

/// The rates of the faults of [`Plan::random`](super::Plan::random), each in faults per thousand calls.
///
/// The plan draws at most one fault for each call. If the fault cannot apply to the call, nothing happens. If a
/// transaction is throttled or conflicts, the plan also draws the action that the fault concerns.
///
/// If the sum of the rates exceeds 1000, the plan draws a fault for every call, in proportion to the rates. With rates
/// of 1500 and 500, three quarters of the calls draw the first fault and one quarter draw the second.
///
/// ```
/// use threadline_testkit::fault::Rates;
///
/// let rates = Rates::all(20).crash(1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub(super) throttle: u16,
    pub(super) conflict: u16,
    pub(super) fail_before: u16,
    pub(super) lose_answer: u16,
    pub(super) unprocessed: u16,
    pub(super) crash: u16,
}

impl Rates {
    /// Creates rates of 0 for all faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// Creates rates with the same number for each kind of fault, per thousand calls. The rate of crashes is 0.
    pub fn all(rate: u16) -> Self {
        Self {
            throttle: rate,
            conflict: rate,
            fail_before: rate,
            lose_answer: rate,
            unprocessed: rate,
            ..Self::default()
        }
    }

    /// Sets the rate of [throttled](super::Plan::throttle) calls, per thousand.
    #[must_use]
    pub fn throttle(self, rate: u16) -> Self {
        Self { throttle: rate, ..self }
    }

    /// Sets the rate of calls that [conflict](super::Plan::conflict), per thousand.
    #[must_use]
    pub fn conflict(self, rate: u16) -> Self {
        Self { conflict: rate, ..self }
    }

    /// Sets the rate of calls that [do not reach](super::Plan::fail_before) the wrapped store, per thousand.
    #[must_use]
    pub fn fail_before(self, rate: u16) -> Self {
        Self { fail_before: rate, ..self }
    }

    /// Sets the rate of calls that are done, but whose [answers are lost](super::Plan::lose_answer), per thousand.
    #[must_use]
    pub fn lose_answer(self, rate: u16) -> Self {
        Self { lose_answer: rate, ..self }
    }

    /// Sets the rate of batches whose last key or write is left [unprocessed](super::Plan::unprocessed), per thousand
    /// calls.
    #[must_use]
    pub fn unprocessed(self, rate: u16) -> Self {
        Self { unprocessed: rate, ..self }
    }

    /// Sets the rate of calls that [crash](super::Plan::crash) the process, per thousand.
    #[must_use]
    pub fn crash(self, rate: u16) -> Self {
        Self { crash: rate, ..self }
    }
}
