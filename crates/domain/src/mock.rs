//! A mock of the store, for the tests of what is built on it.

use async_trait::async_trait;

use crate::append::{Append, Appended, ThreadAppend};
use crate::branch::{Branch, BranchRename, Fork, NewBranch};
use crate::branch_repository::BranchRepository;
use crate::error::StoreError;
use crate::id::{MessageId, ThreadId};
use crate::message::{ChatMessage, MessageEdit, MessageRevision};
use crate::message_query::MessageQuery;
use crate::page::Page;
use crate::path::BranchId;
use crate::position::Position;
use crate::removal::Removal;
use crate::repository::{MessageRepository, MessageSearch, ThreadRepository};
use crate::scope::Scope;
use crate::search::SearchPage;
use crate::search::SearchQuery;
use crate::stream::MessageStream;
use crate::thread::{ChatThread, NewThread};
use crate::thread_query::ThreadQuery;
use crate::thread_update::ThreadUpdate;
use crate::version::Version;

mockall::mock! {
    /// A [`ConversationRepository`](crate::ConversationRepository) whose answers a test sets.
    #[derive(Debug)]
    pub ConversationRepository {}

    #[async_trait]
    impl ThreadRepository for ConversationRepository {
        async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError>;
        async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError>;
        async fn update_thread(
            &self,
            scope: &Scope,
            id: ThreadId,
            update: ThreadUpdate,
        ) -> Result<ChatThread, StoreError>;
        async fn delete_thread(
            &self,
            scope: &Scope,
            id: ThreadId,
            expect_version: Option<Version>,
        ) -> Result<u64, StoreError>;
        async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError>;
    }

    #[async_trait]
    impl MessageRepository for ConversationRepository {
        async fn append(
            &self,
            scope: &Scope,
            thread: ThreadId,
            append: Append,
        ) -> Result<Appended, StoreError>;
        async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>>;
        async fn get_message(
            &self,
            scope: &Scope,
            thread: ThreadId,
            id: MessageId,
        ) -> Result<ChatMessage, StoreError>;
        async fn list_messages(
            &self,
            scope: &Scope,
            thread: ThreadId,
            query: &MessageQuery,
        ) -> Result<Page<ChatMessage>, StoreError>;
        async fn list_messages_unless(
            &self,
            scope: &Scope,
            thread: ThreadId,
            query: &MessageQuery,
            version: Version,
        ) -> Result<Option<Page<ChatMessage>>, StoreError>;
        fn stream_messages(
            &self,
            scope: &Scope,
            thread: ThreadId,
            query: MessageQuery,
        ) -> MessageStream<'static>;
        async fn edit_message(
            &self,
            scope: &Scope,
            thread: ThreadId,
            id: MessageId,
            edit: MessageEdit,
        ) -> Result<ChatMessage, StoreError>;
        async fn list_revisions(
            &self,
            scope: &Scope,
            thread: ThreadId,
            id: MessageId,
        ) -> Result<Vec<MessageRevision>, StoreError>;
        async fn delete_message(
            &self,
            scope: &Scope,
            thread: ThreadId,
            id: MessageId,
            removal: Removal,
        ) -> Result<(), StoreError>;
        async fn clear_messages(&self, scope: &Scope, thread: ThreadId, removal: Removal) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl MessageSearch for ConversationRepository {
        async fn search_messages(
            &self,
            scope: &Scope,
            query: &SearchQuery,
        ) -> Result<SearchPage, StoreError>;
    }

    #[async_trait]
    impl BranchRepository for ConversationRepository {
        async fn create_branch(
            &self,
            scope: &Scope,
            thread: ThreadId,
            new: NewBranch,
        ) -> Result<Branch, StoreError>;
        async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError>;
        async fn rename_branch(
            &self,
            scope: &Scope,
            thread: ThreadId,
            branch: BranchId,
            rename: BranchRename,
        ) -> Result<Branch, StoreError>;
        async fn delete_branch(
            &self,
            scope: &Scope,
            thread: ThreadId,
            branch: BranchId,
            removal: Removal,
        ) -> Result<u64, StoreError>;
        async fn truncate_branch(
            &self,
            scope: &Scope,
            thread: ThreadId,
            branch: BranchId,
            after: Position,
            removal: Removal,
        ) -> Result<u64, StoreError>;
        async fn fork_thread(
            &self,
            scope: &Scope,
            thread: ThreadId,
            fork: Fork,
        ) -> Result<ChatThread, StoreError>;
    }

    #[async_trait]
    impl crate::repository::ConversationRepository for ConversationRepository {
        fn search<'a>(&'a self) -> Option<&'a dyn MessageSearch>;
        fn branches<'a>(&'a self) -> Option<&'a dyn BranchRepository>;
        fn name(&self) -> &'static str;
        async fn close(&self) -> Result<(), StoreError>;
    }
}
