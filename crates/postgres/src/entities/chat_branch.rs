//! The branches of threads beside the main one, which has no row.

use sea_orm::entity::prelude::*;

/// A branch's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_branch")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: String,
    /// The thread.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_thread_id: Uuid,
    /// Its number, from 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub branch: i32,
    /// What it was created by.
    pub request: Uuid,
    /// The last position that it shows or ever had.
    pub head: i64,
    /// The branch where it starts.
    pub from_branch: i32,
    /// The last position that it shares.
    pub from_position: i64,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// For people.
    pub name: String,
    /// Its path, segment by segment: whose own messages.
    pub path_branch: Vec<i32>,
    /// Behind which position.
    pub path_after: Vec<i64>,
    /// Up to which position; the greatest number in the last segment, which grows.
    pub path_through: Vec<i64>,
}

/// What a branch belongs to.
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
