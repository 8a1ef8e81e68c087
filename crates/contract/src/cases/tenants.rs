//! Tenants: what a scope reaches, and what it must not learn of.

pub(crate) mod tenants;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(tenants::tenants::get_thread_hides_the_threads_of_others),
    case!(tenants::tenants::update_thread_hides_the_threads_of_others),
    case!(tenants::tenants::delete_thread_hides_the_threads_of_others),
    case!(tenants::tenants::append_hides_the_threads_of_others),
    case!(tenants::tenants::append_each_hides_the_threads_of_others),
    case!(tenants::tenants::get_message_hides_the_threads_of_others),
    case!(tenants::tenants::list_messages_hides_the_threads_of_others),
    case!(tenants::tenants::edit_message_hides_the_threads_of_others),
    case!(tenants::tenants::list_revisions_hides_the_threads_of_others),
    case!(tenants::tenants::delete_message_hides_the_threads_of_others),
    case!(tenants::tenants::clear_messages_hides_the_threads_of_others),
    case!(tenants::tenants::list_threads_hides_the_threads_of_others),
    case!(tenants::tenants::messages_of_others_are_not_found_in_an_own_thread),
    case!(tenants::tenants::an_organization_reaches_the_threads_of_its_users),
    case!(tenants::tenants::the_operator_reaches_every_thread),
    case!(tenants::tenants::the_operator_lists_every_organization, [WideLists]),
    case!(tenants::tenants::an_ambiguous_id_is_refused_to_the_operator),
    case!(tenants::tenants::owners_are_compared_byte_by_byte),
    case!(tenants::tenants::owners_may_have_long_names_of_any_script),
];
