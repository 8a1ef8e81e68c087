//! Messages as they are stored: what several calls do with them.

use chatkeep_domain::{ChatMessage, MessageFilter, MessageId, Role, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::Result;
use crate::index;
use crate::row::{MESSAGE_COLUMNS, Opener};
use crate::sql::Sql;

const FIND: &str = "SELECT key, pending FROM chat_message WHERE thread = ?1 AND id = ?2";

const DELETE: &str = "DELETE FROM chat_message WHERE key = ?1";

const SOME_OF_A_THREAD: &str = "SELECT key, pending FROM chat_message WHERE thread = ?1 LIMIT ?2";

/// The key of a message, and whether it is in the index.
pub(crate) fn find(connection: &Connection, thread: i64, id: MessageId) -> Result<Option<(i64, bool)>> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.is_none()));
    Ok(connection.prepare_cached(FIND)?.query_row((thread, id.as_uuid().as_bytes()), read).optional()?)
}

/// A message of a thread.
pub(crate) fn read(
    connection: &Connection,
    opener: Opener<'_>,
    thread: i64,
    id: MessageId,
) -> Result<ChatMessage> {
    let text = format!("SELECT {MESSAGE_COLUMNS} FROM chat_message m WHERE m.thread = ?1 AND m.id = ?2");
    let values = (thread, id.as_uuid().as_bytes());
    let found =
        connection.prepare_cached(&text)?.query_row(values, |row| Ok(opener.message(row))).optional()?;
    Ok(found.ok_or_else(|| StoreError::message_not_found(id))??)
}

/// Goes on with the conditions of a filter, except that on metadata.
pub(crate) fn filter(mut sql: Sql, filter: &MessageFilter) -> Sql {
    let micros = |moment: Option<Timestamp>| moment.map(|moment| moment.timestamp_micros());
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
        .bind_some(" AND m.created_at >= ", micros(filter.created.from))
        .bind_some(" AND m.created_at < ", micros(filter.created.until))
}

/// Deletes a message, and takes it out of the index if it is there.
pub(crate) fn delete_row(connection: &Connection, key: i64, is_indexed: bool) -> Result<()> {
    if is_indexed {
        index::delete(connection, key)?;
    }
    connection.prepare_cached(DELETE)?.execute([key])?;
    Ok(())
}

/// Deletes some messages of a thread; gives how many.
pub(crate) fn delete_rows(connection: &Connection, thread: i64, count: usize) -> Result<usize> {
    let rows: Vec<(i64, bool)> = connection
        .prepare_cached(SOME_OF_A_THREAD)?
        .query_map((thread, count), |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.is_none())))?
        .collect::<rusqlite::Result<_>>()?;
    for (key, is_indexed) in &rows {
        delete_row(connection, *key, *is_indexed)?;
    }
    Ok(rows.len())
}
