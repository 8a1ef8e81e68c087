//! Threads.

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatThread, Entity, MAX_PAGE_LEN, Metadata, NewThread, OrgId, OwnerFilter, Page, Position, Scope,
    StoreError, ThreadId, ThreadKey, ThreadQuery, ThreadRepository, ThreadUpdate, UserId,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, Set, TransactionSession as _, Value};
use uuid::Uuid;

use crate::connection::Connections;
use crate::entities::chat_thread;
use crate::error::Failure;
use crate::row::{self, THREAD_COLUMNS};
use crate::sql::{Sql, size};
use crate::statements::{LOCK, THREAD};
use crate::store::PostgresRepository;
use crate::tags;
use crate::words::analyzer_version;

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

    /// The first values of the statements: the organization, the thread, the user.
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![self.org.as_str().into(), (*self.id.as_uuid()).into(), self.user()]
    }

    pub(crate) fn user(&self) -> Value {
        self.user.as_ref().map(UserId::as_str).into()
    }

    /// Goes on with the condition on a thread.
    pub(crate) fn filter(&self, sql: Sql) -> Sql {
        sql.bind("org_id = ", self.org.as_str())
            .bind(" AND id = ", *self.id.as_uuid())
            .bind_some(" AND user_id || '' = ", self.user.as_ref().map(UserId::as_str))
    }

    /// Goes on with the condition on messages, whose table is called `m`.
    pub(crate) fn filter_messages(&self, sql: Sql) -> Sql {
        self.filter_revisions(sql).text(" AND m.branch = 0")
    }

    /// The same for revisions.
    pub(crate) fn filter_revisions(&self, sql: Sql) -> Sql {
        let sql =
            sql.bind("m.org_id = ", self.org.as_str()).bind(" AND m.chat_thread_id = ", *self.id.as_uuid());
        match &self.user {
            Some(_) => self.filter(sql.text(" AND EXISTS (SELECT 1 FROM chat_thread WHERE ")).text(")"),
            None => sql,
        }
    }

    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::thread_not_found(self.id)
    }
}

/// What is known of a thread that is locked. It decodes nothing else: a corrupt thread can still be cleared.
pub(crate) struct LockedThread {
    pub(crate) head: Position,
    /// Its owner, as it is stored.
    pub(crate) user: String,
}

impl<C: Connections> PostgresRepository<C> {
    /// Only the operator's lookup by id alone needs the database.
    pub(crate) async fn target(&self, scope: &Scope, id: ThreadId) -> Result<Target, Failure> {
        if let Some(target) = Target::direct(scope, id) {
            return Ok(target);
        }
        let sql =
            Sql::new("SELECT org_id FROM chat_thread WHERE ").bind("id = ", *id.as_uuid()).text(" LIMIT 2");
        match sql.rows(&self.connections).await?.as_slice() {
            [] => Err(StoreError::thread_not_found(id).into()),
            [row] => {
                let org = OrgId::new(row::value::<&str>(row, 0)?).map_err(StoreError::from)?;
                Ok(Target::whole(org, id))
            }
            _ => Err(StoreError::ambiguous_thread_id().into()),
        }
    }

    pub(crate) async fn read_thread(&self, target: &Target) -> Result<ChatThread, Failure> {
        let row = Sql::constant(THREAD, target.values()).row(&self.connections).await?;
        Ok(row::thread(&row.ok_or_else(|| target.not_found())?)?)
    }

    /// Fails where there is no such thread. It decodes nothing: a corrupt thread is there.
    pub(crate) async fn require_thread(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
    ) -> Result<(), Failure> {
        let row = Sql::constant(THREAD, target.values()).row(on).await?;
        row.map(drop).ok_or_else(|| target.not_found().into())
    }

    /// Locks the thread against other writers until the transaction ends.
    pub(crate) async fn lock_thread(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
    ) -> Result<LockedThread, Failure> {
        let row = Sql::constant(LOCK, target.values()).row(on).await?.ok_or_else(|| target.not_found())?;
        let head = Position::new(row::value(&row, 0)?).map_err(StoreError::from)?;
        Ok(LockedThread { head, user: row::value(&row, 1)? })
    }

    async fn try_create(&self, new: &ChatThread) -> Result<ChatThread, Failure> {
        let tags = tags::stored_tags(&new.metadata);
        loop {
            if self.insert(new, &tags).await? {
                return Ok(new.clone());
            }
            match self.read_thread(&Target::whole(new.org_id.clone(), new.id)).await {
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

    /// False where there is a thread of this id.
    async fn insert(&self, new: &ChatThread, tags: &[Uuid]) -> Result<bool, Failure> {
        if tags.is_empty() {
            return Ok(insert_row(&self.connections, new).await?);
        }
        let transaction = self.connections.begin().await?;
        let is_new = insert_row(&transaction, new).await?;
        if is_new {
            tags::replace(&transaction, new.org_id.as_str(), *new.id.as_uuid(), tags.to_vec()).await?;
            transaction.commit().await?;
        }
        Ok(is_new)
    }

    async fn try_delete(&self, scope: &Scope, id: ThreadId) -> Result<u64, Failure> {
        let target = self.target(scope, id).await?;
        // What belongs to it goes with it.
        let sql = target.filter(Sql::new("DELETE FROM chat_thread WHERE ")).text(" RETURNING message_count");
        let row = sql.row(&self.connections).await?.ok_or_else(|| target.not_found())?;
        Ok(row::value::<i64>(&row, 0)?.unsigned_abs())
    }

    async fn try_update(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: &ThreadUpdate,
    ) -> Result<ChatThread, Failure> {
        let target = self.target(scope, id).await?;
        let sql =
            Sql::new("UPDATE chat_thread SET version = version + 1, updated_at = GREATEST(updated_at, ")
                .bind("", update.at)
                .text(")")
                .bind_some(", name = ", update.name.as_deref())
                .bind_some(", folded_name = ", update.name.as_deref().map(fold_text))
                .bind_some(", metadata = ", update.metadata.as_ref().map(encoded))
                .text(" WHERE ");
        let sql = target.filter(sql).text(&format!(" RETURNING {THREAD_COLUMNS}"));
        let Some(metadata) = &update.metadata else {
            let row = sql.row(&self.connections).await?.ok_or_else(|| target.not_found())?;
            return Ok(row::thread(&row)?);
        };
        let transaction = self.connections.begin().await?;
        let thread = row::thread(&sql.row(&transaction).await?.ok_or_else(|| target.not_found())?)?;
        tags::replace(&transaction, target.org.as_str(), *id.as_uuid(), tags::stored_tags(metadata)).await?;
        transaction.commit().await?;
        Ok(thread)
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
            let threads = self.list_rows(list_sql(owner, query, behind, limit), query, limit).await?;
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
        limit: usize,
    ) -> Result<Vec<Result<ChatThread, StoreError>>, Failure> {
        let mut rows = sql.rows(&self.connections).await?;
        rows.truncate(limit);
        Ok(row::listed_threads(&rows, query))
    }
}

fn encoded(metadata: &Metadata) -> String {
    serde_json::Value::Object(metadata.clone()).to_string()
}

async fn insert_row(on: &impl ConnectionTrait, new: &ChatThread) -> Result<bool, DbErr> {
    let row = chat_thread::ActiveModel {
        org_id: Set(new.org_id.as_str().to_owned()),
        id: Set(*new.id.as_uuid()),
        user_id: Set(new.user_id.as_str().to_owned()),
        name: Set(new.name.clone()),
        folded_name: Set(Some(fold_text(&new.name))),
        metadata: Set(encoded(&new.metadata)),
        created_at: Set(new.created_at),
        updated_at: Set(new.updated_at),
        search_version: Set(Some(analyzer_version())),
        ..Default::default()
    };
    let is_there =
        OnConflict::columns([chat_thread::Column::OrgId, chat_thread::Column::Id]).do_nothing().to_owned();
    let insert = chat_thread::Entity::insert(row).on_conflict(is_there);
    Ok(insert.exec_without_returning(on).await? > 0)
}

fn list_sql(owner: &OwnerFilter, query: &ThreadQuery, behind: Option<ThreadKey>, limit: usize) -> Sql {
    let sql = Sql::new(format!("SELECT {THREAD_COLUMNS} FROM chat_thread WHERE version >= 0"))
        .bind_some(" AND org_id = ", owner.org_id.as_ref().map(OrgId::as_str))
        .bind_some(" AND user_id = ", owner.user_id.as_ref().map(UserId::as_str));
    let mut sql = tags::filter(sql, query);
    // Ids repeat only across organizations; within one, the shorter key is the index's own.
    let across = owner.org_id.is_none();
    if let Some(key) = behind {
        let columns = if across { "updated_at, id, org_id" } else { "updated_at, id" };
        let mut values = vec![key.updated_at.into(), (*key.id.as_uuid()).into()];
        values.extend(across.then(|| Value::from(key.org_id.as_str())));
        sql = sql.bind_tuple(&format!(" AND ({columns}) <"), values);
    }
    let order = if across { ", org_id DESC" } else { "" };
    sql.text(&format!(" ORDER BY updated_at DESC, id DESC{order} LIMIT {}", size(limit)))
}

#[async_trait]
impl<C: Connections> ThreadRepository for PostgresRepository<C> {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        new.validate(scope)?;
        let new = new.into_thread();
        self.writes(self.try_create(&new)).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.reads(async { self.read_thread(&self.target(scope, id).await?).await }).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.validate()?;
        self.writes(self.try_update(scope, id, &update)).await
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        self.writes(self.try_delete(scope, id)).await
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
        self.reads(self.try_list_threads(&owner, query, behind)).await
    }
}
