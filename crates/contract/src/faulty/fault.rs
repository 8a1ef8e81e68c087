//! The list of the faults, each under the decorator that has it, with the case that is there for it.

use std::sync::Arc;

use crate::faulty::appends::Appends;
use crate::faulty::branches::Branches;
use crate::faulty::calls::Calls;
use crate::faulty::corrupt_rows::{CorruptRows, Rounding};
use crate::faulty::edits::Edits;
use crate::faulty::external_ids::ExternalIds;
use crate::faulty::handles::Handles;
use crate::faulty::index::Index;
use crate::faulty::lists::Lists;
use crate::faulty::lossy::Lossy;
use crate::faulty::previews::Previews;
use crate::faulty::scopes::Scopes;
use crate::faulty::searches::Searches;
use crate::faulty::streams::Streams;
use crate::faulty::swapped_roles::SwappedRoles;
use crate::faulty::threads::Threads;
use crate::faulty::versions::Versions;
use crate::fixture::{Fixture, Repo};

/// Each fault is written once: what it does, its name, and the case that is there for it.
macro_rules! faults {
    ($($new:expr => {$($(#[$doc:meta])+ $name:ident => $case:literal,)+})+) => {
        /// One broken promise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($($(#[$doc])+ $name,)+)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$($(Self::$name),+),+];

            /// The name of the case that is there for this fault. Others may fail on it too.
            pub fn caught_by(self) -> &'static str {
                match self {
                    $($(Self::$name => $case,)+)+
                }
            }

            /// The store with this fault.
            fn decorate(self, inner: Repo) -> Repo {
                match self {
                    $($(Self::$name)|+ => Arc::new($new(inner, self)),)+
                }
            }
        }
    };
}

impl Fault {
    /// Breaks the store of a fixture: each handle gets a decorator of its own, as in two processes.
    #[must_use]
    pub fn put_on(self, fixture: Fixture) -> Fixture {
        let fixture = match fixture.damage() {
            Some(damage) if self == Self::RoundsWideIntegers => fixture.with_damage(Rounding(damage)),
            _ => fixture,
        };
        fixture.decorated(|handle| self.decorate(handle))
    }
}

faults! {
    Appends::new => {
        /// Leaves out every third message of a batch, and says nothing.
        DropsFromBatches => "a_batch_of_1000_is_stored_whole",
        /// Stores a batch in the order of its ids.
        ReordersBatches => "a_batch_keeps_its_order",
        /// Appends the messages of a batch one by one: what comes before a bad one stays.
        SplitsBatches => "a_batch_with_a_bad_message_writes_nothing",
        /// Appends one by one, so that readers and writers come in between.
        InterleavesBatches => "batches_stay_neighbours",
        /// Appends a batch in two halves, so that readers see the first alone.
        ShowsHalves => "no_reader_sees_a_part_of_a_batch",
        /// Answers an append as stored when it failed.
        SwallowsErrors => "appending_to_an_absent_thread_is_not_found",
        /// Stores a message again, under a new id, when its id is there already.
        StoresRetriesTwice => "a_retry_of_one_message_gives_the_stored_one",
        /// Looks for held ids first and appends then: two retries at once both find none.
        ChecksThenStores => "retries_at_the_same_time_store_once",
        /// Takes no notice of `expect_head`.
        IgnoresExpectHead => "expect_head_elsewhere_is_a_conflict",
        /// Compares the head first and appends then: two writers at once both find it in place.
        ComparesThenAppends => "one_of_many_compare_and_appends_wins",
        /// Answers a retry of a compare-and-append that succeeded with a conflict.
        ForgetsWonRaces => "a_retry_of_a_compare_and_append_succeeds",
        /// Answers an append as stored when another one to the store is under way.
        LosesWritesUnderLoad => "sixteen_writers_lose_and_double_nothing",
        /// Takes the times of held messages for `updated_at` too.
        RaisesForHeldMessages => "a_held_message_raises_no_updated_at",
    }
    Calls::new => {
        /// Answers a call of several appends in the order of the threads' ids.
        AnswersByThread => "each_append_is_answered_in_its_place",
        /// Refuses all appends of a call for one that is refused.
        RefusesTheWholeCall => "a_refused_append_takes_nothing_from_the_others",
        /// Gives up on a call at its first error.
        StopsAtTheFirstError => "an_absent_thread_takes_nothing_from_the_others",
        /// Makes one append of those of a call to one thread.
        MergesByThread => "a_refused_append_takes_nothing_from_its_own_thread",
        /// Stores the first append of a call to each thread, and answers the others as stored.
        KeepsOneAppendOfAThread => "appends_to_one_thread_take_effect_in_order",
        /// Writes the last append of a call first.
        WritesCallsBackwards => "appends_to_one_thread_take_effect_in_order",
        /// Compares the heads of all threads first, and writes the appends of a call then.
        ComparesBeforeTheCall => "an_append_may_expect_the_head_that_the_one_before_makes",
        /// Looks for held ids first: one that two appends of a call bring is stored twice.
        LooksForIdsBeforeTheCall => "an_id_of_two_appends_is_stored_once",
        /// Takes the scope of the first append of a call for all of them.
        UsesTheFirstScope => "each_append_of_a_call_has_its_own_scope",
        /// Answers an append of nothing in a call without a look at its thread.
        AnswersNothingUnseen => "an_append_of_nothing_in_a_call_changes_nothing",
        /// Raises every thread of a call to the latest time of the call.
        RaisesEveryThreadAlike => "a_call_raises_updated_at_of_each_thread_by_its_own",
        /// Writes the messages of a call one by one: what comes before a bad one stays.
        SplitsAppendsOfCalls => "a_refused_append_takes_nothing_from_the_others",
        /// Writes the messages of a call one by one, so that readers and writers come in between.
        InterleavesCalls => "appends_of_calls_stay_neighbours",
        /// Fails a call when another is under way, as a deadlock would.
        FailsOverlappingCalls => "calls_in_different_orders_all_succeed",
    }
    Lists::new => {
        /// Sorts what it lists by time.
        SortsByTime => "order_is_by_position_whatever_the_times",
        /// Counts in its cursors how many messages were read.
        CountsInCursors => "newest_first_pages_leave_out_new_messages",
        /// Takes in the end of a date range.
        IncludesTheEnd => "a_date_range_is_half_open_to_the_microsecond",
        /// Has an empty list for a thread that is not there.
        ListsAbsentThreads => "an_absent_thread_has_no_empty_list",
        /// Leaves out messages whose type it does not know.
        HidesUnknownTypes => "an_unknown_type_is_kept_as_it_came",
        /// Starts over where a cursor is damaged.
        AcceptsAnyCursor => "a_damaged_cursor_is_refused",
        /// Applies the filters on metadata of a list of messages to the page that was read without them.
        LimitsListsBeforeFilters => "filters_are_applied_before_offset_and_limit",
        /// Takes 1 for 1.0 in metadata.
        MixesNumbers => "numbers_are_compared_as_written",
    }
    Streams::new => {
        /// Takes no notice of the order of a stream.
        StreamsOldestFirst => "a_stream_gives_every_message_in_order",
        /// Ends every stream behind as many messages as a page may have.
        CutsLongStreams => "a_long_thread_is_streamed_whole",
        /// Takes no notice of the filter of a stream.
        StreamsUnfiltered => "a_stream_is_of_what_the_query_finds",
        /// Applies the offset of a stream to each page.
        RepeatsOffsets => "an_offset_of_a_stream_counts_once",
        /// Takes no notice of the cursor of a stream.
        StreamsFromTheStart => "a_stream_goes_on_behind_a_cursor",
        /// Ends a stream behind as many messages as the limit says.
        BoundsStreams => "a_limit_bounds_no_stream",
        /// Has an empty stream for a thread that is not there.
        StreamsAbsentThreads => "a_stream_of_an_absent_thread_is_not_found",
        /// Starts a stream over where its cursor is damaged.
        StreamsBehindAnyCursor => "a_stream_refuses_what_a_list_refuses",
        /// Reads when a stream is made, not when it is read.
        StreamsEagerly => "a_stream_begins_when_it_is_read",
        /// Goes on with a stream behind as many messages as were read.
        CountsInStreams => "what_is_appended_meanwhile_is_streamed_once_at_most",
        /// Looks which messages there are, and fails for one that is deleted before it is read.
        LooksForIdsBeforeTheStream => "what_is_deleted_meanwhile_moves_nothing",
        /// Lets nobody append while a stream is read.
        LocksWhileStreaming => "a_stream_keeps_nobody_from_writing",
        /// Frees what a stream holds when it was read to its end alone.
        KeepsDroppedStreams => "streams_are_dropped_half_way",
        /// Has one place for all streams that are read.
        SharesOnePlace => "two_streams_do_not_meet",
        /// Lets a user read what belongs to the whole organization as a stream.
        StreamsToColleagues => "stream_messages_hides_the_threads_of_others",
        /// Leaves out rows of a stream that cannot be decoded, and says nothing.
        StreamsPastCorruptRows => "a_stream_ends_with_a_corrupt_message",
        /// Does not say where a stream goes on behind a row that cannot be decoded.
        ForgetsWhereStreamsFail => "streams_go_on_behind_corrupt_messages",
        /// Leaves out rows that cannot be decoded where a filter would have to look into them.
        LeavesOutWhatCannotBeFiltered => "filtered_streams_end_with_a_corrupt_message",
    }
    Edits::new => {
        /// Writes an edit that changes nothing, as if it did.
        KeepsUnchangedEdits => "writing_the_same_content_changes_nothing",
        /// Knows an edit again only while the message says what it wrote.
        KnowsTheLastEditAlone => "an_edit_is_written_once_whatever_came_in_between",
        /// Knows edits by their contents, whatever their times.
        ComparesContentsAlone => "the_time_and_the_content_tell_edits_apart",
        /// Takes the content that a message was appended with for an edit.
        TakesTheFirstContentForAnEdit => "going_back_to_the_first_content_is_an_edit_at_any_time",
        /// Knows an edit by the time at which it was written, not by the one that it brought.
        ComparesWhenItWasWritten => "a_retry_is_known_by_the_time_that_it_brings",
        /// Overwrites on an edit, without a revision.
        ForgetsRevisions => "earlier_contents_are_kept_as_revisions",
        /// Says that the thread is missing when the message is.
        NamesTheWrongEntity => "a_message_that_is_not_there_is_not_found",
        /// Clears a thread by making it anew, so that positions start over.
        ReusesPositions => "positions_are_not_given_again_after_a_clear",
        /// Gives a cleared thread's messages up page by page, and stops after the first.
        ClearsOnePage => "a_clear_removes_more_than_a_page",
        /// Takes the time of a clear for `updated_at`, also where there was nothing to clear.
        RaisesForEmptyClears => "a_clear_of_nothing_changes_nothing",
    }
    Lossy::new => {
        /// Keeps times to the millisecond.
        CutsToMilliseconds => "times_come_back_to_the_microsecond",
        /// Leaves out U+0000.
        StripsNul => "nul_comes_back",
        /// Keeps floats of whole value as integers.
        MakesFloatsIntegers => "floats_come_back_with_every_bit",
    }
    Scopes::new => {
        /// Lets a user read what belongs to the whole organization.
        LeaksToColleagues => "list_messages_hides_the_threads_of_others",
        /// Lets a user write to what belongs to the whole organization.
        LetsColleaguesWrite => "edit_message_hides_the_threads_of_others",
        /// Lets a user find what belongs to the whole organization.
        FindsForColleagues => "the_words_of_others_are_never_found",
        /// Deletes by the id alone, whatever the organization.
        DeletesAcrossOrganizations => "delete_thread_hides_the_threads_of_others",
        /// Tells a thread of somebody else from one that is not there.
        TellsHiddenFromAbsent => "get_thread_hides_the_threads_of_others",
        /// Folds the case of user ids.
        FoldsCase => "owners_are_compared_byte_by_byte",
    }
    Threads::new => {
        /// Takes the time of the last write as `updated_at`, also when it is earlier.
        LowersUpdatedAt => "an_append_never_lowers_updated_at",
        /// Reads a thread, changes it and writes all of it back: the head is as old as the read.
        WritesBackTheThread => "an_update_that_races_appends_loses_neither",
        /// Trims the names of threads.
        TrimsNames => "a_name_comes_back_as_it_was_given",
        /// Renames the stored thread when it is created again.
        OverwritesOnCreate => "creating_again_gives_the_stored_thread",
        /// Answers who lost the race for an id with the thread of who won it.
        LeaksLostCreates => "creating_at_the_same_time_makes_one_thread",
        /// Lists threads of equal times by the smallest id first.
        BreaksTiesBackwards => "threads_are_listed_newest_update_first",
        /// Takes no notice of the filters of a list of threads.
        IgnoresFilters => "filters_narrow_a_list_within_the_scope",
        /// Counts in its cursors how many threads were listed.
        CountsInThreadCursors => "untouched_threads_are_listed_exactly_once",
        /// Takes in the end of a range of updates.
        ListsTheEnd => "ranges_of_threads_are_half_open",
        /// Tells cases apart in the names of threads.
        ComparesCaseInNames => "a_name_is_found_by_a_part_of_it",
        /// Takes a part of a name for a pattern.
        TakesNamesForPatterns => "a_part_of_a_name_is_no_pattern",
    }
    Versions::new => {
        /// Takes no notice of where a thread is to begin.
        BeginsElsewhere => "an_id_that_is_there_again_begins_at_its_own_version",
        /// Takes no notice of the version that an append expects.
        IgnoresExpectedVersions => "an_append_that_expects_another_version_is_a_conflict",
        /// Compares the version first and appends then: two writers at once both find it in place.
        ComparesVersionsThenAppends => "one_of_many_appends_at_a_version_wins",
        /// Answers an append that comes again with a conflict, once the thread has another version.
        ForgetsAppendsAtVersions => "a_retry_of_an_append_succeeds_at_any_version",
        /// Tells the version of before the append.
        TellsTheVersionBefore => "an_append_tells_the_head_and_the_version",
        /// Tells all appends of a call what the last of them made.
        TellsWhatTheCallMade => "appends_of_a_call_tell_their_own_heads_and_versions",
        /// Takes no notice of the version that an update expects.
        UpdatesAtAnyVersion => "an_update_that_expects_another_version_is_a_conflict",
        /// Takes no notice of the revision that an edit expects.
        EditsAtAnyRevision => "an_edit_that_expects_something_else_is_a_conflict",
        /// Compares the revision first and edits then.
        ComparesRevisionsThenEdits => "one_of_many_edits_at_a_revision_wins",
        /// Takes no notice of the version that a removal expects.
        RemovesAtAnyVersion => "a_message_is_deleted_at_the_version_that_is_expected",
        /// Looks at the version before it looks for the message.
        ComparesBeforeItLooks => "what_is_not_there_is_not_found_whatever_is_expected",
        /// Takes a thread for unchanged as long as its head is.
        ComparesHeadsOfPages => "each_write_brings_the_page_again",
        /// Reads the page first and the version then.
        ReadsTheVersionLater => "a_page_is_what_was_there_at_its_version",
        /// Has no page that is unchanged for a thread that is not there.
        KnowsAbsentThreadsUnchanged => "an_unchanged_page_of_an_absent_thread_is_not_found",
        /// Counts the edits of messages from 0 on.
        CountsEditsNotContents => "a_message_counts_its_contents",
    }
    ExternalIds::new => {
        /// Keeps no external ids of messages.
        ForgetsExternalIds => "the_external_id_of_a_message_comes_back_everywhere",
        /// Derives ids from external ids alone, whoever's they are.
        SharesExternalIds => "two_users_with_one_external_id_do_not_meet",
        /// Takes any external id for that of the message that is held.
        TakesAnyExternalId => "another_external_id_of_a_message_is_refused",
        /// Takes any external id for that of the thread that is there.
        TakesAnyExternalIdOfThreads => "another_external_id_of_a_thread_is_refused",
        /// Folds the case of external ids.
        FoldsExternalIds => "an_external_id_of_a_message_has_exact_limits",
    }
    Previews::new => {
        /// Shows the latest message by time.
        ShowsTheLatest => "a_preview_has_the_last_message_and_the_number",
        /// Counts messages that were deleted.
        CountsToTheHead => "a_preview_follows_every_write",
        /// Shows previews on the first page alone.
        ShowsTheFirstPageAlone => "pages_of_previews_go_on",
        /// Leaves out the last message where it cannot be decoded.
        HidesCorruptPreviews => "a_page_ends_ahead_of_a_corrupt_preview",
    }
    Branches::new => {
        /// Makes a branch for each request, also for one that comes again.
        BranchesForEachRequest => "creating_again_by_a_request_gives_the_branch",
        /// Shows all of the parent's own messages on a branch, whatever the point is.
        ShowsAllOfTheParent => "branches_of_branches_share_what_is_up_to_their_points",
        /// Appends to main what is for a branch.
        AppendsToMain => "an_append_is_on_its_branch_alone",
        /// Compares the head that an append to a branch expects with that of main.
        ComparesTheHeadOfMain => "expect_head_is_of_the_branch",
        /// Compares the head of a branch first and appends then.
        ComparesThenAppendsToBranches => "one_of_many_appends_at_a_head_of_a_branch_wins",
        /// Binds cursors to the thread and not to the branch.
        SharesCursors => "a_cursor_is_bound_to_its_branch",
        /// Shows main where the branch is not there.
        ShowsMainForAbsentBranches => "an_absent_branch_has_no_messages",
        /// Deletes a branch with those that stand on it.
        DeletesWhatIsInUse => "a_branch_that_others_stand_on_is_in_use",
        /// Removes what a branch shares when it is deleted.
        DeletesWhatIsShared => "deleting_a_branch_leaves_what_it_shares",
        /// Truncates whoever stands on the rest.
        TruncatesWhatIsInUse => "what_others_stand_on_cannot_be_truncated",
        /// Clears the main branch alone.
        ClearsMainAlone => "a_clear_empties_all_branches_and_keeps_them",
        /// Searches all branches whichever is asked for.
        SearchesEveryBranch => "a_branch_is_searched_for_what_it_shows",
        /// Keeps the active branch in the handle, and not with the thread.
        ForgetsTheActiveBranch => "the_active_branch_is_kept_with_the_thread",
        /// Forks without the earlier contents of messages.
        ForksWithoutRevisions => "a_fork_has_what_the_branch_shows",
        /// Forks again with another id when the fork is there.
        ForksTwice => "forking_again_gives_the_fork",
        /// Deletes the forks of a thread with it.
        ForksDieWithTheirOrigin => "a_fork_outlives_its_origin",
        /// Gives the message of an id that another branch holds, and does not refuse it.
        AcceptsIdsOfOtherBranches => "an_id_that_the_branch_does_not_show_is_refused",
        /// Takes the last message that is there for the head.
        LowersTheHead => "truncating_removes_the_end_and_keeps_the_head",
        /// Gives the first number that no branch has.
        GivesNumbersAgain => "numbers_of_branches_are_not_given_again",
        /// Starts branches where there is a message, and nowhere else.
        StartsAtMessagesAlone => "a_branch_starts_at_a_position_up_to_the_head",
    }
    CorruptRows::new => {
        /// Fails a page for a row in it that cannot be decoded, and goes on behind that row.
        FailsPagesWithCorruptRows => "a_page_ends_ahead_of_a_corrupt_message",
        /// Fails a page for the row behind it, which only tells that there is more.
        DecodesTheNextRow => "a_corrupt_message_behind_a_page_leaves_it_alone",
        /// Leaves out rows that cannot be decoded, and says nothing.
        SkipsCorruptRows => "each_corrupt_message_is_reported_once",
        /// Fails a list of threads for one that cannot be decoded, in it or behind it.
        FailsListsWithCorruptThreads => "a_page_ends_ahead_of_a_corrupt_thread",
        /// Fails a page of hits for a row that cannot be decoded, in it or behind it.
        FailsSearchesWithCorruptRows => "a_page_of_hits_ends_ahead_of_a_corrupt_message",
        /// Fails a whole ranking for one row that cannot be decoded.
        FailsRankingsWithCorruptRows => "a_corrupt_message_is_ranked_last",
        /// Reads integers of more than 64 bits as floats.
        RoundsWideIntegers => "an_integer_over_64_bits_is_corrupt",
    }
    Index::new => {
        /// Leaves the index as it was when a message is edited.
        ForgetsToReindex => "an_edit_is_found_at_once",
        /// Leaves deleted messages in the index.
        FindsDeleted => "a_deleted_message_is_found_no_more",
        /// Leaves the messages of a cleared thread in the index.
        FindsCleared => "a_cleared_thread_is_found_no_more",
        /// Leaves the messages of a deleted thread in the index.
        FindsDeletedThreads => "a_deleted_thread_is_found_no_more",
        /// Indexes what was appended when the next write comes.
        IndexesLazily => "a_batch_is_found_as_soon_as_it_is_stored",
        /// Leaves what several appends in one call stored out of the index.
        ForgetsToIndexCalls => "what_is_appended_together_is_found",
        /// Takes a message that is edited out of the index, and puts it in again a moment later.
        RemovesBeforeIndexing => "an_edited_message_is_never_missing",
        /// Indexes the first part of a message alone.
        IndexesTheFirstPart => "every_part_is_searched",
        /// Indexes the parts of a message as one text.
        JoinsParts => "a_phrase_ends_with_its_part",
        /// Indexes the whole content as JSON.
        IndexesMetadata => "what_nobody_said_is_not_searched",
        /// Puts messages in lower case before it takes them apart.
        IndexesInLowerCase => "the_parts_of_a_name_are_found",
        /// Tells cases apart.
        ComparesCase => "the_case_of_letters_does_not_count",
        /// Tells letters with diacritics from those without.
        ComparesDiacritics => "latin_diacritics_do_not_count",
        /// Looks for a prefix anywhere in the text.
        FindsPrefixesInside => "a_prefix_is_found_at_the_beginning_alone",
    }
    Searches::new => {
        /// Indexes a retry again.
        IndexesRetriesTwice => "a_retry_of_an_append_is_found_once",
        /// Wants one of the words.
        OrsWords => "words_are_all_wanted",
        /// Wants the words of a phrase, wherever they are.
        IgnoresPhrases => "a_phrase_is_found_as_it_stands",
        /// Takes a prefix for a word.
        IgnoresPrefixes => "a_prefix_finds_the_words_that_begin_so",
        /// Finds what was excluded.
        IgnoresExclusions => "what_is_excluded_is_not_found",
        /// Takes no notice of `OR`.
        ReadsOrAsAWord => "or_holds_less_tightly_than_a_space",
        /// Answers unbalanced quotes with an error.
        FailsOnOddText => "stray_operators_are_read_as_spaces",
        /// Leaves it at the query where that finds nothing.
        NeverReadsAsText => "an_exclusion_that_finds_nothing_is_searched_as_text",
        /// Refuses a text that only excludes.
        RefusesExclusionsAlone => "exclusions_alone_are_searched_as_text",
        /// Says that every text was read as a query.
        NamesNoReading => "a_search_says_how_it_was_read",
        /// Tries the query again on each page of a search as text.
        ForgetsTheReading => "pages_of_a_search_as_text_stay_so",
        /// Takes in the end of a search's date range.
        FindsTheEnd => "a_search_range_is_half_open_to_the_microsecond",
        /// Applies the filters on metadata to the page that was found without them.
        LimitsBeforeFilters => "filters_of_a_search_are_applied_before_the_limit",
        /// Sorts by relevance, also where the newest are asked for.
        RanksAlways => "hits_of_many_threads_are_sorted_by_time",
        /// Sorts the hits of all threads by position.
        SortsHitsByPosition => "hits_of_many_threads_are_sorted_by_time",
        /// Scores by what nobody can say afterwards.
        ScoresAtRandom => "a_score_depends_on_the_message_alone",
        /// Marks in a snippet by characters where bytes are meant.
        MarksCharacters => "a_snippet_marks_what_was_found",
        /// Counts in its cursors how many hits were read.
        CountsInSearchCursors => "newest_pages_leave_out_what_is_said_meanwhile",
        /// Gives hits the name that their thread had at first.
        KeepsFirstNames => "a_rename_shows_in_the_hits",
        /// Takes no notice of the thread of a search.
        FindsInEveryThread => "roles_senders_and_threads_narrow_a_search",
        /// Finds nothing in a thread that is not there.
        FindsNothingInAbsentThreads => "a_search_in_an_absent_thread_is_not_found",
        /// Reads as many hits of everybody as the limit says, and leaves out those of others then.
        LimitsBeforeTenants => "the_hits_of_others_take_no_place",
        /// Says of all hits that they are of the first one's organization.
        NamesOneOrganization => "the_operator_finds_every_organization",
    }
    Handles::new => {
        /// Keeps the threads that were read through a handle until that handle writes.
        KeepsThreads => "what_one_handle_appends_the_other_reads",
        /// Keeps the lists of threads that were read through a handle until that handle writes.
        KeepsThreadLists => "an_update_through_the_other_handle_is_listed",
        /// Keeps the messages that were read through a handle until that handle writes.
        KeepsMessages => "what_the_other_handle_deletes_is_gone",
        /// Keeps the pages of messages that were read through a handle until that handle writes.
        KeepsPages => "an_edit_through_the_other_handle_is_read",
        /// Searches an index that has what was appended through the same handle alone.
        FindsItsOwnMessagesAlone => "what_one_handle_writes_the_other_finds",
        /// Takes a retry for new messages where another handle stored them.
        KnowsItsOwnIdsAlone => "a_retry_through_the_other_handle_stores_nothing",
        /// Counts on from the positions of its own appends.
        CountsPositionsItself => "positions_go_on_whichever_handle_appends",
        /// Compares an expected head with the one that its own appends left.
        KnowsItsOwnHeadsAlone => "a_head_that_the_other_handle_moved_is_a_conflict",
    }
    SwappedRoles::with_fault => {
        /// A decorator whose accessor hands out the inner store's search, which knows nothing of the decorator.
        HandsOutTheInnerSearch => "roles_senders_and_threads_narrow_a_search",
        /// A decorator that changes what `append` takes, and passes `append_each` on as it is.
        ChangesAppendAlone => "messages_of_a_call_come_back_as_they_were_given",
    }
}
