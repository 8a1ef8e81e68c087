//! The messages of a thread, one by one.
//!
//! The first page is read as any page is, and its connection is free again. For a reader who wants more a task takes rows
//! from the socket as fast as they are asked for, a statement for each [`STRETCH`]. A reader who is too slow for that loses
//! the connection, and goes on by pages.

use std::mem::take;
use std::pin::pin;
use std::time::Duration;

use chatkeep_domain::{
    ChatMessage, MessageQuery, MessageStream, Page, Position, Scope, StoreError, ThreadId, message_stream,
};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::connection::Connections;
use crate::error::Failure;
use crate::lists::{by_columns, require_branch};
use crate::row::is_of_thread_alone;
use crate::store::PostgresRepository;
use crate::target::Target;

/// How many messages a statement asks for. The limit keeps the server from sorting the thread, and bounds what the pool
/// of a caller's `DatabaseConnection` has to read, and throw away, when a stream is dropped.
const STRETCH: usize = 10_000;

/// A reader who still lets the connection wait so long after its statement began loses it.
const HOLD: Duration = Duration::from_secs(5);

/// The most messages that are given to the reader at a time, and the most times that wait for the reader.
const CHUNK: usize = 250;
const CHUNKS: usize = 2;

/// Messages, or none of them: that was all.
type Chunk = Result<Vec<ChatMessage>, StoreError>;

/// How a statement's messages ended.
enum Stretch {
    /// With the limit, at this position: there may be more.
    Full(Position),
    Whole,
    /// The reader was too slow, or there was nothing: a page tells.
    Unknown,
}

impl<C: Connections> PostgresRepository<C> {
    pub(crate) fn streamed<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        let mut query = query.with_page_limit();
        message_stream(move |outlet| async move {
            query.validate(thread)?;
            let target = self.reads(self.target(scope, thread)).await?;
            let mut is_first = true;
            loop {
                let page = self.reads(self.page(&target, &query, None)).await?.unwrap_or_else(Page::empty);
                outlet.give_all(page.items).await;
                let Some(next) = page.next else { return Ok(()) };
                query = query.behind(next);
                if !take(&mut is_first) || self.question(&target, &query).is_some() {
                    continue;
                }
                // It ends with the block.
                let mut task = JoinSet::new();
                let mut chunks = self.take_all(&mut task, target.clone(), query.clone());
                while let Some(messages) = chunks.recv().await {
                    let messages = messages?;
                    let Some(last) = messages.last() else { return Ok(()) };
                    query = query.clone().behind(query.cursor_behind(thread, last.position));
                    outlet.give_all(messages).await;
                }
            }
        })
    }

    /// Starts to take what is behind the query's cursor, up to the end of the thread, or until the reader is too slow.
    fn take_all(
        &self,
        task: &mut JoinSet<()>,
        target: Target,
        mut query: MessageQuery,
    ) -> mpsc::Receiver<Chunk> {
        let (sender, chunks) = mpsc::channel((query.limit / CHUNK).clamp(1, CHUNKS));
        if let Ok(runtime) = Handle::try_current() {
            let store = self.clone();
            let taking = async move {
                let end = loop {
                    match store.reads(store.take_stretch(&target, &query, &sender)).await {
                        Ok(Stretch::Full(last)) => {
                            query = query.clone().behind(query.cursor_behind(target.id, last));
                        }
                        Ok(Stretch::Whole) => break Ok(Vec::new()),
                        Ok(Stretch::Unknown) => return,
                        Err(error) => break Err(error),
                    }
                };
                // Without a reader nobody need know.
                let _ = sender.send(end).await;
            };
            task.spawn_on(taking.in_current_span(), &runtime);
        }
        chunks
    }

    /// Takes the messages of one statement.
    async fn take_stretch(
        &self,
        target: &Target,
        query: &MessageQuery,
        chunks: &mpsc::Sender<Chunk>,
    ) -> Result<Stretch, Failure> {
        let ends = query.validate(target.id).map_err(StoreError::from)?;
        let until = Instant::now() + HOLD;
        let rows = by_columns(target, query, STRETCH, ends, None).stream(&self.connections).await?;
        let mut rows = pin!(rows.chunks(query.limit.min(CHUNK)));
        let (mut taken, mut last) = (0, None);
        while let Some(rows) = rows.next().await {
            let opener = self.opener(target).of_rows_like(rows.iter().flatten().next());
            let Ok(Ok(place)) = timeout_at(until, chunks.reserve()).await else {
                return Ok(Stretch::Unknown);
            };
            let mut messages = Vec::with_capacity(rows.len());
            let mut failed = None;
            if let (0, Some(Ok(row))) = (taken, rows.first()) {
                require_branch(row, query)?;
            }
            // Nothing is left of the thread but itself.
            if let ([Ok(row)], 0) = (rows.as_slice(), taken)
                && is_of_thread_alone(row)
            {
                return Ok(Stretch::Unknown);
            }
            for row in rows {
                match row.map_err(Failure::from).and_then(|row| Ok(opener.listed(&row, target.id, query)?)) {
                    Ok(message) => messages.push(message),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            taken += messages.len();
            if let Some(message) = messages.last() {
                last = Some(message.position);
                place.send(Ok(messages));
            }
            match failed {
                // The server counts the time of the reader, too.
                Some(error) if taken > 0 && error.is_timeout() => return Ok(Stretch::Unknown),
                Some(error) => return Err(error),
                None => {}
            }
        }
        Ok(match last {
            Some(last) if taken == STRETCH => Stretch::Full(last),
            Some(_) => Stretch::Whole,
            None => Stretch::Unknown,
        })
    }
}
