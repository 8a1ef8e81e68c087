//! A stream for stores that read by pages.

use crate::id::ThreadId;
use crate::message_query::MessageQuery;
use crate::repository::MessageRepository;
use crate::scope::Scope;
use crate::stream::{MessageStream, message_stream};

/// The stream of a store, or of a decorator, that reads by pages: it calls
/// [`list_messages`](MessageRepository::list_messages) each time that the reader has all of a page. The query's limit is
/// the length of a page. Between pages it holds nothing in the store.
pub fn stream_by_pages<'a, R: MessageRepository + ?Sized>(
    store: &'a R,
    scope: &'a Scope,
    thread: ThreadId,
    query: MessageQuery,
) -> MessageStream<'a> {
    let mut query = query.with_page_limit();
    message_stream(|outlet| async move {
        loop {
            let page = store.list_messages(scope, thread, &query).await?;
            outlet.give_all(page.items).await;
            let Some(next) = page.next else { return Ok(()) };
            query = query.behind(next);
        }
    })
}
