//! The ports that a store implements.

use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;

use crate::append::{Append, Appended, ThreadAppend};
use crate::branch_repository::BranchRepository;
use crate::error::StoreError;
use crate::id::{MessageId, ThreadId};
use crate::message::{ChatMessage, MessageEdit, MessageRevision};
use crate::message_query::MessageQuery;
use crate::page::Page;
use crate::removal::Removal;
use crate::scope::Scope;
use crate::search::SearchPage;
use crate::search::SearchQuery;
use crate::stream::MessageStream;
use crate::thread::{ChatThread, NewThread};
use crate::thread_query::ThreadQuery;
use crate::thread_update::ThreadUpdate;
use crate::version::Version;

/// Keeps threads.
///
/// # Contract
///
/// - Every call takes a [`Scope`]; a thread outside it is answered exactly like one that does not exist, for reads
///   and for writes.
/// - The operator is refused ([`StoreError::ambiguous_thread_id`]) by every call that names a thread, when several
///   organizations hold one of that id.
/// - What was acknowledged is durable, as far as the store is durable at all, and visible to every later call.
/// - A row that cannot be decoded is [`StoreError::CorruptRow`] with its id. A page of the list ends ahead of it, and a
///   page that would begin with it is the error: see [`Page::cut`]. What it names can still be deleted.
/// - Times come back in UTC, equal to what was given, whatever time zone the machine or the server is in.
/// - A write that changes something raises the thread's [version](ChatThread::version) by 1, in the write itself; one that
///   changes nothing, such as one that came before and comes again, leaves it alone.
/// - Input is checked before the first write. After an error whose [outcome](StoreError::outcome) is not unknown, nothing
///   was written.
#[async_trait]
pub trait ThreadRepository: Send + Sync + Debug {
    /// Stores a thread.
    ///
    /// Creating again with the same id and owner gives back the thread as it is stored, unchanged. An id is unique
    /// within its organization; two organizations may use the same. The thread begins at [`NewThread::version`].
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when another user of the organization has the id. This is the one answer that
    /// tells of a thread outside the scope: an id cannot be given twice. [`StoreError::InvalidArgument`] for an owner
    /// outside the scope, for another external id than the thread of this id has, or for what [`NewThread::validate`]
    /// refuses.
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError>;

    /// Reads a thread.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError>;

    /// Renames or re-tags a thread. `updated_at` becomes the later of its old value and [`ThreadUpdate::at`], also where the
    /// name and the metadata stay as they were.
    ///
    /// With [`ThreadUpdate::expect_version`] it writes only if the thread has that version. An update that would
    /// [change nothing](ThreadUpdate::changes) is a retry of one that succeeded, and is answered as one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread, or for the branch that is to be active; [`StoreError::Conflict`] with
    /// [`ThreadUpdate::expect_version`]; what
    /// [`ThreadUpdate::validate`] refuses.
    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError>;

    /// Deletes a thread with all its messages and their revisions; with `expect_version` only if the thread has that
    /// version. Gives the number of messages. Afterwards its id is free again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with `expect_version`.
    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError>;

    /// Lists the threads of the scope, the newest update first; among equal times by id, the greatest first.
    ///
    /// Threads that nobody writes to while pages are read are listed exactly once. A thread that is written to moves
    /// to the front: it is never repeated, and if it was not listed yet it is on a fresh first page.
    ///
    /// With [`ThreadQuery::with_preview`] each thread has its [preview](ChatThread::preview), of the same moment as the
    /// thread. A last message that cannot be decoded makes its thread one that cannot be decoded.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] for what [`ThreadQuery::validate`] refuses.
    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError>;
}

/// Keeps the messages of threads.
///
/// # Contract
///
/// - Every call names its thread; one that is absent or outside the scope is [`StoreError::NotFound`], and nothing
///   is written.
/// - Order is by [`Position`](crate::Position), never by time.
/// - A call names a branch of its thread, the main one unless it says another; one that is not there is
///   [`StoreError::NotFound`]. A call that names a message finds it on whichever branch it is.
/// - Every write raises the thread's `updated_at` to the write's own time, and never lowers it. A call that changes nothing
///   is no write, whatever time it brings: an append of messages that the thread holds, an edit to the content that is there,
///   a clear of a thread without messages.
/// - A content comes back equal to what was given: to the last bit of each number.
/// - A row that cannot be decoded is [`StoreError::CorruptRow`] with its id, and so is one with a number that would have to
///   be rounded; it never hides its neighbours. A page of a list ends ahead of it, and a page that would begin with it is
///   the error: see [`Page::cut`].
#[async_trait]
pub trait MessageRepository: Send + Sync + Debug {
    /// Appends messages behind the branch's head. Gives them back as they are stored, in the order given, with the branch's
    /// head and the thread's version behind the append.
    ///
    /// - Atomic: all are stored or none; no reader sees a part.
    /// - Ordered: positions grow in the order given, behind every position that the thread ever allotted.
    /// - Idempotent: a message whose id the thread already holds is not stored again; the stored one comes back in
    ///   its place. So a retry after an unknown outcome is always safe.
    /// - `updated_at` rises to the latest `created_at` of the messages that are stored now; that of a message which the
    ///   thread already holds does not count.
    /// - Concurrent appends to one thread never lose, double or interleave: the messages of one append are
    ///   neighbours.
    /// - With [`Append::expect_head`] it writes only if the branch's head is there, with [`Append::expect_version`] only if
    ///   the thread has that version. When the thread already holds every message of the append, this is a retry of an
    ///   append that succeeded, and is answered as one.
    /// - Nothing to append gives back nothing, and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with [`Append::expect_head`] or [`Append::expect_version`];
    /// [`StoreError::InvalidArgument`] for another external id than the held message of this id has, for an id
    /// that the thread holds on a branch which this one does not show, and for what
    /// [`Append::validate`] refuses.
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError>;

    /// Appends to several threads: each append by itself, as if [`append`](Self::append) had been called for it, in
    /// one go where the store can. Gives one answer an append, in the order given; none for none.
    ///
    /// - Each append keeps every promise of [`append`](Self::append), and has its own scope: there may be several
    ///   users, and several organizations, in one call.
    /// - Independent: the error of one takes nothing from the others. All together are not atomic: a reader may see
    ///   some of them before the others.
    /// - Appends to one thread take effect in the order given: the second may expect the head that the first makes,
    ///   and a message id of both is stored once, both answers giving the stored message. Each answer has the head and the
    ///   version that its own append made.
    /// - If an append is answered by [`StoreError::Unavailable`], no later append of the call to the same thread is
    ///   stored without it: those are answered by `Unavailable` too. The store does [not try](StoreError::not_tried)
    ///   them, unless it writes them in one piece with the first. So a caller who sends all of them again in their
    ///   order keeps the order.
    /// - Calls that name the same threads in different orders wait for each other at most; none fails for it.
    ///
    /// The provided method calls [`append`](Self::append) for one append after the other. A store that can write
    /// several in one go overrides it.
    ///
    /// # Errors
    /// Each answer is its own append's: what [`append`](Self::append) would have given.
    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        let mut answers = Vec::with_capacity(appends.len());
        let mut unavailable: HashMap<ThreadId, &'static str> = HashMap::new();
        for ThreadAppend { scope, thread, append } in appends {
            let answer = match unavailable.get(&thread) {
                Some(store) => Err(StoreError::not_tried(store)),
                None => self.append(&scope, thread, append).await,
            };
            if let Err(StoreError::Unavailable { store, .. }) = &answer {
                unavailable.insert(thread, store);
            }
            answers.push(answer);
        }
        answers
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the message.
    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError>;

    /// Lists messages by position. The page has the thread's [version](Page::version), of the moment when it was read.
    ///
    /// Pages neither skip nor repeat a message, whatever is written in between; messages appended meanwhile follow
    /// when reading oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also where the limit is 0; [`StoreError::InvalidArgument`] for what
    /// [`MessageQuery::validate`] refuses.
    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError>;

    /// The same page, unless the thread has this version: then `None`, for whoever has the page of this version. The store
    /// decides that where it reads the page, in the same call: it costs no more than
    /// [`list_messages`](Self::list_messages), and less where nothing changed.
    ///
    /// # Errors
    /// As [`list_messages`](Self::list_messages).
    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError>;

    /// Gives all messages that the query finds, from its cursor or offset on, one by one and in the query's order.
    ///
    /// - The query's limit does not bound the stream. It says how many messages the reader is about to take at a time: for
    ///   a store that reads by pages, the length of a page. 0 leaves that to the store.
    /// - Nothing is read before the stream is first polled. Every message that is in the thread at that moment, and is not
    ///   deleted meanwhile, is given exactly once. One that is appended meanwhile may be given or not.
    /// - After an error the stream ends. A row that cannot be decoded is [`StoreError::CorruptRow`], in its place behind
    ///   the messages ahead of it; a new stream [`behind`](MessageQuery::behind) the error's cursor goes on. After any
    ///   other error, one behind the [cursor](MessageQuery::cursor_behind) of the last message does.
    /// - It takes constant memory, however long the thread is. A stream that is dropped half-way frees what it holds. A
    ///   reader that takes its time keeps nobody from writing, and no connection for ever.
    ///
    /// A store without a better way gives [`stream_by_pages`](crate::stream_by_pages).
    ///
    /// # Errors
    /// The first item: [`StoreError::NotFound`]; [`StoreError::InvalidArgument`] for what [`MessageQuery::validate`]
    /// refuses, except a limit. `NotFound` also ends the stream of a thread that is deleted meanwhile, unless the store
    /// gives its messages all the same.
    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a>;

    /// Replaces the content of a message. Its id, position and `created_at` stay; the earlier content is kept as a
    /// revision, and [`ChatMessage::revision`] counts on; `updated_at` becomes the later of its old value and
    /// [`MessageEdit::at`].
    ///
    /// Idempotent: an edit that was written already, to the same content at the same `at`, is not written again, also
    /// where another edit came in between; the message comes back as it is now. So a retry is always safe. Writing the
    /// content that the message has ([`Content::is_identical`](crate::Content::is_identical)) changes nothing either.
    /// The content that the message was appended with is no edit.
    ///
    /// With [`MessageEdit::expect_revision`] or [`MessageEdit::expect_version`] it writes only if that is so. An edit that
    /// changes nothing is answered whatever it expects.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the message; [`StoreError::Conflict`] for what it expects; what
    /// [`MessageEdit::validate`] refuses.
    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError>;

    /// The earlier contents of a message, oldest first; the current one is not among them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the message.
    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError>;

    /// Deletes a message and its revisions. The other positions stay, and its own is not given again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the message; [`StoreError::Conflict`] with
    /// [`Removal::expect_version`]; what [`Removal::validate`] refuses.
    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError>;

    /// Deletes all messages of a thread, on all branches, and their revisions; gives their number. The thread and its
    /// branches stay, and so do their heads: positions are not given again. Where there are none, nothing changes, whatever is
    /// expected, so that a retry is safe. A store may do it in steps where there are many, the last messages of each branch first,
    /// each step a write of its own. If the call fails on its way, what is gone is gone.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with [`Removal::expect_version`]; what [`Removal::validate`]
    /// refuses.
    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError>;
}

/// Finds messages across the threads of a scope.
///
/// # Contract
///
/// - What [`append`](MessageRepository::append), [`append_each`](MessageRepository::append_each) or
///   [`edit_message`](MessageRepository::edit_message) acknowledged is found by the next search; what was edited away, deleted or cleared is not, nor what is in a thread that was
///   deleted.
/// - Nothing outside the scope is found, or counted towards a limit.
/// - Every store finds the same: [`SearchPlan`](crate::search::SearchPlan) decides what matches, how it is ordered and
///   where a page ends. Pages neither skip nor repeat a message, whatever is written in between; except that by
///   [`Relevance`](crate::SearchOrder::Relevance) an edit in between, by changing a message's score, may.
/// - A row that cannot be decoded counts as a hit, because nobody can say whether it matches: a page ends ahead of
///   it, and a page that would begin with it is [`StoreError::CorruptRow`], as in [`Page::cut`]. By relevance it
///   comes last.
///
/// A store that cannot search answers `None` in [`ConversationRepository::search`].
#[async_trait]
pub trait MessageSearch: Send + Sync + Debug {
    /// Finds messages by their words and by filters, and says how it read the text.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the query's thread or branch, also where the limit is 0; [`StoreError::InvalidArgument`] for
    /// what [`SearchPlan::new`](crate::search::SearchPlan::new) refuses.
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError>;
}

/// A store of conversations: threads and their messages, and what else the store offers.
///
/// What a store may decline is behind an accessor. `None` declines it as a whole; then the application answers
/// [`StoreError::Unsupported`]. A store that declines nothing answers `Some(self)`.
#[async_trait]
pub trait ConversationRepository: ThreadRepository + MessageRepository {
    /// The search for messages.
    fn search(&self) -> Option<&dyn MessageSearch>;

    /// The branches of threads. Without them a thread has its main one, and any other is not found.
    fn branches(&self) -> Option<&dyn BranchRepository>;

    /// The store's name for errors and logs, such as "sqlite".
    fn name(&self) -> &'static str;

    /// Closes connections and files once the calls under way have ended. Later calls may fail. A store that holds
    /// nothing open has nothing to do.
    ///
    /// What was acknowledged is safe without it.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn close(&self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests;
