//! The main flows of every access pattern, on the in-memory store and on DynamoDB.
//!
//! Each flow is one async function, with one test per store. All tests of a store on DynamoDB share a table, so a flow
//! creates its own users, whose ids and handles follow from its name. The details of each pattern are tested in
//! `tests/it`, on the in-memory store only.

mod groups;
mod inbox;
mod messages;
mod users;

use std::sync::Arc;
use std::time::Duration;

use threadline::store::Store;
use threadline::{
    ErrorKind, Handle, ManualClock, MemoryStore, Message, NewUser, Page, Recovery, Result, SequentialIds, Thread,
    Threadline, Timestamp, User,
};
use uuid::Uuid;

/// Creates two tests of every flow, one per store. A flow that is missing from the list is dead code, which clippy
/// refuses.
macro_rules! flows {
    ($($module:ident: $($flow:ident)+;)+) => {
        const NAMES: &[&str] = &[$($(stringify!($flow),)+)+];

        mod memory_store {
            use super::*;

            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $flow() {
                    let store = MemoryStore::new().page_size(std::num::NonZeroU32::new(2).unwrap());
                    $module::$flow(App::new(Arc::new(store), stringify!($flow))).await;
                }
            )+)+
        }

        #[cfg(feature = "dynamodb")]
        mod dynamodb_store {
            use super::*;

            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs DynamoDB Local: set DYNAMODB_ENDPOINT, or run ./scripts/test"]
                async fn $flow() {
                    $module::$flow(App::new(on_dynamodb(), stringify!($flow))).await;
                }
            )+)+
        }
    };
}

flows! {
    users:
        a_user_is_found_by_id_by_handle_in_any_case_and_by_identity
        an_absent_user_is_none_and_no_error
        a_taken_handle_identity_or_id_creates_nobody
        create_user_with_same_id_returns_the_created_user
        one_of_many_concurrent_claims_on_a_handle_wins
        a_rename_moves_the_claim_and_reserves_the_old_handle
        a_rename_to_another_case_keeps_the_claim
        a_claim_of_version_0_1_moves_with_a_change
        a_new_display_name_reaches_the_user_and_both_claims
        a_rename_to_a_taken_handle_changes_nothing
        the_second_change_to_one_version_is_refused
        a_completed_change_may_be_retried
        a_user_who_was_never_created_cannot_be_renamed;
    groups:
        both_people_read_the_first_message_and_each_others_names
        a_second_start_sends_into_the_first_conversation
        a_start_repeated_with_the_id_of_its_message_does_not_double_it
        concurrent_starts_create_one_conversation_with_all_messages
        a_start_follows_the_imported_conversation_of_the_two
        two_people_with_a_conversation_import_no_other
        a_group_has_its_title_its_members_and_its_first_message
        a_group_of_97_is_created_whole
        a_group_created_again_with_its_id_is_the_one_that_was_created
        added_member_reads_the_thread_and_removed_member_does_not
        a_change_of_members_may_be_repeated
        the_members_who_come_and_go_at_once_are_counted
        a_direct_conversation_keeps_its_two_members
        a_stranger_gets_the_error_of_an_absent_conversation;
    messages:
        a_send_repeated_with_the_same_id_is_done_once
        an_id_that_is_taken_by_another_text_or_author_is_refused
        an_id_older_than_a_day_is_refused_unless_its_message_is_stored
        an_id_that_holds_no_time_is_sent_with_one
        message_is_found_by_itself_its_position_or_its_id
        pages_of_any_size_in_either_order_give_every_message_once
        pages_within_bounds_give_every_message_between_them_once
        a_page_around_a_message_continues_in_both_directions
        a_page_around_a_message_near_an_end_is_still_full
        a_page_is_full_beyond_dynamodbs_megabyte
        a_cursor_of_another_list_is_refused
        an_edit_changes_the_text_and_keeps_the_position
        a_deleted_message_is_a_tombstone_that_no_edit_restores
        only_the_author_may_edit_or_delete
        a_change_to_a_message_that_is_not_there_creates_nothing;
    inbox:
        a_conversation_moves_to_the_top_when_its_message_is_projected
        an_older_or_repeated_message_moves_no_row_back
        every_member_gets_the_message_and_a_former_member_gets_no_entry
        pages_of_any_size_give_every_conversation_once
        a_cursor_of_another_inbox_is_refused
        the_read_marker_only_moves_forward
        reading_moves_no_conversation
        the_messages_of_others_after_marker_and_own_are_unread
        the_unread_count_is_capped;
}

#[test]
fn every_flow_has_its_own_seed() {
    let seeds: std::collections::HashSet<_> = NAMES.iter().map(|name| seed(name)).collect();
    assert_eq!(seeds.len(), NAMES.len());
}

/// Creates a store with this test's own client, whose connections belong to the test's runtime.
#[cfg(feature = "dynamodb")]
fn on_dynamodb() -> Arc<dyn Store> {
    Arc::new(threadline::DynamoDbStore::new(crate::support::client(), crate::shared_table::table("stores")))
}

/// Returns the FNV-1a hash of a flow's name, below 2^30, the limit of an id seed.
fn seed(flow: &str) -> u32 {
    flow.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) >> 2
}

/// An application with a manual clock, and with ids and handles of one flow.
pub(crate) struct App {
    pub(crate) chat: Threadline,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    seed: u32,
}

impl App {
    fn new(store: Arc<dyn Store>, flow: &str) -> Self {
        let clock = Arc::new(ManualClock::starting_at(time("2026-11-22T12:00:00Z")));
        let seed = seed(flow);
        let ids = SequentialIds::seeded(seed);
        let chat = Threadline::new(Arc::clone(&store)).clock(Arc::clone(&clock)).ids(ids);
        Self { chat, store, clock, seed }
    }

    /// Returns this text, made unique to this flow, for handles and identities.
    pub(crate) fn own(&self, text: &str) -> String {
        format!("{text}-{:08x}", self.seed)
    }

    pub(crate) fn handle(&self, text: &str) -> Handle {
        Handle::new(self.own(text)).unwrap()
    }

    /// Returns a random UUID with this number, unique to this flow.
    pub(crate) fn uuid<T: From<Uuid>>(&self, number: u32) -> T {
        let random = (u128::from(self.seed) << 96) | u128::from(number);
        T::from(uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid())
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.chat.create_user(NewUser::new(self.handle(name), name).unwrap()).await.unwrap()
    }

    /// Creates Andrew and Bayko, and Andrew's thread of their conversation.
    pub(crate) async fn direct(&self) -> (User, User, Thread) {
        let (andrew, bayko) = (self.user("Andrew").await, self.user("Bayko").await);
        let thread = self.chat.start_direct(&andrew, &bayko, "0").await.unwrap();
        (andrew, bayko, thread)
    }

    /// Opens the thread as this member.
    pub(crate) async fn open(&self, member: &User, thread: &Thread) -> Thread {
        self.chat.open(member.id(), thread.group_id()).await.unwrap()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Advances the clock by 1 s, and sends a message.
    pub(crate) async fn say(&self, thread: &Thread, text: &str) -> Message {
        self.wait(1);
        thread.send(thread.new_message_id(), text).await.unwrap()
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns the texts of a page, with "(deleted)" for a tombstone.
pub(crate) fn texts(page: &Page<Message>) -> Vec<String> {
    page.items.iter().map(|message| message.body().map_or("(deleted)".into(), ToString::to_string)).collect()
}

/// Returns the texts of the whole thread, oldest first.
pub(crate) async fn read(thread: &Thread) -> Vec<String> {
    let page = thread.messages().oldest_first().limit(1000).fetch().await.unwrap();
    assert_eq!(page.next, None);
    texts(&page)
}

/// Returns the kind of the error and the entity that it names.
#[track_caller]
pub(crate) fn refusal<T>(result: Result<T>) -> (ErrorKind, Option<&'static str>) {
    let Err(error) = result else { panic!("it was done") };
    (error.kind(), error.entity())
}

/// Retries a call while the service reports a conflict with another call. DynamoDB may do so for concurrent calls, and
/// changes nothing then.
pub(crate) async fn until_no_conflict<T, F: Future<Output = Result<T>>>(mut call: impl FnMut() -> F) -> Result<T> {
    for _ in 0..100 {
        match call().await {
            Err(error) if error.kind() == ErrorKind::Conflict => assert_eq!(error.recovery(), Recovery::Retry),
            other => return other,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the conflict does not end");
}
