//! A span for each call.

mod stream;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chatkeep_domain::{
    Append, Appended, Branch, BranchId, BranchRename, ChatMessage, ChatThread, ConversationRepository,
    Decorator, Fork, MessageEdit, MessageId, MessageQuery, MessageRevision, MessageStream, NewBranch,
    NewThread, Page, Position, Removal, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend, ThreadId,
    ThreadQuery, ThreadUpdate, Version,
};
use tracing::{Instrument as _, Span};

use crate::inner::{branches, search_messages};

/// A store with a span of `tracing`, at the level INFO, around each call.
///
/// A span is named `db.` and what the call is about: `db.thread.create`, `get`, `update`, `delete`, `list`, `fork`;
/// `db.message.append`, `append_each`, `get`, `list`, `stream`, `edit`, `delete`, `clear`, `search`; `db.revision.list`; `db.branch.create`, `list`, `rename`, `delete`, `truncate`. It has the
/// store's name as `store`, and the ids and the numbers of what the call names: `thread_id`, `message_id`, `branch_id`, `fork_id`, `messages`,
/// `appends`. The span of a stream lasts until the stream is dropped. It never has anything that was said, nor a name, an organization or a user.
///
/// Where nobody listens to a span, a call costs nothing more than a look whether somebody does: the inner store's future
/// or stream is handed on as it is.
#[derive(Debug)]
pub struct Traced {
    store: Arc<dyn ConversationRepository>,
}

impl Traced {
    /// Puts it in front of a store.
    pub fn new(store: Arc<dyn ConversationRepository>) -> Self {
        Self { store }
    }
}

type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The call, in its span where somebody listens.
fn within<'a, T: 'a>(span: Span, call: Call<'a, T>) -> Call<'a, T> {
    if span.is_disabled() { call } else { Box::pin(call.instrument(span)) }
}

/// Calls within their spans, with the signature that `#[async_trait]` gives them: as an `async fn`, each would be in a
/// second box also where nobody listens.
macro_rules! calls {
    ($through:ident; $(
        $span:literal { $($field:tt)* }
        fn $name:ident<$($life:lifetime),*>($($arg:ident: $type:ty),*) -> $answer:ty;
    )+) => {$(
        fn $name<'life0, $($life,)* 'async_trait>(
            &'life0 self,
            $($arg: $type),*
        ) -> Call<'async_trait, $answer>
        where
            'life0: 'async_trait,
            $($life: 'async_trait,)*
            Self: 'async_trait,
        {
            let span = tracing::info_span!($span, store = self.store.name(), $($field)*);
            within(span, calls!(@$through self $name $($arg)*))
        }
    )+};
    (@store $this:ident $name:ident $($arg:ident)*) => { $this.store.$name($($arg),*) };
    (@branches $this:ident $name:ident $($arg:ident)*) => {
        branches(&*$this.store, |store| store.$name($($arg),*))
    };
}

impl Decorator for Traced {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.store
    }

    calls! { store;
        "db.thread.create" { thread_id = %new.id }
        fn create_thread<'life1>(scope: &'life1 Scope, new: NewThread) -> Result<ChatThread, StoreError>;

        "db.thread.get" { thread_id = %id }
        fn get_thread<'life1>(scope: &'life1 Scope, id: ThreadId) -> Result<ChatThread, StoreError>;

        "db.thread.update" { thread_id = %id }
        fn update_thread<'life1>(scope: &'life1 Scope, id: ThreadId, update: ThreadUpdate) -> Result<ChatThread, StoreError>;

        "db.thread.delete" { thread_id = %id }
        fn delete_thread<'life1>(scope: &'life1 Scope, id: ThreadId, expect_version: Option<Version>) -> Result<u64, StoreError>;

        "db.thread.list" {}
        fn list_threads<'life1, 'life2>(scope: &'life1 Scope, query: &'life2 ThreadQuery) -> Result<Page<ChatThread>, StoreError>;

        "db.message.append" { thread_id = %thread, messages = append.messages.len() }
        fn append<'life1>(scope: &'life1 Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError>;

        "db.message.append_each" { appends = appends.len() }
        fn append_each<>(appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>>;

        "db.message.get" { thread_id = %thread, message_id = %id }
        fn get_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage, StoreError>;

        "db.message.list" { thread_id = %thread }
        fn list_messages<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery) -> Result<Page<ChatMessage>, StoreError>;

        "db.message.list" { thread_id = %thread }
        fn list_messages_unless<'life1, 'life2>(scope: &'life1 Scope, thread: ThreadId, query: &'life2 MessageQuery, version: Version) -> Result<Option<Page<ChatMessage>>, StoreError>;

        "db.message.edit" { thread_id = %thread, message_id = %id }
        fn edit_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, edit: MessageEdit) -> Result<ChatMessage, StoreError>;

        "db.revision.list" { thread_id = %thread, message_id = %id }
        fn list_revisions<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId) -> Result<Vec<MessageRevision>, StoreError>;

        "db.message.delete" { thread_id = %thread, message_id = %id }
        fn delete_message<'life1>(scope: &'life1 Scope, thread: ThreadId, id: MessageId, removal: Removal) -> Result<(), StoreError>;

        "db.message.clear" { thread_id = %thread }
        fn clear_messages<'life1>(scope: &'life1 Scope, thread: ThreadId, removal: Removal) -> Result<u64, StoreError>;
    }

    calls! { branches;
        "db.branch.create" { thread_id = %thread }
        fn create_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, new: NewBranch) -> Result<Branch, StoreError>;

        "db.branch.list" { thread_id = %thread }
        fn list_branches<'life1>(scope: &'life1 Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError>;

        "db.branch.rename" { thread_id = %thread, branch_id = %branch }
        fn rename_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, rename: BranchRename) -> Result<Branch, StoreError>;

        "db.branch.delete" { thread_id = %thread, branch_id = %branch }
        fn delete_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, removal: Removal) -> Result<u64, StoreError>;

        "db.branch.truncate" { thread_id = %thread, branch_id = %branch }
        fn truncate_branch<'life1>(scope: &'life1 Scope, thread: ThreadId, branch: BranchId, after: Position, removal: Removal) -> Result<u64, StoreError>;

        "db.thread.fork" { thread_id = %thread, fork_id = %fork.new.id }
        fn fork_thread<'life1>(scope: &'life1 Scope, thread: ThreadId, fork: Fork) -> Result<ChatThread, StoreError>;
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        let span = tracing::info_span!("db.message.stream", store = self.store.name(), thread_id = %thread);
        stream::within(span, self.store.stream_messages(scope, thread, query))
    }

    fn search_messages<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        scope: &'life1 Scope,
        query: &'life2 SearchQuery,
    ) -> Call<'async_trait, Result<SearchPage, StoreError>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        let span = tracing::info_span!("db.message.search", store = self.store.name());
        within(span, search_messages(&*self.store, scope, query))
    }
}
