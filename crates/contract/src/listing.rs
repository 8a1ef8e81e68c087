//! The one list of the cases, and what is generated from it.

#[macro_use]
mod corrupt_rows;
#[macro_use]
mod search;

/// Hands the list of the cases for every store to another macro: `__chatkeep_cases!((macro) args more…)` is
/// `macro! { args list more… }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __chatkeep_cases {
    (($($macro:tt)+) $args:tt $($more:tt)*) => {
        $($macro)+! { $args
            threads {
                a_created_thread_is_read_back_with_every_field,
                creating_again_gives_the_stored_thread,
                an_id_of_another_user_is_taken,
                two_organizations_may_use_one_id,
                an_owner_outside_the_scope_is_refused,
                a_wider_scope_creates_for_the_users_in_it,
                any_uuid_is_an_id,
                a_name_has_exact_limits,
                a_name_comes_back_as_it_was_given,
                metadata_comes_back_equal,
                metadata_has_an_exact_limit,
                an_update_changes_what_it_names,
                an_update_never_lowers_updated_at,
                an_absent_thread_is_not_found,
                deleting_removes_the_thread_and_its_messages,
                a_deleted_id_is_free_again,
                deleting_leaves_the_other_threads,
                closing_is_answered,
            }
            lists {
                threads_are_listed_newest_update_first,
                every_write_moves_a_thread_to_the_front,
                a_listed_thread_equals_the_thread_read,
                a_scope_without_threads_lists_nothing,
                a_list_limited_to_0_is_an_empty_page,
                a_list_refuses_a_limit_over_the_maximum,
                filters_narrow_a_list_within_the_scope,
                a_filter_outside_the_scope_finds_nothing,
            }
            append {
                positions_start_at_1_and_grow,
                a_message_comes_back_as_it_was_given,
                a_batch_keeps_its_order,
                a_batch_of_1000_is_stored_whole,
                order_is_by_position_whatever_the_times,
                an_append_raises_updated_at_to_its_latest,
                an_append_never_lowers_updated_at,
                a_batch_with_a_bad_message_writes_nothing,
                a_batch_with_an_id_twice_writes_nothing,
                a_batch_has_an_exact_limit,
                a_retry_of_one_message_gives_the_stored_one,
                a_retry_of_a_batch_gives_the_stored_ones,
                a_retry_gives_the_message_as_it_is_stored,
                a_batch_held_in_part_stores_the_rest,
                expect_head_writes_at_the_head,
                expect_head_elsewhere_is_a_conflict,
                a_retry_of_a_compare_and_append_succeeds,
                a_compare_and_append_held_in_part_conflicts,
                expect_head_counts_deleted_messages,
                appending_to_an_absent_thread_is_not_found,
                nothing_to_append_changes_nothing,
                positions_are_not_given_again_after_a_delete,
                positions_are_not_given_again_after_a_clear,
                two_threads_may_use_one_message_id,
            }
            append_each {
                each_append_is_answered_in_its_place,
                no_appends_have_no_answers,
                messages_of_a_call_come_back_as_they_were_given,
                a_refused_append_takes_nothing_from_the_others,
                an_absent_thread_takes_nothing_from_the_others,
                a_conflict_takes_nothing_from_the_others,
                a_refused_append_takes_nothing_from_its_own_thread,
                appends_to_one_thread_take_effect_in_order,
                an_append_may_expect_the_head_that_the_one_before_makes,
                an_id_of_two_appends_is_stored_once,
                a_retry_of_a_call_gives_the_stored_messages,
                a_call_held_in_part_stores_the_rest,
                each_append_of_a_call_has_its_own_scope,
                an_append_of_nothing_in_a_call_changes_nothing,
                a_call_raises_updated_at_of_each_thread_by_its_own,
                a_call_may_hold_more_than_one_append_may,
            }
            reads {
                after_and_before_bound_the_positions,
                bounds_with_nothing_between_find_nothing,
                the_first_and_the_last_messages,
                an_offset_leaves_out_the_start_of_the_list,
                a_date_range_is_half_open_to_the_microsecond,
                a_role_finds_its_messages,
                the_parts_of_a_query_hold_together,
                a_limit_of_0_is_an_empty_page,
                a_limit_over_the_maximum_is_refused,
                an_absent_thread_has_no_empty_list,
                a_message_is_read_within_its_thread,
                a_long_thread_is_read_page_by_page,
                reading_goes_on_over_the_end_of_a_page,
            }
            cursors {
                oldest_first_pages_go_on_into_new_messages,
                newest_first_pages_leave_out_new_messages,
                a_cursor_outlives_the_message_it_stands_on,
                a_cursor_outlives_a_clear,
                edits_between_pages_move_nothing,
                a_cursor_goes_on_within_the_query,
                a_damaged_cursor_is_refused,
                a_cursor_of_another_list_is_refused,
                a_cursor_grants_nothing,
                a_cursor_is_kept_as_text,
                threads_of_equal_times_are_listed_once_each,
                untouched_threads_are_listed_exactly_once,
                a_thread_that_moves_to_the_front_is_never_repeated,
                a_cursor_outlives_the_thread_it_stands_on,
            }
            content {
                every_shape_comes_back_equal,
                an_unknown_type_is_kept_as_it_came,
                nul_comes_back,
                rare_characters_come_back,
                every_script_comes_back,
                empty_values_come_back,
                text_that_looks_like_code_comes_back,
                integers_come_back_exactly,
                floats_come_back_with_every_bit,
                a_content_of_8_mib_is_stored,
                a_content_over_8_mib_is_refused,
                the_deepest_nesting_comes_back,
                deeper_nesting_is_refused,
                a_stored_message_is_the_models_message,
            }
            time {
                times_come_back_to_the_microsecond,
                the_first_and_the_last_moments_come_back,
                offsets_and_clock_changes_keep_the_moment,
                constructors_cut_to_microseconds,
                times_that_cannot_be_kept_are_refused,
                threads_of_every_time_are_listed_in_order,
            }
            tenants {
                get_thread_hides_the_threads_of_others,
                update_thread_hides_the_threads_of_others,
                delete_thread_hides_the_threads_of_others,
                append_hides_the_threads_of_others,
                append_each_hides_the_threads_of_others,
                get_message_hides_the_threads_of_others,
                list_messages_hides_the_threads_of_others,
                edit_message_hides_the_threads_of_others,
                list_revisions_hides_the_threads_of_others,
                delete_message_hides_the_threads_of_others,
                clear_messages_hides_the_threads_of_others,
                list_threads_hides_the_threads_of_others,
                messages_of_others_are_not_found_in_an_own_thread,
                an_organization_reaches_the_threads_of_its_users,
                the_operator_reaches_every_thread,
                the_operator_lists_every_organization,
                an_ambiguous_id_is_refused_to_the_operator,
                owners_are_compared_byte_by_byte,
                owners_may_have_long_names_of_any_script,
            }
            concurrency {
                sixteen_writers_lose_and_double_nothing,
                batches_stay_neighbours,
                no_reader_sees_a_part_of_a_batch,
                retries_at_the_same_time_store_once,
                one_of_many_compare_and_appends_wins,
                a_delete_that_races_an_append_leaves_nothing,
                creating_at_the_same_time_makes_one_thread,
                a_clear_that_races_appends_repeats_no_position,
                edits_at_the_same_time_keep_every_revision,
                one_of_many_deletes_succeeds,
                writers_of_different_threads_are_independent,
                an_update_that_races_appends_loses_neither,
            }
            append_each_races {
                calls_in_different_orders_all_succeed,
                appends_of_calls_stay_neighbours,
                no_reader_sees_a_part_of_an_append_of_a_call,
                retries_of_a_call_at_the_same_time_store_once,
                one_of_many_calls_at_one_head_wins,
                a_delete_that_races_a_call_takes_its_thread_alone,
            }
            edits {
                an_edit_replaces_the_content_alone,
                earlier_contents_are_kept_as_revisions,
                going_back_to_an_earlier_content_is_an_edit,
                a_message_never_edited_has_no_revisions,
                writing_the_same_content_changes_nothing,
                an_edit_from_zero_to_minus_zero_is_an_edit,
                an_edit_never_lowers_updated_at,
                a_message_that_is_not_there_is_not_found,
                deleting_a_message_leaves_the_others,
                a_deleted_message_is_not_found,
                revisions_are_deleted_with_their_message,
                a_clear_keeps_the_thread_and_its_head,
                a_clear_removes_more_than_a_page,
                deleting_never_lowers_updated_at,
                a_removal_refuses_a_time_out_of_range,
            }
            filters {
                a_sender_finds_their_messages,
                filters_are_applied_before_offset_and_limit,
                pages_of_filtered_messages_go_on,
                filters_follow_an_edit,
                more_than_16_metadata_filters_are_refused,
            }
            metadata {
                metadata_is_found_by_its_path,
                whole_values_are_compared,
                numbers_are_compared_as_written,
                strings_are_compared_byte_by_byte,
                nul_counts_in_metadata,
                metadata_of_many_values_is_found,
                what_has_no_metadata_is_not_found,
            }
            thread_names {
                a_name_is_found_by_a_part_of_it,
                a_part_of_a_name_is_no_pattern,
                a_part_of_a_name_has_exact_limits,
                a_name_filter_follows_a_rename,
            }
            thread_filters {
                ranges_of_threads_are_half_open,
                an_append_moves_a_thread_within_the_ranges,
                thread_metadata_follows_an_update,
                creating_again_changes_no_filter,
                pages_of_filtered_threads_go_on,
                thread_filters_stay_within_the_scope,
                more_than_16_filters_of_threads_are_refused,
            }
            $($more)*
        }
    };
}

#[doc(hidden)]
macro_rules! __chatkeep_table {
    (() $($group:ident { $($name:ident,)+ })+) => {
        &[$($(
            Case {
                group: stringify!($group),
                name: stringify!($name),
                run: |subject| Box::pin($group::$name(subject)),
            },
        )+)+]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __chatkeep_tests {
    (($attributes:tt $make:path) $($group:ident { $($name:ident,)+ })+) => {
        $(mod $group {
            #[allow(unused_imports, reason = "the factory may be written with a full path")]
            use super::*;
            $($crate::__chatkeep_test! { $attributes $make, $group $name })+
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __chatkeep_test {
    ([$($attribute:tt)*] $make:path, $group:ident $name:ident) => {
        #[test]
        $($attribute)*
        fn $name() {
            $crate::run($crate::$group::$name, $make);
        }
    };
}

/// Makes a test of every case of the contract, in modules named for their groups.
///
/// It takes the path of an `async fn() -> Repo` that makes the store. It is called once for each case, on the runtime
/// that the case then runs on. Attributes in front of it are put on every test. A store that cannot search says so with
/// `without search:`, and must answer every search with `Unsupported`.
///
/// ```
/// # use std::sync::Arc;
/// # use chatkeep_contract::Repo;
/// # async fn make() -> Repo { Arc::new(chatkeep_memory::MemoryRepository::new()) }
/// # mod here { use super::*;
/// chatkeep_contract::contract!(make);
/// # }
/// # mod there { use super::*;
/// chatkeep_contract::contract!(#[ignore = "needs a server"] make);
/// # }
/// # mod elsewhere { use super::*;
/// chatkeep_contract::contract!(without search: make);
/// # }
/// ```
#[macro_export]
macro_rules! contract {
    ($(#[$attribute:meta])* without search: $make:path) => {
        $crate::__chatkeep_cases! { ($crate::__chatkeep_tests) ([$(#[$attribute])*] $make)
            without_search {
                searching_is_unsupported,
            }
        }
    };
    ($(#[$attribute:meta])* $make:path) => {
        $crate::__chatkeep_search_cases! { ($crate::__chatkeep_tests) ([$(#[$attribute])*] $make) }
    };
}
