//! The cases about search, which a store takes as a whole or not at all.

/// Hands the whole list to another macro, as `__chatkeep_cases` does.
#[doc(hidden)]
#[macro_export]
macro_rules! __chatkeep_search_cases {
    (($($macro:tt)+) $args:tt) => {
        $crate::__chatkeep_cases! { ($($macro)+) $args
            search {
                words_are_all_wanted,
                a_part_of_a_word_finds_nothing,
                the_case_of_letters_does_not_count,
                a_phrase_is_found_as_it_stands,
                what_is_excluded_is_not_found,
                a_hyphen_inside_a_word_excludes_nothing,
                or_holds_less_tightly_than_a_space,
                small_letters_are_no_operators,
                parentheses_group,
                a_prefix_finds_the_words_that_begin_so,
                a_prefix_is_found_at_the_beginning_alone,
                words_without_a_space_between_are_a_phrase,
                stray_operators_are_read_as_spaces,
                blank_text_asks_for_no_words,
                punctuation_alone_finds_nothing,
            }
            search_readings {
                an_exclusion_that_finds_nothing_is_searched_as_text,
                an_exclusion_that_finds_something_stays_one,
                exclusions_alone_are_searched_as_text,
                a_search_says_how_it_was_read,
                pages_of_a_search_as_text_stay_so,
                pages_of_a_query_stay_so,
                a_search_as_text_keeps_its_filters_and_its_scope,
                what_people_paste_is_found,
                nothing_that_people_type_is_an_error,
            }
            search_parts {
                the_parts_of_a_name_are_found,
                letters_and_digits_are_found_apart,
                dates_and_times_are_found_in_part,
                numbers_in_groups_are_found_whole,
                names_with_apostrophes_are_found,
                parts_change_no_phrase,
                an_excluded_part_excludes_its_whole,
                a_text_in_quotes_stays_a_phrase,
                parts_go_with_an_edit,
            }
            shapes {
                every_part_is_searched,
                a_phrase_ends_with_its_part,
                tool_calls_are_searched,
                tool_results_are_searched,
                unknown_shapes_are_searched,
                a_file_is_found_by_its_name,
                what_nobody_said_is_not_searched,
                a_message_without_words_is_found_by_filters_alone,
            }
            scripts {
                latin_diacritics_do_not_count,
                greek_accents_and_final_sigma_do_not_count,
                cyrillic_is_found_in_either_case,
                arabic_marks_do_not_count,
                hebrew_points_do_not_count,
                devanagari_vowel_signs_count,
                thai_is_found_by_any_run,
                lao_khmer_and_burmese_are_found_by_any_run,
                chinese_is_found_by_any_run,
                japanese_is_found_by_any_run,
                korean_is_found_by_any_run,
                vietnamese_marks_do_not_count,
                emoji_are_words,
                german_and_turkish_letters_are_folded,
                other_forms_of_a_character_are_the_same,
                apostrophes_inside_a_word_do_not_count,
            }
            found {
                hits_of_many_threads_are_sorted_by_time,
                hits_of_equal_times_are_sorted_by_thread_and_position,
                hits_of_one_thread_are_sorted_by_position,
                the_best_hits_come_first,
                equal_scores_come_newest_first,
                scores_are_given_for_relevance_alone,
                a_score_depends_on_the_message_alone,
                the_newest_1000_hits_are_ranked,
                a_hit_is_the_message_as_it_is_stored,
                a_search_has_an_exact_limit,
                a_search_in_an_absent_thread_is_not_found,
            }
            snippets {
                a_snippet_marks_what_was_found,
                a_snippet_marks_the_part_that_was_found,
                a_snippet_marks_runs_without_spaces,
                the_snippet_of_a_long_message_shows_what_was_found,
            }
            search_pages {
                pages_of_a_search_hold_every_hit_once,
                hits_of_equal_times_are_given_once_each,
                newest_pages_leave_out_what_is_said_meanwhile,
                oldest_pages_go_on_into_what_is_said_meanwhile,
                ranked_pages_leave_out_what_is_said_meanwhile,
                a_search_cursor_outlives_the_hit_it_stands_on,
                edits_between_pages_of_a_search_move_nothing,
                pages_of_one_thread_go_by_position,
                the_1000_ranked_are_given_once_each,
            }
            search_cursors {
                a_cursor_of_another_search_is_refused,
                a_damaged_search_cursor_is_refused,
                a_search_cursor_grants_nothing,
            }
            search_filters {
                roles_senders_and_threads_narrow_a_search,
                a_search_range_is_half_open_to_the_microsecond,
                metadata_narrows_a_search,
                the_parts_of_a_search_hold_together,
                filters_of_a_search_are_applied_before_the_limit,
                a_hit_far_behind_others_is_found,
                filters_of_a_search_follow_an_edit,
                more_than_16_filters_of_a_search_are_refused,
            }
            search_writes {
                a_batch_is_found_as_soon_as_it_is_stored,
                each_append_is_found_before_the_next,
                what_is_appended_together_is_found,
                a_retry_of_an_append_is_found_once,
                a_refused_append_is_not_found,
                an_edit_is_found_at_once,
                a_deleted_message_is_found_no_more,
                a_cleared_thread_is_found_no_more,
                a_deleted_thread_is_found_no_more,
                a_rename_shows_in_the_hits,
                a_search_misses_nothing_acknowledged,
                an_edited_message_is_never_missing,
                a_search_sees_no_part_of_a_batch,
            }
            search_bounds {
                a_message_is_searched_up_to_its_word_16383,
                a_phrase_is_found_up_to_the_255th_place_of_a_word,
                a_message_is_searched_up_to_its_first_mib,
                a_message_of_8_mib_is_found_by_its_first_words,
                a_search_has_an_exact_length,
                the_longest_searches_are_answered,
            }
            search_signs {
                signs_of_other_languages_are_no_operators,
                rare_characters_find_nothing_else,
                messages_that_look_like_code_are_found,
            }
            search_tenants {
                the_words_of_others_are_never_found,
                the_hits_of_others_take_no_place,
                a_search_in_a_thread_of_another_is_not_found,
                an_organization_finds_the_messages_of_its_users,
                the_operator_finds_every_organization,
                the_same_ids_are_found_in_each_organization,
                a_search_compares_owners_byte_by_byte,
                owners_are_not_searched,
            }
        }
    };
}
