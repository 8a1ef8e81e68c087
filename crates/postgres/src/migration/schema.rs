//! The schema that holds the tables, where the configuration names one.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, Statement};

use crate::server::quoted;

/// Makes the schema where it is missing and `is_made`, and does what follows in the transaction in it alone.
pub(super) async fn enter(transaction: &DatabaseTransaction, name: &str, is_made: bool) -> Result<(), DbErr> {
    let text = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, text, [name.into()]);
    // Looked for first: `IF NOT EXISTS` wants the right to make one also where there is one.
    if is_made && transaction.query_one_raw(statement).await?.is_none() {
        transaction.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name))).await?;
    }
    transaction.execute_unprepared(&format!("SET LOCAL search_path TO {}", quoted(name))).await?;
    let text = "SELECT 1 WHERE pg_catalog.current_schema() = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, text, [name.into()]);
    if is_made && transaction.query_one_raw(statement).await?.is_none() {
        return Err(DbErr::Migration(format!(
            "the role may not use the schema {name:?}: GRANT USAGE, CREATE ON it"
        )));
    }
    Ok(())
}
