//! `MessageRepository`, except the append itself.

use async_trait::async_trait;
use chatkeep_domain::search::ANALYZER_VERSION;
use chatkeep_domain::{
    Append, ChatMessage, MAX_PAGE_LEN, MessageEdit, MessageFilter, MessageId, MessageQuery,
    MessageRepository, MessageRevision, Order, Page, Position, Role, Scope, StoreError, ThreadAppend,
    ThreadId, Timestamp, UserId, check_timestamp,
};

use crate::PostgresRepository;
use crate::connection::Connection;
use crate::error::{Failure, STORE};
use crate::row::{self, MESSAGE_COLUMNS, REVISION_COLUMNS};
use crate::search::entry::{Entry, Wanted};
use crate::search::tsvector;
use crate::sql::Sql;
use crate::threads::{LockedThread, Target};

impl PostgresRepository {
    async fn read_message(
        &self,
        connection: Connection<'_>,
        target: &Target,
        id: MessageId,
    ) -> Result<ChatMessage, Failure> {
        let sql = target
            .filter_messages(Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message WHERE ")))
            .bind(" AND id = ", *id.as_uuid());
        if let Some(row) = sql.row(connection).await? {
            return Ok(row::message(&row)?);
        }
        self.require_thread(connection, target).await?;
        Err(StoreError::message_not_found(id).into())
    }

    async fn try_list(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, Failure> {
        let (after, before) = query.validate(thread).map_err(StoreError::from)?;
        let target = self.target(scope, thread).await?;
        let mut page = Page::empty();
        if query.limit > 0 {
            let list = List { target: &target, query, after, before };
            page = if query.filter.metadata.is_empty() {
                self.list_unfiltered(&list).await?
            } else {
                self.list_checked(list).await?
            };
        }
        if page.items.is_empty() {
            self.require_thread(self.db.connection(), &target).await?;
        }
        Ok(page)
    }

    async fn list_unfiltered(&self, list: &List<'_>) -> Result<Page<ChatMessage>, Failure> {
        let (query, thread) = (list.query, list.target.id);
        let sql = list.sql(query.limit + 1, query.offset);
        let rows = sql.rows(self.db.connection()).await?;
        Ok(list.page(rows.iter().map(|row| row::listed_message(row, thread, query)))?)
    }

    /// Where the query has filters on metadata: the index finds what may match, and each is checked here, so that the
    /// offset counts only what does. A corrupt row counts as a match.
    async fn list_checked(&self, mut list: List<'_>) -> Result<Page<ChatMessage>, Failure> {
        if !self.is_indexed {
            let operation = "a filter on metadata without the index";
            return Err(StoreError::unsupported(operation, STORE).into());
        }
        let (query, mut found) = (list.query, Vec::new());
        let mut offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let mut limit = offset.saturating_add(query.limit + 1).min(MAX_PAGE_LEN);
        loop {
            let rows = list.sql(limit, 0).rows(self.db.connection()).await?;
            let mut end = None;
            for row in &rows {
                let message = row::listed_message(row, list.target.id, query);
                end = row::position(row).or(end);
                if message.as_ref().is_ok_and(|message| !query.filter.matches(message)) {
                    continue;
                }
                if offset > 0 {
                    offset -= 1;
                    continue;
                }
                let is_corrupt = message.is_err();
                found.push(message);
                if is_corrupt || found.len() > query.limit {
                    return Ok(list.page(found)?);
                }
            }
            match (query.order, end) {
                (_, Some(_)) if rows.len() < limit => return Ok(list.page(found)?),
                (_, None) => return Ok(list.page(found)?),
                (Order::OldestFirst, Some(end)) => list.after = end,
                (Order::NewestFirst, end) => list.before = end,
            }
            limit = MAX_PAGE_LEN;
        }
    }

    async fn try_edit(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<ChatMessage, Failure> {
        let content = edit.content.encode()?;
        let target = self.target(scope, thread).await?;
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        let locked = self.lock_thread(connection, &target).await?;
        let stored = self.read_message(connection, &target, id).await?;
        if stored.content.is_identical(&edit.content) {
            return Ok(stored);
        }
        let entry = self.is_indexed.then(|| Entry::of(&target, &edit.content, stored.sender_id.as_ref()));
        // What is kept is the text as it is stored, not a second encoding of it. An edit that was written already is not
        // written again.
        let keep = Sql::new("INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, ")
            .text(REVISION_COLUMNS)
            .text(", edited_at) SELECT org_id, chat_thread_id, id, 1 + (SELECT COUNT(*) FROM chat_message_revision r")
            .text(
                " WHERE r.org_id = m.org_id AND r.chat_thread_id = m.chat_thread_id AND r.message_id = m.id)",
            )
            .text(", content, updated_at, edited_at FROM chat_message m WHERE ");
        let keep = target
            .filter_messages(keep)
            .bind(" AND id = ", *id.as_uuid())
            .text(" AND NOT EXISTS (SELECT 1 FROM chat_message_revision r WHERE r.org_id = m.org_id")
            .text(" AND r.chat_thread_id = m.chat_thread_id AND r.message_id = m.id")
            .bind(" AND r.edited_at = ", edit.at)
            .bind(" AND r.content = ", content.as_str())
            .text(")");
        if keep.execute(connection).await? == 0 {
            return Ok(stored);
        }
        let write = Sql::new("UPDATE chat_message SET")
            .bind(" content = ", content)
            .bind(", edited_at = ", edit.at)
            .bind(", updated_at = GREATEST(updated_at, ", edit.at)
            .text(")");
        let write = index_edit(write, &target, &locked, entry.as_ref()).text(" WHERE ");
        let write = target.filter_messages(write).bind(" AND id = ", *id.as_uuid());
        let row = write.text(" RETURNING ").text(MESSAGE_COLUMNS).row(connection).await?;
        let edited = row::message(&row.ok_or_else(|| StoreError::message_not_found(id))?)?;
        self.touch(connection, &target, edit.at).await?;
        transaction.commit().await?;
        Ok(edited)
    }

    /// Raises the thread's `updated_at`.
    async fn touch(&self, connection: Connection<'_>, target: &Target, at: Timestamp) -> Result<(), Failure> {
        let sql = Sql::new("UPDATE chat_thread SET updated_at = GREATEST(updated_at, ").bind("", at);
        target.filter(sql.text(") WHERE ")).execute(connection).await?;
        Ok(())
    }

    /// Deletes one message, or all of the thread; gives their number.
    async fn try_remove(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: Option<MessageId>,
        at: Timestamp,
    ) -> Result<u64, Failure> {
        let target = self.target(scope, thread).await?;
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        self.lock_thread(connection, &target).await?;
        let sql = target
            .filter_messages(Sql::new("DELETE FROM chat_message WHERE "))
            .bind_some(" AND id = ", id.map(uuid::Uuid::from));
        let count = sql.execute(connection).await?;
        match (id, count) {
            (Some(id), 0) => return Err(StoreError::message_not_found(id).into()),
            // A thread without messages has nothing to clear: that is no write.
            (None, 0) => return Ok(0),
            _ => {}
        }
        self.touch(connection, &target, at).await?;
        transaction.commit().await?;
        Ok(count)
    }

    async fn try_list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, Failure> {
        let target = self.target(scope, thread).await?;
        let sql = Sql::new(format!("SELECT {REVISION_COLUMNS} FROM chat_message_revision WHERE "));
        let sql =
            target.filter_messages(sql).bind(" AND message_id = ", *id.as_uuid()).text(" ORDER BY revision");
        let rows = sql.rows(self.db.connection()).await?;
        if rows.is_empty() {
            self.read_message(self.db.connection(), &target, id).await?;
        }
        Ok(rows.iter().map(row::revision).collect::<Result<_, _>>()?)
    }
}

/// The index follows an edit with the statement that writes the content. Where no index is kept, what another store has put
/// there goes.
fn index_edit(write: Sql, target: &Target, locked: &LockedThread, entry: Option<&Entry>) -> Sql {
    let Some(entry) = entry else { return write.text(", search_version = NULL, search = NULL") };
    let write = write.text(&format!(", search_version = {ANALYZER_VERSION}"));
    tsvector::cast(write.bind(", search = ", entry.words.as_str()), target, Some(&locked.user))
}

/// A list of messages between two positions.
struct List<'a> {
    target: &'a Target,
    query: &'a MessageQuery,
    after: Position,
    before: Option<Position>,
}

impl List<'_> {
    fn page(
        &self,
        rows: impl IntoIterator<Item = Result<ChatMessage, StoreError>>,
    ) -> Result<Page<ChatMessage>, StoreError> {
        Page::cut(rows, self.query.limit, |last| self.query.cursor_behind(self.target.id, last.position))
    }

    fn sql(&self, limit: usize, offset: u64) -> Sql {
        let query = self.query;
        let question = Wanted::metadata(&self.target.org, &query.filter.metadata).render();
        let order = if query.order == Order::NewestFirst { " DESC" } else { "" };
        let mut sql = self
            .target
            .filter_messages(Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message WHERE ")))
            .bind(" AND position > ", self.after.get())
            .bind_some(" AND position < ", self.before.map(i64::from))
            .text(&roles_are("sender_role", &query.filter.roles))
            .bind_some(" AND sender_id = ", query.filter.sender_id.as_ref().map(UserId::as_str))
            .bind_some(" AND created_at >= ", query.filter.created.from)
            .bind_some(" AND created_at < ", query.filter.created.until);
        if let Some(question) = question {
            sql = sql.bind(" AND search @@ CAST(", question).text(" AS tsquery)");
        }
        // Without filters there is but one good plan.
        let is_filtered = query.filter != MessageFilter::default();
        let sql = if is_filtered { sql.plan_with_values() } else { sql };
        let mut sql = sql.text(&format!(" ORDER BY position{order}")).limit(limit);
        if offset > 0 {
            sql = sql.bind(" OFFSET ", i64::try_from(offset).unwrap_or(i64::MAX));
        }
        sql
    }
}

/// The roles as literals: only so does the planner see that `chat_message_instructions` serves.
pub(crate) fn roles_are(column: &str, roles: &[Role]) -> String {
    let literals: Vec<_> = roles.iter().map(|role| format!("'{role}'")).collect();
    match literals.as_slice() {
        [] => String::new(),
        [role] => format!(" AND {column} = {role}"),
        roles => format!(" AND {column} IN ({})", roles.join(", ")),
    }
}

#[async_trait]
impl MessageRepository for PostgresRepository {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        self.append_messages(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
        self.append_together(appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let read = async {
            let target = self.target(scope, thread).await?;
            self.read_message(self.db.connection(), &target, id).await
        };
        self.db.read(read).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.db.read(self.try_list(scope, thread, query)).await
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> chatkeep_domain::MessageStream<'a> {
        chatkeep_domain::stream_by_pages(self, scope, thread, query)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.db.write(self.try_edit(scope, thread, id, &edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.db.read(self.try_list_revisions(scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        check_timestamp("at", at)?;
        self.db.write(self.try_remove(scope, thread, Some(id), at)).await.map(drop)
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        check_timestamp("at", at)?;
        self.db.write(self.try_remove(scope, thread, None, at)).await
    }
}
