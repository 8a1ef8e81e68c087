//! Versions: what a thread's state is compared by, and what a write may expect; and the revisions of messages.

pub(crate) mod answers;
pub(crate) mod counts;
pub(crate) mod expected;
pub(crate) mod expected_removals;
pub(crate) mod pages;
pub(crate) mod races;
pub(crate) mod revisions;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(versions::counts::a_thread_begins_at_the_version_that_it_is_given),
    case!(versions::counts::an_id_that_is_there_again_begins_at_its_own_version),
    case!(versions::counts::each_write_adds_one),
    case!(versions::counts::what_changes_nothing_adds_nothing),
    case!(versions::counts::what_is_refused_adds_nothing),
    case!(versions::counts::an_append_held_in_part_adds_one),
    case!(versions::counts::a_call_of_appends_adds_one_for_each),
    case!(versions::counts::a_write_to_one_thread_leaves_the_others),
    case!(versions::answers::an_append_tells_the_head_and_the_version),
    case!(versions::answers::an_append_of_nothing_new_tells_what_is_there),
    case!(versions::answers::appends_of_a_call_tell_their_own_heads_and_versions),
    case!(versions::answers::a_retry_in_a_call_tells_what_is_there),
    case!(versions::expected::an_append_is_written_at_the_version_that_it_expects),
    case!(versions::expected::an_append_that_expects_another_version_is_a_conflict),
    case!(versions::expected::an_append_may_expect_a_head_and_a_version),
    case!(versions::expected::a_retry_of_an_append_succeeds_at_any_version),
    case!(versions::expected::an_append_may_expect_the_version_that_the_one_before_makes),
    case!(versions::expected::an_update_is_written_at_the_version_that_it_expects),
    case!(versions::expected::an_update_that_expects_another_version_is_a_conflict),
    case!(versions::expected::an_update_that_changes_nothing_succeeds_at_any_version),
    case!(versions::expected::an_edit_is_written_at_what_it_expects),
    case!(versions::expected::an_edit_that_expects_something_else_is_a_conflict),
    case!(versions::expected::an_edit_that_changes_nothing_succeeds_at_any_version),
    case!(versions::expected_removals::a_message_is_deleted_at_the_version_that_is_expected),
    case!(versions::expected_removals::a_thread_is_cleared_at_the_version_that_is_expected),
    case!(versions::expected_removals::a_clear_of_nothing_succeeds_at_any_version),
    case!(versions::expected_removals::a_thread_is_deleted_at_the_version_that_is_expected),
    case!(versions::expected_removals::what_is_not_there_is_not_found_whatever_is_expected),
    case!(versions::expected_removals::a_version_of_a_deleted_thread_is_not_that_of_its_successor),
    case!(versions::pages::a_page_has_the_version_of_its_thread),
    case!(versions::pages::a_page_of_found_metadata_has_the_version_of_its_thread),
    case!(versions::pages::a_list_of_threads_has_no_version),
    case!(versions::pages::an_unchanged_page_is_not_given_again),
    case!(versions::pages::each_write_brings_the_page_again),
    case!(versions::pages::a_page_at_another_version_is_the_page),
    case!(versions::pages::an_unchanged_page_of_an_absent_thread_is_not_found),
    case!(versions::pages::an_unchanged_page_refuses_what_a_list_refuses),
    case!(versions::pages::a_write_through_another_handle_brings_the_page_again),
    case!(versions::revisions::a_message_counts_its_contents),
    case!(versions::revisions::every_read_has_the_revision),
    case!(versions::revisions::a_revision_has_the_number_that_its_message_had),
    case!(versions::revisions::a_deleted_id_counts_anew),
    case!(versions::races::one_of_many_appends_at_a_version_wins),
    case!(versions::races::one_of_many_updates_at_a_version_wins),
    case!(versions::races::one_of_many_edits_at_a_revision_wins),
    case!(versions::races::one_of_many_different_writes_at_a_version_wins),
    case!(versions::races::every_append_under_load_has_a_version_of_its_own),
    case!(versions::races::a_page_is_what_was_there_at_its_version),
    case!(versions::races::writers_on_two_handles_share_the_versions),
];
