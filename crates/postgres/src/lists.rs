//! Lists of a thread's messages.

use chatkeep_domain::search::SearchKey;
use chatkeep_domain::{
    ChatMessage, MAX_PAGE_LEN, MessageFilter, MessageQuery, Order, Page, Position, Role, Scope, StoreError,
    ThreadId, UserId, Version,
};
use sea_orm::{QueryResult, Value};

use crate::candidates::{Bounds, Candidates, Within};
use crate::connection::Connections;
use crate::error::{Failure, STORE};
use crate::row::{self, MESSAGE_COLUMNS, MESSAGE_WIDTH};
use crate::sql::{Sql, roles_are, size};
use crate::statements::{LIST_NEWEST, LIST_OLDEST, LIST_PATH_NEWEST, LIST_PATH_OLDEST};
use crate::store::PostgresRepository;
use crate::target::Target;
use crate::walk::Bring;
use crate::words::{Question, Wanted};

/// Between which positions a list is.
type Ends = (Position, Option<Position>);

/// What a list found: one message more than its limit, and the version of the thread at that moment.
type Listed = (Vec<Result<ChatMessage, StoreError>>, Version);

impl<C: Connections> PostgresRepository<C> {
    pub(crate) async fn try_list(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        unless: Option<Version>,
    ) -> Result<Option<Page<ChatMessage>>, Failure> {
        query.validate(thread).map_err(StoreError::from)?;
        let target = self.target(scope, thread).await?;
        self.page(&target, query, unless).await
    }

    /// A page of a thread that may not be there, unless the thread has this version.
    pub(crate) async fn page(
        &self,
        target: &Target,
        query: &MessageQuery,
        unless: Option<Version>,
    ) -> Result<Option<Page<ChatMessage>>, Failure> {
        let ends = query.validate(target.id).map_err(StoreError::from)?;
        let (found, version) = match self.question(target, query) {
            _ if query.limit == 0 => (Vec::new(), self.read_path(target, query.branch).await?.1),
            None => self.listed(target, query, ends, unless).await?,
            Some(question) => self.listed_by_index(target, query, question, ends, unless).await?,
        };
        if unless == Some(version) {
            return Ok(None);
        }
        let page = Page::cut(found, query.limit, |last| query.cursor_behind(target.id, last.position))?;
        Ok(Some(page.at_version(version)))
    }

    /// What the index is asked for a list; `None` where columns say it all.
    pub(crate) fn question(&self, target: &Target, query: &MessageQuery) -> Option<Question> {
        let wanted = Wanted {
            org: Some(&target.org),
            thread: Some(target.id),
            sender: query.filter.sender_id.as_ref(),
            roles: &query.filter.roles,
            metadata: &query.filter.metadata,
            ..Wanted::default()
        };
        wanted.question().filter(|_| self.is_indexed && !is_of_instructions(&query.filter))
    }

    /// One message more than the limit. The error of a corrupt row says where the list goes on.
    async fn listed(
        &self,
        target: &Target,
        query: &MessageQuery,
        ends: Ends,
        unless: Option<Version>,
    ) -> Result<Listed, Failure> {
        if !query.filter.metadata.is_empty() {
            let operation = "a filter on metadata without the index";
            return Err(StoreError::unsupported(operation, STORE).into());
        }
        let limit = query.limit + 1;
        let rows = by_columns(target, query, limit, ends, unless).rows(&self.connections).await?;
        let first = rows.first().ok_or_else(|| target.not_found())?;
        require_branch(first, query)?;
        let version = Version::new(row::value(first, MESSAGE_WIDTH)?).map_err(StoreError::from)?;
        if rows.len() == 1 && row::is_of_thread_alone(first) {
            return Ok((Vec::new(), version));
        }
        let opener = self.opener(target).of_rows_like(rows.first());
        let listed = rows.iter().take(limit).map(|row| opener.listed(row, target.id, query));
        Ok((listed.collect(), version))
    }

    /// The same, where the index knows what may match: each is checked here, so that the offset counts only what does. A
    /// corrupt row counts as a match.
    async fn listed_by_index(
        &self,
        target: &Target,
        query: &MessageQuery,
        question: Question,
        (after, before): Ends,
        unless: Option<Version>,
    ) -> Result<Listed, Failure> {
        let path = self.path(target, query.branch).await?;
        let (within, filter) = (Within::Thread(target.clone(), Some(path)), &query.filter);
        let candidates = Candidates { within, question: Some(question), filter, user: None };
        let mut offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = (query.limit + 1).saturating_add(offset).min(MAX_PAGE_LEN);
        let newest_first = query.order == Order::NewestFirst;
        let place = |position| SearchKey::new(None, target.id, position, target.org.clone());
        let (low, high) = (Some(place(after)), before.map(place));
        let (behind, ahead) = if newest_first { (high, low) } else { (low, high) };
        let mut read = Bounds { newest_first, from: None, behind, until: None, ahead, limit };
        let (opener, mut found) = (self.opener(target), Vec::new());
        // What is written later makes the page newer than this version, and never older.
        let (mut hits, version) = candidates.first(&self.connections, target, &read).await?;
        if unless == Some(version) {
            return Ok((found, version));
        }
        loop {
            let is_end = hits.len() < read.limit;
            let last = hits.last().map(|hit| hit.place.clone());
            for (_, row) in candidates.messages(&self.connections, hits).await? {
                let message = opener.listed(&row, target.id, query);
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
                    return Ok((found, version));
                }
            }
            if is_end {
                return Ok((found, version));
            }
            read.behind = last;
            read.limit = MAX_PAGE_LEN;
            hits = candidates.next(&self.connections, &read, Bring::Places).await?;
        }
    }
}

/// Fails where a row of a list says that there is no such branch: its last column is the branch, if it is another than the main
/// one.
pub(crate) fn require_branch(row: &QueryResult, query: &MessageQuery) -> Result<(), Failure> {
    if query.branch.is_main() || row::value::<Option<i32>>(row, MESSAGE_WIDTH + 1)?.is_some() {
        return Ok(());
    }
    Err(StoreError::branch_not_found(query.branch).into())
}

/// So many messages, or a few more, that the columns say are the query's. Behind the columns of each is the thread's version,
/// and behind that the branch, if it is another than the main one. Without filters there is but one good plan: a constant.
pub(crate) fn by_columns(
    target: &Target,
    query: &MessageQuery,
    limit: usize,
    (after, before): Ends,
    unless: Option<Version>,
) -> Sql {
    let unless: Value = unless.map(i64::from).into();
    if query.filter == MessageFilter::default() && query.offset == 0 {
        let text = match (query.order, query.branch.is_main()) {
            (Order::NewestFirst, true) => LIST_NEWEST,
            (Order::OldestFirst, true) => LIST_OLDEST,
            (Order::NewestFirst, false) => LIST_PATH_NEWEST,
            (Order::OldestFirst, false) => LIST_PATH_OLDEST,
        };
        let mut values = target.values();
        values.extend([after.get().into(), before.map_or(i64::MAX, i64::from).into(), unless]);
        values.extend((!query.branch.is_main()).then(|| row::branch_number(query.branch).into()));
        return Sql::sized(text, limit, values);
    }
    let order = if query.order == Order::NewestFirst { " DESC" } else { "" };
    let mut sql = Sql::new(" WHERE m.org_id = ")
        .bind("", target.org.as_str())
        .bind(" AND m.chat_thread_id = ", *target.id.as_uuid())
        .bind(" AND t.version IS DISTINCT FROM ", unless)
        .bind("::bigint AND m.position > ", after.get())
        .bind_some(" AND m.position < ", before.map(i64::from))
        .text(&roles_are("m.sender_role", &query.filter.roles))
        .bind_some(" AND m.sender_id = ", query.filter.sender_id.as_ref().map(UserId::as_str))
        .bind_some(" AND m.created_at >= ", query.filter.created.from)
        .bind_some(" AND m.created_at < ", query.filter.created.until);
    let conditions = sql.take_text();
    let (limit, offset) = (size(limit), i64::try_from(query.offset).unwrap_or(i64::MAX));
    let mut sql = sql.bind_some(" OFFSET ", (offset > 0).then_some(offset));
    let skipped = sql.take_text();
    let sql = if query.branch.is_main() {
        sql.text(&format!("SELECT {MESSAGE_COLUMNS}, t.version FROM chat_thread t LEFT JOIN LATERAL ("))
            .text(&format!("SELECT * FROM chat_message m{conditions} AND m.branch = 0"))
            .text(&format!(" ORDER BY m.position{order} LIMIT {limit}{skipped}) m ON TRUE WHERE "))
    } else {
        // Of no segment more is read than the page, and what comes ahead of it, may take.
        let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(offset);
        let mut sql = sql.bind_some("", (offset > 0).then_some(most));
        let most = if offset > 0 { sql.take_text() } else { limit.to_string() };
        sql.text(&format!("SELECT {MESSAGE_COLUMNS}, t.version, b.branch FROM chat_thread t"))
            .text(" LEFT JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id")
            .bind(" AND b.branch = ", row::branch_number(query.branch))
            .text(" LEFT JOIN LATERAL (SELECT m.* FROM (")
            .text("SELECT * FROM unnest(b.path_branch, b.path_after, b.path_through)")
            .text(" WITH ORDINALITY AS s (branch, after, through, n)")
            .text(&format!(" ORDER BY n{order}) s CROSS JOIN LATERAL ("))
            .text(&format!("SELECT * FROM chat_message m{conditions} AND m.branch = s.branch"))
            .text(" AND m.position > s.after AND m.position <= s.through")
            .text(&format!(" ORDER BY m.position{order} LIMIT {most}) m"))
            .text(&format!(
                " ORDER BY s.n{order}, m.position{order} LIMIT {limit}{skipped}) m ON TRUE WHERE "
            ))
    };
    target.filter_joined(sql)
}

/// An index of their own serves these, in one statement.
fn is_of_instructions(filter: &MessageFilter) -> bool {
    let are_instructions = |role: &Role| matches!(role, Role::System | Role::Developer);
    let roles = &filter.roles;
    !roles.is_empty()
        && roles.iter().all(are_instructions)
        && filter.metadata.is_empty()
        && filter.sender_id.is_none()
}
