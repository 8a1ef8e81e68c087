//! Two handles on one storage, as two processes have them: what goes through one is there for the other at once.

pub(crate) mod races;
pub(crate) mod reads;
pub(crate) mod writes;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(handles::reads::what_one_handle_appends_the_other_reads),
    case!(handles::reads::an_edit_through_the_other_handle_is_read),
    case!(handles::reads::what_the_other_handle_deletes_is_gone),
    case!(handles::reads::an_update_through_the_other_handle_is_listed),
    case!(handles::reads::what_one_handle_writes_the_other_finds, [Search]),
    case!(handles::writes::positions_go_on_whichever_handle_appends),
    case!(handles::writes::a_retry_through_the_other_handle_stores_nothing),
    case!(handles::writes::a_head_that_the_other_handle_moved_is_a_conflict),
    case!(handles::writes::an_append_to_a_thread_that_the_other_handle_deleted_is_not_found),
    case!(handles::races::one_of_two_handles_wins_a_compare_and_append),
    case!(handles::races::two_handles_create_one_thread),
    case!(handles::races::writers_on_two_handles_lose_and_double_nothing),
];
