//! `MessageRepository`, except the append itself.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Cursor, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
    Order, Page, Role, Scope, StoreError, ThreadId, Timestamp, check_timestamp,
};

use crate::SeaOrmRepository;
use crate::connection::Connection;
use crate::error::Failure;
use crate::row::{self, MESSAGE_COLUMNS, REVISION_COLUMNS};
use crate::sql::Sql;
use crate::threads::Target;

impl SeaOrmRepository {
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
            return Ok(row::message(self.db.dialect, &row)?);
        }
        self.read_thread(connection, target).await?;
        Err(StoreError::message_not_found(id).into())
    }

    async fn try_list(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, Failure> {
        let dialect = self.db.dialect;
        let (after, before) = query.validate(thread).map_err(StoreError::from)?;
        let target = self.target(scope, thread).await?;
        let mut messages = Vec::new();
        if query.limit > 0 {
            let order = if query.order == Order::NewestFirst { " DESC" } else { "" };
            let mut sql = target
                .filter_messages(Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message WHERE ")))
                .bind(" AND position > ", after.get())
                .bind_some(" AND position < ", before.map(i64::from))
                .text(query.role.map_or("", role_is))
                .bind_some(" AND created_at >= ", query.created_from.map(|moment| dialect.timestamp(moment)))
                .bind_some(" AND created_at < ", query.created_until.map(|moment| dialect.timestamp(moment)))
                .text(&format!(" ORDER BY position{order}"))
                .bind(" LIMIT ", i64::try_from(query.limit + 1).unwrap_or(i64::MAX));
            if query.offset > 0 {
                sql = sql.bind(" OFFSET ", i64::try_from(query.offset).unwrap_or(i64::MAX));
            }
            let rows = sql.rows(self.db.reader()).await?;
            messages = row::messages(dialect, &rows, thread, query.order)?;
        }
        if messages.is_empty() {
            self.read_thread(self.db.reader(), &target).await?;
        }
        let cursor = |message: &ChatMessage| Cursor::after_message(thread, query.order, message.position);
        Ok(Page::cut(messages, query.limit, cursor))
    }

    async fn try_edit(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<ChatMessage, Failure> {
        let dialect = self.db.dialect;
        let content = edit.content.encode()?;
        let target = self.target(scope, thread).await?;
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        self.lock_thread(connection, &target).await?;
        let stored = self.read_message(connection, &target, id).await?;
        if stored.content.is_identical(&edit.content) {
            return Ok(stored);
        }
        // What is kept is the text as it is stored, not a second encoding of it.
        let keep = Sql::new("INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, ")
            .text(REVISION_COLUMNS)
            .text(") SELECT org_id, chat_thread_id, id, 1 + (SELECT COUNT(*) FROM chat_message_revision r")
            .text(
                " WHERE r.org_id = m.org_id AND r.chat_thread_id = m.chat_thread_id AND r.message_id = m.id)",
            )
            .text(", content, updated_at FROM chat_message m WHERE ");
        target.filter_messages(keep).bind(" AND id = ", *id.as_uuid()).execute(connection).await?;
        let greatest = dialect.greatest();
        let write = Sql::new("UPDATE chat_message SET")
            .bind(" content = ", content)
            .bind(&format!(", updated_at = {greatest}(updated_at, "), dialect.timestamp(edit.at))
            .text(") WHERE ");
        let write = target.filter_messages(write).bind(" AND id = ", *id.as_uuid());
        let row = write.text(" RETURNING ").text(MESSAGE_COLUMNS).row(connection).await?;
        let edited = row::message(dialect, &row.ok_or_else(|| StoreError::message_not_found(id))?)?;
        self.touch(connection, &target, edit.at).await?;
        transaction.commit().await?;
        Ok(edited)
    }

    /// Raises the thread's `updated_at`.
    async fn touch(&self, connection: Connection<'_>, target: &Target, at: Timestamp) -> Result<(), Failure> {
        let dialect = self.db.dialect;
        let sql = Sql::new("UPDATE chat_thread SET updated_at = ")
            .text(dialect.greatest())
            .bind("(updated_at, ", dialect.timestamp(at))
            .text(") WHERE ");
        target.filter(sql).execute(connection).await?;
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
        if let (Some(id), 0) = (id, count) {
            return Err(StoreError::message_not_found(id).into());
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
        let rows = sql.rows(self.db.reader()).await?;
        if rows.is_empty() {
            self.read_message(self.db.reader(), &target, id).await?;
        }
        Ok(rows.iter().map(|row| row::revision(self.db.dialect, row)).collect::<Result<_, _>>()?)
    }
}

/// The role as a literal: only so does the planner see that `chat_message_system` serves.
fn role_is(role: Role) -> &'static str {
    match role {
        Role::User => " AND sender_role = 'user'",
        Role::Assistant => " AND sender_role = 'assistant'",
        Role::System => " AND sender_role = 'system'",
        Role::Tool => " AND sender_role = 'tool'",
    }
}

#[async_trait]
impl MessageRepository for SeaOrmRepository {
    #[tracing::instrument(
        name = "db.message.append",
        skip_all,
        fields(thread_id = %thread, messages = append.messages.len())
    )]
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        self.append_messages(scope, thread, append).await
    }

    #[tracing::instrument(name = "db.message.get", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.db
            .run(|| async move {
                let target = self.target(scope, thread).await?;
                self.read_message(self.db.reader(), &target, id).await
            })
            .await
    }

    #[tracing::instrument(name = "db.message.list", skip_all, fields(thread_id = %thread))]
    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.db.run(|| self.try_list(scope, thread, query)).await
    }

    #[tracing::instrument(name = "db.message.edit", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.db.run(|| self.try_edit(scope, thread, id, &edit)).await
    }

    #[tracing::instrument(name = "db.revision.list", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.db.run(|| self.try_list_revisions(scope, thread, id)).await
    }

    #[tracing::instrument(name = "db.message.delete", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        check_timestamp("at", at)?;
        self.db.run_removal(|| self.try_remove(scope, thread, Some(id), at)).await.map(drop)
    }

    #[tracing::instrument(name = "db.message.clear", skip_all, fields(thread_id = %thread))]
    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        check_timestamp("at", at)?;
        self.db.run_removal(|| self.try_remove(scope, thread, None, at)).await
    }
}
