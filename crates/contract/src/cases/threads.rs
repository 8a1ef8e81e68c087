//! Threads: what is stored of one, and the list of them.

pub(crate) mod create;
pub(crate) mod filters;
pub(crate) mod lifecycle;
pub(crate) mod lists;
pub(crate) mod names;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(threads::create::a_created_thread_is_read_back_with_every_field),
    case!(threads::create::creating_again_gives_the_stored_thread),
    case!(threads::create::an_id_of_another_user_is_taken),
    case!(threads::create::two_organizations_may_use_one_id),
    case!(threads::create::an_owner_outside_the_scope_is_refused),
    case!(threads::create::a_wider_scope_creates_for_the_users_in_it),
    case!(threads::create::any_uuid_is_an_id),
    case!(threads::create::a_name_has_exact_limits),
    case!(threads::create::a_name_comes_back_as_it_was_given),
    case!(threads::create::metadata_comes_back_equal),
    case!(threads::create::metadata_has_an_exact_limit),
    case!(threads::lifecycle::an_update_changes_what_it_names),
    case!(threads::lifecycle::an_update_never_lowers_updated_at),
    case!(threads::lifecycle::an_absent_thread_is_not_found),
    case!(threads::lifecycle::deleting_removes_the_thread_and_its_messages),
    case!(threads::lifecycle::a_deleted_id_is_free_again),
    case!(threads::lifecycle::deleting_leaves_the_other_threads),
    case!(threads::lifecycle::closing_is_answered),
    case!(threads::lists::threads_are_listed_newest_update_first),
    case!(threads::lists::every_write_moves_a_thread_to_the_front),
    case!(threads::lists::a_listed_thread_equals_the_thread_read),
    case!(threads::lists::a_scope_without_threads_lists_nothing),
    case!(threads::lists::a_list_limited_to_0_is_an_empty_page),
    case!(threads::lists::a_list_refuses_a_limit_over_the_maximum, [WideLists]),
    case!(threads::lists::filters_narrow_a_list_within_the_scope),
    case!(threads::lists::a_filter_outside_the_scope_finds_nothing),
    case!(threads::names::a_name_is_found_by_a_part_of_it),
    case!(threads::names::a_part_of_a_name_is_no_pattern),
    case!(threads::names::a_part_of_a_name_has_exact_limits),
    case!(threads::names::a_name_filter_follows_a_rename),
    case!(threads::filters::ranges_of_threads_are_half_open),
    case!(threads::filters::an_append_moves_a_thread_within_the_ranges),
    case!(threads::filters::thread_metadata_follows_an_update),
    case!(threads::filters::creating_again_changes_no_filter),
    case!(threads::filters::pages_of_filtered_threads_go_on),
    case!(threads::filters::thread_filters_stay_within_the_scope),
    case!(threads::filters::more_than_16_filters_of_threads_are_refused),
];
