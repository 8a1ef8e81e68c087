//! What messages said before they were edited.

use sea_orm::entity::prelude::*;

/// A revision's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_message_revision")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: String,
    /// The thread.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_thread_id: Uuid,
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: Uuid,
    /// From 1 on, in the order of the edits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// As in the message's row.
    pub content: String,
    /// When it was written.
    pub written_at: DateTimeUtc,
    /// The time of the edit that wrote it, as it was given.
    pub edited_at: Option<DateTimeUtc>,
}

/// What a revision belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The message.
    #[sea_orm(
        belongs_to = "super::chat_message::Entity",
        from = "(Column::OrgId, Column::ChatThreadId, Column::MessageId)",
        to = "(super::chat_message::Column::OrgId, super::chat_message::Column::ChatThreadId, super::chat_message::Column::Id)"
    )]
    ChatMessage,
}

impl Related<super::chat_message::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ChatMessage.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
