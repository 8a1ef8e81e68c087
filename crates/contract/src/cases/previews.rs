//! Previews: what a list shows of its threads.

pub(crate) mod corrupt;
pub(crate) mod shown;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(previews::shown::a_preview_has_the_last_message_and_the_number),
    case!(previews::shown::a_list_without_previews_has_none),
    case!(previews::shown::a_preview_follows_every_write),
    case!(previews::shown::a_preview_counts_no_message_twice),
    case!(previews::shown::pages_of_previews_go_on),
    case!(previews::shown::filtered_lists_have_previews),
    case!(previews::shown::a_wider_scope_has_previews_of_all_its_threads),
    case!(previews::shown::a_preview_follows_another_handle),
    case!(previews::corrupt::a_page_ends_ahead_of_a_corrupt_preview, [CorruptRows]),
];
