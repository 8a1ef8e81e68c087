//! Messages.

use sea_orm::entity::prelude::*;

/// A message's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_message")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: String,
    /// The thread.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_thread_id: Uuid,
    /// 0 is the main one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub branch: i32,
    /// Its place in the thread, from 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Its id, unique within the thread.
    pub id: Uuid,
    /// The id that its sender has for it.
    pub external_id: Option<String>,
    /// The user who sent it.
    pub sender_id: Option<String>,
    /// `user`, `assistant`, `system`, `tool` or `developer`.
    pub sender_role: String,
    /// A JSON object, as text, or what the store's codec made of it.
    pub content: String,
    /// The number of its content, from 1 on.
    pub revision: i32,
    /// 0: complete.
    pub status: i16,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// The time of the edit that wrote the content, as it was given.
    pub edited_at: Option<DateTimeUtc>,
}

/// What a message belongs to, and has.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The thread.
    #[sea_orm(
        belongs_to = "super::chat_thread::Entity",
        from = "(Column::OrgId, Column::ChatThreadId)",
        to = "(super::chat_thread::Column::OrgId, super::chat_thread::Column::Id)"
    )]
    ChatThread,
}

impl Related<super::chat_thread::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ChatThread.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
