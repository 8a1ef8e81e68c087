//! Conveniences over the ports, that no store needs to write.

use async_trait::async_trait;

use crate::append::{Append, NewMessage};
use crate::error::StoreError;
use crate::id::ThreadId;
use crate::message::ChatMessage;
use crate::message_query::{MessageQuery, Order};
use crate::page::MAX_PAGE_LEN;
use crate::repository::ConversationRepository;
use crate::scope::Scope;
use crate::stream::next_message;
use crate::thread::ChatThread;

/// Conveniences that every [`ConversationRepository`] has.
#[async_trait]
pub trait ConversationRepositoryExt: ConversationRepository {
    /// [`get_thread`](crate::ThreadRepository::get_thread), with `None` for a thread that is not there.
    ///
    /// # Errors
    /// As `get_thread`, except [`StoreError::NotFound`].
    async fn find_thread(&self, scope: &Scope, id: ThreadId) -> Result<Option<ChatThread>, StoreError> {
        match self.get_thread(scope, id).await {
            Ok(thread) => Ok(Some(thread)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// [`append`](crate::MessageRepository::append) of one message.
    ///
    /// # Errors
    /// As `append`.
    async fn append_one(
        &self,
        scope: &Scope,
        thread: ThreadId,
        message: NewMessage,
    ) -> Result<ChatMessage, StoreError> {
        let id = message.id;
        let appended = self.append(scope, thread, Append::new([message])).await?;
        appended.messages.into_iter().next().ok_or_else(|| StoreError::message_not_found(id))
    }

    /// The last `count` messages, in the order in which they were said.
    ///
    /// # Errors
    /// As [`list_messages`](crate::MessageRepository::list_messages), also for a row among them that cannot be decoded.
    async fn last_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        count: usize,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let query = MessageQuery::default().order(Order::NewestFirst);
        let mut messages = self.read_messages(scope, thread, query, Some(count)).await?;
        messages.reverse();
        Ok(messages)
    }

    /// All messages that the query finds, or the first `count` of them, in the query's order. The query's own limit does
    /// not count.
    ///
    /// # Errors
    /// As [`list_messages`](crate::MessageRepository::list_messages). A row that cannot be decoded is an error too, so
    /// that no message is left out unnoticed. [`stream_messages`](crate::MessageRepository::stream_messages) can go on
    /// behind such a row.
    async fn read_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: MessageQuery,
        count: Option<usize>,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let count = count.unwrap_or(usize::MAX);
        let query = query.limit(count.min(MAX_PAGE_LEN));
        // Mostly this is all.
        let page = self.list_messages(scope, thread, &query).await?;
        let mut messages = page.items;
        let Some(next) = page.next.filter(|_| messages.len() < count) else { return Ok(messages) };
        let rest = query.behind(next).limit((count - messages.len()).min(MAX_PAGE_LEN));
        let mut rest = self.stream_messages(scope, thread, rest);
        while messages.len() < count
            && let Some(message) = next_message(&mut rest).await
        {
            messages.push(message?);
        }
        Ok(messages)
    }
}

impl<T: ConversationRepository + ?Sized> ConversationRepositoryExt for T {}
