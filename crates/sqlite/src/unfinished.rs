//! Forks that are not whole yet: threads without an organization, which `chat_fork` knows by the id that each will have. And threads
//! that are given up, whose messages go a few at a time.

use chatkeep_domain::ThreadId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::Result;

const FIND: &str = "SELECT thread FROM chat_fork WHERE org = ?1 AND id = ?2";

const REMEMBER: &str = "INSERT INTO chat_fork (org, id, thread) VALUES (?1, ?2, ?3)";

const FORGET: &str = "DELETE FROM chat_fork WHERE thread = ?1";

/// Those whose origin is gone: nobody can go on with them. There are few forks under way, whatever statistics say.
const ORPHANS: &str = "
    SELECT f.thread FROM chat_fork f CROSS JOIN chat_thread t ON t.key = f.thread
    WHERE NOT EXISTS (SELECT 1 FROM chat_thread o WHERE o.id = t.forked_thread AND o.org = f.org)";

/// The thread is nobody's from now on, and its id is free.
const GIVE_UP_THREAD: &str = "UPDATE chat_thread SET org = 0, id = randomblob(16) WHERE key = ?1";

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

/// Lets go of a fork. Who calls notes that there is a deleted thread.
pub(crate) fn give_up(connection: &Connection, thread: i64) -> Result<()> {
    forget(connection, thread)?;
    give_up_thread(connection, thread)
}

/// Deletes a thread, for whoever asks for it. Who calls notes that there is one.
pub(crate) fn give_up_thread(connection: &Connection, thread: i64) -> Result<()> {
    connection.prepare_cached(GIVE_UP_THREAD)?.execute([thread])?;
    Ok(())
}

/// Lets go of the forks whose origin is gone; gives whether there were any.
pub(crate) fn give_up_orphans(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare_cached(ORPHANS)?;
    let orphans = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    for thread in &orphans {
        give_up(connection, *thread)?;
    }
    Ok(!orphans.is_empty())
}
