//! Injects a fault at each request of a call in turn, and checks the outcome.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use threadline::entity::{Entity, Item};
use threadline::store::Operation;
use threadline::{ErrorKind, Message, MessageGroup, Outcome, Result};
use threadline_testkit::fault::{Calls, Plan};

use super::calls::Answer;
use super::world::Table;

/// A fault of one request.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    plan: fn(Calls) -> Plan,
    /// The error kinds for a read and for a write; `None` if the answer is that without a fault.
    kinds: Option<[ErrorKind; 2]>,
    /// `true` if a slow request is so slow that the caller gives up.
    is_given_up: bool,
    /// `true` if the call was done before. The fault then happens to its retry, at each action of each transaction in
    /// turn.
    is_of_retry: bool,
}

#[allow(non_upper_case_globals, reason = "the names are those of tests")]
pub(super) mod faults {
    use super::*;

    const fn visible(plan: fn(Calls) -> Plan, reading: ErrorKind, writing: ErrorKind) -> Fault {
        Fault { plan, kinds: Some([reading, writing]), is_given_up: false, is_of_retry: false }
    }

    const fn slow_by(plan: fn(Calls) -> Plan, is_given_up: bool) -> Fault {
        Fault { plan, kinds: None, is_given_up, is_of_retry: false }
    }

    const AN_HOUR: Duration = Duration::from_secs(3600);

    pub(crate) const throttled: Fault =
        visible(|calls| Plan::new().throttle(calls), ErrorKind::Throttled, ErrorKind::Throttled);
    pub(crate) const conflict: Fault =
        visible(|calls| Plan::new().conflict(calls), ErrorKind::Conflict, ErrorKind::Conflict);
    pub(crate) const failed_before: Fault =
        visible(|calls| Plan::new().fail_before(calls), ErrorKind::Unavailable, ErrorKind::Unavailable);
    pub(crate) const lost_answer: Fault =
        visible(|calls| Plan::new().lose_answer(calls), ErrorKind::Unavailable, ErrorKind::OutcomeUnknown);
    pub(crate) const crash_and_restart: Fault =
        visible(|calls| Plan::new().crash(calls), ErrorKind::Unavailable, ErrorKind::Unavailable);
    pub(crate) const slow: Fault = slow_by(|calls| Plan::new().slow_answer(AN_HOUR, calls), false);
    pub(crate) const given_up_before: Fault = slow_by(|calls| Plan::new().slow_before(AN_HOUR, calls), true);
    pub(crate) const given_up_after: Fault = slow_by(|calls| Plan::new().slow_answer(AN_HOUR, calls), true);
    /// The first attempt is still committing: one of its items is locked, and the others are written.
    pub(crate) const conflict_with_the_first: Fault = Fault { is_of_retry: true, ..conflict };
    pub(crate) const throttled_after_the_first: Fault = Fault { is_of_retry: true, ..throttled };
}

/// The expected outcome of a call that meets a fault.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    first: First,
    /// `true` if the call is done or not done as a whole.
    is_whole: bool,
    again: Again,
}

/// The caller's knowledge after the fault.
#[derive(Clone, Copy, PartialEq)]
enum First {
    /// The answer without a fault: none of its requests can meet this fault.
    Never,
    /// The answer without a fault.
    Done,
    /// An error; the failed request is not done.
    NotDone,
    /// As `NotDone`, but the outcome of a write is unknown.
    Unknown,
    /// No answer: the caller gave up.
    GivenUp,
    /// The answer for the items before the failed request; for the first item, an error as for `NotDone`.
    EndsBefore,
}

/// The outcome of the same call, made again without a fault.
#[derive(Clone, Copy)]
enum Again {
    /// The answer and the table of a run without a fault.
    Same,
    /// The table of a run without a fault. The answer lists what was left to do.
    Rest,
    /// An error that names this existing entity. The table is that of a run without a fault.
    Exists(&'static str),
    /// One more of this entity than in a run without a fault.
    Second(&'static str),
}

#[allow(non_upper_case_globals, reason = "the names are those of tests")]
pub(super) mod outcomes {
    use super::*;

    const fn whole(first: First, again: Again) -> Expected {
        Expected { first, is_whole: true, again }
    }

    const fn in_steps(first: First, again: Again) -> Expected {
        Expected { first, is_whole: false, again }
    }

    pub(crate) const is_never_met: Expected = whole(First::Never, Again::Same);
    pub(crate) const is_done_nevertheless: Expected = whole(First::Done, Again::Same);
    pub(crate) const is_not_done_and_again_gives_the_same: Expected = whole(First::NotDone, Again::Same);
    pub(crate) const is_unknown_and_again_gives_the_same: Expected = whole(First::Unknown, Again::Same);
    pub(crate) const is_given_up_and_again_gives_the_same: Expected = whole(First::GivenUp, Again::Same);

    pub(crate) const stops_it_and_again_does_the_rest: Expected = in_steps(First::NotDone, Again::Rest);
    pub(crate) const is_unknown_and_again_does_the_rest: Expected = in_steps(First::Unknown, Again::Rest);
    pub(crate) const is_given_up_and_again_does_the_rest: Expected = in_steps(First::GivenUp, Again::Rest);
    pub(crate) const ends_the_page_before_it_and_going_on_gives_the_same: Expected =
        whole(First::EndsBefore, Again::Same);
    pub(crate) const ends_the_page_before_it_and_going_on_does_the_rest: Expected =
        in_steps(First::EndsBefore, Again::Same);

    const HANDLE: Again = Again::Exists("HandleClaim");
    pub(crate) const is_unknown_and_again_finds_the_handle_taken_by_itself: Expected = whole(First::Unknown, HANDLE);
    pub(crate) const is_given_up_and_again_finds_the_handle_taken_by_itself: Expected = whole(First::GivenUp, HANDLE);
    const GROUP: Again = Again::Second(MessageGroup::TYPE);
    pub(crate) const is_unknown_and_again_creates_a_second_group: Expected = whole(First::Unknown, GROUP);
    pub(crate) const is_given_up_and_again_creates_a_second_group: Expected = whole(First::GivenUp, GROUP);
    const MESSAGE: Again = Again::Second(Message::TYPE);
    pub(crate) const is_unknown_and_again_sends_a_second_message: Expected = whole(First::Unknown, MESSAGE);
    pub(crate) const is_given_up_and_again_sends_a_second_message: Expected = whole(First::GivenUp, MESSAGE);
}

/// A call without a fault, and its expected outcome with one.
struct Check<T> {
    fault: Fault,
    expected: Expected,
    requests: Vec<Operation>,
    answer: T,
    before: Vec<Item>,
    after: Vec<Item>,
}

/// The calls that met the fault.
#[derive(Default)]
struct Met {
    calls: usize,
    /// The number of calls after which the outcome of a request is unknown.
    unknown: usize,
    /// The number of items of each call that ended early.
    ended: Vec<usize>,
}

/// Checks a call. `make` returns a table for it, whose slow requests end at once or never, and the call's other input.
pub(super) async fn check<W, T: Answer>(
    make: impl AsyncFn(bool) -> (Table, W),
    call: impl AsyncFn(&W) -> Result<T>,
    fault: Fault,
    expected: Expected,
) {
    let world = async || {
        let (table, world) = make(fault.is_given_up).await;
        if fault.is_of_retry {
            call(&world).await.unwrap();
        }
        (table, world)
    };
    let (calm, calls) = world().await;
    let check = Check::without_fault(&calm, call(&calls), fault, expected).await;
    let mut met = Met::default();
    for (place, operation) in check.requests.iter().enumerate() {
        let nth = check.requests[..=place].iter().filter(|other| *other == operation).count();
        let calls = Calls::nth(u64::try_from(nth).unwrap()).of(*operation);
        for action in 1.. {
            let calls = if check.fault.is_of_retry { calls.clone().at_action(action) } else { calls.clone() };
            let (table, world) = world().await;
            let plan = (check.fault.plan)(calls);
            let shown = format!("{plan:?}");
            table.store.set_plan(plan);
            let first = unless_it_waits(call(&world));
            if table.store.faults() == 0 {
                // The fault needs a write and this request reads, or there are no more actions.
                assert_eq!(first.unwrap().unwrap(), check.answer, "{shown}");
                break;
            }
            let part = check.first(&mut met, *operation, first, &table.items().await, &shown);

            table.store.set_plan(Plan::new());
            table.store.restart();
            let again = match part {
                Some(part) => part.continued(&table).await,
                None => call(&world).await,
            };
            check.again(again, &table.items().await, &shown);
            if !check.fault.is_of_retry || matches!(check.expected.again, Again::Second(_)) {
                break;
            }
        }
    }
    check.all(&met);
}

impl<T: Answer> Check<T> {
    async fn without_fault(
        calm: &Table,
        call: impl Future<Output = Result<T>>,
        fault: Fault,
        expected: Expected,
    ) -> Self {
        let before = calm.items().await;
        let measured = calm.meter.measure(call).await;
        let requests = measured.requests().iter().map(|request| request.operation).collect();
        let answer = measured.into_answer().unwrap();
        Self { fault, expected, requests, answer, before, after: calm.items().await }
    }

    /// Checks the caller's knowledge and the items after the fault. Returns the answer of a call that ended early.
    fn first(
        &self,
        met: &mut Met,
        operation: Operation,
        first: Option<Result<T>>,
        between: &[Item],
        shown: &str,
    ) -> Option<T> {
        let Self { fault, expected, answer, before, after, .. } = self;
        met.calls += 1;
        let mut part = None;
        match (expected.first, first) {
            (First::Done, Some(Ok(first))) => assert!(first == *answer && between == after, "{shown}"),
            (First::GivenUp, None) => {}
            (First::EndsBefore, Some(Ok(first))) => {
                let items = first.ended_after();
                met.ended.push(items.unwrap_or_else(|| panic!("{shown}: it continues after the error: {first:?}")));
                part = Some(first);
            }
            (First::NotDone | First::Unknown | First::EndsBefore, Some(Err(error))) => {
                assert!(met.ended.is_empty(), "{shown}: the completed work is not reported");
                let writes = matches!(operation, Operation::Write | Operation::Transact);
                assert_eq!(Some(error.kind()), fault.kinds.map(|kinds| kinds[usize::from(writes)]), "{shown}");
                match error.outcome() {
                    Outcome::Unknown => met.unknown += 1,
                    Outcome::NotDone => assert!(!expected.is_whole || between == before, "{shown}"),
                }
            }
            (_, first) => panic!("{shown}: {first:?}"),
        }
        assert!(!expected.is_whole || between == before || between == after, "{shown}: half done");
        part
    }

    /// Checks the outcome of the same call made again without a fault, and the items after it.
    fn again(&self, again: Result<T>, items: &[Item], shown: &str) {
        match self.expected.again {
            Again::Same => assert_eq!(again.unwrap(), self.answer, "{shown}"),
            Again::Rest => drop(again.unwrap()),
            Again::Exists(entity) => {
                let error = again.unwrap_err();
                assert_eq!((error.kind(), error.entity()), (ErrorKind::AlreadyExists, Some(entity)), "{shown}");
            }
            Again::Second(entity) => {
                again.unwrap();
                assert_eq!(count(items, entity), count(&self.after, entity) + 1, "{shown}");
                return;
            }
        }
        assert!(items == self.after, "{shown}: not as without the fault");
    }

    /// Checks all calls that met the fault.
    fn all(&self, met: &Met) {
        let Met { calls, unknown, ended } = met;
        let first = self.expected.first;
        assert_eq!(*calls > 0, first != First::Never, "some request meets the fault");
        if first == First::EndsBefore {
            assert!(
                ended.is_sorted() && !ended.is_empty(),
                "the further the request, the more is done before: {ended:?}"
            );
            // The second item makes requests too.
            assert!(
                *calls < self.requests.len() || ended.first() <= Some(&1),
                "only at the first item, it is an error"
            );
        } else {
            assert_eq!(*unknown > 0, first == First::Unknown, "some request leaves its outcome unknown");
        }
    }
}

/// Returns the answer of a call that only its own work wakes; `None` if it waits forever.
fn unless_it_waits<T>(call: impl Future<Output = T>) -> Option<T> {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Arc::clone(&woken).into();
    let mut call = pin!(tokio::task::unconstrained(call));
    while woken.0.swap(false, Ordering::Relaxed) {
        if let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(answer);
        }
    }
    None
}

fn count(items: &[Item], entity: &str) -> usize {
    items.iter().filter(|item| item.type_name() == Some(entity)).count()
}
