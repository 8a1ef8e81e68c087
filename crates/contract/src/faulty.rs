//! Stores that are wrong on purpose: the test of the tests.
//!
//! [`Faulty`] wraps a store that is right and breaks one promise. Each [`Fault`] is a bug that such systems have
//! had; the case that [`Fault::caught_by`] names must fail on it.
//!
//! ```
//! use chatkeep_contract::faulty::{Fault, Faulty};
//! use chatkeep_memory::MemoryRepository;
//!
//! let store = Faulty::new(MemoryRepository::new(), Fault::SortsByTime);
//! assert_eq!(store.fault().caught_by(), "order_is_by_position_whatever_the_times");
//! ```

mod lossy;
mod messages;
mod threads;

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use chatkeep_domain::{
    Append, ConversationRepository, Cursor, Entity, IdGenerator as _, Scope, StoreError, ThreadId,
    UuidV7Generator,
};
use tokio::sync::Mutex;

/// Long enough that racers of one moment all pass the check before the first of them writes.
const GAP: Duration = Duration::from_millis(5);

/// Each fault is written once: what it does, its name, and the case that is there for it.
macro_rules! faults {
    ($($(#[$doc:meta])+ $name:ident => $case:literal,)+) => {
        /// One broken promise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])+ $name,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name of the case that is there for this fault. Others may fail on it too.
            pub fn caught_by(self) -> &'static str {
                match self {
                    $(Self::$name => $case,)+
                }
            }
        }
    };
}

faults! {
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
    /// Clears a thread by making it anew, so that positions start over.
    ReusesPositions => "positions_are_not_given_again_after_a_clear",
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
    /// Lets a user read what belongs to the whole organization.
    LeaksToColleagues => "list_messages_hides_the_threads_of_others",
    /// Deletes by the id alone, whatever the organization.
    DeletesAcrossOrganizations => "delete_thread_hides_the_threads_of_others",
    /// Tells a thread of somebody else from one that is not there.
    TellsHiddenFromAbsent => "get_thread_hides_the_threads_of_others",
    /// Folds the case of user ids.
    FoldsCase => "owners_are_compared_byte_by_byte",
    /// Takes the time of the last write as `updated_at`, also when it is earlier.
    LowersUpdatedAt => "an_append_never_lowers_updated_at",
    /// Keeps times to the millisecond.
    CutsToMilliseconds => "times_come_back_to_the_microsecond",
    /// Leaves out U+0000.
    StripsNul => "nul_comes_back",
    /// Keeps floats of whole value as integers.
    MakesFloatsIntegers => "floats_come_back_with_every_bit",
    /// Overwrites on an edit, without a revision.
    ForgetsRevisions => "earlier_contents_are_kept_as_revisions",
    /// Gives a cleared thread's messages up page by page, and stops after the first.
    ClearsOnePage => "a_clear_removes_more_than_a_page",
    /// Lets a user write to what belongs to the whole organization.
    LetsColleaguesWrite => "edit_message_hides_the_threads_of_others",
    /// Answers an append as stored when another one to the store is under way.
    LosesWritesUnderLoad => "sixteen_writers_lose_and_double_nothing",
    /// Renames the stored thread when it is created again.
    OverwritesOnCreate => "creating_again_gives_the_stored_thread",
    /// Trims the names of threads.
    TrimsNames => "a_name_comes_back_as_it_was_given",
    /// Lists threads of equal times by the smallest id first.
    BreaksTiesBackwards => "threads_are_listed_newest_update_first",
    /// Takes no notice of the filters of a list of threads.
    IgnoresFilters => "filters_narrow_a_list_within_the_scope",
    /// Counts in its cursors how many threads were listed.
    CountsInThreadCursors => "untouched_threads_are_listed_exactly_once",
    /// Starts over where a cursor is damaged.
    AcceptsAnyCursor => "a_damaged_cursor_is_refused",
    /// Writes an edit that changes nothing, as if it did.
    KeepsUnchangedEdits => "writing_the_same_content_changes_nothing",
    /// Answers who lost the race for an id with the thread of who won it.
    LeaksLostCreates => "creating_at_the_same_time_makes_one_thread",
    /// Says that the thread is missing when the message is.
    NamesTheWrongEntity => "a_message_that_is_not_there_is_not_found",
    /// Reads a thread, changes it and writes all of it back: the head is as old as the read.
    WritesBackTheThread => "an_update_that_races_appends_loses_neither",
}

/// A store with one fault; in all else it is the store that it wraps.
#[derive(Debug)]
pub struct Faulty<R> {
    inner: R,
    fault: Fault,
    /// Makes the outcome of a lost race certain.
    one_writer: Mutex<()>,
    /// How many positions the heads that were written back were behind.
    lost: AtomicI64,
}

impl<R: ConversationRepository> Faulty<R> {
    /// Breaks a store.
    pub const fn new(inner: R, fault: Fault) -> Self {
        Self { inner, fault, one_writer: Mutex::const_new(()), lost: AtomicI64::new(0) }
    }

    /// What is broken.
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The scope of a read.
    fn reading(&self, scope: &Scope) -> Scope {
        match scope.org_id() {
            Some(org) if self.has(Fault::LeaksToColleagues) => Scope::org(org.clone()),
            _ => lossy::scope(self.fault, scope),
        }
    }

    /// The scope of a write.
    fn writing(&self, scope: &Scope) -> Scope {
        match scope.org_id() {
            Some(org) if self.has(Fault::LetsColleaguesWrite) => Scope::org(org.clone()),
            _ => lossy::scope(self.fault, scope),
        }
    }

    /// The error of a call that names a message.
    fn about_message(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NotFound { id, .. } if self.has(Fault::NamesTheWrongEntity) => {
                StoreError::NotFound { entity: Entity::Thread, id }
            }
            other => other,
        }
    }

    /// Which messages of an append the thread holds already.
    async fn held(&self, scope: &Scope, thread: ThreadId, append: &Append) -> Vec<bool> {
        let mut held = Vec::new();
        for message in &append.messages {
            let found = self.inner.get_message(scope, thread, message.id).await;
            held.push(found.is_ok());
        }
        held
    }
}

/// A cursor that counts, as offsets do.
fn count_cursor(count: usize) -> Cursor {
    Cursor::from(format!("count-{count}"))
}

fn counted(cursor: Option<&Cursor>) -> Option<usize> {
    cursor?.as_str().strip_prefix("count-")?.parse().ok()
}

fn is_about_a_cursor(error: &StoreError) -> bool {
    matches!(error, StoreError::InvalidArgument(error) if error.field == "cursor")
}

/// Gives new ids to messages, so that a right store takes them for others.
fn rename(append: &mut Append, which: impl IntoIterator<Item = bool>) {
    for (message, renamed) in append.messages.iter_mut().zip(which) {
        if renamed {
            message.id = UuidV7Generator.message_id();
        }
    }
}
