//! Messages, except the append.

use async_trait::async_trait;
use chatkeep_domain::search::SearchKey;
use chatkeep_domain::{
    Append, Appended, ChatMessage, ContentKey, Expected, MAX_PAGE_LEN, MessageEdit, MessageFilter, MessageId,
    MessageQuery, MessageRepository, MessageRevision, MessageStream, Order, Page, Position, Removal, Role,
    Scope, StoreError, ThreadAppend, ThreadId, UserId, Version,
};
use sea_orm::{ConnectionTrait, QueryResult, TransactionSession as _, Value};
use uuid::Uuid;

use crate::branches::number;
use crate::candidates::{Bounds, Bring, Candidates, Within};
use crate::connection::Connections;
use crate::error::{Failure, STORE};
use crate::row::{self, MESSAGE_COLUMNS, MESSAGE_WIDTH};
use crate::sql::{Sql, size};
use crate::statements::{
    DELETE, EDIT, EDITED, FIND, LIST_NEWEST, LIST_OLDEST, LIST_PATH_NEWEST, LIST_PATH_OLDEST,
};
use crate::store::PostgresRepository;
use crate::threads::Target;
use crate::words::{self, Owner, Question, Wanted, analyzer_version};

/// Between which positions a list is.
type Ends = (Position, Option<Position>);

/// What a list found: one message more than its limit, and the version of the thread at that moment.
type Listed = (Vec<Result<ChatMessage, StoreError>>, Version);

impl<C: Connections> PostgresRepository<C> {
    pub(crate) async fn read_message(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        id: MessageId,
    ) -> Result<ChatMessage, Failure> {
        let mut values = target.values();
        values.push((*id.as_uuid()).into());
        let row = Sql::constant(FIND, values).row(on).await?.ok_or_else(|| target.not_found())?;
        match row::value::<Option<Uuid>>(&row, 0) {
            Ok(None) => Err(StoreError::message_not_found(id).into()),
            _ => Ok(self.opener(target).message(&row)?),
        }
    }

    /// Fails where there is no such message. It decodes nothing: a corrupt message is there.
    async fn require_message(&self, target: &Target, id: MessageId) -> Result<(), Failure> {
        let mut values = target.values();
        values.push((*id.as_uuid()).into());
        let row =
            Sql::constant(FIND, values).row(&self.connections).await?.ok_or_else(|| target.not_found())?;
        if is_of_thread_alone(&row) { Err(StoreError::message_not_found(id).into()) } else { Ok(()) }
    }

    async fn try_list(
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
        if rows.len() == 1 && is_of_thread_alone(first) {
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

    async fn try_edit(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<ChatMessage, Failure> {
        let target = self.target(scope, thread).await?;
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, &target).await?;
        let stored = self.read_message(&transaction, &target, id).await?;
        if stored.content.is_identical(&edit.content)
            || self.was_made(&transaction, &target, id, edit).await?
        {
            return Ok(stored);
        }
        edit.check_expected(stored.revision, locked.version)?;
        let content = self.seal(&edit.content, &ContentKey::new(&target.org, thread, id))?;
        let vector = self.is_indexed.then(|| {
            let (sender, role) = (stored.sender_id.as_ref(), stored.sender_role);
            let owner = Owner { org: &target.org, thread, user: Some(&locked.user), sender, role };
            words::vector(&owner, &self.codec.document(&edit.content).unwrap_or_default())
        });
        let mut values = target.values();
        values.truncate(2);
        values.extend([
            number(stored.branch).into(),
            stored.position.get().into(),
            content.into(),
            edit.at.into(),
            vector.into(),
            self.is_indexed.then(analyzer_version).into(),
        ]);
        let row = Sql::constant(EDIT, values).row(&transaction).await?;
        let row = row.ok_or_else(|| StoreError::message_not_found(id))?;
        let edited = self.opener(&target).message(&row)?;
        transaction.commit().await?;
        self.upkeep.note(1);
        Ok(edited)
    }

    /// Whether an edit was written before: then its content is among the earlier ones.
    async fn was_made(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<bool, Failure> {
        let mut values = target.values();
        values.truncate(2);
        values.extend([(*id.as_uuid()).into(), edit.at.into()]);
        let key = ContentKey::new(&target.org, target.id, id);
        let says_the_same = |row: &QueryResult| {
            let content = row::value(row, 0).and_then(|sealed| self.codec.open(sealed, &key));
            content.is_ok_and(|content| content.is_identical(&edit.content))
        };
        Ok(Sql::constant(EDITED, values).rows(on).await?.iter().any(says_the_same))
    }

    async fn try_delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), Failure> {
        let target = self.target(scope, thread).await?;
        let mut values = target.values();
        let expected = removal.expect_version;
        values.extend([(*id.as_uuid()).into(), removal.at.into(), expected.map(i64::from).into()]);
        let row = Sql::constant(DELETE, values).row(&self.connections).await?;
        let row = row.ok_or_else(|| target.not_found())?;
        if row::value::<i64>(&row, 0)? > 0 {
            return Ok(());
        }
        let version = Version::new(row::value(&row, 1)?).map_err(StoreError::from)?;
        if expected.is_some_and(|expected| expected != version) {
            // A message that is not there is not found, whatever is expected.
            self.require_message(&target, id).await?;
            StoreError::unless_expected(Expected::Version, expected, version)?;
        }
        Err(StoreError::message_not_found(id).into())
    }

    async fn try_list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, Failure> {
        let target = self.target(scope, thread).await?;
        let sql = Sql::new("SELECT revision, content, written_at FROM chat_message_revision m WHERE ");
        let sql = target.filter_revisions(sql).bind(" AND m.message_id = ", *id.as_uuid());
        let rows = sql.text(" ORDER BY m.revision").rows(&self.connections).await?;
        if rows.is_empty() {
            self.read_message(&self.connections, &target, id).await?;
        }
        let key = ContentKey::new(&target.org, thread, id);
        let opener = self.opener(&target);
        Ok(rows.iter().map(|row| opener.revision(row, &key)).collect::<Result<_, _>>()?)
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

/// Whether a row of a list says that the thread is there, and nothing else.
pub(crate) fn is_of_thread_alone(row: &QueryResult) -> bool {
    row::value::<Option<Uuid>>(row, 0).is_ok_and(|id| id.is_none())
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
        values.extend((!query.branch.is_main()).then(|| number(query.branch).into()));
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
    let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
    let mut sql = sql.bind_some(" OFFSET ", (offset > 0).then_some(offset));
    let skipped = sql.take_text();
    let limit = size(limit);
    let sql = if query.branch.is_main() {
        sql.text(&format!("SELECT {MESSAGE_COLUMNS}, t.version FROM chat_thread t LEFT JOIN LATERAL ("))
            .text(&format!("SELECT * FROM chat_message m{conditions} AND m.branch = 0"))
            .text(&format!(" ORDER BY m.position{order} LIMIT {limit}{skipped}) m ON TRUE WHERE "))
    } else {
        // Of no segment more is read than the page, and what comes ahead of it, may take.
        let most = if skipped.is_empty() { String::new() } else { format!(" + {}", &skipped[8..]) };
        sql.text(&format!("SELECT {MESSAGE_COLUMNS}, t.version, b.branch FROM chat_thread t"))
            .text(" LEFT JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id")
            .bind(" AND b.branch = ", number(query.branch))
            .text(" LEFT JOIN LATERAL (SELECT m.* FROM (")
            .text("SELECT * FROM unnest(b.path_branch, b.path_after, b.path_through)")
            .text(" WITH ORDINALITY AS s (branch, after, through, n)")
            .text(&format!(" ORDER BY n{order}) s CROSS JOIN LATERAL ("))
            .text(&format!("SELECT * FROM chat_message m{conditions} AND m.branch = s.branch"))
            .text(" AND m.position > s.after AND m.position <= s.through")
            .text(&format!(" ORDER BY m.position{order} LIMIT {limit}{most}) m"))
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
impl<C: Connections> MessageRepository for PostgresRepository<C> {
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.append_messages(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
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
            self.read_message(&self.connections, &target, id).await
        };
        self.reads(read).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let page = self.reads(self.try_list(scope, thread, query, None)).await?;
        Ok(page.unwrap_or_else(Page::empty))
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        self.reads(self.try_list(scope, thread, query, Some(version))).await
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        self.streamed(scope, thread, query)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.writes(self.try_edit(scope, thread, id, &edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.reads(self.try_list_revisions(scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        removal.validate()?;
        self.writes(self.try_delete_message(scope, thread, id, removal)).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        removal.validate()?;
        self.clear(scope, thread, removal).await
    }
}
