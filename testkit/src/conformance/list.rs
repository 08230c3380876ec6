//! The list of all behaviors, from which the tests of a store and [`all`] are made.

use super::Behavior;

/// Calls the macro of this name for every behavior, as `{ arguments module function }`.
///
/// A test below compares the list with the files of this folder.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_behavior {
    ($callback:ident $arguments:tt) => {
        $crate::__for_each_behavior! { @ $callback $arguments
            get:
                a_put_item_is_read_back
                a_missing_item_is_no_error
                an_item_is_found_by_both_parts_of_its_key
                keys_that_only_look_alike_are_different_keys
                values_of_every_type_are_read_back
                text_of_any_script_is_read_back
                numbers_are_read_back_in_plain_decimal_form
                numbers_in_sets_are_read_back_in_plain_decimal_form
                nested_numbers_keep_their_value;
            put:
                a_key_may_be_any_text
                a_put_replaces_the_whole_item
                the_same_item_may_be_put_again
                a_put_returns_the_old_item_only_on_request
                a_put_of_a_new_item_has_no_old_item
                of_two_puts_on_absence_the_first_wins
                a_refused_put_changes_nothing
                a_refused_put_returns_the_current_item_only_on_request
                a_put_on_existence_creates_no_item;
            update:
                an_update_changes_only_what_it_names
                an_update_creates_a_missing_item
                an_update_on_existence_creates_no_item
                a_set_may_change_the_type_of_an_attribute
                a_set_if_absent_sets_only_what_is_missing
                an_add_to_a_missing_attribute_counts_from_zero
                an_add_is_exact
                an_add_to_text_is_invalid_and_changes_nothing
                an_add_to_more_than_38_digits_is_invalid_and_changes_nothing
                a_remove_of_a_missing_attribute_is_done
                an_update_returns_the_old_item_only_on_request
                a_refused_update_changes_nothing
                attributes_may_have_any_name
                an_update_may_change_a_hundred_attributes;
            delete:
                a_deleted_item_is_absent
                a_delete_of_a_missing_item_is_done
                a_deleted_item_may_be_put_again
                a_delete_returns_the_old_item_only_on_request
                a_refused_delete_changes_nothing
                a_delete_on_existence_is_refused_without_an_item;
            condition:
                an_attribute_exists_with_any_value
                an_item_exists_once_it_was_put
                strings_compare_by_their_bytes
                numbers_compare_by_their_value
                bytes_compare_as_unsigned
                numbers_are_equal_by_value
                sets_are_equal_without_regard_to_order
                lists_and_maps_are_equal_by_their_contents
                a_missing_attribute_only_satisfies_not_equal
                an_attribute_of_another_type_only_satisfies_not_equal
                booleans_and_null_can_be_equal
                a_condition_may_test_the_key
                conditions_combine
                conditions_added_one_by_one_must_all_hold
                conditions_see_the_item_as_it_was
                a_condition_may_have_a_hundred_parts;
            query:
                a_partition_is_read_in_the_order_of_its_sort_keys
                a_partition_may_be_read_backwards
                an_empty_partition_returns_an_empty_page
                a_query_reads_one_partition_only
                sort_keys_are_ordered_by_their_bytes
                begins_with_reads_whole_segments
                before_and_after_are_exclusive
                between_is_inclusive
                a_range_does_not_leave_its_partition;
            paging:
                pages_of_every_size_return_each_item_once
                index_pages_of_every_size_return_each_item_once
                pages_of_a_range_return_each_of_its_items_once
                a_page_that_is_exactly_full_has_a_next_page
                a_page_that_is_not_full_has_no_next_page
                the_position_is_the_key_of_the_last_item_read
                a_start_is_exclusive
                a_start_need_not_exist
                paging_continues_after_a_deleted_item
                a_later_page_shows_items_put_after_its_start
                a_page_ends_at_one_megabyte
                items_with_the_same_index_key_are_each_read_once;
            index:
                the_index_holds_all_of_an_item_with_both_index_keys
                an_item_without_both_index_keys_is_not_in_the_index
                the_index_has_its_own_order
                two_items_may_have_the_same_index_key
                an_update_adds_an_item_to_the_index
                an_update_removes_an_item_from_the_index
                an_update_moves_an_item_in_the_index
                an_update_moves_an_item_to_another_partition_of_the_index
                an_update_of_another_attribute_shows_in_the_index
                a_put_moves_an_item_in_the_index
                a_delete_removes_an_item_from_the_index;
            scan:
                a_scan_reads_every_item_once
                pages_of_a_scan_return_each_item_once
                a_page_of_a_scan_ends_at_one_megabyte
                a_scan_does_not_read_deleted_items;
            transact:
                all_actions_of_a_transaction_are_done
                no_action_is_done_when_one_condition_fails
                a_check_that_fails_cancels_the_transaction
                a_check_changes_nothing
                the_reasons_are_in_the_order_of_the_request
                a_reason_has_the_current_item_only_on_request
                a_transaction_treats_missing_items_like_single_writes
                a_transaction_moves_items_in_the_index
                an_add_to_text_fails_the_transaction
                an_update_to_more_than_400_kb_fails_the_transaction
                a_transaction_may_have_a_hundred_actions
                a_retry_with_the_same_token_succeeds_and_changes_nothing
                a_retry_succeeds_though_its_condition_no_longer_holds
                a_transaction_without_its_token_is_done_again
                a_token_with_another_transaction_is_invalid;
            batch:
                a_batch_may_put_twenty_five_items
                a_batch_may_mix_puts_and_deletes
                a_batch_moves_items_in_the_index
                a_batch_may_read_a_hundred_keys
                a_batch_reads_whole_items_of_any_partition
                a_batch_of_missing_items_is_no_error
                a_batch_returns_the_keys_that_it_cannot_read;
            limits:
                an_item_may_have_400_kb
                an_item_is_measured_in_bytes
                an_update_may_not_make_an_item_of_more_than_400_kb
                keys_may_have_2048_and_1024_bytes
                index_keys_may_have_2048_and_1024_bytes
                the_longest_and_largest_numbers_are_stored_exactly
                values_may_be_nested_32_deep
                the_values_of_a_condition_may_be_large
                the_longest_keys_can_be_paged;
            expiry:
                an_expired_item_is_not_read
                an_item_is_read_until_it_expires
                a_query_leaves_expired_items_out
                a_limit_counts_expired_items
                a_scan_leaves_expired_items_out
                a_batch_leaves_expired_items_out
                an_expired_item_is_not_returned_as_the_old_one
                an_expired_item_is_not_returned_as_the_current_one
                an_expired_item_counts_for_conditions
                an_update_may_extend_an_expired_item;
            capacity:
                a_get_consumes_half_a_unit_per_4_kb
                a_query_rounds_the_sum_of_its_items
                a_batch_of_reads_rounds_each_item
                a_put_consumes_for_the_larger_item
                an_update_consumes_for_the_whole_item
                a_delete_consumes_for_the_deleted_item
                a_refused_write_consumes_a_unit_or_more
                a_batch_of_writes_rounds_each_item
                a_write_outside_the_index_consumes_none_of_it
                an_item_that_enters_or_leaves_the_index_is_written_there_once
                an_identical_write_consumes_none_of_the_index
                a_projected_change_is_written_to_the_index_once
                an_item_that_moves_in_the_index_is_written_there_twice
                the_index_consumes_for_the_size_of_its_entry;
            typed:
                an_entity_is_read_back_by_the_parts_of_its_key
                an_entity_may_be_put_again
                a_new_entity_does_not_replace_another
                a_new_entity_accepts_an_equal_stored_one
                a_deleted_entity_is_absent
                a_query_for_entities_reads_every_page
                a_query_for_a_page_of_entities_reads_one_page
                an_entity_with_an_index_key_is_in_the_index
                an_expired_entity_is_not_read
                an_item_of_another_type_is_no_entity
                any_number_of_items_is_written_and_read;
        }
    };
    (@ $callback:ident $arguments:tt $($module:ident: $($function:ident)+;)+) => {
        $($($crate::$callback! { $arguments $module $function })+)+
    };
}

/// Creates a test for each behavior of [the suite](crate::conformance), for one store.
///
/// * `run_id` is an expression of type `&str`. Use a new text for each run on the same server.
/// * `store` is an expression that creates the store. Each test evaluates it once, in an `async` function, so the
///   expression may `.await`.
/// * Attributes before `run_id`, such as `#[ignore = "needs a server"]`, apply to every test.
///
/// Each test has the name of its behavior and the attribute `#[tokio::test]`, so your package needs `tokio` with its
/// feature `macros`. To test two stores in one file, use two modules.
///
/// ```
/// use threadline::MemoryStore;
///
/// threadline_testkit::conformance_tests! {
///     run_id: "memory",
///     store: MemoryStore::new(),
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($(#[$($attribute:tt)+])* run_id: $run_id:expr, store: $store:expr $(,)?) => {
        $crate::__for_each_behavior! { __conformance_test { [$(#[$($attribute)+])*] ($run_id) ($store) } }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    ({ [$($attributes:tt)*] ($run_id:expr) ($store:expr) } $module:ident $function:ident) => {
        $($attributes)*
        #[::tokio::test]
        async fn $function() {
            let store = $store;
            let scope = $crate::conformance::Scope::new($run_id, stringify!($function));
            $crate::conformance::$module::$function(&store, &scope).await;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __push_behavior {
    ($all:ident $module:ident $function:ident) => {
        $all.push(Behavior {
            topic: stringify!($module),
            name: stringify!($function),
            check: |store, scope| Box::pin(super::$module::$function(store, scope)),
        });
    };
}

/// Returns all behaviors of the suite.
#[allow(clippy::vec_init_then_push, reason = "the pushes come from a macro")]
pub fn all() -> Vec<Behavior> {
    let mut all = Vec::new();
    __for_each_behavior! { __push_behavior all }
    all
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Returns the public functions of every file of this folder, with the file's name.
    fn functions_in_the_files() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
        let mut functions = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            let module = file.file_stem().unwrap().to_str().unwrap().to_owned();
            // This file mentions such functions, but has none.
            if module != "list" {
                functions.extend(functions_in(&std::fs::read_to_string(&file).unwrap(), &module));
            }
        }
        functions.sort();
        functions
    }

    fn functions_in(source: &str, module: &str) -> Vec<String> {
        let lines = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        lines.map(|line| format!("{module}::{}", line.split('(').next().unwrap())).collect()
    }

    #[test]
    fn no_behavior_is_missing_from_the_list() {
        let path = |behavior: Behavior| format!("{}::{}", behavior.topic(), behavior.name());
        let mut listed: Vec<String> = all().into_iter().map(path).collect();
        listed.sort();
        assert_eq!(listed, functions_in_the_files());
        assert!(listed.len() > 80, "the files were not read as they should be");
    }
}
