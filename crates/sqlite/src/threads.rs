//! Threads.

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatMessage, ChatThread, Codec, ContentKey, Entity, Expected, ExternalId, MAX_PAGE_LEN, MessageId,
    Metadata, MetadataTags, NewThread, OrgId, OwnerFilter, Page, Scope, StoreError, ThreadId, ThreadKey,
    ThreadPreview, ThreadQuery, ThreadRepository, ThreadUpdate, UserId, Version,
};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};
use uuid::Uuid;

use crate::error::{Answer, Result};
use crate::readers::Work;
use crate::row::{self, MESSAGE_COLUMNS, Opener, THREAD_COLUMNS, THREAD_WIDTH};
use crate::sql::Sql;
use crate::store::{Context, SqliteRepository};
use crate::stored;

/// Of all organizations where none is named; two say that the id alone is not enough.
const FIND: &str = "
    SELECT t.key, t.org, o.org_id, t.user_id, t.head, t.message_count, t.version
    FROM chat_thread t JOIN chat_org o ON o.key = t.org
    WHERE t.id = ?1 AND t.org <> 0 AND (?2 IS NULL OR o.org_id = ?2)
    LIMIT 2";

const FIND_ORG: &str = "SELECT key FROM chat_org WHERE org_id = ?1";

const INSERT_ORG: &str = "INSERT INTO chat_org (org_id) VALUES (?1)";

const INSERT: &str = "
    INSERT INTO chat_thread (org, id, user_id, name, folded_name, metadata, head, created_at, updated_at, external_id,
        version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id, org) DO NOTHING";

const UPDATE: &str = "
    UPDATE chat_thread
    SET updated_at = MAX(updated_at, ?2), name = COALESCE(?3, name), folded_name = COALESCE(?4, folded_name),
        metadata = COALESCE(?5, metadata), version = version + 1
    WHERE key = ?1";

const INSERT_TAG: &str = "INSERT INTO chat_thread_tag (thread, tag) VALUES (?1, ?2)";

const DELETE_TAGS: &str = "DELETE FROM chat_thread_tag WHERE thread = ?1";

/// What a preview adds to a list: the number of messages and the last one. Nothing but the index is looked at for its place.
const WITH_LAST: &str = "
    LEFT JOIN chat_message m ON m.key = (
        SELECT l.key FROM chat_message l WHERE l.thread = t.key AND l.branch = 0 ORDER BY l.position DESC LIMIT 1)";

/// The thread is nobody's from now on, and its id is free. Its messages go a few at a time.
const GIVE_UP: &str = "UPDATE chat_thread SET org = 0, id = randomblob(16) WHERE key = ?1";

const FIND_MESSAGE: &str = "SELECT key, pending FROM chat_message WHERE thread = ?1 AND id = ?2";

/// What is known of a thread that is in a scope.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) key: i64,
    pub(crate) org: i64,
    pub(crate) org_id: OrgId,
    pub(crate) user: String,
    pub(crate) head: i64,
    pub(crate) message_count: i64,
    pub(crate) version: Version,
}

impl Found {
    pub(crate) fn check_expected(&self, version: Option<Version>) -> Answer<()> {
        StoreError::unless_expected(Expected::Version, version, self.version)
    }
}

/// The thread that a scope means by an id. It decodes no more than it needs: a corrupt thread is there.
pub(crate) fn find(connection: &Connection, scope: &Scope, id: ThreadId) -> Result<Found> {
    let mut statement = connection.prepare_cached(FIND)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), scope.org_id().map(OrgId::as_str)))?;
    let absent = || StoreError::thread_not_found(id);
    let row = rows.next()?.ok_or_else(absent)?;
    let found = Found {
        key: row.get(0)?,
        org: row.get(1)?,
        org_id: OrgId::new(row.get::<_, String>(2)?)?,
        user: row.get(3)?,
        head: row.get(4)?,
        message_count: row.get(5)?,
        version: Version::new(row.get(6)?)?,
    };
    if rows.next()?.is_some() {
        return Err(StoreError::ambiguous_thread_id().into());
    }
    let is_in = scope.user_id().is_none_or(|user| user.as_str() == found.user);
    if is_in { Ok(found) } else { Err(absent().into()) }
}

/// The thread that a call means, and what reads and writes in it.
#[derive(Debug)]
pub(crate) struct InThread<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) context: &'a Context,
    pub(crate) id: ThreadId,
    pub(crate) thread: Found,
}

impl<'a> InThread<'a> {
    pub(crate) fn find(
        connection: &'a Connection,
        context: &'a Context,
        scope: &Scope,
        id: ThreadId,
    ) -> Result<Self> {
        Ok(Self { connection, context, id, thread: find(connection, scope, id)? })
    }

    pub(crate) fn opener(&self) -> Opener<'_> {
        Opener { codec: &*self.context.codec, org: &self.thread.org_id }
    }

    pub(crate) fn content_key(&self, message: MessageId) -> ContentKey<'_> {
        ContentKey::new(&self.thread.org_id, self.id, message)
    }

    pub(crate) fn find_message(&self, id: MessageId) -> Result<Option<ChatMessage>> {
        let text = format!("SELECT {MESSAGE_COLUMNS} FROM chat_message m WHERE m.thread = ?1 AND m.id = ?2");
        let (values, opener) = ((self.thread.key, id.as_uuid().as_bytes()), self.opener());
        let mut statement = self.connection.prepare_cached(&text)?;
        let found = statement.query_row(values, |row| Ok(opener.message(row))).optional()?;
        Ok(found.transpose()?)
    }

    pub(crate) fn message(&self, id: MessageId) -> Result<ChatMessage> {
        Ok(self.find_message(id)?.ok_or_else(|| StoreError::message_not_found(id))?)
    }

    /// The key of a message, and whether it is in the index. It decodes nothing: a corrupt message is there.
    pub(crate) fn message_key(&self, id: MessageId) -> Result<(i64, bool)> {
        let mut statement = self.connection.prepare_cached(FIND_MESSAGE)?;
        let found =
            statement.query_row((self.thread.key, id.as_uuid().as_bytes()), stored::key).optional()?;
        Ok(found.ok_or_else(|| StoreError::message_not_found(id))?)
    }

    fn update(&self, update: &ThreadUpdate) -> Result<ChatThread> {
        let key = self.thread.key;
        let mut thread = read(self.connection, &self.thread)?;
        update.active_branch.unwrap_or_default().require_main()?;
        if !update.changes(&thread) {
            return Ok(thread);
        }
        update.clone().apply(&mut thread)?;
        let name = update.name.as_deref();
        let metadata = update.metadata.as_ref();
        let values = (key, update.at.timestamp_micros(), name, name.map(fold_text), metadata.map(encoded));
        self.connection.prepare_cached(UPDATE)?.execute(values)?;
        if let Some(metadata) = metadata {
            replace_tags(self.connection, key, metadata)?;
        }
        Ok(thread)
    }

    /// Deletes the thread, for whoever asks for it.
    pub(crate) fn give_up(&self) -> Result<()> {
        self.connection.prepare_cached(GIVE_UP)?.execute([self.thread.key])?;
        self.context.backlog.note_deleted_thread();
        Ok(())
    }
}

impl SqliteRepository {
    /// Reads in a thread, in one snapshot.
    pub(crate) async fn read_in<T: Send + 'static>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.read(self.in_thread(scope, id, work)).await
    }

    /// Writes in a thread, as a whole or not at all.
    pub(crate) async fn write_in<T: Send + 'static>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.write(self.in_thread(scope, id, work)).await
    }

    fn in_thread<T, F>(&self, scope: &Scope, id: ThreadId, mut work: F) -> impl Work<T> + use<T, F>
    where
        F: FnMut(&InThread<'_>) -> Result<T> + Send + 'static,
    {
        let (scope, context) = (scope.clone(), self.context());
        move |connection: &Connection| work(&InThread::find(connection, &context, &scope, id)?)
    }
}

/// The key of an organization that has threads, or had some.
pub(crate) fn find_org(connection: &Connection, org: &OrgId) -> Result<Option<i64>> {
    Ok(connection.prepare_cached(FIND_ORG)?.query_row([org.as_str()], |row| row.get(0)).optional()?)
}

fn read(connection: &Connection, found: &Found) -> Result<ChatThread> {
    let text = format!("SELECT {THREAD_COLUMNS} FROM chat_thread t WHERE t.key = ?1");
    Ok(connection
        .prepare_cached(&text)?
        .query_row([found.key], |row| Ok(row::thread(row, Some(&found.org_id))))??)
}

fn create(connection: &Connection, new: &NewThread) -> Result<ChatThread> {
    let org = if let Some(org) = find_org(connection, &new.org_id)? {
        org
    } else {
        connection.prepare_cached(INSERT_ORG)?.execute([new.org_id.as_str()])?;
        connection.last_insert_rowid()
    };
    let values = (
        org,
        new.id.as_uuid().as_bytes(),
        new.user_id.as_str(),
        &new.name,
        fold_text(&new.name),
        encoded(&new.metadata),
        0,
        new.created_at.timestamp_micros(),
        new.created_at.timestamp_micros(),
        new.external_id.as_ref().map(ExternalId::as_str),
        new.version.get(),
    );
    if connection.prepare_cached(INSERT)?.execute(values)? == 1 {
        write_tags(connection, connection.last_insert_rowid(), &new.metadata)?;
        return Ok(new.clone().into_thread());
    }
    let found = find(connection, &Scope::org(new.org_id.clone()), new.id)?;
    Ok(new.held(read(connection, &found)?)?)
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

/// Page by page until enough of what is found matches: without filters on metadata, all of it does.
fn list(
    connection: &Connection,
    codec: &dyn Codec,
    owner: &OwnerFilter,
    query: &ThreadQuery,
    mut behind: Option<ThreadKey>,
) -> Result<Page<ChatThread>> {
    let org = owner.org_id.as_ref().map(|org| find_org(connection, org)).transpose()?;
    if org == Some(None) {
        return Ok(Page::empty());
    }
    let mut found = Vec::new();
    let mut limit = query.limit + 1;
    loop {
        let sql = list_sql(org.flatten(), owner.user_id.as_ref(), query, behind.as_ref(), limit);
        let mut statement = connection.prepare_cached(&sql.text)?;
        let threads = statement.query_map(params_from_iter(sql.values()), |row| {
            Ok(listed(row, codec, owner.org_id.as_ref(), query))
        })?;
        let mut threads = threads.collect::<rusqlite::Result<Vec<_>>>()?;
        // The page ends ahead of a corrupt row at the latest.
        let is_end = threads.len() < limit || threads.iter().any(Result::is_err);
        behind = threads.last().and_then(|last| last.as_ref().ok()).map(ThreadKey::from);
        threads.retain(|thread| thread.as_ref().map_or(true, |thread| query.matches(thread)));
        found.append(&mut threads);
        if is_end || found.len() > query.limit {
            return Ok(Page::cut(found, query.limit, |last| query.cursor_behind(&last.into()))?);
        }
        limit = MAX_PAGE_LEN;
    }
}

/// A row of a list. A corrupt one says where the list goes on.
fn listed(row: &Row<'_>, codec: &dyn Codec, org: Option<&OrgId>, query: &ThreadQuery) -> Answer<ChatThread> {
    let read = || {
        let mut thread = row::thread(row, org)?;
        if query.with_preview {
            thread.preview = Some(Box::new(preview(row, Opener { codec, org: &thread.org_id })?));
        }
        Ok(thread)
    };
    read().map_err(|error: StoreError| {
        let place = || {
            let org = org.map_or_else(|| row::org_id(row, THREAD_WIDTH), |org| Ok(org.clone())).ok()?;
            Some(ThreadKey::new(row::moment(row, 6).ok()?, row::uuid(row, 0).ok()?.into(), org))
        };
        error.going_on(place().map(|place| query.cursor_behind(&place)))
    })
}

/// What is behind a thread's columns and its organization.
fn preview(row: &Row<'_>, opener: Opener<'_>) -> Answer<ThreadPreview> {
    let (count, last) = (THREAD_WIDTH + 1, THREAD_WIDTH + 2);
    let corrupt = |error: rusqlite::Error| {
        StoreError::corrupt_row(Entity::Thread, "with its number of messages", error)
    };
    let message_count = row.get(count).map_err(corrupt)?;
    let has_last = !matches!(row.get_ref(last), Ok(ValueRef::Null));
    let message = has_last.then(|| opener.message_from(row, last)).transpose()?;
    Ok(ThreadPreview::new(message, message_count))
}

fn list_sql(
    org: Option<i64>,
    user: Option<&UserId>,
    query: &ThreadQuery,
    behind: Option<&ThreadKey>,
    limit: usize,
) -> Sql {
    let (org_id, from) = match org {
        Some(_) => ("NULL", "chat_thread t"),
        None => ("o.org_id", "chat_thread t JOIN chat_org o ON o.key = t.org"),
    };
    let text = if query.with_preview {
        format!(
            "SELECT {THREAD_COLUMNS}, {org_id}, t.message_count, {MESSAGE_COLUMNS} FROM {from} {WITH_LAST} WHERE t.org <> 0"
        )
    } else {
        format!("SELECT {THREAD_COLUMNS}, {org_id} FROM {from} WHERE t.org <> 0")
    };
    let mut sql = Sql::new(text)
        .bind_some(" AND t.org = ", org)
        .bind_some(" AND t.user_id = ", user.map(|user| user.as_str().to_owned()))
        .range("t.created_at", &query.created)
        .range("t.updated_at", &query.updated);
    if let Some(words) = query.folded_name() {
        sql = sql.bind(" AND instr(t.folded_name, ", words).text(") > 0");
    }
    let MetadataTags { tags, is_incomplete, .. } = MetadataTags::wanted(&query.metadata);
    for tag in tags.into_iter().chain(is_incomplete.then(Uuid::nil)) {
        let either = [tag, Uuid::nil()].map(|tag| Value::Blob(tag.into_bytes().to_vec()));
        sql = sql
            .text(" AND EXISTS (SELECT 1 FROM chat_thread_tag g WHERE g.thread = t.key AND g.tag IN")
            .bind_list("", either)
            .text(")");
    }
    // Ids repeat only across organizations; within one, the shorter key is the index's own.
    let is_across = org.is_none();
    if let Some(key) = behind {
        let mut values =
            vec![key.updated_at.timestamp_micros().into(), Value::Blob(key.id.as_uuid().as_bytes().to_vec())];
        values.extend(is_across.then(|| key.org_id.as_str().to_owned().into()));
        let columns = if is_across { "t.updated_at, t.id, o.org_id" } else { "t.updated_at, t.id" };
        sql = sql.bind_list(&format!(" AND ({columns}) <"), values);
    }
    let order = if is_across { ", o.org_id DESC" } else { "" };
    sql.text(&format!(" ORDER BY t.updated_at DESC, t.id DESC{order}")).limit(limit)
}

#[async_trait]
impl ThreadRepository for SqliteRepository {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Answer<ChatThread> {
        new.validate(scope)?;
        self.write(move |connection| create(connection, &new)).await
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
        let delete = move |found: &InThread<'_>| {
            found.thread.check_expected(expect_version)?;
            found.give_up()?;
            Ok(found.thread.message_count.unsigned_abs())
        };
        self.write_in(scope, id, delete).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Answer<Page<ChatThread>> {
        let behind = query.validate()?;
        let owner = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref());
        // There are no forks.
        let is_asked_for = query.limit > 0 && query.forked_from.is_none();
        let Some(owner) = owner.filter(|_| is_asked_for) else { return Ok(Page::empty()) };
        let (query, codec) = (query.clone(), self.codec());
        self.read(move |connection| list(connection, &*codec, &owner, &query, behind.clone())).await
    }
}
