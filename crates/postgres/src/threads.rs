//! `ThreadRepository`.

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatThread, Entity, MAX_PAGE_LEN, NewThread, OrgId, OwnerFilter, Page, Position, Scope, StoreError,
    ThreadId, ThreadKey, ThreadQuery, ThreadRepository, ThreadUpdate, UserId,
};
use sea_orm::Value;
use uuid::Uuid;

use crate::PostgresRepository;
use crate::connection::Connection;
use crate::error::Failure;
use crate::row::{self, THREAD_COLUMNS};
use crate::sql::Sql;
use crate::tags::{self, FILTER_COLUMNS};

/// A thread as the scope lets it be reached: by its whole key, and only if it is this user's where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) org: OrgId,
    pub(crate) id: ThreadId,
    pub(crate) user: Option<UserId>,
}

impl Target {
    /// Everyone but the operator names the organization.
    pub(crate) fn direct(scope: &Scope, id: ThreadId) -> Option<Self> {
        Some(Self { org: scope.org_id()?.clone(), id, user: scope.user_id().cloned() })
    }

    /// A thread whoever its owner is.
    pub(crate) fn whole(org: OrgId, id: ThreadId) -> Self {
        Self { org, id, user: None }
    }

    /// Goes on with the condition on `chat_thread`.
    ///
    /// The key is all that is to be looked up. Before a table that was filled has been analyzed, PostgreSQL takes the index
    /// of a user's threads for as good, and reads all of them each time: measured, 180 µs for an append instead of 75 where
    /// the user has 1,000. `||` keeps the owner out of any index.
    pub(crate) fn filter(&self, sql: Sql) -> Sql {
        sql.bind("org_id = ", self.org.as_str())
            .bind(" AND id = ", *self.id.as_uuid())
            .bind_some(" AND user_id || '' = ", self.user.as_ref().map(UserId::as_str))
    }

    /// Goes on with the condition on a table of messages.
    pub(crate) fn filter_messages(&self, sql: Sql) -> Sql {
        let sql = sql.bind("org_id = ", self.org.as_str()).bind(" AND chat_thread_id = ", *self.id.as_uuid());
        match &self.user {
            Some(_) => self.filter(sql.text(" AND EXISTS (SELECT 1 FROM chat_thread WHERE ")).text(")"),
            None => sql,
        }
    }

    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::thread_not_found(self.id)
    }
}

/// What is known of a thread that is held.
pub(crate) struct LockedThread {
    pub(crate) head: Position,
    /// Its owner, as it is stored.
    pub(crate) user: String,
}

impl PostgresRepository {
    /// Only the operator's lookup by id alone needs the database.
    pub(crate) async fn target(&self, scope: &Scope, id: ThreadId) -> Result<Target, Failure> {
        if let Some(target) = Target::direct(scope, id) {
            return Ok(target);
        }
        let sql =
            Sql::new("SELECT org_id FROM chat_thread WHERE ").bind("id = ", *id.as_uuid()).text(" LIMIT 2");
        match sql.rows(self.db.connection()).await?.as_slice() {
            [] => Err(StoreError::thread_not_found(id).into()),
            [row] => {
                let org = OrgId::new(row.try_get_by_index::<String>(0)?).map_err(StoreError::from)?;
                Ok(Target::whole(org, id))
            }
            _ => Err(StoreError::ambiguous_thread_id().into()),
        }
    }

    pub(crate) async fn read_thread(
        &self,
        connection: Connection<'_>,
        target: &Target,
    ) -> Result<ChatThread, Failure> {
        let sql = target.filter(Sql::new(format!("SELECT {THREAD_COLUMNS} FROM chat_thread WHERE ")));
        let row = sql.row(connection).await?.ok_or_else(|| target.not_found())?;
        Ok(row::thread(&row)?)
    }

    /// Fails where there is no such thread. It decodes nothing: a corrupt thread is there.
    pub(crate) async fn require_thread(
        &self,
        connection: Connection<'_>,
        target: &Target,
    ) -> Result<(), Failure> {
        let sql = target.filter(Sql::new("SELECT 1 FROM chat_thread WHERE "));
        sql.row(connection).await?.ok_or_else(|| target.not_found())?;
        Ok(())
    }

    /// Holds the thread against other writers until the transaction ends. Every write of several
    /// statements begins so: locks are always taken in this order, and no deadlock is possible. It decodes nothing
    /// else: a corrupt thread can still be cleared and deleted.
    pub(crate) async fn lock_thread(
        &self,
        connection: Connection<'_>,
        target: &Target,
    ) -> Result<LockedThread, Failure> {
        let sql = target.filter(Sql::new("SELECT next_position, user_id FROM chat_thread WHERE "));
        let row = sql.text(" FOR UPDATE").row(connection).await?;
        let row = row.ok_or_else(|| target.not_found())?;
        let (next, user): (i64, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(LockedThread { head: Position::new(next.saturating_sub(1)).map_err(StoreError::from)?, user })
    }

    async fn try_create(&self, new: &ChatThread) -> Result<ChatThread, Failure> {
        let metadata = Value::from(serde_json::Value::Object(new.metadata.clone()).to_string());
        let values: [Value; 8] = [
            new.org_id.as_str().into(),
            (*new.id.as_uuid()).into(),
            new.user_id.as_str().into(),
            new.name.as_str().into(),
            metadata,
            (new.head.get() + 1).into(),
            new.created_at.into(),
            new.updated_at.into(),
        ];
        let values = values.into_iter().chain(tags::filter_values(&new.name));
        let insert = Sql::new(format!("INSERT INTO chat_thread ({THREAD_COLUMNS}, {FILTER_COLUMNS}) VALUES"))
            .bind_list("", values)
            .text(" ON CONFLICT (org_id, id) DO NOTHING RETURNING ")
            .text(THREAD_COLUMNS);
        let tags = tags::stored_tags(&new.metadata);
        loop {
            if let Some(thread) =
                self.write_thread(&insert, Some(&tags).filter(|tags| !tags.is_empty())).await?
            {
                return Ok(thread);
            }
            let target = Target::whole(new.org_id.clone(), new.id);
            match self.read_thread(self.db.connection(), &target).await {
                Ok(stored) if stored.user_id == new.user_id => return Ok(stored),
                Ok(_) => {
                    return Err(StoreError::already_exists(Entity::Thread, new.id).into());
                }
                // Deleted in between: the id is free again.
                Err(Failure::Store(error)) if error.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn try_delete(&self, scope: &Scope, id: ThreadId) -> Result<u64, Failure> {
        let target = self.target(scope, id).await?;
        let transaction = self.db.begin().await?;
        self.lock_thread(transaction.connection(), &target).await?;
        let messages = target.filter_messages(Sql::new("DELETE FROM chat_message WHERE "));
        let count = messages.execute(transaction.connection()).await?;
        target.filter(Sql::new("DELETE FROM chat_thread WHERE ")).execute(transaction.connection()).await?;
        transaction.commit().await?;
        Ok(count)
    }

    async fn try_update(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: &ThreadUpdate,
    ) -> Result<ChatThread, Failure> {
        let target = self.target(scope, id).await?;
        let metadata =
            update.metadata.as_ref().map(|data| serde_json::Value::Object(data.clone()).to_string());
        let tags = update.metadata.as_ref().map(tags::stored_tags);
        let sql = Sql::new("UPDATE chat_thread SET updated_at = GREATEST(updated_at, ")
            .bind("", update.at)
            .text(")")
            .bind_some(", name = ", update.name.as_deref())
            .bind_some(", folded_name = ", update.name.as_deref().map(fold_text))
            .bind_some(", metadata = ", metadata)
            .text(" WHERE ");
        let sql = target.filter(sql).text(" RETURNING ").text(THREAD_COLUMNS);
        let thread = self.write_thread(&sql, tags.as_ref()).await?;
        Ok(thread.ok_or_else(|| target.not_found())?)
    }

    /// Page by page until enough of what the index finds matches; without filters on metadata, all of it does.
    async fn try_list_threads(
        &self,
        owner: &OwnerFilter,
        query: &ThreadQuery,
        mut behind: Option<ThreadKey>,
    ) -> Result<Page<ChatThread>, Failure> {
        let mut found = Vec::new();
        let mut limit = query.limit + 1;
        loop {
            let threads = self.list_rows(list_sql(owner, query, behind, limit), query).await?;
            // The page ends ahead of a corrupt row at the latest.
            let is_end = threads.len() < limit || threads.iter().any(Result::is_err);
            behind = threads.last().and_then(|thread| thread.as_ref().ok()).map(ThreadKey::from);
            let is_asked_for =
                |thread: &Result<ChatThread, _>| thread.as_ref().map_or(true, |thread| query.matches(thread));
            found.extend(threads.into_iter().filter(is_asked_for));
            if is_end || found.len() > query.limit {
                return Ok(Page::cut(found, query.limit, |last| query.cursor_behind(&last.into()))?);
            }
            limit = MAX_PAGE_LEN;
        }
    }

    async fn list_rows(
        &self,
        sql: Sql,
        query: &ThreadQuery,
    ) -> Result<Vec<Result<ChatThread, StoreError>>, Failure> {
        let rows = sql.rows(self.db.connection()).await?;
        Ok(rows.iter().map(|row| row::listed_thread(row, query)).collect())
    }

    /// Writes a thread by a statement that returns it, and its tags with it where they change.
    async fn write_thread(
        &self,
        write: &Sql,
        tags: Option<&Vec<Uuid>>,
    ) -> Result<Option<ChatThread>, Failure> {
        let Some(tags) = tags else {
            let row = self.db.rows(write).await?.into_iter().next();
            return Ok(row.map(|row| row::thread(&row)).transpose()?);
        };
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        let Some(row) = write.row(connection).await? else { return Ok(None) };
        let thread = row::thread(&row)?;
        tags::replace(connection, thread.org_id.as_str(), *thread.id.as_uuid(), tags).await?;
        transaction.commit().await?;
        Ok(Some(thread))
    }
}

fn list_sql(owner: &OwnerFilter, query: &ThreadQuery, behind: Option<ThreadKey>, limit: usize) -> Sql {
    let sql = Sql::new(format!("SELECT {THREAD_COLUMNS} FROM chat_thread WHERE TRUE"))
        .bind_some(" AND org_id = ", owner.org_id.as_ref().map(OrgId::as_str))
        .bind_some(" AND user_id = ", owner.user_id.as_ref().map(UserId::as_str));
    let mut sql = tags::filter(sql, query);
    // Ids repeat only across organizations; within one, the shorter key is the index's own.
    let across = owner.org_id.is_none();
    if let Some(key) = behind {
        let columns = if across { "updated_at, id, org_id" } else { "updated_at, id" };
        let mut values = vec![key.updated_at.into(), (*key.id.as_uuid()).into()];
        values.extend(across.then(|| Value::from(key.org_id.as_str())));
        sql = sql.bind_list(&format!(" AND ({columns}) <"), values);
    }
    let order = if across { ", org_id DESC" } else { "" };
    sql.text(&format!(" ORDER BY updated_at DESC, id DESC{order}")).limit(limit)
}

#[async_trait]
impl ThreadRepository for PostgresRepository {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        new.validate(scope)?;
        let new = new.into_thread();
        self.db.write(self.try_create(&new)).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        let read = async {
            let target = self.target(scope, id).await?;
            self.read_thread(self.db.connection(), &target).await
        };
        self.db.read(read).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.validate()?;
        self.db.write(self.try_update(scope, id, &update)).await
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        self.db.write(self.try_delete(scope, id)).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let behind = query.validate()?;
        let Some(owner) = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref()) else {
            return Ok(Page::empty());
        };
        // No name holds U+0000, and PostgreSQL takes none.
        let is_in_no_name = query.folded_name().is_some_and(|words| words.contains('\0'));
        if query.limit == 0 || is_in_no_name {
            return Ok(Page::empty());
        }
        self.db.read(self.try_list_threads(&owner, query, behind)).await
    }
}
