//! Every call of an application, the projector and the auditor, with every fault at each of its requests.
//!
//! A test injects the fault at the first request of the call, then at the second, and so on. It checks the answer,
//! makes the same call again, and compares the table with that of a run without a fault. The calls are those of the
//! scenarios. The expected outcome follows from the card.
//!
//! No call uses batches; `store_ext` tests those.

mod calls;
mod check;
mod world;

use threadline::card::{Caller, Case, RequestCard, RequestKind};

use self::check::{Expected, Fault, faults, outcomes};
use self::world::Entered;
use crate::scenarios::cases;

/// The kind of a case, by its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It writes nothing.
    Reads,
    /// Ends with its only write, so it is done or not done as a whole.
    Write,
    /// Writes by a transaction. A retry may meet its own first attempt while that commits, with some items written and
    /// one locked. It is refused only if it would be refused without the first attempt.
    Transaction,
    /// Makes requests after its first change. Changes before the fault stay, and a retry does the rest.
    Steps,
}

impl Kind {
    /// Returns the kind of a case in which this many requests change the table.
    fn of(case: &Case, changes: usize) -> Self {
        let is_write = |request: &RequestCard| {
            request.transaction || matches!(request.kind, RequestKind::Put | RequestKind::Update | RequestKind::Delete)
        };
        if !case.requests.iter().any(is_write) {
            Self::Reads
        } else if changes > 1 || !case.requests.last().is_some_and(is_write) {
            Self::Steps
        } else if case.requests.iter().any(|request| request.transaction) {
            Self::Transaction
        } else {
            Self::Write
        }
    }
}

/// Injects the fault in each scenario whose kind has an outcome.
async fn play(fault: Fault, outcome: impl Fn(Kind) -> Option<Expected>) {
    let mut played = 0;
    // The pages of an audit are tested below.
    for (_, case, scenario) in cases().into_iter().filter(|(card, ..)| card.caller != Caller::Operator) {
        let Some(expected) = outcome(Kind::of(case, world::changes(&scenario).await)) else { continue };
        println!("{scenario:?}");
        let make = async |is_forever| world::enter(&scenario, is_forever).await;
        let call = async |entered: &Entered| entered.stage.call(&entered.session).await;
        check::check(make, call, fault, expected).await;
        played += 1;
    }
    assert!(played > 10, "{played} scenarios");
}

/// Returns the outcome of a kind whose request failed.
fn fails(kind: Kind, write: Expected, steps: Expected) -> Option<Expected> {
    Some(match kind {
        Kind::Reads => outcomes::is_not_done_and_again_gives_the_same,
        Kind::Write | Kind::Transaction => write,
        Kind::Steps => steps,
    })
}

fn is_not_done(kind: Kind) -> Option<Expected> {
    fails(kind, outcomes::is_not_done_and_again_gives_the_same, outcomes::stops_it_and_again_does_the_rest)
}

fn is_given_up(kind: Kind) -> Option<Expected> {
    Some(match kind {
        Kind::Steps => outcomes::is_given_up_and_again_does_the_rest,
        _ => outcomes::is_given_up_and_again_gives_the_same,
    })
}

#[tokio::test]
async fn throttled_request_fails_the_call_and_retry_does_it() {
    play(faults::throttled, is_not_done).await;
}

#[tokio::test]
async fn conflict_fails_the_call_and_retry_does_it() {
    let outcome = |kind| if kind == Kind::Reads { Some(outcomes::is_never_met) } else { is_not_done(kind) };
    play(faults::conflict, outcome).await;
}

#[tokio::test]
async fn conflict_with_first_attempt_does_not_refuse_the_retry() {
    let of_transactions = |kind| if kind == Kind::Transaction { is_not_done(kind) } else { None };
    play(faults::conflict_with_the_first, of_transactions).await;
    play(faults::throttled_after_the_first, of_transactions).await;
}

#[tokio::test]
async fn request_that_fails_before_is_not_done_and_retry_does_it() {
    play(faults::failed_before, is_not_done).await;
}

#[tokio::test]
async fn lost_answer_leaves_writes_unknown_and_retry_returns_the_same() {
    let unknown = outcomes::is_unknown_and_again_gives_the_same;
    play(faults::lost_answer, |kind| fails(kind, unknown, outcomes::is_unknown_and_again_does_the_rest)).await;
}

#[tokio::test]
async fn crash_stops_the_call_and_retry_does_it_after_restart() {
    play(faults::crash_and_restart, is_not_done).await;
}

#[tokio::test]
async fn slow_request_changes_nothing() {
    play(faults::slow, |_| Some(outcomes::is_done_nevertheless)).await;
}

#[tokio::test]
async fn call_given_up_at_a_slow_request_is_done_by_retry() {
    play(faults::given_up_before, is_given_up).await;
    play(faults::given_up_after, is_given_up).await;
}

/// Defines a module for each call without a scenario, with one test for each fault.
macro_rules! matrix {
    ($($call:ident { $($fault:ident: $outcome:ident,)+ })+) => {$(
        mod $call {$(
            mod $fault {
                use crate::fault_matrix::{calls, check, world};

                #[tokio::test]
                async fn $outcome() {
                    check::check(world::untidy, calls::$call, check::faults::$fault, check::outcomes::$outcome).await;
                }
            }
        )+}
    )+};
}

// Calls with the caller's id are safe to retry, as above. A call without one cannot recognize its own work, so the
// caller must look first.
matrix! {
    users_create_without_an_id {
        lost_answer: is_unknown_and_again_finds_the_handle_taken_by_itself,
        given_up_after: is_given_up_and_again_finds_the_handle_taken_by_itself,
    }
    groups_create_without_an_id {
        lost_answer: is_unknown_and_again_creates_a_second_group,
        given_up_after: is_given_up_and_again_creates_a_second_group,
    }
    groups_start_direct_without_an_id {
        lost_answer: is_unknown_and_again_sends_a_second_message,
        given_up_after: is_given_up_and_again_sends_a_second_message,
    }
    messages_send_without_an_id {
        lost_answer: is_unknown_and_again_sends_a_second_message,
        given_up_after: is_given_up_and_again_sends_a_second_message,
    }
}

// A page of the audit ends before the item at which a request failed, with the findings before it. At its first item it
// is an error. The next call does the rest.
matrix! {
    audit_check {
        throttled: ends_the_page_before_it_and_going_on_gives_the_same,
        conflict: is_never_met,
        failed_before: ends_the_page_before_it_and_going_on_gives_the_same,
        lost_answer: ends_the_page_before_it_and_going_on_gives_the_same,
        crash_and_restart: ends_the_page_before_it_and_going_on_gives_the_same,
        slow: is_done_nevertheless,
        given_up_before: is_given_up_and_again_gives_the_same,
        given_up_after: is_given_up_and_again_gives_the_same,
    }
    audit_repair {
        throttled: ends_the_page_before_it_and_going_on_does_the_rest,
        conflict: ends_the_page_before_it_and_going_on_does_the_rest,
        failed_before: ends_the_page_before_it_and_going_on_does_the_rest,
        lost_answer: ends_the_page_before_it_and_going_on_does_the_rest,
        crash_and_restart: ends_the_page_before_it_and_going_on_does_the_rest,
        slow: is_done_nevertheless,
        given_up_before: is_given_up_and_again_does_the_rest,
        given_up_after: is_given_up_and_again_does_the_rest,
    }
}
