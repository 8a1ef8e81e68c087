//! Threads, their messages, and what messages said before they were edited.

use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::prelude::{
    ColumnDef, DeriveIden, DeriveMigrationName, ForeignKey, ForeignKeyAction, Index, IndexOrder,
    MigrationTrait, SchemaManager, Table,
};
use sea_orm_migration::sea_query::IntoIden;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum ChatThread {
    Table,
    OrgId,
    Id,
    UserId,
    Name,
    Metadata,
    NextPosition,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum ChatMessage {
    Table,
    OrgId,
    ChatThreadId,
    Position,
    Id,
    SenderId,
    SenderRole,
    Content,
    CreatedAt,
    UpdatedAt,
    EditedAt,
}

#[derive(DeriveIden)]
enum ChatMessageRevision {
    Table,
    OrgId,
    ChatThreadId,
    MessageId,
    Revision,
    Content,
    WrittenAt,
    EditedAt,
}

/// An identifier, compared byte by byte whatever the database's locale is.
fn key(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().extra("COLLATE \"C\"").to_owned()
}

fn uuid(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).uuid().to_owned()
}

fn timestamp(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_threads(manager).await?;
        create_messages(manager).await?;
        create_revisions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ChatMessageRevision::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ChatMessage::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ChatThread::Table).to_owned()).await
    }
}

async fn create_threads(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(ChatThread::Table)
        .col(key(ChatThread::OrgId).not_null())
        .col(uuid(ChatThread::Id).not_null())
        .col(key(ChatThread::UserId).not_null())
        .col(ColumnDef::new(ChatThread::Name).text().not_null())
        .col(ColumnDef::new(ChatThread::Metadata).text().not_null())
        .col(ColumnDef::new(ChatThread::NextPosition).big_integer().not_null())
        .col(timestamp(ChatThread::CreatedAt).not_null())
        .col(timestamp(ChatThread::UpdatedAt).not_null())
        .primary_key(Index::create().col(ChatThread::OrgId).col(ChatThread::Id))
        .to_owned();
    manager.create_table(table).await?;
    // Serves a user's list of threads, newest update first.
    let index = Index::create()
        .name("chat_thread_recent")
        .table(ChatThread::Table)
        .col(ChatThread::OrgId)
        .col(ChatThread::UserId)
        .col((ChatThread::UpdatedAt, IndexOrder::Desc))
        .col((ChatThread::Id, IndexOrder::Desc))
        .to_owned();
    manager.create_index(index).await
}

async fn create_messages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(ChatMessage::Table)
        .col(key(ChatMessage::OrgId).not_null())
        .col(uuid(ChatMessage::ChatThreadId).not_null())
        .col(ColumnDef::new(ChatMessage::Position).big_integer().not_null())
        .col(uuid(ChatMessage::Id).not_null())
        .col(key(ChatMessage::SenderId))
        .col(ColumnDef::new(ChatMessage::SenderRole).text().not_null())
        .col(ColumnDef::new(ChatMessage::Content).text().not_null())
        .col(timestamp(ChatMessage::CreatedAt).not_null())
        .col(timestamp(ChatMessage::UpdatedAt).not_null())
        // The `at` of the edit that wrote the content, as it was given; NULL for the content that was appended.
        .col(timestamp(ChatMessage::EditedAt))
        .primary_key(
            Index::create().col(ChatMessage::OrgId).col(ChatMessage::ChatThreadId).col(ChatMessage::Position),
        )
        .foreign_key(
            ForeignKey::create()
                .from(ChatMessage::Table, (ChatMessage::OrgId, ChatMessage::ChatThreadId))
                .to(ChatThread::Table, (ChatThread::OrgId, ChatThread::Id))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(table).await?;
    // Makes an append idempotent. The thread is part of it, so that nobody can notice an id in another's thread.
    let index = Index::create()
        .name("chat_message_id")
        .table(ChatMessage::Table)
        .col(ChatMessage::OrgId)
        .col(ChatMessage::ChatThreadId)
        .col(ChatMessage::Id)
        .unique()
        .to_owned();
    manager.create_index(index).await?;
    // Serves what a window reads of a long thread besides its end: the few messages that instruct the model. It has no others in it, so
    // that it costs an append nothing.
    let index = "CREATE INDEX chat_message_instructions ON chat_message (org_id, chat_thread_id, position)
                 WHERE sender_role IN ('system', 'developer')";
    manager.get_connection().execute_unprepared(index).await.map(drop)
}

async fn create_revisions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let of = (ChatMessageRevision::OrgId, ChatMessageRevision::ChatThreadId, ChatMessageRevision::MessageId);
    let table = Table::create()
        .table(ChatMessageRevision::Table)
        .col(key(ChatMessageRevision::OrgId).not_null())
        .col(uuid(ChatMessageRevision::ChatThreadId).not_null())
        .col(uuid(ChatMessageRevision::MessageId).not_null())
        .col(ColumnDef::new(ChatMessageRevision::Revision).big_integer().not_null())
        .col(ColumnDef::new(ChatMessageRevision::Content).text().not_null())
        .col(timestamp(ChatMessageRevision::WrittenAt).not_null())
        .col(timestamp(ChatMessageRevision::EditedAt))
        .primary_key(
            Index::create()
                .col(ChatMessageRevision::OrgId)
                .col(ChatMessageRevision::ChatThreadId)
                .col(ChatMessageRevision::MessageId)
                .col(ChatMessageRevision::Revision),
        )
        .foreign_key(
            ForeignKey::create()
                .from(ChatMessageRevision::Table, of)
                .to(ChatMessage::Table, (ChatMessage::OrgId, ChatMessage::ChatThreadId, ChatMessage::Id))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(table).await
}
