//! Writers and readers at the same time.

pub(crate) mod append;
pub(crate) mod append_each;
pub(crate) mod changes;
pub(crate) mod racing;

use crate::case::{Case, case};

/// The cases of this folder.
pub(super) const CASES: &[Case] = &[
    case!(races::append::sixteen_writers_lose_and_double_nothing),
    case!(races::append::batches_stay_neighbours),
    case!(races::append::no_reader_sees_a_part_of_a_batch, [WideLists]),
    case!(races::append::retries_at_the_same_time_store_once),
    case!(races::append::one_of_many_compare_and_appends_wins),
    case!(races::append::writers_of_different_threads_are_independent),
    case!(races::append_each::calls_in_different_orders_all_succeed),
    case!(races::append_each::appends_of_calls_stay_neighbours),
    case!(races::append_each::no_reader_sees_a_part_of_an_append_of_a_call, [WideLists]),
    case!(races::append_each::retries_of_a_call_at_the_same_time_store_once),
    case!(races::append_each::one_of_many_calls_at_one_head_wins),
    case!(races::append_each::a_delete_that_races_a_call_takes_its_thread_alone),
    case!(races::changes::a_delete_that_races_an_append_leaves_nothing),
    case!(races::changes::creating_at_the_same_time_makes_one_thread),
    case!(races::changes::a_clear_that_races_appends_repeats_no_position),
    case!(races::changes::edits_at_the_same_time_keep_every_revision),
    case!(races::changes::one_of_many_deletes_succeeds),
    case!(races::changes::an_update_that_races_appends_loses_neither),
];
