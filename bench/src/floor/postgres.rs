//! PostgreSQL by hand: `tokio-postgres`, prepared statements, the same SQL as ours sends to append.

use std::fmt::Write as _;
use std::pin::pin;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::Floor;
use super::postgres_sql::{
    ALLOT, APPEND, APPEND_TYPES, CLEAN, COPY, HITS, LIST, MESSAGES_AT, NEWEST, READ_ALL,
};
use crate::corpus::{OWNER, WORD, org};
use crate::data::{Content, ORG, USERS, content, new_id, now, thread, user};
use crate::measure::On;

/// Clients that the callers share in turn.
pub(crate) struct PostgresFloor {
    clients: Vec<Prepared>,
    /// A transaction needs a client of its own.
    batches: Mutex<Option<Prepared>>,
    url: String,
    users: Vec<String>,
    known: Known,
    /// Ends with the floor.
    _cleaning: JoinSet<Result<()>>,
}

/// What was read back of what ours has stored: the floor writes the index, and does not make it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// What the search column holds of the one text, for each user.
    pub(crate) vectors: Vec<String>,
    /// The mark of the thread in it.
    pub(crate) mark: String,
}

impl Known {
    /// The vector of a message in another thread of the same user: a program writes it as fast.
    fn vector(&self, user: usize, number: usize) -> Result<String> {
        let vector = self.vectors.get(user).context("no vector of the user")?;
        // As long as ours.
        let mark = format!("'^{:06x}'", number & 0xff_ffff);
        Ok(vector.replace(&self.mark, &mark))
    }
}

struct Prepared {
    client: Client,
    append: Statement,
    /// The one other statement that a row is about, and the one behind it.
    other: OnceCell<Statement>,
    second: OnceCell<Statement>,
}

impl PostgresFloor {
    pub(crate) async fn open(url: &str, clients: usize, known: Known) -> Result<Self> {
        let mut prepared = Vec::with_capacity(clients);
        for _ in 0..clients {
            prepared.push(Prepared::connect(url).await?);
        }
        let mut cleaning = JoinSet::new();
        cleaning.spawn(clean(url.to_owned()));
        let users = (0..USERS).map(user).collect();
        let batches = Mutex::default();
        Ok(Self { clients: prepared, batches, url: url.to_owned(), users, known, _cleaning: cleaning })
    }
}

/// As the store does.
async fn clean(url: String) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        client.execute(CLEAN, &[]).await?;
    }
}

impl Prepared {
    async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let append = client.prepare_typed(APPEND, &APPEND_TYPES).await?;
        Ok(Self { client, append, other: OnceCell::new(), second: OnceCell::new() })
    }

    async fn other(&self, sql: &str) -> Result<&Statement> {
        Ok(self.other.get_or_try_init(|| self.client.prepare(sql)).await?)
    }

    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.client.query(self.other(sql).await?, values).await?)
    }
}

impl Floor for PostgresFloor {
    const ON: On = On::Tasks;

    async fn append(&self, caller: usize, number: usize) -> Result<()> {
        let Prepared { client, append, .. } = &self.clients[caller % self.clients.len()];
        let (user, thread, now) = (number % USERS, thread(number), now());
        let (id, content) = (new_id(), content()?);
        let row = client
            .query_opt(
                append,
                &[
                    &ORG,
                    &thread,
                    &self.users[user],
                    &None::<i64>,
                    &id,
                    &None::<&str>,
                    &"user",
                    &content,
                    &now,
                    &self.known.vector(user, number)?,
                    &1_i16,
                    &None::<&str>,
                    &None::<i64>,
                ],
            )
            .await?;
        let _position: i64 = row.context("no such thread")?.get(0);
        Ok(())
    }

    async fn append_batch(&self, number: usize, count: usize) -> Result<()> {
        let mut client = self.batches.lock().await;
        if client.is_none() {
            *client = Some(Prepared::connect(&self.url).await?);
        }
        let Prepared { client, other, .. } = client.as_mut().context("no client")?;
        let allot = other.get_or_try_init(|| client.prepare(ALLOT)).await?;
        let (now, thread, user) = (now(), thread(number), number % USERS);
        let transaction = client.transaction().await?;
        let row = transaction
            .query_one(allot, &[&i64::try_from(count)?, &now, &ORG, &thread, &self.users[user]])
            .await?;
        let rows = copied(thread, row.get(0), count, now, &self.known.vector(user, number)?)?;
        let mut sink = pin!(transaction.copy_in(COPY).await?);
        sink.send(std::io::Cursor::new(rows)).await?;
        sink.finish().await?;
        Ok(transaction.commit().await?)
    }

    async fn newest(&self, count: usize) -> Result<usize> {
        let values: [&(dyn ToSql + Sync); 6] =
            [&ORG, &thread(0), &self.users[0], &0_i64, &i64::MAX, &None::<i64>];
        let mut rows = self.clients[0].rows(NEWEST, &values).await?;
        rows.truncate(count);
        rows.reverse();
        let messages: Result<Vec<_>> = rows.iter().map(Message::read).collect();
        Ok(messages?.iter().map(|message| message.content.text.len()).sum())
    }

    async fn read_all(&self) -> Result<(usize, usize)> {
        let client = &self.clients[0];
        let values: [&(dyn ToSql + Sync); 2] = [&ORG, &thread(0)];
        let mut rows = pin!(client.client.query_raw(client.other(READ_ALL).await?, values).await?);
        let (mut messages, mut bytes) = (0, 0);
        while let Some(row) = rows.try_next().await? {
            messages += 1;
            bytes += Message::read(&row)?.content.text.len();
        }
        Ok((messages, bytes))
    }

    async fn list(&self, count: usize) -> Result<usize> {
        let values: [&(dyn ToSql + Sync); 2] = [&ORG, &self.users[0]];
        let rows = self.clients[0].rows(LIST, &values).await?;
        let threads: Result<Vec<_>> = rows.iter().take(count).map(Thread::read).collect();
        Ok(threads?.len())
    }

    async fn search(&self, number: usize, count: usize) -> Result<usize> {
        let (client, org) = (&self.clients[0], org(number));
        let question = format!("'~{OWNER}@{org}' & '{WORD}'");
        let mut orgs = Vec::<String>::new();
        let (mut threads, mut positions) = (Vec::<Uuid>::new(), Vec::<i64>::new());
        for row in client.rows(HITS, &[&question, &org]).await? {
            orgs.push(row.try_get(0)?);
            threads.push(row.try_get(1)?);
            positions.push(row.try_get(2)?);
        }
        let at = client.second.get_or_try_init(|| client.client.prepare(MESSAGES_AT)).await?;
        let rows = client.client.query(at, &[&orgs, &threads, &positions, &OWNER, &question]).await?;
        let hits: Result<Vec<_>> = rows.iter().take(count).map(Hit::read).collect();
        Ok(hits?.len())
    }
}

/// The lines of a COPY. Nothing in the one text needs an escape.
fn copied(thread: Uuid, first: i64, count: usize, now: DateTime<Utc>, vector: &str) -> Result<Vec<u8>> {
    let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut rows = String::new();
    for position in (first..).take(count) {
        let (id, content) = (new_id(), content()?);
        writeln!(rows, "{ORG}\t{thread}\t{position}\t{id}\t\\N\tuser\t{content}\t{now}\t{now}\t{vector}\t1")?;
    }
    Ok(rows.into_bytes())
}

/// A message as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Message<'a> {
    ids: (Uuid, Option<&'a str>, Uuid, i64),
    sender: (Option<&'a str>, &'a str),
    content: Content<'a>,
    revision: i32,
    at: (DateTime<Utc>, DateTime<Utc>),
}

impl<'a> Message<'a> {
    fn read(row: &'a Row) -> Result<Self> {
        Ok(Self {
            ids: (row.try_get(0)?, row.try_get(8)?, row.try_get(1)?, row.try_get(2)?),
            sender: (row.try_get(3)?, row.try_get(4)?),
            content: serde_json::from_str(row.try_get(5)?)?,
            revision: row.try_get(9)?,
            at: (row.try_get(6)?, row.try_get(7)?),
        })
    }
}

/// A thread as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Thread {
    keys: (String, Uuid, Option<String>, String),
    name: String,
    metadata: serde_json::Value,
    head: i64,
    version: i64,
    at: (DateTime<Utc>, DateTime<Utc>),
}

impl Thread {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            keys: (row.try_get(0)?, row.try_get(1)?, row.try_get(8)?, row.try_get(2)?),
            name: row.try_get(3)?,
            metadata: serde_json::from_str(row.try_get(4)?)?,
            head: row.try_get(5)?,
            version: row.try_get(9)?,
            at: (row.try_get(6)?, row.try_get(7)?),
        })
    }
}

/// A hit as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Hit<'a> {
    message: Message<'a>,
    thread: &'a str,
}

impl<'a> Hit<'a> {
    fn read(row: &'a Row) -> Result<Self> {
        Ok(Self { message: Message::read(row)?, thread: row.try_get(11)? })
    }
}
