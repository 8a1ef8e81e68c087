//! What filters on threads look up: folded names, and the tags of metadata.

use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{Metadata, MetadataTags, ThreadQuery};
use sea_orm::Value;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Failure;
use crate::sql::Sql;

/// The columns that a thread's row has for filters, besides those that are read.
pub(crate) const FILTER_COLUMNS: &str = "folded_name, search_version";

pub(crate) fn filter_values(name: &str) -> [Value; 2] {
    [fold_text(name).into(), ANALYZER_VERSION.into()]
}

/// The tags of a thread as they are stored: too many are one, the nil UUID.
pub(crate) fn stored_tags(metadata: &Metadata) -> Vec<Uuid> {
    let MetadataTags { mut tags, is_incomplete, .. } = MetadataTags::of(metadata);
    tags.extend(is_incomplete.then(Uuid::nil));
    tags
}

/// Writes the tags of a thread in place of those that it had.
pub(crate) async fn replace(
    connection: Connection<'_>,
    org: &str,
    id: Uuid,
    tags: &[Uuid],
) -> Result<(), Failure> {
    Sql::new("DELETE FROM chat_thread_tag WHERE")
        .bind(" org_id = ", org)
        .bind(" AND chat_thread_id = ", id)
        .execute(connection)
        .await?;
    if tags.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO chat_thread_tag (org_id, chat_thread_id, tag) VALUES");
    for (at, tag) in tags.iter().enumerate() {
        let before = if at == 0 { "" } else { "," };
        let row: [Value; 3] = [org.into(), id.into(), (*tag).into()];
        sql = sql.bind_list(before, row);
    }
    sql.execute(connection).await?;
    Ok(())
}

/// Goes on with the conditions of the query's filters, its owners aside. What passes may still not match: the tags of
/// metadata can be incomplete.
pub(crate) fn filter(sql: Sql, query: &ThreadQuery) -> Sql {
    let mut sql = sql
        .bind_some(" AND created_at >= ", query.created.from)
        .bind_some(" AND created_at < ", query.created.until)
        .bind_some(" AND updated_at >= ", query.updated.from)
        .bind_some(" AND updated_at < ", query.updated.until);
    if let Some(words) = query.folded_name() {
        sql = sql.bind(" AND strpos(folded_name, ", words).text(") > 0");
    }
    let MetadataTags { mut tags, is_incomplete, .. } = MetadataTags::wanted(&query.metadata);
    tags.extend(is_incomplete.then(Uuid::nil));
    for tag in tags {
        sql = sql
            .text(" AND EXISTS (SELECT 1 FROM chat_thread_tag AS g WHERE g.org_id = chat_thread.org_id")
            .bind_list(" AND g.chat_thread_id = chat_thread.id AND g.tag IN", [tag, Uuid::nil()])
            .text(")");
    }
    sql
}
