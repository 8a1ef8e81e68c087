//! Decorators: stores around a store.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

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
use crate::repository::{ConversationRepository, MessageRepository, MessageSearch, ThreadRepository};
use crate::scope::Scope;
use crate::search::{SearchPage, SearchQuery};
use crate::stream::MessageStream;
use crate::thread::{ChatThread, NewThread};
use crate::thread_query::ThreadQuery;
use crate::thread_update::ThreadUpdate;
use crate::version::Version;

/// Methods of the ports with the signature that `#[async_trait]` gives them. Written out, a call is passed on with the
/// future that the inner store made: `async fn` would put it into a second box.
macro_rules! methods {
    ($through:ident; $(
        $(#[$doc:meta])*
        fn $name:ident<$($life:lifetime),*>($($arg:ident: $type:ty),*) -> $answer:ty;
    )+) => {$(
        $(#[$doc])*
        fn $name<'life0, $($life,)* 'async_trait>(
            &'life0 self,
            $($arg: $type),*
        ) -> Pin<Box<dyn Future<Output = $answer> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            $($life: 'async_trait,)*
            Self: 'async_trait,
        {
            methods!(@$through self $name $($arg)*)
        }
    )+};
    (@inner $this:ident $name:ident $($arg:ident)*) => { $this.inner().$name($($arg),*) };
    (@branches $this:ident $name:ident $($arg:ident)*) => {
        match $this.inner().branches() {
            Some(branches) => branches.$name($($arg),*),
            None => {
                let error = StoreError::unsupported("branches", $this.inner().name());
                Box::pin(std::future::ready(Err(error)))
            }
        }
    };
    (@decorator $this:ident $name:ident $($arg:ident)*) => { Decorator::$name($this, $($arg),*) };
}

/// A store that adds something to another one: a retry, a cache, spans.
///
/// The trait has every method of every port. A method that a decorator does not override passes the call on to the
/// inner store. So every decorator is a [`ConversationRepository`], and passes the same contract as a store.
///
/// - An accessor, such as [`search`](Self::search), hands out the decorator and never the inner store's object.
///   Otherwise calls through the accessor would bypass the decorator.
/// - A decorator must write both [`append`](Self::append) and [`append_each`](Self::append_each). If they had
///   defaults, a decorator that changes only one of them would be bypassed by calls of the other.
/// - A decorator that changes what [`list_messages`](Self::list_messages) gives must write
///   [`list_messages_unless`](Self::list_messages_unless) and [`stream_messages`](Self::stream_messages) too; [`stream_by_pages`](crate::stream_by_pages) makes the latter of the first.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use chatkeep_domain::{
///     Append, Appended, ConversationRepository, Decorator, Scope, StoreError, ThreadAppend, ThreadId,
/// };
///
/// /// Lets everything through but writes of messages.
/// #[derive(Debug)]
/// struct WithoutAppends(Arc<dyn ConversationRepository>);
///
/// #[async_trait]
/// impl Decorator for WithoutAppends {
///     fn inner(&self) -> &dyn ConversationRepository {
///         &*self.0
///     }
///
///     async fn append(&self, _: &Scope, _: ThreadId, _: Append) -> Result<Appended, StoreError> {
///         Err(StoreError::unsupported("append", self.0.name()))
///     }
///
///     async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
///         appends.iter().map(|_| Err(StoreError::unsupported("append", self.0.name()))).collect()
///     }
/// }
///
/// fn protect(store: Arc<dyn ConversationRepository>) -> Arc<dyn ConversationRepository> {
///     Arc::new(WithoutAppends(store))
/// }
/// ```
#[async_trait]
pub trait Decorator: Send + Sync + Debug + Sized {
    /// The store that calls are passed on to.
    fn inner(&self) -> &dyn ConversationRepository;

    /// See [`MessageRepository::append`].
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError>;

    /// See [`MessageRepository::append_each`].
    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>>;

    methods! { inner;
        /// See [`ThreadRepository::create_thread`].
        fn create_thread<'life1>(scope: &'life1 Scope, new: NewThread) -> Result<ChatThread, StoreError>;
        /// See [`ThreadRepository::get_thread`].
        fn get_thread<'life1>(scope: &'life1 Scope, id: ThreadId) -> Result<ChatThread, StoreError>;
        /// See [`ThreadRepository::update_thread`].
        fn update_thread<'life1>(scope: &'life1 Scope, id: ThreadId, update: ThreadUpdate) -> Result<ChatThread, StoreError>;
        /// See [`ThreadRepository::delete_thread`].
        fn delete_thread<'life1>(scope: &'life1 Scope, id: ThreadId, expect_version: Option<Version>) -> Result<u64, StoreError>;
        /// See [`ThreadRepository::list_threads`].
        fn list_threads<'life1, 'life2>(scope: &'life1 Scope, query: &'life2 ThreadQuery) -> Result<Page<ChatThread>, StoreError>;
        /// See [`MessageRepository::get_message`].
        fn get_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage, StoreError>;
        /// See [`MessageRepository::list_messages`].
        fn list_messages<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery) -> Result<Page<ChatMessage>, StoreError>;
        /// See [`MessageRepository::list_messages_unless`].
        fn list_messages_unless<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery, version: Version) -> Result<Option<Page<ChatMessage>>, StoreError>;
        /// See [`MessageRepository::edit_message`].
        fn edit_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, edit: MessageEdit) -> Result<ChatMessage, StoreError>;
        /// See [`MessageRepository::list_revisions`].
        fn list_revisions<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<Vec<MessageRevision>, StoreError>;
        /// See [`MessageRepository::delete_message`].
        fn delete_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, removal: Removal) -> Result<(), StoreError>;
        /// See [`MessageRepository::clear_messages`].
        fn clear_messages<'life1>(scope: &'life1 Scope, thread: ThreadId, removal: Removal) -> Result<u64, StoreError>;
        /// See [`ConversationRepository::close`].
        fn close<>() -> Result<(), StoreError>;
    }

    methods! { branches;
        /// See [`BranchRepository::create_branch`]. Nobody calls it where the inner store declines branches.
        fn create_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, new: NewBranch) -> Result<Branch, StoreError>;
        /// See [`BranchRepository::list_branches`]. Nobody calls it where the inner store declines branches.
        fn list_branches<'life1>(scope: &'life1 Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError>;
        /// See [`BranchRepository::rename_branch`]. Nobody calls it where the inner store declines branches.
        fn rename_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, rename: BranchRename) -> Result<Branch, StoreError>;
        /// See [`BranchRepository::delete_branch`]. Nobody calls it where the inner store declines branches.
        fn delete_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, removal: Removal) -> Result<u64, StoreError>;
        /// See [`BranchRepository::truncate_branch`]. Nobody calls it where the inner store declines branches.
        fn truncate_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, after: Position, removal: Removal) -> Result<u64, StoreError>;
        /// See [`BranchRepository::fork_thread`]. Nobody calls it where the inner store declines branches.
        fn fork_thread<'life1>(scope: &'life1 Scope, thread: ThreadId, fork: Fork) -> Result<ChatThread, StoreError>;
    }

    /// See [`MessageRepository::stream_messages`].
    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        self.inner().stream_messages(scope, thread, query)
    }

    /// See [`MessageSearch::search_messages`]. Nobody calls it where the inner store declines to search.
    fn search_messages<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        scope: &'life1 Scope,
        query: &'life2 SearchQuery,
    ) -> Pin<Box<dyn Future<Output = Result<SearchPage, StoreError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        let Some(search) = self.inner().search() else {
            let error = StoreError::unsupported("search", self.inner().name());
            return Box::pin(std::future::ready(Err(error)));
        };
        search.search_messages(scope, query)
    }

    /// See [`ConversationRepository::search`]: this decorator, where the inner store can search.
    fn search(&self) -> Option<&dyn MessageSearch> {
        self.inner().search().is_some().then_some(self as _)
    }

    /// See [`ConversationRepository::branches`]: this decorator, where the inner store has branches.
    fn branches(&self) -> Option<&dyn BranchRepository> {
        self.inner().branches().is_some().then_some(self as _)
    }

    /// See [`ConversationRepository::name`]: the inner store's.
    fn name(&self) -> &'static str {
        self.inner().name()
    }
}

impl<D: Decorator> ThreadRepository for D {
    methods! { decorator;
        fn create_thread<'life1>(scope: &'life1 Scope, new: NewThread) -> Result<ChatThread, StoreError>;
        fn get_thread<'life1>(scope: &'life1 Scope, id: ThreadId) -> Result<ChatThread, StoreError>;
        fn update_thread<'life1>(scope: &'life1 Scope, id: ThreadId, update: ThreadUpdate) -> Result<ChatThread, StoreError>;
        fn delete_thread<'life1>(scope: &'life1 Scope, id: ThreadId, expect_version: Option<Version>) -> Result<u64, StoreError>;
        fn list_threads<'life1, 'life2>(scope: &'life1 Scope, query: &'life2 ThreadQuery) -> Result<Page<ChatThread>, StoreError>;
    }
}

impl<D: Decorator> MessageRepository for D {
    methods! { decorator;
        fn append<'life1>(scope: &'life1 Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError>;
        fn append_each<>(appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>>;
        fn get_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage, StoreError>;
        fn list_messages<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery) -> Result<Page<ChatMessage>, StoreError>;
        fn list_messages_unless<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery, version: Version) -> Result<Option<Page<ChatMessage>>, StoreError>;
        fn edit_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, edit: MessageEdit) -> Result<ChatMessage, StoreError>;
        fn list_revisions<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<Vec<MessageRevision>, StoreError>;
        fn delete_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, removal: Removal) -> Result<(), StoreError>;
        fn clear_messages<'life1>(scope: &'life1 Scope, thread: ThreadId, removal: Removal) -> Result<u64, StoreError>;
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        Decorator::stream_messages(self, scope, thread, query)
    }
}

impl<D: Decorator> MessageSearch for D {
    methods! { decorator;
        fn search_messages<'life1, 'life2>(scope: &'life1 Scope, query: &'life2 SearchQuery) -> Result<SearchPage, StoreError>;
    }
}

impl<D: Decorator> BranchRepository for D {
    methods! { decorator;
        fn create_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, new: NewBranch) -> Result<Branch, StoreError>;
        fn list_branches<'life1>(scope: &'life1 Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError>;
        fn rename_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, rename: BranchRename) -> Result<Branch, StoreError>;
        fn delete_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, removal: Removal) -> Result<u64, StoreError>;
        fn truncate_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, after: Position, removal: Removal) -> Result<u64, StoreError>;
        fn fork_thread<'life1>(scope: &'life1 Scope, thread: ThreadId, fork: Fork) -> Result<ChatThread, StoreError>;
    }
}

impl<D: Decorator> ConversationRepository for D {
    fn search(&self) -> Option<&dyn MessageSearch> {
        Decorator::search(self)
    }

    fn branches(&self) -> Option<&dyn BranchRepository> {
        Decorator::branches(self)
    }

    fn name(&self) -> &'static str {
        Decorator::name(self)
    }

    methods! { decorator;
        fn close<>() -> Result<(), StoreError>;
    }
}
