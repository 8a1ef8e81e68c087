//! The process of a system written in Rust.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{About, Answer, Command, Loaded, Target, measure};

/// A system that is measured. What it calls a conversation, a thread or a session is a thread here.
pub trait Store: Sized + Send + Sync + 'static {
    /// What a caller keeps of a thread.
    type Thread: Send + Sync;

    /// Opens a new store, and says how.
    fn open(target: Target) -> impl Future<Output = Result<(Self, About)>>;

    /// Makes a thread.
    fn create(&self) -> impl Future<Output = Result<Self::Thread>> + Send;

    /// Appends one message; it is stored when this returns.
    fn append(&self, thread: &Self::Thread, text: &str) -> impl Future<Output = Result<()>> + Send;

    /// Appends messages for the long thread, together if the system can.
    fn load(&self, thread: &Self::Thread, texts: &[&str]) -> impl Future<Output = Result<()>> + Send;

    /// Reads the newest messages, oldest first, and returns how many came.
    fn last(&self, thread: &Self::Thread, count: usize) -> impl Future<Output = Result<usize>> + Send;

    /// Searches all threads for a word, and returns how many messages have it.
    fn find(&self, word: &str) -> impl Future<Output = Result<usize>> + Send;
}

/// Messages that are loaded together.
const BATCH: usize = 100;

pub(crate) struct Opened<S: Store> {
    pub(crate) store: S,
    pub(crate) threads: Vec<S::Thread>,
    pub(crate) long: Option<S::Thread>,
    texts: Vec<String>,
    next: AtomicUsize,
}

impl<S: Store> Opened<S> {
    pub(crate) fn text(&self) -> &str {
        self.numbered().1
    }

    /// The next text with its number, which no other has.
    pub(crate) fn numbered(&self) -> (usize, &str) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number, self.texts.get(number % self.texts.len().max(1)).map_or("", String::as_str))
    }

    /// Loads messages into a thread for at most so many seconds; gives how many.
    pub(crate) async fn load(&self, thread: &S::Thread, count: usize, cap: f64) -> Result<usize> {
        let (start, mut loaded) = (Instant::now(), 0);
        while loaded < count && start.elapsed().as_secs_f64() < cap {
            let texts: Vec<&str> = (loaded..count.min(loaded + BATCH)).map(|_| self.text()).collect();
            self.store.load(thread, &texts).await?;
            loaded += texts.len();
        }
        Ok(loaded)
    }
}

/// Answers commands until standard input ends.
///
/// # Errors
/// When the commands cannot be read or the answers written. What a system cannot do is an answer.
pub async fn serve<S: Store>() -> Result<()> {
    let mut opened: Option<Arc<Opened<S>>> = None;
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Command::Open { target, texts } => json(S::open(target).await.map(|(store, about)| {
                let next = AtomicUsize::new(0);
                opened = Some(Arc::new(Opened { store, threads: Vec::new(), long: None, texts, next }));
                about
            })),
            Command::Prepare { threads, history, cap } => {
                json(prepare(opened.as_mut(), threads, history, cap).await)
            }
            Command::Append { callers, seconds } => json(match &opened {
                Some(opened) => measure::append(opened, callers, seconds).await,
                None => Err(anyhow::anyhow!("nothing is open")),
            }),
            Command::AppendAndFind { seconds } => json(match &opened {
                Some(opened) => measure::append_and_find(opened, seconds).await,
                None => Err(anyhow::anyhow!("nothing is open")),
            }),
            Command::FirstSearch { pending } => json(match &opened {
                Some(opened) => measure::first_search(opened, pending).await,
                None => Err(anyhow::anyhow!("nothing is open")),
            }),
            Command::Last { count, seconds } => json(match &opened {
                Some(opened) => measure::last(opened, count, seconds).await,
                None => Err(anyhow::anyhow!("nothing is open")),
            }),
        }?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

async fn prepare<S: Store>(
    opened: Option<&mut Arc<Opened<S>>>,
    threads: usize,
    history: usize,
    cap: f64,
) -> Result<Loaded> {
    let opened = opened.and_then(Arc::get_mut).context("nothing is open")?;
    for _ in 0..threads {
        opened.threads.push(opened.store.create().await?);
    }
    let long = opened.store.create().await?;
    let history = opened.load(&long, history, cap).await?;
    opened.long = Some(long);
    Ok(Loaded { history })
}

fn json<T: Serialize>(result: Result<T>) -> Result<String> {
    let answer = match result {
        Ok(value) => Answer::Ok(value),
        Err(error) => Answer::Error(format!("{error:#}")),
    };
    Ok(serde_json::to_string(&answer)?)
}
