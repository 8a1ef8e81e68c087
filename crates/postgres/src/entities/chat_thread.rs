//! Threads.

use sea_orm::entity::prelude::*;

/// A thread's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_thread")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: String,
    /// The thread's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The id that its owner has for it.
    pub external_id: Option<String>,
    /// Its owner.
    pub user_id: String,
    /// Its name.
    pub name: String,
    /// The name as filters compare it.
    pub folded_name: Option<String>,
    /// A JSON object, as text.
    pub metadata: String,
    /// The position of its last message; 0 before the first.
    pub head: i64,
    /// The position that the next message gets.
    pub next_position: i64,
    /// How many messages it has.
    pub message_count: i64,
    /// Greater after each change.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// The version of the analyzer that made the folded name.
    pub search_version: Option<i16>,
    /// The number that the next branch gets.
    pub next_branch: i32,
    /// The branch that a session resumes on; 0 is the main one.
    pub active_branch: i32,
    /// The thread that it was forked from, if it was.
    pub forked_from: Option<Uuid>,
    /// The branch of that thread.
    pub forked_branch: Option<i32>,
    /// The last position that was copied from there.
    pub forked_through: Option<i64>,
}

/// What a thread has.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its branches beside the main one.
    #[cfg(feature = "entities")]
    #[sea_orm(has_many = "super::chat_branch::Entity")]
    ChatBranch,
    /// Its messages.
    #[cfg(feature = "entities")]
    #[sea_orm(has_many = "super::chat_message::Entity")]
    ChatMessage,
    /// The values of its metadata.
    #[sea_orm(has_many = "super::chat_thread_tag::Entity")]
    ChatThreadTag,
}

#[cfg(feature = "entities")]
impl Related<super::chat_branch::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ChatBranch.def()
    }
}

#[cfg(feature = "entities")]
impl Related<super::chat_message::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ChatMessage.def()
    }
}

impl Related<super::chat_thread_tag::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ChatThreadTag.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
