//! Every call of an application, the projector and the auditor, times every fault that may befall any one of its requests:
//! what the caller is told, and what the same call gives when it is made again.
//!
//! Each line of the tables below is a call, and each cell a test, which plays the fault at the first request of the call, then
//! at the second, and so on. In the end the table must be as a run without a fault leaves it. A test's name is its cell:
//! `fault_matrix::messages_send::lost_answer::is_unknown_and_again_gives_the_same`.
//!
//! No call uses batches, so none meets a batch that is left in parts; `store_ext` holds what those do that use them.

mod calls;
mod check;
mod world;

/// A module for each call, with one for each fault, with the test of what becomes of it.
macro_rules! matrix {
    ($($call:ident { $($fault:ident: $outcome:ident,)+ })+) => {$(
        mod $call {$(
            mod $fault {
                use crate::fault_matrix::{calls, check};

                #[tokio::test]
                async fn $outcome() {
                    check::check(calls::$call, check::faults::$fault, check::outcomes::$outcome).await;
                }
            }
        )+}
    )+};
}

/// Calls that write nothing.
macro_rules! reads {
    ($($call:ident)+) => {
        matrix! {$(
            $call {
                throttled: is_not_done_and_again_gives_the_same,
                conflict: is_never_met,
                failed_before: is_not_done_and_again_gives_the_same,
                lost_answer: is_not_done_and_again_gives_the_same,
                crash_and_restart: is_not_done_and_again_gives_the_same,
                slow: is_done_nevertheless,
                given_up_before: is_given_up_and_again_gives_the_same,
                given_up_after: is_given_up_and_again_gives_the_same,
            }
        )+}
    };
}

/// Calls that write by one request, and so are done or not done as a whole.
macro_rules! writes {
    ($($call:ident)+) => {
        matrix! {$(
            $call {
                throttled: is_not_done_and_again_gives_the_same,
                conflict: is_not_done_and_again_gives_the_same,
                failed_before: is_not_done_and_again_gives_the_same,
                lost_answer: is_unknown_and_again_gives_the_same,
                crash_and_restart: is_not_done_and_again_gives_the_same,
                slow: is_done_nevertheless,
                given_up_before: is_given_up_and_again_gives_the_same,
                given_up_after: is_given_up_and_again_gives_the_same,
            }
        )+}
    };
}

/// The same for calls that write by a transaction. A repeat may meet its own first attempt while that is committed, with some items
/// written and one still held; it is then no more refused by itself than if the first were not there.
macro_rules! transactions {
    ($($call:ident)+) => {
        matrix! {$(
            $call {
                throttled: is_not_done_and_again_gives_the_same,
                conflict: is_not_done_and_again_gives_the_same,
                conflict_with_the_first: is_not_done_and_again_gives_the_same,
                throttled_behind_the_first: is_not_done_and_again_gives_the_same,
                failed_before: is_not_done_and_again_gives_the_same,
                lost_answer: is_unknown_and_again_gives_the_same,
                crash_and_restart: is_not_done_and_again_gives_the_same,
                slow: is_done_nevertheless,
                given_up_before: is_given_up_and_again_gives_the_same,
                given_up_after: is_given_up_and_again_gives_the_same,
            }
        )+}
    };
}

/// Calls that write by several requests: what is done before the fault stays done, and the call made again does the rest.
macro_rules! steps {
    ($($call:ident)+) => {
        matrix! {$(
            $call {
                throttled: stops_it_and_again_does_the_rest,
                conflict: stops_it_and_again_does_the_rest,
                failed_before: stops_it_and_again_does_the_rest,
                lost_answer: is_unknown_and_again_does_the_rest,
                crash_and_restart: stops_it_and_again_does_the_rest,
                slow: is_done_nevertheless,
                given_up_before: is_given_up_and_again_does_the_rest,
                given_up_after: is_given_up_and_again_does_the_rest,
            }
        )+}
    };
}

reads! {
    users_get
    users_by_handle
    users_by_identity
    users_update_to_the_same_names
    groups_open
    groups_get
    groups_members
    messages_get
    messages_page
    messages_page_around
    inbox_page
    inbox_unread
}

transactions! {
    users_create
    users_update
    groups_start_direct
    groups_start_direct_where_there_is_one
    groups_create
    groups_import_direct
    groups_add_member
    groups_remove_member
    groups_leave
}

writes! {
    messages_send
    messages_edit
    messages_delete
    inbox_mark_read
}

steps! {
    projector_advance
    projector_refresh
    projector_join
    projector_rename
}

// Calls with an id of the caller's are safe to make again, as above. Without one, the call cannot tell its own work from
// another's, and whoever made it has to look first.
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

// A page of the audit ends before the item at which something failed, with what was found before it; at its first item it is an
// error. What is made again then is the rest, from where the page ended.
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
    audit_rebuild {
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
