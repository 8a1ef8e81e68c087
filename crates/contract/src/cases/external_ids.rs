//! Ids that callers have of their own.

pub(crate) mod messages;
pub(crate) mod threads;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(external_ids::threads::the_external_id_of_a_thread_comes_back_everywhere),
    case!(external_ids::threads::a_thread_is_found_through_its_external_id),
    case!(external_ids::threads::creating_again_by_an_external_id_gives_the_stored_thread),
    case!(external_ids::threads::another_external_id_of_a_thread_is_refused),
    case!(external_ids::threads::two_users_with_one_external_id_do_not_meet),
    case!(external_ids::threads::two_organizations_with_one_external_id_do_not_meet),
    case!(external_ids::threads::an_external_id_of_a_thread_has_exact_limits),
    case!(external_ids::threads::a_deleted_external_id_is_free_again),
    case!(external_ids::messages::the_external_id_of_a_message_comes_back_everywhere),
    case!(external_ids::messages::a_search_gives_the_external_id_of_a_message, [Search]),
    case!(external_ids::messages::a_message_is_found_through_its_external_id),
    case!(external_ids::messages::appending_again_by_an_external_id_stores_once),
    case!(external_ids::messages::another_external_id_of_a_message_is_refused),
    case!(external_ids::messages::one_external_id_may_be_in_several_threads),
    case!(external_ids::messages::an_external_id_of_a_message_has_exact_limits),
    case!(external_ids::messages::appends_of_a_call_keep_their_external_ids),
];
