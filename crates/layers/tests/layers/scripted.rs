//! A store in memory that does what the test's script says, call by call, and notes how it was called.

use std::collections::VecDeque;
use std::future::{Future, pending, ready};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, Branch, BranchId, BranchRename, BranchRepository as _, ChatMessage, ChatThread,
    ConversationRepository, Decorator, Fork, MessageEdit, MessageId, MessageQuery, MessageRepository as _,
    MessageRevision, MessageSearch as _, MessageStream, NewBranch, NewThread, Page, Position, Removal, Scope,
    SearchPage, SearchQuery, StoreError, ThreadAppend, ThreadId, ThreadQuery, ThreadRepository as _,
    ThreadUpdate, Version, message_stream, next_message,
};
use chatkeep_memory::MemoryRepository;

/// What the store makes of a call, or of one of several appends.
#[derive(Debug)]
pub(crate) enum Step {
    Do,
    /// Does nothing, and answers this.
    Fail(StoreError),
    /// Does it, and answers this.
    Lose(StoreError),
    /// Never answers.
    Hang,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    /// What the store keeps.
    pub(crate) memory: MemoryRepository,
    /// Of a call that has none, [`Step::Do`].
    steps: Mutex<VecDeque<Step>>,
    /// What follows the script.
    last: fn() -> Step,
    /// `append_each` gives one answer too little.
    forgets_an_answer: AtomicBool,
    calls: Mutex<Vec<String>>,
    /// What streams were asked for.
    pub(crate) streams: Mutex<Vec<MessageQuery>>,
}

impl Scripted {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Self::with_last(steps, || Step::Do)
    }

    /// A script that ends with the same step for ever.
    pub(crate) fn with_last(steps: impl IntoIterator<Item = Step>, last: fn() -> Step) -> Arc<Self> {
        let steps = Mutex::new(steps.into_iter().collect());
        let (memory, forgets_an_answer) = (MemoryRepository::new(), AtomicBool::new(false));
        Arc::new(Self {
            memory,
            steps,
            last,
            forgets_an_answer,
            calls: Mutex::default(),
            streams: Mutex::default(),
        })
    }

    pub(crate) fn forget_an_answer(&self) {
        self.forgets_an_answer.store(true, SeqCst);
    }

    /// Each call as it began: the method's name, and for `append_each` the texts.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn next(&self) -> Step {
        self.steps.lock().unwrap().pop_front().unwrap_or_else(self.last)
    }

    async fn play<T>(
        &self,
        call: &str,
        doing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.note(call);
        self.step(doing).await
    }

    async fn step<T>(&self, doing: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.next() {
            Step::Do => doing.await,
            Step::Fail(error) => Err(error),
            Step::Lose(error) => doing.await.and(Err(error)),
            Step::Hang => pending().await,
        }
    }
}

fn text(append: &Append) -> &str {
    append.messages.first().and_then(|message| message.content.as_text()).unwrap_or("nothing")
}

#[async_trait]
impl Decorator for Scripted {
    fn inner(&self) -> &dyn ConversationRepository {
        &self.memory
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.play("append", self.memory.append(scope, thread, append)).await
    }

    /// A step for each append that is tried.
    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        let texts: Vec<_> = appends.iter().map(|it| text(&it.append)).collect();
        self.note(format!("append_each {}", texts.join(" ")));
        let (mut answers, mut unavailable) = (Vec::new(), Vec::new());
        for ThreadAppend { scope, thread, append, .. } in appends {
            if unavailable.contains(&thread) {
                answers.push(Err(StoreError::not_tried("scripted")));
                continue;
            }
            let answer = self.step(self.memory.append(&scope, thread, append)).await;
            if matches!(answer, Err(StoreError::Unavailable { .. })) {
                unavailable.push(thread);
            }
            answers.push(answer);
        }
        if self.forgets_an_answer.load(SeqCst) {
            answers.pop();
        }
        answers
    }

    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        self.play("create_thread", self.memory.create_thread(scope, new)).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.play("get_thread", self.memory.get_thread(scope, id)).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.play("update_thread", self.memory.update_thread(scope, id, update)).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        self.play("delete_thread", self.memory.delete_thread(scope, id, expect_version)).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.play("list_threads", self.memory.list_threads(scope, query)).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.play("get_message", self.memory.get_message(scope, thread, id)).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.play("list_messages", self.memory.list_messages(scope, thread, query)).await
    }

    /// A step ahead of the first message, and one behind each.
    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        message_stream(move |outlet| async move {
            self.streams.lock().unwrap().push(query.clone());
            self.play("stream_messages", ready(Ok(()))).await?;
            let mut stream = self.memory.stream_messages(scope, thread, query);
            while let Some(message) = next_message(&mut stream).await {
                outlet.give(message?).await;
                self.step(ready(Ok(()))).await?;
            }
            Ok(())
        })
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.play("edit_message", self.memory.edit_message(scope, thread, id, edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.play("list_revisions", self.memory.list_revisions(scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        self.play("delete_message", self.memory.delete_message(scope, thread, id, removal)).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.play("clear_messages", self.memory.clear_messages(scope, thread, removal)).await
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        let listed = self.memory.list_messages_unless(scope, thread, query, version);
        self.play("list_messages_unless", listed).await
    }

    async fn create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        new: NewBranch,
    ) -> Result<Branch, StoreError> {
        self.play("create_branch", self.memory.create_branch(scope, thread, new)).await
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError> {
        self.play("list_branches", self.memory.list_branches(scope, thread)).await
    }

    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Result<Branch, StoreError> {
        self.play("rename_branch", self.memory.rename_branch(scope, thread, branch, rename)).await
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.play("delete_branch", self.memory.delete_branch(scope, thread, branch, removal)).await
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let truncated = self.memory.truncate_branch(scope, thread, branch, after, removal);
        self.play("truncate_branch", truncated).await
    }

    async fn fork_thread(
        &self,
        scope: &Scope,
        thread: ThreadId,
        fork: Fork,
    ) -> Result<ChatThread, StoreError> {
        self.play("fork_thread", self.memory.fork_thread(scope, thread, fork)).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.play("search_messages", self.memory.search_messages(scope, query)).await
    }
}
