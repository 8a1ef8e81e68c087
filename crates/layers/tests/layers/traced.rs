//! Which span each call is in, and what a call costs that nobody listens to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ChatThread, ConversationRepository, Decorator, MessageRepository as _, Scope,
    StoreError, ThreadAppend, ThreadId, ThreadRepository as _,
};
use chatkeep_layers::Traced;
use chatkeep_memory::MemoryRepository;

use crate::calls::{self, Talk};
use crate::spans::Spans;

/// The span of each call, with `T` and `M` for the ids of the thread and the message, and `N` for one that the call makes.
const EXPECTED: [(&str, &str); 22] = [
    ("create_thread", "db.thread.create store=\"memory\" thread_id=N"),
    ("get_thread", "db.thread.get store=\"memory\" thread_id=T"),
    ("update_thread", "db.thread.update store=\"memory\" thread_id=T"),
    ("delete_thread", "db.thread.delete store=\"memory\" thread_id=T"),
    ("list_threads", "db.thread.list store=\"memory\""),
    ("append", "db.message.append store=\"memory\" thread_id=T messages=1"),
    ("append_each", "db.message.append_each store=\"memory\" appends=1"),
    ("get_message", "db.message.get store=\"memory\" thread_id=T message_id=M"),
    ("list_messages", "db.message.list store=\"memory\" thread_id=T"),
    ("stream_messages", "db.message.stream store=\"memory\" thread_id=T"),
    ("edit_message", "db.message.edit store=\"memory\" thread_id=T message_id=M"),
    ("list_revisions", "db.revision.list store=\"memory\" thread_id=T message_id=M"),
    ("delete_message", "db.message.delete store=\"memory\" thread_id=T message_id=M"),
    ("clear_messages", "db.message.clear store=\"memory\" thread_id=T"),
    ("search_messages", "db.message.search store=\"memory\""),
    ("list_messages_unless", "db.message.list store=\"memory\" thread_id=T"),
    ("create_branch", "db.branch.create store=\"memory\" thread_id=T"),
    ("list_branches", "db.branch.list store=\"memory\" thread_id=T"),
    ("rename_branch", "db.branch.rename store=\"memory\" thread_id=T branch_id=1"),
    ("delete_branch", "db.branch.delete store=\"memory\" thread_id=T branch_id=1"),
    ("truncate_branch", "db.branch.truncate store=\"memory\" thread_id=T branch_id=1"),
    ("fork_thread", "db.thread.fork store=\"memory\" thread_id=T fork_id=N"),
];

/// What is noted of a call, with the ids replaced.
fn shown(noted: &str, talk: &Talk) -> String {
    let noted = noted.replace(&talk.thread.to_string(), "T").replace(&talk.message.to_string(), "M");
    let new = ["db.thread.create store=\"memory\" thread_id=", "fork_id="];
    let id = new.iter().find_map(|before| noted.split_once(before)).map(|(_, id)| id.to_owned());
    id.filter(|id| id.len() == 36).map_or(noted.clone(), |id| noted.replace(&id, "N"))
}

#[tokio::test]
async fn each_call_is_in_a_span_of_its_own_with_ids_alone() {
    let spans = Spans::default();
    let _listening = tracing::subscriber::set_default(spans.clone());
    let mut named: Vec<_> = calls::all().collect();
    for (name, expected) in EXPECTED {
        let memory = Arc::new(MemoryRepository::new());
        let talk = Talk::begin(&*memory).await;
        let traced = Traced::new(memory);
        spans.take();
        talk.call(&traced, name).await.unwrap();
        let noted = spans.take();
        assert_eq!(shown(&noted[0], &talk), expected, "{name}");
        // The call itself is inside; a span is entered once more where its future is dropped.
        assert_eq!(noted[1..3], ["enter", "exit"], "{name}");
        assert!(noted[1..].iter().all(|it| it == "enter" || it == "exit"), "{name}: {noted:?}");
        named.retain(|known| *known != name);
    }
    assert!(named.is_empty(), "calls that are not expected to have a span: {named:?}");
}

/// A store that notes where the future of its last `get_thread` was.
#[derive(Debug, Default)]
struct Marked {
    memory: MemoryRepository,
    future: AtomicUsize,
}

type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

fn address<T>(call: &Call<'_, T>) -> usize {
    std::ptr::from_ref(&**call).cast::<()>().addr()
}

#[async_trait]
impl Decorator for Marked {
    fn inner(&self) -> &dyn ConversationRepository {
        &self.memory
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.memory.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        self.memory.append_each(appends).await
    }

    fn get_thread<'life0, 'life1, 'async_trait>(
        &'life0 self,
        scope: &'life1 Scope,
        id: ThreadId,
    ) -> Call<'async_trait, Result<ChatThread, StoreError>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        let call = self.memory.get_thread(scope, id);
        self.future.store(address(&call), SeqCst);
        call
    }
}

#[tokio::test]
async fn a_call_that_nobody_listens_to_is_handed_on_as_it_is() {
    let marked = Arc::new(Marked::default());
    let talk = Talk::begin(&*marked).await;
    let traced: Arc<dyn ConversationRepository> = Arc::new(Traced::new(Arc::clone(&marked) as _));
    let call = traced.get_thread(&talk.scope, talk.thread);
    assert_eq!(address(&call), marked.future.load(SeqCst), "the inner store's future, in its own box");

    let _listening = tracing::subscriber::set_default(Spans::default());
    let call = traced.get_thread(&talk.scope, talk.thread);
    assert_ne!(address(&call), marked.future.load(SeqCst), "a future around it");
}
