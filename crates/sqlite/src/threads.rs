//! Threads.

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    BranchId, ChatThread, ExternalId, Metadata, MetadataTags, NewThread, OrgId, Page, Scope, ThreadId,
    ThreadQuery, ThreadRepository, ThreadUpdate, Version,
};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::{Answer, Result};
use crate::in_thread::{self, Found, InThread};
use crate::lists;
use crate::row::{self, THREAD_COLUMNS};
use crate::store::{Context, SqliteRepository};
use crate::unfinished;

const INSERT_ORG: &str = "INSERT INTO chat_org (org_id) VALUES (?1)";

const INSERT: &str = "
    INSERT INTO chat_thread (org, id, user_id, name, folded_name, metadata, head, created_at, updated_at, external_id,
        version, next_position, forked_thread, forked_branch, forked_through)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (id, org) DO NOTHING";

const UPDATE: &str = "
    UPDATE chat_thread
    SET updated_at = MAX(updated_at, ?2), name = COALESCE(?3, name), folded_name = COALESCE(?4, folded_name),
        metadata = COALESCE(?5, metadata), active_branch = COALESCE(?6, active_branch), version = version + 1
    WHERE key = ?1";

const INSERT_TAG: &str = "INSERT INTO chat_thread_tag (thread, tag) VALUES (?1, ?2)";

const DELETE_TAGS: &str = "DELETE FROM chat_thread_tag WHERE thread = ?1";

impl InThread<'_> {
    fn update(&self, update: &ThreadUpdate) -> Result<ChatThread> {
        let key = self.thread.key;
        let mut thread = read(self.connection, &self.thread)?;
        if let Some(branch) = update.active_branch {
            self.path(branch)?;
        }
        if !update.changes(&thread) {
            return Ok(thread);
        }
        update.clone().apply(&mut thread)?;
        let name = update.name.as_deref();
        let metadata = update.metadata.as_ref();
        let values = (
            key,
            update.at.timestamp_micros(),
            name,
            name.map(fold_text),
            metadata.map(encoded),
            update.active_branch.map(BranchId::get),
        );
        self.connection.prepare_cached(UPDATE)?.execute(values)?;
        if let Some(metadata) = metadata {
            replace_tags(self.connection, key, metadata)?;
        }
        Ok(thread)
    }

    /// Deletes the thread; gives the number of its messages.
    fn delete_all(&self, expect_version: Option<Version>) -> Result<u64> {
        let (thread, backlog) = (&self.thread, &self.context.backlog);
        thread.check_expected(expect_version)?;
        unfinished::give_up_all(self.connection, backlog, thread.org, self.id)?;
        backlog.give_up_thread(self.connection, thread.key)?;
        Ok(thread.message_count.unsigned_abs())
    }
}

/// The whole thread.
pub(crate) fn read(connection: &Connection, found: &Found) -> Result<ChatThread> {
    read_key(connection, found.key, &found.org_id)
}

/// The same of a thread that may be a fork which is not whole yet.
pub(crate) fn read_key(connection: &Connection, key: i64, org: &OrgId) -> Result<ChatThread> {
    let text = format!("SELECT {THREAD_COLUMNS} FROM chat_thread t WHERE t.key = ?1");
    Ok(connection.prepare_cached(&text)?.query_row([key], |row| Ok(row::thread(row, Some(org))))??)
}

fn create(connection: &Connection, context: &Context, new: &NewThread) -> Result<ChatThread> {
    let org = ensure_org(connection, &new.org_id)?;
    let thread = new.clone().into_thread();
    if insert(connection, Some(org), &thread)? {
        if let Some(fork) = unfinished::find(connection, org, new.id)? {
            // A thread takes the id of a fork that is not whole.
            unfinished::give_up(connection, &context.backlog, fork)?;
        }
        return Ok(thread);
    }
    let found = in_thread::find(connection, &Scope::org(new.org_id.clone()), new.id)?;
    Ok(new.held(read(connection, &found)?)?)
}

fn ensure_org(connection: &Connection, org: &OrgId) -> Result<i64> {
    if let Some(org) = in_thread::find_org(connection, org)? {
        return Ok(org);
    }
    connection.prepare_cached(INSERT_ORG)?.execute([org.as_str()])?;
    Ok(connection.last_insert_rowid())
}

/// Puts in a thread without messages. `false`: there is one of its id. Without an organization nobody sees it.
pub(crate) fn insert(connection: &Connection, org: Option<i64>, thread: &ChatThread) -> Result<bool> {
    let from = thread.forked_from;
    let values = (
        org,
        thread.id.as_uuid().as_bytes(),
        thread.user_id.as_str(),
        &thread.name,
        fold_text(&thread.name),
        encoded(&thread.metadata),
        thread.head.get(),
        thread.created_at.timestamp_micros(),
        thread.external_id.as_ref().map(ExternalId::as_str),
        thread.version.get(),
        thread.head.advance(1)?.get(),
        from.map(|from| *from.thread.as_uuid().as_bytes()),
        from.map(|from| from.point.branch.get()),
        from.map(|from| from.point.through.get()),
    );
    let is_new = connection.prepare_cached(INSERT)?.execute(values)? == 1;
    if is_new {
        write_tags(connection, connection.last_insert_rowid(), &thread.metadata)?;
    }
    Ok(is_new)
}

fn encoded(metadata: &Metadata) -> String {
    serde_json::Value::Object(metadata.clone()).to_string()
}

fn write_tags(connection: &Connection, thread: i64, metadata: &Metadata) -> Result<()> {
    let MetadataTags { tags, is_incomplete, .. } = MetadataTags::of(metadata);
    let mut insert = connection.prepare_cached(INSERT_TAG)?;
    // Too many are one, the nil UUID.
    for tag in tags.into_iter().chain(is_incomplete.then(Uuid::nil)) {
        insert.execute((thread, tag.as_bytes()))?;
    }
    Ok(())
}

/// Writes the tags of a thread in place of those that it had.
pub(crate) fn replace_tags(connection: &Connection, thread: i64, metadata: &Metadata) -> Result<()> {
    connection.prepare_cached(DELETE_TAGS)?.execute([thread])?;
    write_tags(connection, thread, metadata)
}

#[async_trait]
impl ThreadRepository for SqliteRepository {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Answer<ChatThread> {
        new.validate(scope)?;
        let context = self.context();
        self.write(move |connection| create(connection, &context, &new)).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Answer<ChatThread> {
        self.read_in(scope, id, |found| read(found.connection, &found.thread)).await
    }

    async fn update_thread(&self, scope: &Scope, id: ThreadId, changes: ThreadUpdate) -> Answer<ChatThread> {
        changes.validate()?;
        self.write_in(scope, id, move |found| found.update(&changes)).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Answer<u64> {
        self.write_in(scope, id, move |found| found.delete_all(expect_version)).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Answer<Page<ChatThread>> {
        let behind = query.validate()?;
        let owner = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref());
        let Some(owner) = owner.filter(|_| query.limit > 0) else { return Ok(Page::empty()) };
        let (query, codec) = (query.clone(), self.codec());
        self.read(move |connection| lists::list(connection, &*codec, &owner, &query, behind.clone())).await
    }
}
