//! What is looked at before a database is used: whether it can hold every text, and whether the role sees the tables.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use crate::sql::Sql;

/// Of a connection of ours: the database's encoding, and its schema where one was asked for.
///
/// A pooler may leave out what a session was to begin with, and the tables would be made and looked for elsewhere. A schema
/// that is missing, or that the role may not use, is nobody's current one.
pub(crate) async fn session(on: &impl ConnectionTrait, schema: Option<&str>) -> Result<(), DbErr> {
    let row = encoding(on).await?;
    let current: Option<String> = row.map(|row| row.try_get_by_index(1)).transpose()?.flatten();
    match (schema, current) {
        (Some(schema), Some(current)) if current != schema => Err(DbErr::Custom(format!(
            "the connections are in the schema {current:?}, and not in {schema:?} as they were asked to be: what is between \
             them and the server leaves out their `search_path`. Set the statement cache's size to 0, or connect directly"
        ))),
        _ => Ok(()),
    }
}

/// Fails where the database cannot hold every text. Otherwise gives the row that said so.
pub(crate) async fn encoding(on: &impl ConnectionTrait) -> Result<Option<QueryResult>, DbErr> {
    let text = "SELECT pg_catalog.current_setting('server_encoding'), pg_catalog.current_schema()::text";
    let row = Sql::new(text).row(on).await?;
    let encoding: Option<String> = row.as_ref().map(|row| row.try_get_by_index(0)).transpose()?;
    match encoding {
        Some(encoding) if encoding != "UTF8" => Err(DbErr::Custom(format!(
            "the database's encoding must be UTF8, and is {encoding}, which cannot hold every text. Make another database: \
             CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        ))),
        _ => Ok(row),
    }
}

/// A schema of the search path that the role may not use, where the tables are in it, or where no other is left. What
/// is in such a schema looks as if it were not there.
const UNUSABLE: &str = r#"
    SELECT n.nspname::text, pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, current_user)
    FROM pg_catalog.regexp_matches(
        pg_catalog.current_setting('search_path'), '"(?:[^"]|"")+"|[^",[:space:]]+', 'g'
    ) AS part (found)
    JOIN pg_catalog.pg_namespace n ON n.nspname::text = CASE
        WHEN pg_catalog.btrim(found[1], '"') = '$user' THEN current_user::text
        WHEN found[1] LIKE '"%'
        THEN pg_catalog.replace(pg_catalog.substr(found[1], 2, pg_catalog.length(found[1]) - 2), '""', '"')
        ELSE pg_catalog.lower(found[1])
    END
    WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (
        pg_catalog.current_schema() IS NULL
        OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = 'chatkeep_migration')
    )
    LIMIT 1"#;

/// Fails where the role lacks the right to see the tables.
pub(crate) async fn usage(on: &impl ConnectionTrait) -> Result<(), DbErr> {
    let Some(row) = Sql::new(UNUSABLE).row(on).await? else { return Ok(()) };
    let (schema, grant): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    Err(DbErr::Custom(format!(
        "the role may not use the schema {schema:?}, and so sees nothing in it: {grant} (to migrate, CREATE too)"
    )))
}
