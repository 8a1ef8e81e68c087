//! A store with limits of its own keeps what is left of the contract: no case needs more than its tags say.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_contract::{Capability, Fixture, Repo, Suite};
use chatkeep_domain::{
    Append, Appended, ChatMessage, ChatThread, Content, ConversationRepository, Decorator, InvalidArgument,
    MessageEdit, MessageId, MessageQuery, Page, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend,
    ThreadId, ThreadQuery,
};
use chatkeep_memory::MemoryRepository;

const MOST_ITEMS: usize = 100;
const MOST_CONTENT: usize = 256 * 1_024;
const MOST_MESSAGES: usize = 999;

/// Refuses what is over these limits.
#[derive(Debug)]
struct Tight(Repo);

fn check_limit(limit: usize) -> Result<(), StoreError> {
    if limit > MOST_ITEMS {
        return Err(InvalidArgument::new("limit", "must be at most 100", limit.to_string()).into());
    }
    Ok(())
}

fn check_content(content: &Content) -> Result<(), StoreError> {
    match content.encode()?.len() {
        size if size > MOST_CONTENT => Err(StoreError::too_large("content, in bytes", MOST_CONTENT, size)),
        _ => Ok(()),
    }
}

fn check_append(append: &Append) -> Result<(), StoreError> {
    let count = append.messages.len();
    if count > MOST_MESSAGES {
        return Err(StoreError::too_large("append, in messages", MOST_MESSAGES, count));
    }
    append.messages.iter().try_for_each(|message| check_content(&message.content))
}

#[async_trait]
impl Decorator for Tight {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.0
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        // Whether the thread is there comes first, as in every store.
        self.0.get_thread(scope, thread).await?;
        check_append(&append)?;
        self.0.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        let mut answers = Vec::new();
        for ThreadAppend { scope, thread, append, .. } in appends {
            answers.push(Decorator::append(self, &scope, thread, append).await);
        }
        answers
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.0.get_message(scope, thread, id).await?;
        check_content(&edit.content)?;
        self.0.edit_message(scope, thread, id, edit).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        check_limit(query.limit)?;
        self.0.list_messages(scope, thread, query).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        check_limit(query.limit)?;
        self.0.list_threads(scope, query).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        check_limit(query.limit)?;
        let search = self.0.search().expect("memory searches");
        search.search_messages(scope, query).await
    }
}

async fn make() -> Fixture {
    let store: Repo = Arc::new(MemoryRepository::new());
    Fixture::new(store).decorated(|store| Arc::new(Tight(store)))
}

fn main() -> ExitCode {
    let limits = [Capability::WideLists, Capability::LargeContents, Capability::LargeBatches];
    chatkeep_contract::main([Suite::new("tight", make).declining(&limits)])
}
