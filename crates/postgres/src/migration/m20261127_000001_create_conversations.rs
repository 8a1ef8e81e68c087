//! Threads, their messages, what messages said before they were edited, and what search and filters look up.

use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::prelude::{DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = include_str!("sql/create_conversations.up.sql");
        manager.get_connection().execute_unprepared(text).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = include_str!("sql/create_conversations.down.sql");
        manager.get_connection().execute_unprepared(text).await.map(drop)
    }
}
