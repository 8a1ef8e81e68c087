//! Messages.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Codec, ContentKey, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, Order, Page, Position, Scope, StoreError, ThreadAppend, ThreadId, Timestamp, UserId,
    check_timestamp,
};
use rusqlite::{Connection, params_from_iter};

use crate::append::{self, Context, Prepared};
use crate::candidates::{Bounds, Candidates, Place};
use crate::error::{Result, STORE, shared};
use crate::index::{self, Wanted};
use crate::row::{MESSAGE_COLUMNS, Opener};
use crate::sql::Sql;
use crate::store::SqliteRepository;
use crate::stored;
use crate::threads::{self, Found};
use crate::upkeep::Backlog;

const KEEP: &str = "
    INSERT INTO chat_message_revision (message, revision, content, written_at, edited_at)
    SELECT key, revision + 1, content, updated_at, edited_at FROM chat_message WHERE key = ?1";

const EDIT: &str = "
    UPDATE chat_message
    SET content = ?2, edited_at = ?3, updated_at = MAX(updated_at, ?3), revision = revision + 1, pending = 1
    WHERE key = ?1";

/// The contents that this moment's edits were to write, other than the current one.
const EDITED: &str = "SELECT content FROM chat_message_revision WHERE message = ?1 AND edited_at = ?2";

const REVISIONS: &str =
    "SELECT revision, content, written_at FROM chat_message_revision WHERE message = ?1 ORDER BY revision";

const TOUCH: &str = "
    UPDATE chat_thread SET updated_at = MAX(updated_at, ?2), message_count = message_count - ?3 WHERE key = ?1";

const COUNT: &str = "SELECT message_count FROM chat_thread WHERE key = ?1";

/// The same thread under another key, without its messages.
const SUCCEED: &str = "
    INSERT INTO chat_thread (org, id, user_id, name, folded_name, metadata, head, created_at, updated_at)
    SELECT ?2, ?3, user_id, name, folded_name, metadata, head, created_at, updated_at FROM chat_thread WHERE key = ?1";

const MOVE_TAGS: &str = "UPDATE chat_thread_tag SET thread = ?2 WHERE thread = ?1";

/// As many messages are cleared with the call; more go afterwards, a few at a time.
const CLEARED_AT_ONCE: u64 = 1_000;

fn list(
    connection: &Connection,
    codec: &dyn Codec,
    scope: &Scope,
    of: ThreadId,
    query: &MessageQuery,
) -> Result<Page<ChatMessage>> {
    let (after, before) = query.validate(of)?;
    let thread = threads::find(connection, scope, of)?;
    if query.limit == 0 {
        return Ok(Page::empty());
    }
    let opener = Opener { codec, org: &thread.org_id };
    if !query.filter.metadata.is_empty() {
        return list_checked(connection, opener, &thread, of, query, (after, before));
    }
    let sql = list_sql(&thread, query, after, before);
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(sql.values()))?;
    let mut found = Vec::with_capacity(query.limit.min(64) + 1);
    while let Some(row) = rows.next()? {
        found.push(opener.message(row).map_err(|error| {
            let place = row.get(2).ok().and_then(|position| Position::new(position).ok());
            error.going_on(place.map(|position| query.cursor_behind(of, position)))
        }));
    }
    Ok(Page::cut(found, query.limit, |last| query.cursor_behind(of, last.position))?)
}

fn list_sql(thread: &Found, query: &MessageQuery, after: Position, before: Option<Position>) -> Sql {
    let sql = Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message m WHERE m.branch = 0"))
        .bind(" AND m.thread = ", thread.key)
        .bind(" AND m.position > ", after.get())
        .bind_some(" AND m.position < ", before.map(Position::get));
    let order = if query.order == Order::NewestFirst { " DESC" } else { "" };
    let sql =
        stored::filter(sql, &query.filter).text(" ORDER BY m.position").text(order).limit(query.limit + 1);
    match query.offset {
        0 => sql,
        offset => sql.bind(" OFFSET ", i64::try_from(offset).unwrap_or(i64::MAX)),
    }
}

/// Where the query has filters on metadata: the index finds what may match, and each is checked here, so that the
/// offset counts only what does. A corrupt row counts as a match.
fn list_checked(
    connection: &Connection,
    opener: Opener<'_>,
    thread: &Found,
    of: ThreadId,
    query: &MessageQuery,
    (after, before): (Position, Option<Position>),
) -> Result<Page<ChatMessage>> {
    let wanted = Wanted {
        org: thread.org,
        thread: Some(thread.key),
        user: None,
        sender: query.filter.sender_id.as_ref().map(UserId::as_str),
        metadata: &query.filter.metadata,
        expr: None,
    };
    let mut candidates = Candidates::new(&thread.org_id, &wanted, &query.filter);
    let place = |position: Position| Place::in_thread(of, position, &thread.org_id);
    let mut bounds = Bounds::new(query.order == Order::NewestFirst, query.limit + 1);
    bounds.limit =
        bounds.limit.saturating_add(usize::try_from(query.offset).unwrap_or(usize::MAX)).min(1_000);
    let (low, high) = (place(after), before.map(place));
    (bounds.behind, bounds.ahead) = if bounds.newest_first { (high, Some(low)) } else { (Some(low), high) };
    let (mut offset, mut found) = (query.offset, Vec::new());
    loop {
        let places = candidates.next(connection, &bounds)?;
        for place in &places {
            let (message, _) = place.message(connection, opener)?;
            let message =
                message.map_err(|error| error.going_on(query.cursor_behind(of, place.key.position)));
            if message.as_ref().is_ok_and(|message| !query.filter.matches(message)) {
                continue;
            }
            if offset > 0 {
                offset -= 1;
                continue;
            }
            let is_end = message.is_err() || found.len() == query.limit;
            found.push(message);
            if is_end {
                return Ok(Page::cut(found, query.limit, |last| query.cursor_behind(of, last.position))?);
            }
        }
        if places.len() < bounds.limit {
            return Ok(Page::cut(found, query.limit, |last| query.cursor_behind(of, last.position))?);
        }
        bounds.behind = places.last().cloned();
        bounds.limit = 1_000;
    }
}

fn edit(
    connection: &Connection,
    context: &Context,
    scope: &Scope,
    (of, id): (ThreadId, MessageId),
    edit: &MessageEdit,
) -> Result<ChatMessage> {
    let thread = threads::find(connection, scope, of)?;
    let opener = Opener { codec: &*context.codec, org: &thread.org_id };
    let stored = stored::read(connection, opener, thread.key, id)?;
    if stored.content.is_identical(&edit.content) {
        return Ok(stored);
    }
    let (key, is_indexed) =
        stored::find(connection, thread.key, id)?.ok_or_else(|| StoreError::message_not_found(id))?;
    let place = ContentKey::new(&thread.org_id, of, id);
    let at = edit.at.timestamp_micros();
    if was_made(connection, key, at, &place, edit, &*context.codec)? {
        return Ok(stored);
    }
    let sealed = context.codec.seal(&edit.content, &place);
    let sealed = sealed.map_err(|error| StoreError::backend(STORE, error))?;
    connection.prepare_cached(KEEP)?.execute([key])?;
    connection.prepare_cached(EDIT)?.execute((key, &sealed, at))?;
    if is_indexed {
        index::delete(connection, key)?;
    }
    context.backlog.note_pending(sealed.len());
    connection.prepare_cached(TOUCH)?.execute((thread.key, at, 0))?;
    stored::read(connection, opener, thread.key, id)
}

/// Whether an edit was written before: then its content is among the earlier ones.
fn was_made(
    connection: &Connection,
    key: i64,
    at: i64,
    place: &ContentKey<'_>,
    edit: &MessageEdit,
    codec: &dyn Codec,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(EDITED)?;
    let mut rows = statement.query((key, at))?;
    while let Some(row) = rows.next()? {
        let sealed = row.get_ref(0)?.as_str()?;
        if codec.open(sealed, place).is_ok_and(|content| content.is_identical(&edit.content)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn list_revisions(
    connection: &Connection,
    codec: &dyn Codec,
    scope: &Scope,
    of: ThreadId,
    id: MessageId,
) -> Result<Vec<MessageRevision>> {
    let thread = threads::find(connection, scope, of)?;
    let found = stored::find(connection, thread.key, id)?;
    let (key, _) = found.ok_or_else(|| StoreError::message_not_found(id))?;
    let (opener, place) = (Opener { codec, org: &thread.org_id }, ContentKey::new(&thread.org_id, of, id));
    let mut statement = connection.prepare_cached(REVISIONS)?;
    let mut rows = statement.query([key])?;
    let mut revisions = Vec::new();
    while let Some(row) = rows.next()? {
        revisions.push(opener.revision(row, &place)?);
    }
    if revisions.is_empty() {
        stored::read(connection, opener, thread.key, id)?;
    }
    Ok(revisions)
}

fn delete(connection: &Connection, scope: &Scope, of: ThreadId, id: MessageId, at: Timestamp) -> Result<()> {
    let thread = threads::find(connection, scope, of)?;
    let found = stored::find(connection, thread.key, id)?;
    let (key, is_indexed) = found.ok_or_else(|| StoreError::message_not_found(id))?;
    stored::delete_row(connection, key, is_indexed)?;
    connection.prepare_cached(TOUCH)?.execute((thread.key, at.timestamp_micros(), 1))?;
    Ok(())
}

/// Takes all messages out of a thread. Where there are many, a new row takes the thread's place, and the old one goes with them
/// afterwards: the others do not wait for that.
fn clear(
    connection: &Connection,
    backlog: &Backlog,
    scope: &Scope,
    of: ThreadId,
    at: Timestamp,
) -> Result<u64> {
    let thread = threads::find(connection, scope, of)?;
    let count: u64 = connection.prepare_cached(COUNT)?.query_row([thread.key], |row| row.get(0))?;
    if count == 0 {
        return Ok(0);
    }
    let mut key = thread.key;
    if count <= CLEARED_AT_ONCE {
        while stored::delete_rows(connection, key, 200)? > 0 {}
        connection.prepare_cached(TOUCH)?.execute((key, at.timestamp_micros(), count))?;
        return Ok(count);
    }
    threads::give_up(connection, key)?;
    connection.prepare_cached(SUCCEED)?.execute((key, thread.org, of.as_uuid().as_bytes()))?;
    let successor = connection.last_insert_rowid();
    connection.prepare_cached(MOVE_TAGS)?.execute((key, successor))?;
    key = successor;
    connection.prepare_cached(TOUCH)?.execute((key, at.timestamp_micros(), 0))?;
    backlog.note_deleted_thread();
    Ok(count)
}

impl SqliteRepository {
    fn context(&self) -> Context {
        Context { codec: self.codec(), backlog: self.backlog(), errors: self.errors() }
    }
}

#[async_trait]
impl MessageRepository for SqliteRepository {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let context = self.context();
        let prepared = Prepared::new(scope, thread, append, &*context.codec);
        let prepared = prepared.map_err(|failure| context.errors.from(failure))?;
        self.write(move |connection| prepared.write(connection, &context)).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
        let context = self.context();
        let (mut ready, mut answers) = (Vec::new(), Vec::new());
        for ThreadAppend { scope, thread, append, .. } in appends {
            let prepared = Prepared::new(&scope, thread, append, &*context.codec);
            answers.push(
                prepared.map(|append| ready.push(append)).map_err(|failure| context.errors.from(failure)),
            );
        }
        let written = self.write(move |connection| append::write_each(connection, &ready, &context)).await;
        let mut written = written.map(Vec::into_iter);
        let mut next = || match &mut written {
            Ok(written) => written.next().unwrap_or_else(|| Ok(Vec::new())),
            Err(error) => Err(std::mem::replace(error, shared(error))),
        };
        answers.into_iter().map(|answer| answer.and_then(|()| next())).collect()
    }

    async fn get_message(
        &self,
        scope: &Scope,
        of: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let (scope, codec) = (scope.clone(), self.codec());
        self.read(move |connection| {
            let thread = threads::find(connection, &scope, of)?;
            stored::read(connection, Opener { codec: &*codec, org: &thread.org_id }, thread.key, id)
        })
        .await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let (scope, codec, query) = (scope.clone(), self.codec(), query.clone());
        self.read(move |connection| list(connection, &*codec, &scope, thread, &query)).await
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        change: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        change.validate()?;
        let (scope, context) = (scope.clone(), self.context());
        self.write(move |connection| edit(connection, &context, &scope, (thread, id), &change)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let (scope, codec) = (scope.clone(), self.codec());
        self.read(move |connection| list_revisions(connection, &*codec, &scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        check_timestamp("at", at)?;
        let scope = scope.clone();
        self.write(move |connection| delete(connection, &scope, thread, id, at)).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        check_timestamp("at", at)?;
        let (scope, backlog) = (scope.clone(), self.backlog());
        self.write(move |connection| clear(connection, &backlog, &scope, thread, at)).await
    }
}
