//! Which threads have a value in their metadata.

use sea_orm::entity::prelude::*;

/// A tag's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_thread_tag")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: String,
    /// The thread.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_thread_id: Uuid,
    /// A path with its value: see `MetadataTags` of `chatkeep-domain`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag: Uuid,
}

/// What a tag belongs to.
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
