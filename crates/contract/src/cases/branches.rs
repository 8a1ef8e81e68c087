//! Branches and forks: the alternatives of a conversation.

pub(crate) mod appends;
pub(crate) mod create;
pub(crate) mod forks;
pub(crate) mod races;
pub(crate) mod reads;
pub(crate) mod removals;
pub(crate) mod search;
pub(crate) mod tenants;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(branches::create::a_branch_comes_back_with_every_field, [Branches]),
    case!(branches::create::creating_again_by_a_request_gives_the_branch, [Branches]),
    case!(branches::create::a_branch_starts_at_a_position_up_to_the_head, [Branches]),
    case!(branches::create::a_branch_of_nothing_is_not_found, [Branches]),
    case!(branches::create::branches_of_branches_share_what_is_up_to_their_points, [Branches]),
    case!(branches::create::numbers_of_branches_are_not_given_again, [Branches]),
    case!(branches::create::a_branch_is_written_at_the_version_that_is_expected, [Branches]),
    case!(branches::create::a_name_of_a_branch_has_exact_limits, [Branches]),
    case!(branches::create::the_active_branch_is_kept_with_the_thread, [Branches]),
    case!(branches::create::branches_are_as_many_and_as_deep_as_they_may_be, [Branches, LargeBatches]),
    case!(branches::appends::an_append_is_on_its_branch_alone, [Branches]),
    case!(branches::appends::positions_are_unique_across_branches, [Branches]),
    case!(branches::appends::each_branch_has_its_own_head, [Branches]),
    case!(branches::appends::expect_head_is_of_the_branch, [Branches]),
    case!(branches::appends::a_retry_on_a_branch_gives_the_stored_messages, [Branches]),
    case!(branches::appends::an_id_that_the_branch_does_not_show_is_refused, [Branches]),
    case!(branches::appends::an_append_to_an_absent_branch_is_not_found, [Branches]),
    case!(branches::appends::appends_of_a_call_are_each_on_their_branch, [Branches]),
    case!(branches::appends::an_append_to_a_branch_is_a_write_of_the_thread, [Branches]),
    case!(branches::reads::pages_of_a_branch_go_on_over_its_parts, [Branches]),
    case!(branches::reads::a_query_of_a_branch_counts_along_it, [Branches]),
    case!(branches::reads::filters_find_what_the_branch_shows, [Branches]),
    case!(branches::reads::a_cursor_is_bound_to_its_branch, [Branches]),
    case!(branches::reads::a_branch_is_streamed, [Branches]),
    case!(branches::reads::an_absent_branch_has_no_messages, [Branches]),
    case!(branches::reads::what_is_shared_changes_on_all_branches, [Branches]),
    case!(branches::reads::a_page_of_a_branch_is_given_unless_nothing_changed, [Branches]),
    case!(branches::reads::a_preview_is_of_the_active_branch, [Branches]),
    case!(branches::removals::deleting_a_branch_leaves_what_it_shares, [Branches]),
    case!(branches::removals::a_branch_that_others_stand_on_is_in_use, [Branches]),
    case!(branches::removals::siblings_do_not_stand_on_each_other, [Branches]),
    case!(branches::removals::the_main_branch_cannot_be_deleted, [Branches]),
    case!(branches::removals::an_active_branch_that_is_deleted_gives_way_to_its_parent, [Branches]),
    case!(branches::removals::truncating_removes_the_end_and_keeps_the_head, [Branches]),
    case!(branches::removals::truncating_ahead_of_the_own_part_is_refused, [Branches]),
    case!(branches::removals::what_others_stand_on_cannot_be_truncated, [Branches]),
    case!(branches::removals::truncating_nothing_changes_nothing, [Branches]),
    case!(branches::removals::a_clear_empties_all_branches_and_keeps_them, [Branches]),
    case!(branches::removals::ids_of_what_was_removed_are_free_again, [Branches]),
    case!(branches::removals::a_removal_is_at_the_version_that_is_expected, [Branches]),
    case!(branches::removals::deleting_the_thread_deletes_its_branches, [Branches]),
    case!(branches::search::a_thread_is_searched_on_all_branches, [Branches, Search]),
    case!(branches::search::a_branch_is_searched_for_what_it_shows, [Branches, Search]),
    case!(branches::search::what_is_removed_with_a_branch_is_not_found, [Branches, Search]),
    case!(branches::search::an_absent_branch_is_not_searched, [Branches, Search]),
    case!(branches::search::a_branch_that_shares_nothing_is_searched, [Branches, Search]),
    case!(branches::forks::a_fork_has_what_the_branch_shows, [Branches]),
    case!(branches::forks::a_fork_goes_its_own_way, [Branches]),
    case!(branches::forks::a_fork_outlives_its_origin, [Branches]),
    case!(branches::forks::forking_again_gives_the_fork, [Branches]),
    case!(branches::forks::a_fork_from_nothing_is_refused, [Branches]),
    case!(branches::forks::an_id_that_is_no_such_fork_is_taken, [Branches]),
    case!(branches::forks::forks_of_a_thread_are_listed, [Branches]),
    case!(branches::forks::a_fork_may_be_another_users_of_the_organization, [Branches]),
    case!(branches::forks::the_words_of_a_fork_are_found, [Branches, Search]),
    case!(branches::forks::a_fork_is_found_by_its_own_user, [Branches, Search]),
    case!(branches::tenants::branches_of_others_are_not_found, [Branches]),
    case!(branches::races::creating_at_the_same_time_makes_one_branch, [Branches]),
    case!(branches::races::one_of_many_appends_at_a_head_of_a_branch_wins, [Branches]),
    case!(branches::races::writers_of_different_branches_lose_and_double_nothing, [Branches]),
    case!(branches::races::a_branch_that_is_deleted_under_load_leaves_nothing, [Branches]),
];
