//! Faults of streams of messages.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use chatkeep_domain::{
    Again, Append, ConversationRepository, ConversationRepositoryExt as _, Decorator, MAX_PAGE_LEN,
    MessageFilter, MessageQuery, MessageStream, Order, Outcome, Outlet, Position, Scope, StoreError,
    ThreadAppend, ThreadId, message_stream, next_message,
};

use crate::faulty::{Answer, Fault, append_in_turn};
use crate::fixture::Repo;

/// More streams than a store has connections for.
const TOO_MANY: usize = 32;

#[derive(Debug)]
pub(super) struct Streams {
    inner: Repo,
    fault: Fault,
    /// The streams that hold something.
    open: AtomicUsize,
    /// The last message that any stream gave.
    place: Mutex<Position>,
}

/// What a stream holds.
struct Held<'a> {
    streams: &'a Streams,
    is_read_out: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.is_read_out || self.streams.fault != Fault::KeepsDroppedStreams {
            self.streams.open.fetch_sub(1, SeqCst);
        }
    }
}

impl Streams {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, open: AtomicUsize::new(0), place: Mutex::new(Position::ZERO) }
    }

    fn hold(&self) -> Held<'_> {
        self.open.fetch_add(1, SeqCst);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Position::ZERO;
        Held { streams: self, is_read_out: false }
    }

    /// The query that is handed on in place of the caller's.
    fn changed(&self, thread: ThreadId, mut query: MessageQuery) -> MessageQuery {
        match self.fault {
            Fault::StreamsOldestFirst => query.order = Order::OldestFirst,
            Fault::StreamsUnfiltered => query.filter = MessageFilter::default(),
            Fault::StreamsFromTheStart => query.cursor = None,
            Fault::StreamsBehindAnyCursor
                if query.validate(thread).is_err_and(|error| error.field == "cursor") =>
            {
                query.cursor = None;
            }
            _ => {}
        }
        query
    }

    fn is_enough(&self, given: usize, limit: usize) -> bool {
        match self.fault {
            Fault::BoundsStreams => given >= limit,
            Fault::CutsLongStreams => given >= MAX_PAGE_LEN,
            _ => false,
        }
    }

    /// Whether it goes on behind a corrupt row as if it were not there.
    fn leaves_out(&self, query: &MessageQuery) -> bool {
        match self.fault {
            Fault::StreamsPastCorruptRows => true,
            Fault::LeavesOutWhatCannotBeFiltered => !query.filter.metadata.is_empty(),
            _ => false,
        }
    }

    /// Whether a stream of this store has been there already.
    fn was_passed(&self, position: Position) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let was_passed = self.fault == Fault::SharesOnePlace && position <= *place;
        *place = position;
        was_passed
    }

    async fn relay(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut query: MessageQuery,
        outlet: &Outlet,
    ) -> Result<(), StoreError> {
        let scope = match scope.org_id() {
            Some(org) if self.fault == Fault::StreamsToColleagues => Scope::org(org.clone()),
            _ => scope.clone(),
        };
        let (mut held, mut given) = (self.hold(), 0);
        let mut stream = self.inner.stream_messages(&scope, thread, query.clone());
        while let Some(message) = next_message(&mut stream).await {
            match message {
                Ok(message) if self.was_passed(message.position) => {}
                Ok(message) => {
                    outlet.give(message).await;
                    given += 1;
                    if self.is_enough(given, query.limit) {
                        return Ok(());
                    }
                }
                Err(StoreError::NotFound { .. }) if self.fault == Fault::StreamsAbsentThreads => break,
                Err(StoreError::CorruptRow { behind: Some(behind), .. }) if self.leaves_out(&query) => {
                    query = query.behind(behind);
                    stream = self.inner.stream_messages(&scope, thread, query.clone());
                }
                Err(error) if self.fault == Fault::ForgetsWhereStreamsFail => {
                    return Err(error.going_on(None));
                }
                Err(error) => return Err(error),
            }
        }
        held.is_read_out = true;
        Ok(())
    }

    /// By pages, each with an offset of its own.
    async fn relay_pages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut query: MessageQuery,
        outlet: &Outlet,
    ) -> Result<(), StoreError> {
        let offset = query.offset;
        loop {
            let page = self.inner.list_messages(scope, thread, &query).await?;
            let count = page.items.len() as u64;
            outlet.give_all(page.items).await;
            let Some(next) = page.next else { return Ok(()) };
            let read = query.offset + count;
            query = match self.fault {
                Fault::RepeatsOffsets => query.behind(next).offset(offset),
                _ => query.offset(read),
            };
        }
    }

    /// Looks which messages there are, and reads one after the other then.
    async fn relay_ids(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: MessageQuery,
        outlet: &Outlet,
    ) -> Result<(), StoreError> {
        for message in self.inner.read_messages(scope, thread, query, None).await? {
            outlet.give(self.inner.get_message(scope, thread, message.id).await?).await;
        }
        Ok(())
    }
}

/// What a stream has ready.
fn read_out(mut stream: MessageStream<'_>) -> MessageStream<'static> {
    let (mut messages, mut context) = (Vec::new(), Context::from_waker(Waker::noop()));
    while let Poll::Ready(Some(Ok(message))) = pin!(next_message(&mut stream)).poll(&mut context) {
        messages.push(message);
    }
    message_stream(|outlet| async move {
        outlet.give_all(messages).await;
        Ok(())
    })
}

#[async_trait]
impl Decorator for Streams {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let open = self.open.load(SeqCst);
        if open > TOO_MANY || (open > 0 && self.fault == Fault::LocksWhileStreaming) {
            let (outcome, reason) = (Outcome::NotDone, "streams are in the way");
            return Err(StoreError::unavailable("faulty", outcome, Again::No, reason, "a fault"));
        }
        self.inner.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        if self.fault == Fault::StreamsEagerly {
            return read_out(self.inner.stream_messages(scope, thread, query));
        }
        let query = self.changed(thread, query);
        message_stream(move |outlet| async move {
            match self.fault {
                Fault::RepeatsOffsets | Fault::CountsInStreams => {
                    self.relay_pages(scope, thread, query, &outlet).await
                }
                Fault::LooksForIdsBeforeTheStream => self.relay_ids(scope, thread, query, &outlet).await,
                _ => self.relay(scope, thread, query, &outlet).await,
            }
        })
    }
}
