//! A handle on one conversation.

pub(crate) mod append;
pub(crate) mod branches;
pub(crate) mod fork;
pub(crate) mod message;
pub(crate) mod messages;

use chatkeep_domain::{
    BranchId, ChatThread, ConversationRepositoryExt, InvalidArgument, MAX_PAGE_LEN, Message, MessageQuery,
    SearchPage, SearchQuery, ThreadId,
};

use crate::error::Error;
use crate::state_manager::StateManager;
use crate::state_manager::removals::{ClearThread, DeleteThread};
use crate::state_manager::threads::UpdateThread;
use crate::stream::MessageStream;

/// One conversation: a handle on a branch of a thread of a [`StateManager`].
///
/// A `Conversation` belongs to one thread and one branch for as long as it lives, and no other handle changes that. Share it, clone
/// it, or make a new one for each request: all of these are cheap. If you come from a library with a current thread,
/// hold a `Conversation` in its place.
///
/// Making one does not ask the store. If the thread does not exist, or is not the caller's, the first call that needs
/// the thread answers [`StoreError::NotFound`](crate::StoreError::NotFound).
///
/// ```
/// use std::sync::Arc;
/// use chatkeep::{MemoryRepository, OrgId, Role, Scope, StateManager, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
/// let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
///
/// let thread = state.create_thread("Monads").await?;
/// let chat = state.conversation(thread.id);
/// chat.add_message(Role::User, "What is a monad?").await?;
/// chat.add_message(Role::Assistant, "A monoid…").await?;
///
/// assert_eq!(chat.get_messages().last(1).await?[0].content.as_text(), Some("A monoid…"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Conversation {
    pub(crate) state: StateManager,
    pub(crate) thread: ThreadId,
    pub(crate) branch: BranchId,
}

impl StateManager {
    /// A handle on the conversation in this thread, on its main branch. Does not ask the store whether the thread exists.
    pub fn conversation(&self, thread: ThreadId) -> Conversation {
        Conversation { state: self.clone(), thread, branch: BranchId::MAIN }
    }
}

impl Conversation {
    /// The thread.
    pub fn thread_id(&self) -> ThreadId {
        self.thread
    }

    /// The branch that it reads, appends to and searches.
    pub fn branch_id(&self) -> BranchId {
        self.branch
    }

    /// The `StateManager` that this conversation came from.
    pub fn state_manager(&self) -> &StateManager {
        &self.state
    }

    /// Reads the thread. [`StateManager::get_thread`] answers `None` where it is not there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](crate::StoreError::NotFound).
    pub async fn get_thread(&self) -> Result<ChatThread, Error> {
        Ok(self.state.repository().get_thread(self.state.scope(), self.thread).await?)
    }

    /// Renames or re-tags the thread.
    pub fn update(&self) -> UpdateThread {
        self.state.update_thread(self.thread)
    }

    /// Renames the thread.
    pub fn rename(&self, name: impl Into<String>) -> UpdateThread {
        self.state.rename_thread(self.thread, name)
    }

    /// Deletes all messages, of all branches; gives their number. The thread and its branches stay.
    pub fn clear(&self) -> ClearThread {
        self.state.clear_thread(self.thread)
    }

    /// Deletes the thread with all its messages. `false` where it is not there.
    pub fn delete(&self) -> DeleteThread {
        self.state.delete_thread(self.thread)
    }

    /// Reads the messages that the query finds on this branch as a stream, in constant memory: see [`MessageStream`]. The query's
    /// limit is the number of messages that are read at a time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # let chat = state.conversation(state.create_thread("Numbers").await?.id);
    /// chat.add_messages((1..=1_200).map(|number| (chatkeep::Role::User, number.to_string()))).await?;
    ///
    /// let mut messages = chat.stream_messages(chatkeep::MessageQuery::newest(500))?;
    /// let newest = messages.next().await.transpose()?;
    /// assert_eq!(newest.unwrap().content.as_text(), Some("1200"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit that is not from 1 to [`MAX_PAGE_LEN`]. An absent thread, and what
    /// [`MessageQuery::validate`] refuses, are errors of the stream.
    pub fn stream_messages(&self, query: MessageQuery) -> Result<MessageStream, Error> {
        if !(1..=MAX_PAGE_LEN).contains(&query.limit) {
            let rule = format!("must be from 1 to {MAX_PAGE_LEN}");
            return Err(InvalidArgument::new("limit", rule, query.limit.to_string()).into());
        }
        Ok(MessageStream::new(&self.state, self.thread, query.branch(self.branch)))
    }

    /// Finds messages that this conversation shows: those of its branch. Otherwise as [`StateManager::search`].
    ///
    /// # Errors
    /// As [`StateManager::search`]; [`StoreError::NotFound`](crate::StoreError::NotFound).
    pub async fn search(&self, query: impl Into<SearchQuery>) -> Result<SearchPage, Error> {
        self.state.search(query.into().thread(self.thread).branch(self.branch)).await
    }

    /// All messages as a model sees them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn load_conversation_history(&self) -> Result<Vec<Message>, Error> {
        let all = MessageQuery::default().branch(self.branch);
        let messages =
            self.state.repository().read_messages(self.state.scope(), self.thread, all, None).await?;
        Ok(messages.into_iter().map(Message::from).collect())
    }
}

#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
