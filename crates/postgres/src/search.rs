//! `MessageSearch`.

pub(crate) mod entry;
pub(crate) mod tsvector;

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchKey, SearchPlan, SearchRead};
use chatkeep_domain::{
    BoxError, MessageSearch, OrgId, Position, Scope, SearchPage, SearchQuery, StoreError, UserId,
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use self::entry::Wanted;
use crate::PostgresRepository;
use crate::error::{Failure, STORE};
use crate::messages::roles_are;
use crate::row;
use crate::sql::Sql;
use crate::threads::Target;

/// The columns of a message, and behind them those of its thread.
const COLUMNS: &str = "m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, \
                       m.updated_at, m.org_id, t.name";

impl PostgresRepository {
    async fn try_search(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, Failure> {
        let mut plan = SearchPlan::new(query).map_err(StoreError::from)?;
        if !self.is_indexed {
            return Err(StoreError::unsupported("search without its index", STORE).into());
        }
        let target = match query.thread {
            Some(thread) => Some(self.target(scope, thread).await?),
            None => None,
        };
        while let Some(read) = plan.next_read() {
            let sql = search_sql(scope, target.as_ref(), query, &plan, &read);
            let rows = sql.rows(self.db.connection()).await?;
            let exact = |found: SearchCandidate| match scope.org_id() {
                Some(_) => found.with_exact_words(),
                None => found,
            };
            let candidates: Vec<_> = rows.iter().map(|row| candidate(&plan, row).map(exact)).collect();
            plan.add(candidates);
        }
        let page = plan.finish()?;
        if let (true, Some(target)) = (page.items.is_empty(), &target) {
            self.require_thread(self.db.connection(), target).await?;
        }
        Ok(page)
    }
}

fn search_sql(
    scope: &Scope,
    target: Option<&Target>,
    query: &SearchQuery,
    plan: &SearchPlan<'_>,
    read: &SearchRead,
) -> Sql {
    let org = target.map(|target| &target.org).or(scope.org_id());
    let is_within = target.is_some();
    // Within one thread, the thread says more than its owner or a sender.
    let wanted = Wanted {
        org,
        user: scope.user_id().filter(|_| !is_within),
        sender: query.filter.sender_id.as_ref().filter(|_| !is_within),
        metadata: &query.filter.metadata,
        expr: plan.expr(),
    };
    let sql = Sql::new(format!("SELECT {COLUMNS} FROM (SELECT m.* FROM "));
    let sql = matching(sql, wanted.render())
        .bind_some(" AND m.org_id = ", org.map(OrgId::as_str))
        .bind_some(" AND m.chat_thread_id = ", target.map(|target| *target.id.as_uuid()));
    let sql = match scope.user_id() {
        // Elsewhere the index knows the owner.
        Some(user) if is_within => sql
            .text(" AND EXISTS (SELECT 1 FROM chat_thread o WHERE o.org_id = m.org_id AND o.id = m.chat_thread_id")
            .bind(" AND o.user_id = ", user.as_str())
            .text(")"),
        _ => sql,
    };
    let mut sql = sql
        .text(&roles_are("m.sender_role", &query.filter.roles))
        .bind_some(" AND m.sender_id = ", query.filter.sender_id.as_ref().map(UserId::as_str))
        .bind_some(" AND m.created_at >= ", query.filter.created.from)
        .bind_some(" AND m.created_at < ", query.filter.created.until);
    // Ids repeat only across organizations; within one, the shorter key is the index's own.
    let columns: &[&str] = match (target, org) {
        (Some(_), _) => &["m.position"],
        (None, Some(_)) => &["m.created_at", "m.chat_thread_id", "m.position"],
        (None, None) => &["m.created_at", "m.chat_thread_id", "m.position", "m.org_id"],
    };
    let (from, behind, until, direction) =
        if read.newest_first { ("<=", "<", ">=", " DESC") } else { (">=", ">", "<=", "") };
    for (key, comparison) in [(&read.from, from), (&read.behind, behind), (&read.until, until)] {
        if let Some(key) = key {
            let values = key_values(key).into_iter().take(columns.len());
            sql = sql.bind_list(&format!(" AND ({}) {comparison}", columns.join(", ")), values);
        }
    }
    let sql = sql.plan_with_values();
    let order: Vec<_> = columns.iter().map(|column| format!("{column}{direction}")).collect();
    let order = format!(" ORDER BY {}", order.join(", "));
    // The names are joined to the page alone: joined before, they lead PostgreSQL from the threads of the organization
    // to all of their messages.
    sql.text(&order)
        .bind(" LIMIT ", i64::try_from(read.limit).unwrap_or(i64::MAX))
        .text(") m JOIN chat_thread t ON t.org_id = m.org_id AND t.id = m.chat_thread_id")
        .bind_some(" WHERE t.user_id = ", scope.user_id().map(UserId::as_str))
        .text(&order)
}

fn candidate(plan: &SearchPlan<'_>, row: &QueryResult) -> Result<SearchCandidate, Box<CorruptCandidate>> {
    let key = || -> Result<SearchKey, BoxError> {
        let created_at = if plan.is_in_thread() { None } else { Some(row::timestamp(row, 6)?) };
        let (thread, position) = (row::get::<Uuid>(row, 1)?.into(), Position::new(row::get(row, 2)?)?);
        Ok(SearchKey::new(created_at, thread, position, OrgId::new(row::get::<String>(row, 8)?)?))
    };
    let decode = || -> Result<SearchCandidate, StoreError> {
        let message = row::message(row)?;
        let thread_name = row::decoded(row, row::get::<String>(row, 9))?;
        let org_id = row::decoded(row, row::get(row, 8).and_then(|org: String| Ok(OrgId::new(org)?)))?;
        Ok(SearchCandidate::new(org_id, thread_name, message))
    };
    decode().map_err(|error| Box::new(CorruptCandidate::new(key().ok(), error)))
}

/// Goes on with the messages that the index gives.
fn matching(sql: Sql, question: Option<String>) -> Sql {
    match question {
        None => sql.text("chat_message m WHERE TRUE"),
        Some(question) => {
            sql.bind("chat_message m WHERE m.search @@ CAST(", question).text("::text AS tsquery)")
        }
    }
}

fn key_values(key: &SearchKey) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    if let Some(created_at) = key.created_at {
        values.extend([created_at.into(), (*key.thread.as_uuid()).into()]);
    }
    values.extend([key.position.get().into(), key.org_id.as_str().into()]);
    values
}

#[async_trait]
impl MessageSearch for PostgresRepository {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.db.read(self.try_search(scope, query)).await
    }
}
