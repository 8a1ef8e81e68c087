//! rig's session stores, used as their README and examples say: `load_async` and `save_async`, one log a conversation.
//!
//! In memory the conversation has a `Writer`, which appends without reading the log first; it takes no store in a
//! database.

use std::sync::Arc;

use anyhow::Result;
use peers_worker::{About, Store, Target, locked_version};
use rig_core::conversation::Conversation;
use rig_core::message::Message;
use rig_memory::recent::{LastMessages, view};
use rig_memory::{MemoryStore, SessionError, Writer, load, load_async, save_async};
use rig_postgres::PostgresSessionStore;
use rig_sqlite::SqliteSessionStore;
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio_rusqlite::Connection;

enum Rig {
    Postgres(PostgresSessionStore),
    Sqlite(SqliteSessionStore),
    Memory,
}

/// Where one conversation is.
enum Log {
    Postgres(PostgresSessionStore),
    Sqlite(SqliteSessionStore),
    Memory(MemoryStore, Writer),
}

impl Log {
    async fn save(&self, name: &str, conversation: &mut Conversation) -> Result<(), SessionError> {
        match self {
            Self::Postgres(store) => save_async(store, name, conversation).await,
            Self::Sqlite(store) => save_async(store, name, conversation).await,
            Self::Memory(_, writer) => {
                writer.save(name, conversation);
                writer.flush()
            }
        }
    }

    async fn load(&self, name: &str) -> Result<Conversation, SessionError> {
        match self {
            Self::Postgres(store) => load_async(store, name).await,
            Self::Sqlite(store) => load_async(store, name).await,
            Self::Memory(store, _) => load(store, name),
        }
    }
}

struct Thread {
    log: Log,
    name: String,
    /// As the caller keeps it, to be saved again.
    conversation: Mutex<Conversation>,
}

impl Store for Rig {
    type Thread = Thread;

    async fn open(target: Target) -> Result<(Self, About)> {
        let (store, about) = match target {
            Target::Postgres(url) => {
                let store = PostgresSessionStore::open(PgPool::connect(&url).await?).await?;
                (Self::Postgres(store), "PostgresSessionStore, sqlx's pool of 10; save_async".to_owned())
            }
            Target::Sqlite(path) => {
                let connection = Connection::open(path).await?;
                let (journal, synchronous) = connection
                    .call(|it| {
                        let journal: String = it.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
                        let synchronous: i64 = it.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
                        Ok((journal, synchronous))
                    })
                    .await?;
                let about = format!(
                    "SqliteSessionStore, its one connection; save_async; journal_mode={journal}, \
                     synchronous={synchronous}"
                );
                (Self::Sqlite(SqliteSessionStore::open(connection).await?), about)
            }
            Target::Memory => (Self::Memory, "MemoryStore, a Writer a conversation".to_owned()),
        };
        let version = locked_version(include_str!("../Cargo.lock"), "rig-memory");
        Ok((store, About { version, about }))
    }

    async fn create(&self) -> Result<Thread> {
        let name = uuid::Uuid::new_v4().to_string();
        let log = match self {
            Self::Postgres(store) => Log::Postgres(store.clone()),
            Self::Sqlite(store) => Log::Sqlite(store.clone()),
            Self::Memory => {
                let store = MemoryStore::default();
                let (writer, _) = Writer::open(Arc::new(store.clone()))?;
                writer.open_log(&name, None);
                writer.start();
                Log::Memory(store, writer)
            }
        };
        let mut conversation = Conversation::new();
        log.save(&name, &mut conversation).await?;
        Ok(Thread { log, name, conversation: Mutex::new(conversation) })
    }

    async fn append(&self, thread: &Thread, text: &str) -> Result<()> {
        let mut conversation = thread.conversation.lock().await;
        conversation.push(Message::user(text));
        Ok(thread.log.save(&thread.name, &mut conversation).await?)
    }

    async fn load(&self, thread: &Thread, texts: &[&str]) -> Result<()> {
        let mut conversation = thread.conversation.lock().await;
        conversation.extend(texts.iter().map(|text| Message::user(*text)));
        Ok(thread.log.save(&thread.name, &mut conversation).await?)
    }

    /// There is no call that reads a part.
    async fn last(&self, thread: &Thread, count: usize) -> Result<usize> {
        let conversation = thread.log.load(&thread.name).await?;
        Ok(view(conversation.messages(), &LastMessages(count)).len())
    }

    async fn find(&self, _: &str) -> Result<usize> {
        anyhow::bail!("it does not search")
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    peers_worker::serve::<Rig>().await
}
