//! Threads.

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatThread, Expected, MAX_PAGE_LEN, Metadata, NewThread, OrgId, OwnerFilter, Page, Position, Scope,
    StoreError, ThreadId, ThreadKey, ThreadQuery, ThreadRepository, ThreadUpdate, UserId, Version,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, Set, TransactionSession as _, Value};

use crate::connection::Connections;
use crate::entities::chat_thread;
use crate::error::Failure;
use crate::row::{self, MESSAGE_COLUMNS, THREAD_COLUMNS};
use crate::sql::{Sql, size};
use crate::statements::{LOCK, THREAD};
use crate::store::PostgresRepository;
use crate::tags;
use crate::target::{LockedThread, Target};
use crate::words::analyzer_version;

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

    /// The version of a thread. It decodes nothing else: a corrupt thread is there.
    pub(crate) async fn read_version(&self, target: &Target) -> Result<Version, Failure> {
        let row = Sql::constant(THREAD, target.values()).row(&self.connections).await?;
        let row = row.ok_or_else(|| target.not_found())?;
        Ok(Version::new(row::value(&row, 9)?).map_err(StoreError::from)?)
    }

    /// Locks the thread against other writers until the transaction ends.
    pub(crate) async fn lock_thread(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
    ) -> Result<LockedThread, Failure> {
        let row = Sql::constant(LOCK, target.values()).row(on).await?.ok_or_else(|| target.not_found())?;
        let head = Position::new(row::value(&row, 0)?).map_err(StoreError::from)?;
        let version = Version::new(row::value(&row, 2)?).map_err(StoreError::from)?;
        Ok(LockedThread {
            head,
            user: row::value(&row, 1)?,
            version,
            message_count: row::value(&row, 3)?,
            next_position: row::value(&row, 4)?,
            next_branch: row::value(&row, 5)?,
            created_at: row::moment(&row, 6)?,
        })
    }

    async fn try_create(&self, new: &NewThread) -> Result<ChatThread, Failure> {
        loop {
            if self.insert(new).await? {
                return Ok(new.clone().into_thread());
            }
            match self.read_thread(&Target::whole(new.org_id.clone(), new.id)).await {
                Ok(stored) => return Ok(new.held(stored)?),
                // Deleted in between: the id is free again.
                Err(Failure::Store(error)) if error.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// False where there is a thread of this id.
    async fn insert(&self, new: &NewThread) -> Result<bool, Failure> {
        if new.metadata.is_empty() {
            return Ok(insert_row(&self.connections, new).await?);
        }
        let transaction = self.connections.begin().await?;
        let is_new = insert_row(&transaction, new).await?;
        if is_new {
            tags::insert(&transaction, new).await?;
            transaction.commit().await?;
        }
        Ok(is_new)
    }

    async fn try_delete(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, Failure> {
        let target = self.target(scope, id).await?;
        loop {
            // What belongs to it goes with it.
            let sql = target
                .filter(Sql::new("DELETE FROM chat_thread WHERE "))
                .bind_some(" AND version = ", expect_version.map(i64::from))
                .text(" RETURNING message_count");
            if let Some(row) = sql.row(&self.connections).await? {
                return Ok(row::value::<i64>(&row, 0)?.unsigned_abs());
            }
            // Nothing is said where it has that version by now: then it is tried again.
            let Some(expected) = expect_version else { return Err(target.not_found().into()) };
            let actual = self.read_version(&target).await?;
            StoreError::unless_expected(Expected::Version, Some(expected), actual)?;
        }
    }

    async fn try_update(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: &ThreadUpdate,
    ) -> Result<ChatThread, Failure> {
        let target = self.target(scope, id).await?;
        loop {
            if let Some(thread) = self.update_changing(&target, update).await? {
                return Ok(thread);
            }
            let thread = self.read_thread(&target).await?;
            if !update.changes(&thread) {
                return Ok(thread);
            }
            // Nothing is said where it has that version by now, or was changed back: then it is tried again.
            StoreError::unless_expected(Expected::Version, update.expect_version, thread.version)?;
        }
    }

    /// `None`: the update would change nothing, the thread has another version, or is not there.
    async fn update_changing(
        &self,
        target: &Target,
        update: &ThreadUpdate,
    ) -> Result<Option<ChatThread>, Failure> {
        let (name, metadata) = (update.name.as_deref(), update.metadata.as_ref().map(encoded));
        let sql =
            Sql::new("UPDATE chat_thread SET version = version + 1, updated_at = GREATEST(updated_at, ")
                .bind("", update.at)
                .text(")")
                .bind_some(", name = ", name)
                .bind_some(", folded_name = ", name.map(fold_text))
                .bind_some(", metadata = ", metadata.as_deref())
                .bind_some(", active_branch = ", update.active_branch.map(row::branch_number))
                .text(" WHERE ");
        let sql = target
            .filter(sql)
            .bind_some(" AND version = ", update.expect_version.map(i64::from))
            .bind(" AND (updated_at < ", update.at)
            .bind_some(" OR name <> ", name)
            .bind_some(" OR metadata <> ", metadata.as_deref())
            .bind_some(" OR active_branch <> ", update.active_branch.map(row::branch_number))
            .text(&format!(") RETURNING {THREAD_COLUMNS}"));
        // Every thread has its main branch.
        let branch = update.active_branch.filter(|branch| !branch.is_main());
        if update.metadata.is_none() && branch.is_none() {
            return Ok(sql.row(&self.connections).await?.as_ref().map(row::thread).transpose()?);
        }
        let transaction = self.connections.begin().await?;
        if let Some(branch) = branch {
            // Locked, no branch goes meanwhile.
            let locked = self.lock_thread(&transaction, target).await?;
            self.read_branch(&transaction, target, &locked, branch).await?;
        }
        let Some(row) = sql.row(&transaction).await? else { return Ok(None) };
        let thread = row::thread(&row)?;
        if let Some(metadata) = &update.metadata {
            let tags = tags::stored_tags(metadata);
            tags::replace(&transaction, target.org.as_str(), *target.id.as_uuid(), tags).await?;
        }
        transaction.commit().await?;
        Ok(Some(thread))
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
        Ok(row::listed_threads(&rows, &*self.codec, query))
    }
}

fn encoded(metadata: &Metadata) -> String {
    serde_json::Value::Object(metadata.clone()).to_string()
}

/// A thread without messages.
pub(crate) fn new_row(new: &NewThread) -> chat_thread::ActiveModel {
    chat_thread::ActiveModel {
        org_id: Set(new.org_id.as_str().to_owned()),
        id: Set(*new.id.as_uuid()),
        external_id: Set(new.external_id.as_ref().map(|id| id.as_str().to_owned())),
        user_id: Set(new.user_id.as_str().to_owned()),
        name: Set(new.name.clone()),
        folded_name: Set(Some(fold_text(&new.name))),
        metadata: Set(encoded(&new.metadata)),
        version: Set(new.version.get()),
        created_at: Set(new.created_at),
        updated_at: Set(new.created_at),
        search_version: Set(Some(analyzer_version())),
        ..Default::default()
    }
}

async fn insert_row(on: &impl ConnectionTrait, new: &NewThread) -> Result<bool, DbErr> {
    let is_there =
        OnConflict::columns([chat_thread::Column::OrgId, chat_thread::Column::Id]).do_nothing().to_owned();
    let insert = chat_thread::Entity::insert(new_row(new)).on_conflict(is_there);
    Ok(insert.exec_without_returning(on).await? > 0)
}

fn list_sql(owner: &OwnerFilter, query: &ThreadQuery, behind: Option<ThreadKey>, limit: usize) -> Sql {
    let count = if query.with_preview { ", message_count" } else { "" };
    let sql = Sql::new(format!("SELECT {THREAD_COLUMNS}{count} FROM chat_thread WHERE version >= 0"))
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
    let mut sql = sql.text(&format!(" ORDER BY updated_at DESC, id DESC{order} LIMIT {}", size(limit)));
    if query.with_preview {
        let threads = sql.take_text();
        let order = "ORDER BY t.updated_at DESC, t.id DESC, t.org_id DESC";
        sql = sql.text(&format!("SELECT t.*, {MESSAGE_COLUMNS} FROM ({threads}) t {LAST} {order}"));
    }
    sql
}

/// The last message that the active branch of each thread shows, beside the thread: one of the branch's own, or, where it
/// has none, of those that it shares.
const LAST: &str = "LEFT JOIN LATERAL (
    (SELECT * FROM chat_message m
     WHERE m.org_id = t.org_id AND m.chat_thread_id = t.id AND m.branch = t.active_branch AND m.status = 0
     ORDER BY m.position DESC LIMIT 1)
    UNION ALL
    (SELECT m.* FROM (
         SELECT s.* FROM chat_branch b
         CROSS JOIN LATERAL unnest(b.path_branch, b.path_after, b.path_through)
             WITH ORDINALITY AS s (branch, after, through, n)
         WHERE t.active_branch <> 0 AND b.org_id = t.org_id AND b.chat_thread_id = t.id
           AND b.branch = t.active_branch
         ORDER BY s.n DESC) s
     CROSS JOIN LATERAL (
         SELECT * FROM chat_message m
         WHERE m.org_id = t.org_id AND m.chat_thread_id = t.id AND m.branch = s.branch AND m.status = 0
           AND m.position > s.after AND m.position <= s.through
         ORDER BY m.position DESC LIMIT 1) m
     ORDER BY s.n DESC LIMIT 1)
    ORDER BY position DESC LIMIT 1) m ON TRUE";

#[async_trait]
impl<C: Connections> ThreadRepository for PostgresRepository<C> {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        new.validate(scope)?;
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

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        self.writes(self.try_delete(scope, id, expect_version)).await
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
