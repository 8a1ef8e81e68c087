//! Messages as they are stored: what several calls do with them.

use chatkeep_domain::{MessageFilter, Role};
use rusqlite::{Connection, Row};

use crate::error::Result;
use crate::index;
use crate::sql::Sql;

const DELETE: &str = "DELETE FROM chat_message WHERE key = ?1";

const SOME_OF_A_THREAD: &str = "SELECT key, pending FROM chat_message WHERE thread = ?1 LIMIT ?2";

/// Goes on with the conditions of a filter, except that on metadata.
pub(crate) fn filter(mut sql: Sql, filter: &MessageFilter) -> Sql {
    let is_instructing = |role: &Role| matches!(role, Role::System | Role::Developer);
    if !filter.roles.is_empty() && filter.roles.iter().all(is_instructing) {
        // In these words, so that `chat_message_instructions` serves.
        sql = sql.text(" AND m.sender_role IN ('system', 'developer')");
    }
    if !filter.roles.is_empty() {
        sql = sql.bind_list(
            " AND m.sender_role IN",
            filter.roles.iter().map(|role| role.as_str().to_owned().into()),
        );
    }
    sql.bind_some(" AND m.sender_id = ", filter.sender_id.as_ref().map(|sender| sender.as_str().to_owned()))
        .range("m.created_at", &filter.created)
}

/// Deletes messages, and takes those out of the index that are there: all of them first. A row that goes takes its revisions with it,
/// which begins a savepoint, and FTS5 writes all that it has of the index at a savepoint.
pub(crate) fn delete(connection: &Connection, rows: &[(i64, bool)]) -> Result<()> {
    for (key, _) in rows.iter().filter(|(_, is_indexed)| *is_indexed) {
        index::delete(connection, *key)?;
    }
    let mut delete = connection.prepare_cached(DELETE)?;
    for (key, _) in rows {
        delete.execute([key])?;
    }
    Ok(())
}

/// Deletes some messages of a thread; gives how many.
pub(crate) fn delete_some(connection: &Connection, thread: i64, count: usize) -> Result<usize> {
    let mut statement = connection.prepare_cached(SOME_OF_A_THREAD)?;
    let rows: Vec<_> = statement.query_map((thread, count), key)?.collect::<rusqlite::Result<_>>()?;
    delete(connection, &rows)?;
    Ok(rows.len())
}

/// The key of a message, and whether it is in the index: `key, pending`.
pub(crate) fn key(row: &Row<'_>) -> rusqlite::Result<(i64, bool)> {
    Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.is_none()))
}
