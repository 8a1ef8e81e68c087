//! Fills the index again, in batches.

use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{BoxError, Content, OrgId, StoreError, UserId};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::Migrations;
use crate::connection::Connection;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::row;
use crate::search::entry::{self, Entry};
use crate::sql::Sql;
use crate::tags;
use crate::threads::Target;

/// How many rows one transaction takes.
const BATCH: i64 = 200;

/// An index that is being filled again: see [`Migrations::reindex`].
#[derive(Debug)]
pub struct Reindex<'a> {
    migrations: &'a Migrations,
    /// Rows of the version that is current are done, unless all are to be done again.
    all: bool,
    /// The last thread and the last message that were looked at.
    thread: Option<(String, Uuid)>,
    message: Option<(String, Uuid, i64)>,
    threads_are_done: bool,
    corrupt: u64,
}

impl Migrations {
    /// How many threads and messages are not in the index, or were put there by another version of the analyzer: those
    /// written before there was one, by a store [without search](crate::SeaOrmRepository::without_search), or by an
    /// earlier chatkeep. Searches and filters do not find them.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn count_unindexed(&self) -> Result<u64, StoreError> {
        self.count(&format!("WHERE {}", stale())).await
    }

    /// How many threads and messages there are.
    ///
    /// # Errors
    /// As [`count_unindexed`](Self::count_unindexed).
    pub async fn count_indexable(&self) -> Result<u64, StoreError> {
        self.count("").await
    }

    async fn count(&self, condition: &str) -> Result<u64, StoreError> {
        self.check().await?;
        let sql = Sql::new(format!(
            "SELECT (SELECT COUNT(*) FROM chat_message {condition}) + (SELECT COUNT(*) FROM chat_thread {condition})"
        ));
        let count: i64 = self
            .db
            .run(|| async {
                let row = sql.row(self.db.reader()).await?;
                Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
            })
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Begins to put into the index what is not in it, or, with `all`, everything anew. Nothing happens before
    /// [`Reindex::next_batch`].
    pub fn reindex(&self, all: bool) -> Reindex<'_> {
        Reindex { migrations: self, all, thread: None, message: None, threads_are_done: false, corrupt: 0 }
    }
}

fn stale() -> String {
    format!("COALESCE(search_version, 0) <> {ANALYZER_VERSION}")
}

impl Reindex<'_> {
    /// Does the next few rows in one transaction, and gives their number; 0 when all is done. The store may be used
    /// meanwhile. What a batch has done stays done: stop at any time, and begin again.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`]; call again to try the same
    /// batch again.
    pub async fn next_batch(&mut self) -> Result<u64, StoreError> {
        if self.thread.is_none() && self.message.is_none() {
            self.migrations.check().await?;
        }
        if !self.threads_are_done {
            let (count, last) = self.migrations.db.run(|| self.try_threads()).await?;
            if count > 0 {
                self.thread = last;
                return Ok(count);
            }
            self.threads_are_done = true;
        }
        let (count, corrupt, last) = self.migrations.db.run(|| self.try_messages()).await?;
        self.corrupt += corrupt;
        self.message = last.or(self.message.take());
        Ok(count)
    }

    /// How many messages could not be decoded, so far: they are left out.
    pub fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn condition(&self) -> String {
        if self.all { "TRUE".to_owned() } else { stale() }
    }

    async fn try_threads(&self) -> Result<(u64, Option<(String, Uuid)>), Failure> {
        let db = &self.migrations.db;
        let mut sql =
            Sql::new("SELECT org_id, id, name, metadata FROM chat_thread WHERE ").text(&self.condition());
        if let Some((org, id)) = &self.thread {
            let key: [Value; 2] = [org.as_str().into(), (*id).into()];
            sql = sql.bind_list(" AND (org_id, id) >", key);
        }
        let sql = sql.bind(" ORDER BY org_id, id LIMIT ", BATCH).text(db.dialect.for_update());
        let transaction = db.begin().await?;
        let connection = transaction.connection();
        let rows = sql.rows(connection).await?;
        let mut last = None;
        for row in &rows {
            let (org, id): (String, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let (name, metadata): (String, String) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            // What is not an object has no tags.
            let metadata = serde_json::from_str(&metadata).unwrap_or_default();
            Sql::new(format!("UPDATE chat_thread SET search_version = {ANALYZER_VERSION}"))
                .bind(", folded_name = ", fold_text(&name))
                .bind(" WHERE org_id = ", org.as_str())
                .bind(" AND id = ", id)
                .execute(connection)
                .await?;
            tags::replace(connection, &org, id, &tags::stored_tags(&metadata)).await?;
            last = Some((org, id));
        }
        transaction.commit().await?;
        Ok((rows.len() as u64, last))
    }

    async fn try_messages(&self) -> Result<(u64, u64, Option<(String, Uuid, i64)>), Failure> {
        let db = &self.migrations.db;
        let condition = self.condition().replace("search_version", "m.search_version");
        let mut sql = Sql::new("SELECT m.org_id, m.chat_thread_id, m.position, m.sender_id, m.content, t.user_id")
            .text(" FROM chat_message m JOIN chat_thread t ON t.org_id = m.org_id AND t.id = m.chat_thread_id WHERE ")
            .text(&condition);
        if let Some((org, thread, position)) = &self.message {
            let key: [Value; 3] = [org.as_str().into(), (*thread).into(), (*position).into()];
            sql = sql.bind_list(" AND (m.org_id, m.chat_thread_id, m.position) >", key);
        }
        let sql = sql.bind(" ORDER BY m.org_id, m.chat_thread_id, m.position LIMIT ", BATCH);
        let sql = if db.dialect == Dialect::Postgres { sql.text(" FOR UPDATE OF m") } else { sql };
        let transaction = db.begin().await?;
        let rows = sql.rows(transaction.connection()).await?;
        let (mut corrupt, mut last) = (0, None);
        for row in &rows {
            let key = (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            match Message::read(row) {
                Ok(message) => message.index(db.dialect, transaction.connection()).await?,
                Err(_) => corrupt += 1,
            }
            last = Some(key);
        }
        transaction.commit().await?;
        Ok((rows.len() as u64, corrupt, last))
    }
}

/// A message whose entry is to be made.
struct Message {
    target: Target,
    position: i64,
    user: String,
    sender: Option<UserId>,
    content: Content,
}

impl Message {
    fn read(row: &QueryResult) -> Result<Self, BoxError> {
        let id: Uuid = row::get(row, 1)?;
        Ok(Self {
            target: Target::whole(OrgId::new(row::get::<String>(row, 0)?)?, id.into()),
            position: row::get(row, 2)?,
            sender: row::get::<Option<String>>(row, 3)?.map(UserId::new).transpose()?,
            content: Content::from_json(&row::get::<String>(row, 4)?)?,
            user: row::get(row, 5)?,
        })
    }

    async fn index(&self, dialect: Dialect, connection: Connection<'_>) -> Result<(), Failure> {
        let Self { target, position, user, .. } = self;
        let entry = Entry::of(dialect, &self.content, self.sender.as_ref());
        let mut sql = Sql::new(format!("UPDATE chat_message SET search_version = {ANALYZER_VERSION}"));
        match dialect {
            Dialect::Postgres => {
                sql = entry::with_owner(sql.bind(", search = ", entry.words.as_str()), Some(user));
            }
            Dialect::Sqlite => {
                entry::remove(target, *position).execute(connection).await?;
                entry::insert(target, user, *position, std::iter::once(&entry)).execute(connection).await?;
            }
        }
        target
            .filter_messages(sql.text(" WHERE "))
            .bind(" AND position = ", *position)
            .execute(connection)
            .await?;
        Ok(())
    }
}
