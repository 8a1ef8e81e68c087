//! What an append goes through on SQLite, so that it is one statement. PostgreSQL needs nothing for that.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::prelude::{DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const VIEW: &str = "CREATE VIEW chat_message_append AS
     SELECT 0 AS batch, org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
         search_version, '' AS scope, '' AS words
     FROM chat_message WHERE FALSE";

/// A message as it is given to the view, with the position that it gets. Without words it is not in the index.
const TRIGGER: &str = "CREATE TRIGGER chat_message_append INSTEAD OF INSERT ON chat_message_append BEGIN
         INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
             updated_at, search_version)
         VALUES (new.org_id, new.chat_thread_id, new.position, new.id, new.sender_id, new.sender_role, new.content,
             new.created_at, new.created_at, new.search_version);
         INSERT INTO chat_message_search (rowid, scope, words)
         SELECT last_insert_rowid(), new.scope, new.words WHERE new.words IS NOT NULL;
         UPDATE chat_thread
         SET next_position = new.position + 1, updated_at = MAX(updated_at, new.created_at)
         WHERE org_id = new.org_id AND id = new.chat_thread_id;
     END";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            manager.get_connection().execute_unprepared(VIEW).await?;
            manager.get_connection().execute_unprepared(TRIGGER).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            // Its trigger goes with it.
            manager.get_connection().execute_unprepared("DROP VIEW chat_message_append").await?;
        }
        Ok(())
    }
}
