//! What search and filters look things up in.

use sea_orm::{ConnectionTrait as _, DbErr, RuntimeErr};
use sea_orm_migration::prelude::{DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Rows of before are NULL in what is added: `reindex` fills it.
const UP: [&str; 7] = [
    "ALTER TABLE chat_message ADD COLUMN search tsvector, ADD COLUMN search_version integer",
    // The tenant and the words in one index: nothing of another organization is looked at.
    "CREATE INDEX chat_message_search ON chat_message USING gin (org_id, search)",
    "ALTER TABLE chat_thread ADD COLUMN folded_name text, ADD COLUMN search_version integer",
    // Serves what is found across the threads of an organization, newest or oldest first.
    "CREATE INDEX chat_message_recent ON chat_message (org_id, created_at, chat_thread_id, position)",
    // Serves the list of all threads of an organization, newest update first.
    "CREATE INDEX chat_thread_of_org ON chat_thread (org_id, updated_at DESC, id DESC)",
    // Which threads have a value in their metadata. A table of its own, because every append makes a new version of the
    // thread's row, and an index of the row's own would grow with each.
    "CREATE TABLE chat_thread_tag (
         org_id text COLLATE \"C\" NOT NULL, chat_thread_id uuid NOT NULL, tag uuid NOT NULL,
         PRIMARY KEY (org_id, chat_thread_id, tag),
         FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE)",
    "CREATE INDEX chat_thread_tag_threads ON chat_thread_tag (org_id, tag, chat_thread_id)",
];

/// The extension stays: others may use it.
const DOWN: [&str; 7] = [
    "ALTER TABLE chat_message DROP COLUMN search",
    "DROP INDEX chat_message_recent",
    "DROP INDEX chat_thread_of_org",
    "DROP TABLE chat_thread_tag",
    "ALTER TABLE chat_message DROP COLUMN search_version",
    "ALTER TABLE chat_thread DROP COLUMN search_version",
    "ALTER TABLE chat_thread DROP COLUMN folded_name",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_extension(manager).await?;
        execute(manager, &UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, &DOWN).await
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

async fn execute(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
