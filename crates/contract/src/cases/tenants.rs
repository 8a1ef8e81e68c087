//! Tenants: what a scope reaches, and what it must not learn of.

pub(crate) mod hidden;
pub(crate) mod reach;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(tenants::hidden::get_thread_hides_the_threads_of_others),
    case!(tenants::hidden::update_thread_hides_the_threads_of_others),
    case!(tenants::hidden::delete_thread_hides_the_threads_of_others),
    case!(tenants::hidden::append_hides_the_threads_of_others),
    case!(tenants::hidden::append_each_hides_the_threads_of_others),
    case!(tenants::hidden::get_message_hides_the_threads_of_others),
    case!(tenants::hidden::list_messages_hides_the_threads_of_others),
    case!(tenants::hidden::stream_messages_hides_the_threads_of_others),
    case!(tenants::hidden::edit_message_hides_the_threads_of_others),
    case!(tenants::hidden::list_revisions_hides_the_threads_of_others),
    case!(tenants::hidden::delete_message_hides_the_threads_of_others),
    case!(tenants::hidden::clear_messages_hides_the_threads_of_others),
    case!(tenants::hidden::list_threads_hides_the_threads_of_others),
    case!(tenants::hidden::messages_of_others_are_not_found_in_an_own_thread),
    case!(tenants::reach::an_organization_reaches_the_threads_of_its_users),
    case!(tenants::reach::the_operator_reaches_every_thread),
    case!(tenants::reach::the_operator_lists_every_organization, [WideLists]),
    case!(tenants::reach::an_ambiguous_id_is_refused_to_the_operator),
    case!(tenants::reach::owners_are_compared_byte_by_byte),
    case!(tenants::reach::owners_may_have_long_names_of_any_script),
];
