//! Conveniences over the ports, that no store needs to write.

use async_trait::async_trait;

use crate::append::{Append, NewMessage};
use crate::error::StoreError;
use crate::id::ThreadId;
use crate::message::ChatMessage;
use crate::message_query::{MessageQuery, Order};
use crate::repository::ConversationRepository;
use crate::scope::Scope;
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
        let stored = self.append(scope, thread, Append::new([message])).await?;
        stored.into_iter().next().ok_or_else(|| StoreError::message_not_found(id))
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

    /// All messages that the query finds, or the first `count` of them, in the query's order. They are read page by
    /// page; the query's own limit does not count.
    ///
    /// # Errors
    /// As [`list_messages`](crate::MessageRepository::list_messages). A row that cannot be decoded is an error too,
    /// so that no message is left out unnoticed. [`message_pages`](Self::message_pages) can go on behind such a row.
    async fn read_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: MessageQuery,
        count: Option<usize>,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let mut missing = count.unwrap_or(usize::MAX);
        let mut query = query.limit(missing.min(crate::page::MAX_PAGE_LEN));
        let mut messages = Vec::new();
        loop {
            let page = self.list_messages(scope, thread, &query).await?;
            missing = missing.saturating_sub(page.items.len());
            if messages.is_empty() {
                messages = page.items;
            } else {
                messages.extend(page.items);
            }
            match page.next {
                Some(next) if missing > 0 => {
                    query = query.behind(next).limit(missing.min(crate::page::MAX_PAGE_LEN));
                }
                _ => return Ok(messages),
            }
        }
    }

    /// Reads what the query finds page by page, in constant memory: the query's limit is the length of a page.
    fn message_pages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessagePages<'a, Self> {
        MessagePages { repository: self, scope, thread, query: Some(query) }
    }
}

impl<T: ConversationRepository + ?Sized> ConversationRepositoryExt for T {}

/// The pages of a list of messages, one after the other: see [`ConversationRepositoryExt::message_pages`].
#[derive(Debug)]
pub struct MessagePages<'a, R: ?Sized> {
    repository: &'a R,
    scope: &'a Scope,
    thread: ThreadId,
    query: Option<MessageQuery>,
}

impl<R: ConversationRepository + ?Sized> MessagePages<'_, R> {
    /// The next page; `None` behind the last.
    ///
    /// # Errors
    /// As [`list_messages`](crate::MessageRepository::list_messages). The call after a
    /// [row that cannot be decoded](StoreError::CorruptRow) goes on behind it, if its place is known; the call after any
    /// other error tries the same page again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<ChatMessage>>, StoreError> {
        while let Some(query) = &self.query {
            let page = match self.repository.list_messages(self.scope, self.thread, query).await {
                Ok(page) => page,
                Err(error) => {
                    if let StoreError::CorruptRow { behind: Some(behind), .. } = &error {
                        let behind = behind.clone();
                        self.query = self.query.take().map(|query| query.behind(behind));
                    }
                    return Err(error);
                }
            };
            self.query = self.query.take().and_then(|query| page.next.map(|next| query.behind(next)));
            if !page.items.is_empty() {
                return Ok(Some(page.items));
            }
        }
        Ok(None)
    }
}
