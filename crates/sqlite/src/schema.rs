//! The tables, and how a file gets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatkeep_domain::StoreError;
use chatkeep_domain::search::ANALYZER_VERSION;
use rusqlite::{Connection, Row, Transaction};
use rusqlite_migration::{M, Migrations};

use crate::error::{Errors, Result, STORE};

/// Marks a file as chatkeep's: "chkp".
const APPLICATION_ID: i32 = 0x6368_6b70;

/// How often processes that start together try.
const ATTEMPTS: usize = 10;

const CONVERSATIONS: &str = include_str!("../migrations/m20261126_000001_create_conversations.up.sql");
const CONVERSATIONS_DOWN: &str = include_str!("../migrations/m20261126_000001_create_conversations.down.sql");

const NOTE_ANALYZER: &str = "INSERT INTO chat_analyzer (version) VALUES (?1)";

/// The names of the schema's versions, which sort in the order in which they are applied.
pub(crate) const NAMES: [&str; 1] = ["m20261126_000001_create_conversations"];

/// Counts the versions that it applies or takes back.
fn migrations(changed: &Arc<AtomicUsize>) -> Migrations<'static> {
    let (up, down) = (Arc::clone(changed), Arc::clone(changed));
    let conversations = M::up_with_hook(CONVERSATIONS, move |transaction: &Transaction<'_>| {
        up.fetch_add(1, Ordering::Relaxed);
        transaction.execute(NOTE_ANALYZER, [ANALYZER_VERSION])?;
        Ok(())
    });
    let conversations = conversations.down_with_hook(CONVERSATIONS_DOWN, move |_: &Transaction<'_>| {
        down.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    Migrations::new(vec![conversations])
}

/// In one snapshot: another process may make the tables at this moment.
const HEADER: &str = "
    SELECT application_id, user_version, encoding,
        EXISTS (SELECT 1 FROM sqlite_schema WHERE lower(name) IN ('chat_thread', 'chat_message'))
    FROM pragma_application_id, pragma_user_version, pragma_encoding";

/// How many versions the file has. A file that is not ours, or is of a newer version, is refused.
pub(crate) fn applied(connection: &Connection, errors: &Errors) -> Result<usize> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?));
    let (application, applied, encoding, has_tables): (i32, _, String, bool) =
        connection.prepare_cached(HEADER)?.query_row([], read)?;
    let is_unused = (application, applied, has_tables) == (0, 0, false);
    let refused = |what| Err(errors.backend(what).into());
    if application != APPLICATION_ID && !is_unused {
        return refused(
            "the file is another program's: its application id or its tables are not this store's",
        );
    }
    if encoding != "UTF-8" {
        // SQLite would turn U+FFFE and U+FFFF into another character.
        return refused("the file keeps text as UTF-16, which loses some: use another file");
    }
    match usize::try_from(applied) {
        Ok(applied) if applied <= NAMES.len() => Ok(applied),
        _ => refused("the file is of a newer version of chatkeep: update the program"),
    }
}

/// Refuses a file without all tables as well.
pub(crate) fn check_all(connection: &Connection, errors: &Errors) -> Result<()> {
    match NAMES.len() - applied(connection, errors)? {
        0 => Ok(()),
        missing => Err(StoreError::not_migrated(STORE, missing).into()),
    }
}

/// Gives the file so many versions, in one transaction; gives the names of those that it applied or took back itself. Another process
/// may do the same at this moment.
pub(crate) fn migrate(connection: &mut Connection, versions: usize, errors: &Errors) -> Result<Vec<String>> {
    let (before, count) = (applied(connection, errors)?, Arc::new(AtomicUsize::new(0)));
    let (migrations, mut done) = (migrations(&count), Ok(()));
    for _ in 0..ATTEMPTS {
        if applied(connection, errors)? == versions {
            done = Ok(());
            break;
        }
        count.store(0, Ordering::Relaxed);
        done = migrations.to_version(connection, versions);
    }
    match done {
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(err.into()),
        done => done.map_err(|error| StoreError::backend(STORE, error))?,
    }
    let count = count.load(Ordering::Relaxed);
    let changed = if before < versions { versions - count..versions } else { versions..versions + count };
    Ok(NAMES[changed].iter().copied().map(str::to_owned).collect())
}
