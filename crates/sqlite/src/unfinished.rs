//! Forks that are not whole yet: threads without an organization, which `chat_fork` knows by the id that each will have.

use chatkeep_domain::ThreadId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::Result;
use crate::upkeep::Backlog;

const FIND: &str = "SELECT thread FROM chat_fork WHERE org = ?1 AND id = ?2";

const REMEMBER: &str = "INSERT INTO chat_fork (org, id, thread) VALUES (?1, ?2, ?3)";

const FORGET: &str = "DELETE FROM chat_fork WHERE thread = ?1";

/// There are few forks under way, whatever statistics say.
const OF_ORIGIN: &str = "
    SELECT f.thread FROM chat_fork f CROSS JOIN chat_thread t ON t.key = f.thread
    WHERE f.org = ?1 AND t.forked_thread = ?2";

/// The key of the fork that will have an id.
pub(crate) fn find(connection: &Connection, org: i64, id: ThreadId) -> Result<Option<i64>> {
    let values = (org, id.as_uuid().as_bytes());
    Ok(connection.prepare_cached(FIND)?.query_row(values, |row| row.get(0)).optional()?)
}

pub(crate) fn remember(connection: &Connection, org: i64, id: ThreadId, thread: i64) -> Result<()> {
    connection.prepare_cached(REMEMBER)?.execute((org, id.as_uuid().as_bytes(), thread))?;
    Ok(())
}

/// The fork is whole.
pub(crate) fn forget(connection: &Connection, thread: i64) -> Result<()> {
    connection.prepare_cached(FORGET)?.execute([thread])?;
    Ok(())
}

pub(crate) fn give_up(connection: &Connection, backlog: &Backlog, thread: i64) -> Result<()> {
    forget(connection, thread)?;
    backlog.give_up_thread(connection, thread)
}

/// Gives up those of a thread that is deleted or cleared.
pub(crate) fn give_up_all(
    connection: &Connection,
    backlog: &Backlog,
    org: i64,
    origin: ThreadId,
) -> Result<()> {
    let mut statement = connection.prepare_cached(OF_ORIGIN)?;
    let forks = statement.query_map((org, origin.as_uuid().as_bytes()), |row| row.get(0))?;
    for thread in forks.collect::<rusqlite::Result<Vec<i64>>>()? {
        give_up(connection, backlog, thread)?;
    }
    Ok(())
}
