//! Memory by hand: maps behind a mutex.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Floor;
use crate::corpus::{self, MESSAGES, OWNER, THREAD_LEN, WORD};
use crate::data::{ORG, Shape, TEXT, new_id, now, thread, user};
use crate::measure::On;

/// A message as a program would hold it.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "a program would use what it keeps")]
struct Message {
    id: Uuid,
    thread: Uuid,
    position: usize,
    sender: Option<String>,
    role: Role,
    text: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
enum Role {
    User,
}

impl Message {
    /// Without a place in its thread yet.
    fn new(thread: Uuid, text: impl Into<String>) -> Self {
        let (id, now) = (new_id(), now());
        let (role, text) = (Role::User, text.into());
        Self { id, thread, position: 0, sender: None, role, text, created_at: now, updated_at: now }
    }
}

/// A thread in a list.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "a program would use what it keeps")]
struct Thread {
    id: Uuid,
    org: String,
    user: String,
    name: String,
    metadata: Map<String, Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Thread {
    fn new(number: usize, owner: usize) -> Self {
        let now = now();
        Self {
            id: thread(number),
            org: ORG.to_owned(),
            user: user(owner),
            name: format!("thread {number}"),
            metadata: Map::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// The threads of a user, by when they were last updated.
type Recent = BTreeMap<(DateTime<Utc>, Uuid), Thread>;

/// The messages of an organization that have a word, by its owner, itself and the word.
type Index = HashMap<(String, String), HashMap<String, Vec<Message>>>;

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryFloor {
    threads: Arc<Mutex<HashMap<Uuid, Vec<Message>>>>,
    /// For the lists, and for nothing else.
    recent: Arc<Mutex<HashMap<usize, Recent>>>,
    /// For the searches, and for nothing else.
    index: Arc<Mutex<Index>>,
}

/// Puts messages behind the others.
fn extend(messages: &mut Vec<Message>, new: impl IntoIterator<Item = Message>) {
    for message in new {
        let position = messages.len() + 1;
        messages.push(Message { position, ..message });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryFloor {
    pub(crate) fn load(shape: Shape) -> Self {
        let floor = Self::default();
        let mut threads = lock(&floor.threads);
        for number in 0..shape.threads() {
            threads.insert(thread(number), Vec::new());
        }
        match shape {
            Shape::Threads(_) => {}
            Shape::Messages(count) => {
                extend(
                    threads.entry(thread(0)).or_default(),
                    (0..count).map(|_| Message::new(thread(0), TEXT)),
                );
            }
            Shape::List(count) => {
                let mut recent = lock(&floor.recent);
                for number in 0..count {
                    let thread = Thread::new(number, shape.owner(number));
                    let recent = recent.entry(shape.owner(number)).or_default();
                    recent.insert((thread.updated_at, thread.id), thread);
                }
            }
            Shape::Corpus(orgs) => {
                let texts: Vec<_> = (0..MESSAGES).map(corpus::text).collect();
                for org in 0..orgs {
                    floor.load_org(org, &mut threads, &texts);
                }
            }
        }
        drop(threads);
        floor
    }

    fn load_org(&self, org: usize, threads: &mut HashMap<Uuid, Vec<Message>>, texts: &[String]) {
        let mut index = lock(&self.index);
        let words = index.entry((corpus::org(org), OWNER.to_owned())).or_default();
        for (number, text) in texts.iter().enumerate() {
            let thread = thread(org * (MESSAGES / THREAD_LEN) + number / THREAD_LEN);
            let position = number % THREAD_LEN + 1;
            let message = Message { position, ..Message::new(thread, text) };
            for word in text.split(' ') {
                words.entry(word.to_owned()).or_default().push(message.clone());
            }
            threads.entry(thread).or_default().push(message);
        }
    }
}

impl Floor for MemoryFloor {
    const ON: On = On::Tasks;

    async fn append(&self, _: usize, number: usize) -> Result<()> {
        let message = Message::new(thread(number), TEXT);
        extend(lock(&self.threads).get_mut(&thread(number)).context("no such thread")?, [message]);
        Ok(())
    }

    async fn append_batch(&self, number: usize, count: usize) -> Result<()> {
        let batch: Vec<_> = (0..count).map(|_| Message::new(thread(number), TEXT)).collect();
        extend(lock(&self.threads).get_mut(&thread(number)).context("no such thread")?, batch);
        Ok(())
    }

    async fn newest(&self, count: usize) -> Result<usize> {
        let messages = {
            let threads = lock(&self.threads);
            let thread = threads.get(&thread(0)).context("no such thread")?;
            thread[thread.len().saturating_sub(count)..].to_vec()
        };
        Ok(messages.iter().map(|message| message.text.len()).sum())
    }

    async fn read_all(&self) -> Result<(usize, usize)> {
        let messages = lock(&self.threads).get(&thread(0)).context("no such thread")?.clone();
        Ok((messages.len(), messages.iter().map(|message| message.text.len()).sum()))
    }

    async fn list(&self, count: usize) -> Result<usize> {
        let recent = lock(&self.recent);
        let threads = recent.get(&0).context("no such user")?;
        let threads: Vec<Thread> = threads.values().rev().take(count).cloned().collect();
        Ok(threads.len())
    }

    async fn search(&self, org: usize, count: usize) -> Result<usize> {
        let index = lock(&self.index);
        let words = index.get(&(corpus::org(org), OWNER.to_owned())).context("no such organization")?;
        let found = words.get(WORD).context("no such word")?;
        let hits: Vec<Message> = found.iter().rev().take(count).cloned().collect();
        Ok(hits.len())
    }
}
