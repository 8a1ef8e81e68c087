//! Messages.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ChatMessage, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
    MessageStream, Order, Page, Path, Position, Removal, Scope, StoreError, ThreadAppend, ThreadId,
    Timestamp, UserId, Version, stream_by_pages,
};
use rusqlite::{Row, params_from_iter};

use crate::append::{self, Prepared};
use crate::candidates::Candidates;
use crate::error::{Answer, Result, STORE, shared};
use crate::in_thread::InThread;
use crate::index::{self, Wanted};
use crate::parts::{Part, Range, Within, in_order};
use crate::places::{Bounds, Place};
use crate::row::MESSAGE_COLUMNS;
use crate::sql::Sql;
use crate::store::SqliteRepository;
use crate::stored;
use crate::unfinished;

const KEEP: &str = "
    INSERT INTO chat_message_revision (message, revision, content, written_at, edited_at)
    SELECT key, revision, content, updated_at, edited_at FROM chat_message WHERE key = ?1";

const EDIT: &str = "
    UPDATE chat_message
    SET content = ?2, edited_at = ?3, updated_at = MAX(updated_at, ?3), revision = revision + 1, pending = 1
    WHERE key = ?1";

/// The contents that this moment's edits were to write, other than the current one.
const EDITED: &str = "SELECT content FROM chat_message_revision WHERE message = ?1 AND edited_at = ?2";

const REVISIONS: &str =
    "SELECT revision, content, written_at FROM chat_message_revision WHERE message = ?1 ORDER BY revision";

const TOUCH: &str = "
    UPDATE chat_thread
    SET updated_at = MAX(updated_at, ?2), message_count = message_count - ?3, version = version + 1
    WHERE key = ?1";

/// The same thread under another key, without its messages.
const SUCCEED: &str = "
    INSERT INTO chat_thread (org, id, external_id, user_id, name, folded_name, metadata, head, next_position,
        next_branch, active_branch, forked_thread, forked_branch, forked_through, version, created_at, updated_at)
    SELECT ?2, ?3, external_id, user_id, name, folded_name, metadata, head, next_position,
        next_branch, active_branch, forked_thread, forked_branch, forked_through, version + 1, created_at,
        MAX(updated_at, ?4)
    FROM chat_thread WHERE key = ?1";

const MOVE_TAGS: &str = "UPDATE chat_thread_tag SET thread = ?2 WHERE thread = ?1";

const MOVE_BRANCHES: &str = "UPDATE chat_branch SET thread = ?2 WHERE thread = ?1";

/// As many messages are cleared with the call; more go afterwards, a few at a time.
const CLEARED_AT_ONCE: i64 = 1_000;

/// Between which positions a list is.
type Ends = (Position, Option<Position>);

impl InThread<'_> {
    /// A page, unless the thread has this version.
    fn list(
        &self,
        query: &MessageQuery,
        ends: Ends,
        unless: Option<Version>,
    ) -> Result<Option<Page<ChatMessage>>> {
        let version = self.thread.version;
        let path = self.path(query.branch)?;
        if unless == Some(version) {
            return Ok(None);
        }
        let found = if query.limit == 0 {
            Vec::new()
        } else if query.filter.metadata.is_empty() {
            self.listed(query, &path, ends)?
        } else {
            self.listed_with_metadata(query, &Within::Path(path), ends)?
        };
        let page = Page::cut(found, query.limit, |last| query.cursor_behind(self.id, last.position))?;
        Ok(Some(page.at_version(version)))
    }

    /// One message more than the limit, from one part of the path after the other. The error of a corrupt row says where the list goes
    /// on.
    fn listed(
        &self,
        query: &MessageQuery,
        path: &Path,
        (after, before): Ends,
    ) -> Result<Vec<Answer<ChatMessage>>> {
        let range = Range::between(after, before);
        let segments = in_order(path.segments(), query.order == Order::NewestFirst);
        let mut parts = segments.filter_map(|segment| range.part(segment)).peekable();
        let mut found = Vec::with_capacity(query.limit.min(64) + 1);
        let mut offset = query.offset;
        while let Some(part) = parts.next() {
            let count = found.len();
            self.listed_of(part, query, offset, &mut found)?;
            if found.len() > query.limit {
                break;
            }
            offset = match offset {
                0 => 0,
                _ if found.len() > count || parts.peek().is_none() => 0,
                _ => offset.saturating_sub(self.count(part, query)?),
            };
        }
        Ok(found)
    }

    /// What of a part is behind the offset, until there is one message more than the limit.
    fn listed_of(
        &self,
        part: Part,
        query: &MessageQuery,
        offset: u64,
        found: &mut Vec<Answer<ChatMessage>>,
    ) -> Result<()> {
        let order = if query.order == Order::NewestFirst { " DESC" } else { "" };
        let mut sql = self
            .filtered(&format!("SELECT {MESSAGE_COLUMNS}"), part, query)
            .text(" ORDER BY m.position")
            .text(order)
            .limit(query.limit + 1 - found.len());
        if offset > 0 {
            sql = sql.bind(" OFFSET ", i64::try_from(offset).unwrap_or(i64::MAX));
        }
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let message = |row: &Row<'_>| {
            Ok(self.opener().message(row).map_err(|error| {
                let place = row.get(2).ok().and_then(|position| Position::new(position).ok());
                error.going_on(place.map(|position| query.cursor_behind(self.id, position)))
            }))
        };
        for message in statement.query_map(params_from_iter(sql.values()), message)? {
            found.push(message?);
        }
        Ok(())
    }

    /// How many messages of a part the filter lets through.
    fn count(&self, part: Part, query: &MessageQuery) -> Result<u64> {
        let sql = self.filtered("SELECT COUNT(*)", part, query);
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let count: i64 = statement.query_row(params_from_iter(sql.values()), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn filtered(&self, columns: &str, part: Part, query: &MessageQuery) -> Sql {
        let sql =
            Sql::new(format!("{columns} FROM chat_message m")).bind(" WHERE m.thread = ", self.thread.key);
        stored::filter(part.condition(sql), &query.filter)
    }

    /// The same, where the query has filters on metadata: the index finds what may match, and each is checked here, so that the
    /// offset counts only what does. A corrupt row counts as a match.
    fn listed_with_metadata(
        &self,
        query: &MessageQuery,
        within: &Within,
        (after, before): Ends,
    ) -> Result<Vec<Answer<ChatMessage>>> {
        let (filter, org) = (&query.filter, &self.thread.org_id);
        let wanted = Wanted {
            org: self.thread.org,
            thread: Some(self.thread.key),
            user: None,
            sender: filter.sender_id.as_ref().map(UserId::as_str),
            metadata: &filter.metadata,
            expr: None,
        };
        let mut candidates = Candidates::new(org, &wanted, Some(within), filter);
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = (query.limit + 1).saturating_add(offset).min(1_000);
        let mut bounds = Bounds::new(query.order == Order::NewestFirst, limit);
        let place = |position: Position| Place::in_thread(self.id, position, org);
        let (low, high) = (Some(place(after)), before.map(place));
        (bounds.behind, bounds.ahead) = if bounds.newest_first { (high, low) } else { (low, high) };
        let (mut skipped, mut found) = (0, Vec::new());
        loop {
            let places = candidates.next(self.connection, &bounds)?;
            for place in &places {
                let (message, _) = place.message(self.connection, self.opener())?;
                if message.as_ref().is_ok_and(|message| !filter.matches(message)) {
                    continue;
                }
                if skipped < offset {
                    skipped += 1;
                    continue;
                }
                let is_end = message.is_err() || found.len() == query.limit;
                let behind = || query.cursor_behind(self.id, place.key.position);
                found.push(message.map_err(|error| error.going_on(behind())));
                if is_end {
                    return Ok(found);
                }
            }
            if places.len() < bounds.limit {
                return Ok(found);
            }
            bounds.behind = places.last().cloned();
            bounds.limit = 1_000;
        }
    }

    fn edit(&self, id: MessageId, edit: &MessageEdit) -> Result<ChatMessage> {
        let stored = self.message(id)?;
        let (key, is_indexed) = self.message_key(id)?;
        let at = edit.at.timestamp_micros();
        if stored.content.is_identical(&edit.content) || self.was_made(key, id, edit)? {
            return Ok(stored);
        }
        edit.check_expected(stored.revision, self.thread.version)?;
        let sealed = self.context.seal(&edit.content, &self.content_key(id))?;
        self.connection.prepare_cached(KEEP)?.execute([key])?;
        self.connection.prepare_cached(EDIT)?.execute((key, &sealed, at))?;
        if is_indexed {
            index::delete(self.connection, key)?;
        }
        self.context.backlog.note_pending(sealed.len());
        self.touch(edit.at, 0)?;
        self.message(id)
    }

    /// Whether an edit was written before: then its content is among the earlier ones.
    fn was_made(&self, key: i64, id: MessageId, edit: &MessageEdit) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(EDITED)?;
        let mut rows = statement.query((key, edit.at.timestamp_micros()))?;
        while let Some(row) = rows.next()? {
            let content = self.context.codec.open(row.get_ref(0)?.as_str()?, &self.content_key(id));
            if content.is_ok_and(|content| content.is_identical(&edit.content)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A message that was never edited has none, unless it is corrupt.
    fn revisions(&self, id: MessageId) -> Result<Vec<MessageRevision>> {
        let (key, _) = self.message_key(id)?;
        let mut statement = self.connection.prepare_cached(REVISIONS)?;
        let revision = |row: &Row<'_>| Ok(self.opener().revision(row, &self.content_key(id))?);
        let revisions = statement.query_and_then([key], revision)?.collect::<Result<Vec<_>>>()?;
        if revisions.is_empty() {
            self.message(id)?;
        }
        Ok(revisions)
    }

    fn delete(&self, id: MessageId, removal: Removal) -> Result<()> {
        let row = self.message_key(id)?;
        self.thread.check_expected(removal.expect_version)?;
        stored::delete(self.connection, &[row])?;
        self.touch(removal.at, 1)
    }

    /// Takes all messages out. Where there are many, a new row takes the thread's place, and the old one goes with them afterwards:
    /// the others do not wait for that.
    fn clear(&self, removal: Removal) -> Result<u64> {
        let (connection, thread) = (self.connection, &self.thread);
        let (key, count, at) = (thread.key, thread.message_count, removal.at);
        let backlog = &self.context.backlog;
        if count == 0 {
            return Ok(0);
        }
        thread.check_expected(removal.expect_version)?;
        // A fork that was broken off does not come back with what is gone.
        unfinished::give_up_all(connection, backlog, thread.org, self.id)?;
        if count > CLEARED_AT_ONCE {
            backlog.give_up_thread(connection, key)?;
            let successor = (key, thread.org, self.id.as_uuid().as_bytes(), at.timestamp_micros());
            connection.prepare_cached(SUCCEED)?.execute(successor)?;
            let moved = (key, connection.last_insert_rowid());
            connection.prepare_cached(MOVE_TAGS)?.execute(moved)?;
            connection.prepare_cached(MOVE_BRANCHES)?.execute(moved)?;
        } else {
            while stored::delete_some(connection, key, 200)? > 0 {}
            self.touch(at, count)?;
        }
        Ok(count.unsigned_abs())
    }

    /// The thread was changed, and has so many messages fewer.
    pub(crate) fn touch(&self, at: Timestamp, fewer: i64) -> Result<()> {
        self.connection.prepare_cached(TOUCH)?.execute((self.thread.key, at.timestamp_micros(), fewer))?;
        Ok(())
    }
}

#[async_trait]
impl MessageRepository for SqliteRepository {
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer<Appended> {
        let context = self.context();
        let prepared = Prepared::new(scope, thread, append, &context)?;
        self.write(move |connection| prepared.write(connection, &context)).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer<Appended>> {
        let context = self.context();
        let (mut ready, mut answers) = (Vec::new(), Vec::new());
        for ThreadAppend { scope, thread, append, .. } in appends {
            let prepared = Prepared::new(&scope, thread, append, &context);
            answers.push(prepared.map(|append| ready.push(append)));
        }
        let written = self.write(move |connection| append::write_each(connection, &ready, &context)).await;
        let mut written = written.map(Vec::into_iter);
        let mut next = || match &mut written {
            Ok(written) => written.next(),
            Err(error) => Some(Err(std::mem::replace(error, shared(error)))),
        };
        let unanswered = || Err(StoreError::not_tried(STORE));
        answers.into_iter().map(|answer| answer.and_then(|()| next().unwrap_or_else(unanswered))).collect()
    }

    async fn get_message(&self, scope: &Scope, of: ThreadId, id: MessageId) -> Answer<ChatMessage> {
        self.read_in(scope, of, move |thread| thread.message(id)).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        of: ThreadId,
        query: &MessageQuery,
    ) -> Answer<Page<ChatMessage>> {
        let (ends, query) = (query.validate(of)?, query.clone());
        let page = self.read_in(scope, of, move |thread| thread.list(&query, ends, None)).await?;
        Ok(page.unwrap_or_else(Page::empty))
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        of: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Answer<Option<Page<ChatMessage>>> {
        let (ends, query) = (query.validate(of)?, query.clone());
        self.read_in(scope, of, move |thread| thread.list(&query, ends, Some(version))).await
    }

    /// By pages: a statement that stays open would hold a connection, and keep the log of writes from being cut.
    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        of: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        stream_by_pages(self, scope, of, query)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        of: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Answer<ChatMessage> {
        edit.validate()?;
        self.write_in(scope, of, move |thread| thread.edit(id, &edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        of: ThreadId,
        id: MessageId,
    ) -> Answer<Vec<MessageRevision>> {
        self.read_in(scope, of, move |thread| thread.revisions(id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        of: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Answer<()> {
        removal.validate()?;
        self.write_in(scope, of, move |thread| thread.delete(id, removal)).await
    }

    async fn clear_messages(&self, scope: &Scope, of: ThreadId, removal: Removal) -> Answer<u64> {
        removal.validate()?;
        self.write_in(scope, of, move |thread| thread.clear(removal)).await
    }
}
