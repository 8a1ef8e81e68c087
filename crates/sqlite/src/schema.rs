//! The tables, and how a file gets them.

use chatkeep_domain::StoreError;
use chatkeep_domain::search::ANALYZER_VERSION;
use rusqlite::{Connection, Row, TransactionBehavior};

use crate::error::{Errors, Result, STORE};

/// Marks a file as chatkeep's: "chkp".
const APPLICATION_ID: i32 = 0x6368_6b70;

/// Organizations and threads have small numbers beside their ids: rows, indexes and the words of the search index are short.
const CONVERSATIONS: &str = "
CREATE TABLE chat_org (
    key INTEGER PRIMARY KEY,
    org_id TEXT NOT NULL UNIQUE
) STRICT;

-- The organization of threads that were deleted and whose messages are still to go.
INSERT INTO chat_org (key, org_id) VALUES (0, '');

CREATE TABLE chat_thread (
    key INTEGER PRIMARY KEY,
    org INTEGER NOT NULL REFERENCES chat_org (key),
    id BLOB NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    head INTEGER NOT NULL,
    message_count INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_thread_id ON chat_thread (id, org);
-- Lists, newest update first.
CREATE INDEX chat_thread_of_user ON chat_thread (org, user_id, updated_at DESC, id DESC);
CREATE INDEX chat_thread_of_org ON chat_thread (org, updated_at DESC, id DESC);

-- Which threads have a value in their metadata.
CREATE TABLE chat_thread_tag (
    thread INTEGER NOT NULL REFERENCES chat_thread (key) ON DELETE CASCADE,
    tag BLOB NOT NULL,
    PRIMARY KEY (thread, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_message (
    key INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES chat_thread (key),
    org INTEGER NOT NULL,
    chat_thread_id BLOB NOT NULL,
    branch INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    sender_id TEXT,
    sender_role TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The `at` of the edit that wrote the content, as it was given; NULL for the content that was appended.
    edited_at INTEGER,
    -- 1 until the words are in the index, then NULL: no other value, so that a change rewrites nothing else of the row.
    pending INTEGER,
    content TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_message_place ON chat_message (thread, branch, position);
-- Makes an append idempotent.
CREATE UNIQUE INDEX chat_message_id ON chat_message (thread, id);
-- What a search finds across threads, newest or oldest first.
CREATE INDEX chat_message_recent ON chat_message (org, created_at, chat_thread_id, position);
-- What a window reads of a long thread besides its end.
CREATE INDEX chat_message_instructions ON chat_message (thread, branch, position)
    WHERE sender_role IN ('system', 'developer');
CREATE INDEX chat_message_pending ON chat_message (org, thread) WHERE pending = 1;

CREATE TABLE chat_message_revision (
    message INTEGER NOT NULL REFERENCES chat_message (key) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    content TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    edited_at INTEGER,
    PRIMARY KEY (message, revision)
) STRICT;

-- The words of messages, each with the organization in front. `marks` has what is looked up beside words. The tokenizer
-- leaves both as they are.
CREATE VIRTUAL TABLE chat_message_words USING fts5(
    marks, words, content = '', contentless_delete = 1, tokenize = 'ascii');
-- Merging is done a little at a time, and never all at once within an append.
INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('automerge', 8);
INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('crisismerge', 64);

-- The version of the analyzer that made the words and the folded names.
CREATE TABLE chat_analyzer (version INTEGER NOT NULL) STRICT;

PRAGMA application_id = 1667787632;
";

const CONVERSATIONS_DOWN: &str = "
DROP TABLE chat_analyzer;
DROP TABLE chat_message_words;
DROP TABLE chat_message_revision;
DROP TABLE chat_message;
DROP TABLE chat_thread_tag;
DROP TABLE chat_thread;
DROP TABLE chat_org;
PRAGMA application_id = 0;
";

const NOTE_ANALYZER: &str =
    "INSERT INTO chat_analyzer (version) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM chat_analyzer)";

/// The names of the schema's versions, which sort in the order in which they are applied.
pub(crate) const NAMES: [&str; 1] = ["m20261126_000001_create_conversations"];

/// What applies each version, and what takes it back.
const VERSIONS: [(&str, &str); NAMES.len()] = [(CONVERSATIONS, CONVERSATIONS_DOWN)];

/// In one snapshot: another process may make the tables at this moment.
const HEADER: &str = "
    SELECT application_id, user_version, encoding,
        EXISTS (SELECT 1 FROM sqlite_schema WHERE lower(name) IN ('chat_thread', 'chat_message'))
    FROM pragma_application_id, pragma_user_version, pragma_encoding";

/// How many versions the file has. A file that is not ours, or is of a newer version, is refused.
pub(crate) fn applied(connection: &Connection, errors: &Errors) -> Result<usize> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?));
    let (application, applied, encoding, has_tables): (i32, _, String, bool) =
        connection.query_row(HEADER, [], read)?;
    let is_unused = (application, applied, has_tables) == (0, 0, false);
    if application != APPLICATION_ID && !is_unused {
        return Err(errors
            .backend("the file is another program's: its application id or its tables are not this store's")
            .into());
    }
    if encoding != "UTF-8" {
        // SQLite would turn U+FFFE and U+FFFF into another character.
        return Err(errors
            .backend("the file keeps text as UTF-16, which loses some: use another file")
            .into());
    }
    let newer = || errors.backend("the file is of a newer version of chatkeep: update the program");
    let applied = usize::try_from(applied).ok().filter(|applied| *applied <= NAMES.len());
    Ok(applied.ok_or_else(newer)?)
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
    if applied(connection, errors)? == versions {
        return Ok(Vec::new());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = applied(&transaction, errors)?;
    for (up, _) in VERSIONS.iter().take(versions).skip(before) {
        transaction.execute_batch(up)?;
    }
    for (_, down) in VERSIONS.iter().take(before).skip(versions).rev() {
        transaction.execute_batch(down)?;
    }
    if versions > 0 {
        transaction.execute(NOTE_ANALYZER, [ANALYZER_VERSION])?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(versions).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    let changed = before.min(versions)..before.max(versions);
    Ok(NAMES[changed].iter().copied().map(str::to_owned).collect())
}
