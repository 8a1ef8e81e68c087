//! Lists of threads.

use chatkeep_domain::{
    ChatThread, Codec, Entity, MAX_PAGE_LEN, MetadataTags, OrgId, OwnerFilter, Page, StoreError, ThreadKey,
    ThreadPreview, ThreadQuery, UserId,
};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use crate::error::{Answer, Result};
use crate::in_thread::find_org;
use crate::row::{self, MESSAGE_COLUMNS, Opener, THREAD_COLUMNS, THREAD_WIDTH};
use crate::sql::Sql;

/// What a preview adds to a list: the last message that the active branch shows, of its own or else the last one that it shares.
/// Nothing but indexes is looked at for its place. A path that is damaged shares nothing, so that its thread is listed.
const WITH_LAST: &str = "
    LEFT JOIN chat_message m ON m.key = COALESCE(
        (SELECT l.key FROM chat_message l WHERE l.thread = t.key AND l.branch = t.active_branch
            ORDER BY l.position DESC LIMIT 1),
        (SELECT (SELECT l.key FROM chat_message l
                WHERE l.thread = t.key AND l.branch = s.value ->> 'branch'
                    AND l.position > s.value ->> 'after' AND l.position <= s.value ->> 'through'
                ORDER BY l.position DESC LIMIT 1) AS last
            FROM chat_branch b CROSS JOIN json_each(CASE WHEN json_valid(b.path) THEN b.path ELSE '[]' END) s
            WHERE b.thread = t.key AND b.branch = t.active_branch AND s.type = 'object' AND last IS NOT NULL
            ORDER BY s.key DESC LIMIT 1))";

/// Page by page until enough of what is found matches: without filters on metadata, all of it does.
pub(crate) fn list(
    connection: &Connection,
    codec: &dyn Codec,
    owner: &OwnerFilter,
    query: &ThreadQuery,
    mut behind: Option<ThreadKey>,
) -> Result<Page<ChatThread>> {
    let org = owner.org_id.as_ref().map(|org| find_org(connection, org)).transpose()?;
    if org == Some(None) {
        return Ok(Page::empty());
    }
    let mut found = Vec::new();
    let mut limit = query.limit + 1;
    loop {
        let sql = list_sql(org.flatten(), owner.user_id.as_ref(), query, behind.as_ref(), limit);
        let mut statement = connection.prepare_cached(&sql.text)?;
        let threads = statement.query_map(params_from_iter(sql.values()), |row| {
            Ok(listed(row, codec, owner.org_id.as_ref(), query))
        })?;
        let mut threads = threads.collect::<rusqlite::Result<Vec<_>>>()?;
        // The page ends ahead of a corrupt row at the latest.
        let is_end = threads.len() < limit || threads.iter().any(Result::is_err);
        behind = threads.last().and_then(|last| last.as_ref().ok()).map(ThreadKey::from);
        threads.retain(|thread| thread.as_ref().map_or(true, |thread| query.matches(thread)));
        found.append(&mut threads);
        if is_end || found.len() > query.limit {
            return Ok(Page::cut(found, query.limit, |last| query.cursor_behind(&last.into()))?);
        }
        limit = MAX_PAGE_LEN;
    }
}

/// A row of a list. A corrupt one says where the list goes on.
fn listed(row: &Row<'_>, codec: &dyn Codec, org: Option<&OrgId>, query: &ThreadQuery) -> Answer<ChatThread> {
    let read = || {
        let mut thread = row::thread(row, org)?;
        if query.with_preview {
            thread.preview = Some(Box::new(preview(row, Opener { codec, org: &thread.org_id })?));
        }
        Ok(thread)
    };
    read().map_err(|error: StoreError| {
        let place = || {
            let org = org.map_or_else(|| row::org_id(row, THREAD_WIDTH), |org| Ok(org.clone())).ok()?;
            Some(ThreadKey::new(row::moment(row, 6).ok()?, row::uuid(row, 0).ok()?.into(), org))
        };
        error.going_on(place().map(|place| query.cursor_behind(&place)))
    })
}

/// What is behind a thread's columns and its organization.
fn preview(row: &Row<'_>, opener: Opener<'_>) -> Answer<ThreadPreview> {
    let (count, last) = (THREAD_WIDTH + 1, THREAD_WIDTH + 2);
    let corrupt = |error: rusqlite::Error| {
        StoreError::corrupt_row(Entity::Thread, "with its number of messages", error)
    };
    let message_count = row.get(count).map_err(corrupt)?;
    let has_last = !matches!(row.get_ref(last), Ok(ValueRef::Null));
    let message = has_last.then(|| opener.message_from(row, last)).transpose()?;
    Ok(ThreadPreview::new(message, message_count))
}

fn list_sql(
    org: Option<i64>,
    user: Option<&UserId>,
    query: &ThreadQuery,
    behind: Option<&ThreadKey>,
    limit: usize,
) -> Sql {
    let (org_id, from) = match org {
        Some(_) => ("NULL", "chat_thread t"),
        None => ("o.org_id", "chat_thread t JOIN chat_org o ON o.key = t.org"),
    };
    let text = if query.with_preview {
        format!(
            "SELECT {THREAD_COLUMNS}, {org_id}, t.message_count, {MESSAGE_COLUMNS} FROM {from} {WITH_LAST} WHERE t.org <> 0"
        )
    } else {
        format!("SELECT {THREAD_COLUMNS}, {org_id} FROM {from} WHERE t.org <> 0")
    };
    // The forks of a thread are few: `chat_thread_fork` serves, whoever asks.
    let [of_org, of_user] = match query.forked_from {
        None => [" AND t.org = ", " AND t.user_id = "],
        Some(_) => [" AND +t.org = ", " AND +t.user_id = "],
    };
    let origin = query.forked_from.map(|origin| Value::Blob(origin.as_uuid().as_bytes().to_vec()));
    let mut sql = Sql::new(text)
        .bind_some(of_org, org)
        .bind_some(of_user, user.map(|user| user.as_str().to_owned()))
        .bind_some(" AND t.forked_thread = ", origin)
        .range("t.created_at", &query.created)
        .range("t.updated_at", &query.updated);
    if let Some(words) = query.folded_name() {
        sql = sql.bind(" AND instr(t.folded_name, ", words).text(") > 0");
    }
    let MetadataTags { tags, is_incomplete, .. } = MetadataTags::wanted(&query.metadata);
    for tag in tags.into_iter().chain(is_incomplete.then(Uuid::nil)) {
        let either = [tag, Uuid::nil()].map(|tag| Value::Blob(tag.into_bytes().to_vec()));
        sql = sql
            .text(" AND EXISTS (SELECT 1 FROM chat_thread_tag g WHERE g.thread = t.key AND g.tag IN")
            .bind_list("", either)
            .text(")");
    }
    // Ids repeat only across organizations; within one, the shorter key is the index's own.
    let is_across = org.is_none();
    if let Some(key) = behind {
        let mut values =
            vec![key.updated_at.timestamp_micros().into(), Value::Blob(key.id.as_uuid().as_bytes().to_vec())];
        values.extend(is_across.then(|| key.org_id.as_str().to_owned().into()));
        let columns = if is_across { "t.updated_at, t.id, o.org_id" } else { "t.updated_at, t.id" };
        sql = sql.bind_list(&format!(" AND ({columns}) <"), values);
    }
    let order = if is_across { ", o.org_id DESC" } else { "" };
    sql.text(&format!(" ORDER BY t.updated_at DESC, t.id DESC{order}")).limit(limit)
}
