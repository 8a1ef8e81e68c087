//! What search and filters look things up in.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, RuntimeErr};
use sea_orm_migration::prelude::{DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Rows of before are NULL in what is added: `reindex` fills it.
const POSTGRES_UP: &[&str] = &[
    "ALTER TABLE chat_message ADD COLUMN search tsvector, ADD COLUMN search_version integer",
    // The tenant and the words in one index: nothing of another organization is looked at.
    "CREATE INDEX chat_message_search ON chat_message USING gin (org_id, search)",
    "ALTER TABLE chat_thread ADD COLUMN folded_name text, ADD COLUMN search_version integer",
];

const SQLITE_UP: &[&str] = &[
    "ALTER TABLE chat_message ADD COLUMN search_version integer",
    // Owners and tags are words of a column of their own. The text itself is kept once, in the message. The tokenizer
    // leaves words as the analyzer makes them.
    "CREATE VIRTUAL TABLE chat_message_search USING fts5(
         scope, words, content = '', contentless_delete = 1, tokenize = 'ascii')",
    // Each append is a segment of its own; merged 16 at a time instead of 4, appends are a fifth faster, by measure.
    "INSERT INTO chat_message_search (chat_message_search, rank) VALUES ('automerge', 16)",
    // Also where a thread takes its messages with it.
    "CREATE TRIGGER chat_message_unindex AFTER DELETE ON chat_message BEGIN
         DELETE FROM chat_message_search WHERE rowid = old.row_id;
     END",
    "ALTER TABLE chat_thread ADD COLUMN folded_name text",
    "ALTER TABLE chat_thread ADD COLUMN search_version integer",
];

/// Serves what is found across the threads of an organization, newest or oldest first.
const MESSAGES_IN_TIME: &str =
    "CREATE INDEX chat_message_recent ON chat_message (org_id, created_at, chat_thread_id, position)";

/// Serves the list of all threads of an organization, newest update first.
const THREADS_OF_ORG: &str =
    "CREATE INDEX chat_thread_of_org ON chat_thread (org_id, updated_at DESC, id DESC)";

/// Which threads have a value in their metadata. A table of its own, because every append makes a new version of the
/// thread's row, and an index of the row's own would grow with each.
fn tags(text: &str, uuid: &str) -> String {
    format!(
        "CREATE TABLE chat_thread_tag (
             org_id {text} NOT NULL, chat_thread_id {uuid} NOT NULL, tag {uuid} NOT NULL,
             PRIMARY KEY (org_id, chat_thread_id, tag),
             FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE)"
    )
}

const TAGGED_THREADS: &str =
    "CREATE INDEX chat_thread_tag_threads ON chat_thread_tag (org_id, tag, chat_thread_id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            create_extension(manager).await?;
        }
        let (own, tags) = match manager.get_database_backend() {
            DbBackend::Postgres => (POSTGRES_UP, tags("text COLLATE \"C\"", "uuid")),
            _ => (SQLITE_UP, tags("text", "blob")),
        };
        let shared = [MESSAGES_IN_TIME, THREADS_OF_ORG, &tags, TAGGED_THREADS];
        execute(manager, own.iter().copied().chain(shared)).await
    }

    /// The extension stays: others may use it.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let own: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &["ALTER TABLE chat_message DROP COLUMN search"],
            _ => &["DROP TRIGGER chat_message_unindex", "DROP TABLE chat_message_search"],
        };
        let shared = [
            "DROP INDEX chat_message_recent",
            "DROP INDEX chat_thread_of_org",
            "DROP TABLE chat_thread_tag",
            "ALTER TABLE chat_message DROP COLUMN search_version",
            "ALTER TABLE chat_thread DROP COLUMN search_version",
            "ALTER TABLE chat_thread DROP COLUMN folded_name",
        ];
        execute(manager, own.iter().copied().chain(shared)).await
    }
}

/// The one statement that a role which may make tables may still not run.
async fn create_extension(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let statement = "CREATE EXTENSION IF NOT EXISTS btree_gin";
    match manager.get_connection().execute_unprepared(statement).await.map(drop) {
        Err(DbErr::Exec(RuntimeErr::SqlxError(error))) if error.as_database_error().is_some() => {
            let text = format!(
                "{error}. chatkeep needs the extension btree_gin of postgresql-contrib: install that package, and let the \
                 owner of the database, a role with CREATE on it or a superuser run `CREATE EXTENSION btree_gin`"
            );
            Err(DbErr::Migration(text))
        }
        other => other,
    }
}

async fn execute(manager: &SchemaManager<'_>, statements: impl Iterator<Item = &str>) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
