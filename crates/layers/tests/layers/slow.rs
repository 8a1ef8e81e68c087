//! A store in memory whose appends wait until the test lets them go on, and which notes how it was called.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ConversationRepository, Decorator, MessageRepository as _, Scope, StoreError,
    ThreadAppend, ThreadId,
};
use chatkeep_memory::MemoryRepository;
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct Slow {
    memory: MemoryRepository,
    /// A permit lets one call go on.
    pub(crate) gate: Semaphore,
    /// Each call, as it began: `append` and a text, or `each` and the texts.
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) most_in_flight: AtomicUsize,
    /// The next call that goes on panics.
    pub(crate) panics: AtomicBool,
    /// `append_each` gives one answer too little.
    pub(crate) forgets_an_answer: AtomicBool,
    pub(crate) is_closed: AtomicBool,
}

/// A call under way; it may be dropped.
struct UnderWay<'a>(&'a Slow);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

impl Slow {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryRepository::new(),
            gate: Semaphore::new(0),
            calls: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
            forgets_an_answer: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("no one panics here").clone()
    }

    async fn begin(&self, call: String) -> UnderWay<'_> {
        self.calls.lock().expect("no one panics here").push(call);
        let now = self.in_flight.fetch_add(1, SeqCst) + 1;
        let under_way = UnderWay(self);
        self.most_in_flight.fetch_max(now, SeqCst);
        self.gate.acquire().await.expect("it is never closed").forget();
        tokio::task::yield_now().await;
        assert!(!self.panics.swap(false, SeqCst), "the test says so");
        under_way
    }
}

fn text(append: &Append) -> &str {
    let first = append.messages.first();
    first.and_then(|message| message.content.as_text()).unwrap_or("nothing")
}

#[async_trait]
impl Decorator for Slow {
    fn inner(&self) -> &dyn ConversationRepository {
        &self.memory
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        let _under_way = self.begin(format!("append {}", text(&append))).await;
        self.memory.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        let texts: Vec<_> = appends.iter().map(|it| text(&it.append)).collect();
        let _under_way = self.begin(format!("each {}", texts.join(" "))).await;
        let mut answers = self.memory.append_each(appends).await;
        if self.forgets_an_answer.load(SeqCst) {
            answers.pop();
        }
        answers
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.is_closed.store(true, SeqCst);
        Ok(())
    }
}
