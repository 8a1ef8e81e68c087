//! Rows that cannot be decoded, for stores whose rows the test can damage.

pub(crate) mod damaged;
pub(crate) mod integers;
pub(crate) mod lists;
pub(crate) mod search;
pub(crate) mod streams;
pub(crate) mod writes;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(corrupt_rows::lists::a_corrupt_row_is_named_and_not_shown, [CorruptRows]),
    case!(corrupt_rows::lists::a_page_ends_ahead_of_a_corrupt_message, [CorruptRows]),
    case!(corrupt_rows::lists::a_corrupt_message_behind_a_page_leaves_it_alone, [CorruptRows]),
    case!(corrupt_rows::lists::a_corrupt_message_is_not_left_out, [CorruptRows]),
    case!(corrupt_rows::lists::each_corrupt_message_is_reported_once, [CorruptRows]),
    case!(corrupt_rows::lists::filtered_pages_end_ahead_of_a_corrupt_message, [CorruptRows]),
    case!(corrupt_rows::lists::a_page_ends_ahead_of_a_corrupt_thread, [CorruptRows]),
    case!(corrupt_rows::streams::a_stream_ends_with_a_corrupt_message, [CorruptRows]),
    case!(corrupt_rows::streams::streams_go_on_behind_corrupt_messages, [CorruptRows]),
    case!(corrupt_rows::streams::filtered_streams_end_with_a_corrupt_message, [CorruptRows]),
    case!(corrupt_rows::writes::a_corrupt_thread_can_be_used_and_deleted, [CorruptRows, Search]),
    case!(corrupt_rows::writes::a_corrupt_message_can_be_deleted, [CorruptRows]),
    case!(corrupt_rows::writes::a_thread_with_a_corrupt_message_goes_on, [CorruptRows]),
    case!(corrupt_rows::search::a_page_of_hits_ends_ahead_of_a_corrupt_message, [CorruptRows, Search]),
    case!(corrupt_rows::search::a_corrupt_message_is_ranked_last, [CorruptRows, Search]),
    case!(corrupt_rows::integers::an_integer_over_64_bits_is_corrupt, [CorruptRows, Search]),
    case!(corrupt_rows::integers::an_integer_over_64_bits_is_corrupt_everywhere, [CorruptRows]),
];
