//! What filters on threads look up: folded names, and the tags of metadata.

use chatkeep_domain::{Metadata, MetadataTags, NewThread, ThreadQuery};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, Set};
use uuid::Uuid;

use crate::entities::chat_thread_tag::{ActiveModel, Column, Entity};
use crate::error::Failure;
use crate::sql::{Sql, uuids};

/// The tags of a thread as they are stored: too many are one, the nil UUID.
pub(crate) fn stored_tags(metadata: &Metadata) -> Vec<Uuid> {
    let MetadataTags { mut tags, is_incomplete, .. } = MetadataTags::of(metadata);
    tags.extend(is_incomplete.then(Uuid::nil));
    tags
}

/// Writes the tags of a thread in place of those that it had.
pub(crate) async fn replace(
    on: &impl ConnectionTrait,
    org: &str,
    id: Uuid,
    tags: Vec<Uuid>,
) -> Result<(), Failure> {
    Entity::delete_many().filter(Column::OrgId.eq(org)).filter(Column::ChatThreadId.eq(id)).exec(on).await?;
    if !tags.is_empty() {
        let row = |tag| ActiveModel { org_id: Set(org.to_owned()), chat_thread_id: Set(id), tag: Set(tag) };
        Entity::insert_many(tags.into_iter().map(row)).exec_without_returning(on).await?;
    }
    Ok(())
}

/// Writes the tags of a thread that is new.
pub(crate) async fn insert(on: &impl ConnectionTrait, new: &NewThread) -> Result<(), Failure> {
    let tags = stored_tags(&new.metadata);
    if tags.is_empty() {
        return Ok(());
    }
    replace(on, new.org_id.as_str(), *new.id.as_uuid(), tags).await
}

/// Goes on with the conditions of the query's filters, its owners aside. What passes may still not match: the tags of
/// metadata can be incomplete.
pub(crate) fn filter(sql: Sql, query: &ThreadQuery) -> Sql {
    let mut sql = sql
        .bind_some(" AND created_at >= ", query.created.from)
        .bind_some(" AND created_at < ", query.created.until)
        .bind_some(" AND updated_at >= ", query.updated.from)
        .bind_some(" AND updated_at < ", query.updated.until)
        // In these words, so that `chat_thread_forks` serves.
        .bind_some(
            " AND forked_from IS NOT NULL AND forked_from = ",
            query.forked_from.map(|id| *id.as_uuid()),
        );
    if let Some(words) = query.folded_name() {
        sql = sql.bind(" AND strpos(folded_name, ", words).text(") > 0");
    }
    let MetadataTags { mut tags, is_incomplete, .. } = MetadataTags::wanted(&query.metadata);
    tags.extend(is_incomplete.then(Uuid::nil));
    for tag in tags {
        sql = sql
            .text(" AND EXISTS (SELECT 1 FROM chat_thread_tag AS g WHERE g.org_id = chat_thread.org_id")
            .bind(" AND g.chat_thread_id = chat_thread.id AND g.tag = ANY (", uuids([tag, Uuid::nil()]))
            .text("))");
    }
    sql
}
