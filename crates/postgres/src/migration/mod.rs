//! The schema and its versions, forward and back.

mod m20261127_000001_create_conversations;
mod reindex;
mod schema;

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{Codec, MigrationState, Migrations, Reindex, StoreError};
use sea_orm::sea_query::IntoIden;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, DynIden, TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::check;
use crate::config::PostgresConfig;
use crate::connect;
use crate::connection::Connections;
use crate::error::{self, Effect, Failure, STORE, reads, to_store_error};
use crate::patience::patiently;
use crate::pool::ConnectionPool;
use crate::row;
use crate::sql::Sql;

/// What makes the lock of migrating processes ours among all users of the server: "chatkeep" in ASCII.
const LOCK: i64 = 0x6368_6174_6b65_6570;

/// Every version of the schema, for those who run chatkeep's migrations with their own.
///
/// It keeps its record in a table of its own, `chatkeep_migration`, and so does not mix with another Migrator.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261127_000001_create_conversations::Migration)]
    }

    fn migration_table_name() -> DynIden {
        "chatkeep_migration".into_iden()
    }
}

/// A database whose schema is to be looked at or changed.
///
/// Each change is one transaction under a lock: it happens whole or not at all, and processes that start together
/// wait for each other.
#[derive(Debug, Clone)]
pub struct PostgresMigrations<C = ConnectionPool> {
    connections: C,
    /// The schema that holds the tables, where one was named.
    schema: Option<Arc<str>>,
    codec: Arc<dyn Codec>,
}

impl PostgresMigrations {
    /// Connects to PostgreSQL, whatever state the schema is in.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Backend`], also where the database's encoding is not UTF8.
    pub async fn open(config: PostgresConfig) -> Result<Self, StoreError> {
        let connections = connect::open(&config).await?;
        Ok(Self { connections, schema: config.schema, codec: config.codec })
    }
}

impl PostgresMigrations<DatabaseConnection> {
    /// Over a connection of the caller's. A reindex opens contents with this codec.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for an engine other than PostgreSQL.
    pub fn from_connection(
        connection: DatabaseConnection,
        codec: Arc<dyn Codec>,
    ) -> Result<Self, StoreError> {
        if connection.get_database_backend() != DbBackend::Postgres {
            return Err(StoreError::unsupported("a connection to this engine", STORE));
        }
        Ok(Self { connections: connection, schema: None, codec })
    }
}

impl<C: Connections> PostgresMigrations<C> {
    async fn applied(&self) -> Result<Vec<String>, Failure> {
        let sql = Sql::new("SELECT version FROM chatkeep_migration ORDER BY version");
        match sql.rows(&self.connections).await {
            Ok(rows) => Ok(rows.iter().map(|row| row::value(row, 0)).collect::<Result<_, _>>()?),
            // It may be there, and the role kept from seeing it.
            Err(error) if error::is_missing_table(&error) => {
                check::usage(&self.connections).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Has no deadline: a large table takes its time.
    async fn count_rows(&self, sql: Sql) -> Result<u64, StoreError> {
        let count = async {
            let transaction = self.connections.begin().await?;
            Sql::new("SET LOCAL statement_timeout = 0").execute(&transaction).await?;
            let row = sql.row(&transaction).await?;
            Ok(row.map(|row| row::value::<i64>(&row, 0)).transpose()?.unwrap_or_default())
        };
        reads(count).await.map(i64::unsigned_abs)
    }

    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        let pending = self.status().await?.iter().filter(|migration| !migration.applied).count();
        if pending > 0 {
            return Err(StoreError::not_migrated(STORE, pending));
        }
        Ok(())
    }

    pub(crate) fn into_parts(self) -> (C, Arc<dyn Codec>) {
        (self.connections, self.codec)
    }

    /// Runs a change in one transaction, and tells what it changed. It has no deadline: a large table takes its time.
    async fn change(&self, change: Change) -> Result<Vec<String>, StoreError> {
        let is_up = !matches!(change, Change::Down(_));
        let changed = self.in_transaction(async |schema| {
            schema.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            schema.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
            if let Some(name) = &self.schema {
                schema::enter(schema, name, is_up).await?;
            }
            check::usage(schema).await?;
            if is_up {
                check::encoding(schema).await?;
            }
            let before = applied(schema).await?;
            match change {
                Change::Up(steps) => Migrator::up(schema, steps).await?,
                Change::Down(steps) => Migrator::down(schema, Some(steps)).await?,
                Change::Fresh => Migrator::refresh(schema).await?,
            }
            Ok((before, applied(schema).await?))
        });
        let (before, after) = changed.await.map_err(|error| to_store_error(Effect::Writes, error))?;
        let differs = |name: &String| before.contains(name) != after.contains(name);
        let mut names: Vec<_> = before.iter().chain(&after).filter(|name| differs(name)).cloned().collect();
        names.sort();
        Ok(names)
    }

    /// Does `change` in a transaction of SeaORM's, as its migrations need it.
    async fn in_transaction<T>(
        &self,
        change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let (connection, is_to_be_closed) = self.connections.for_migrations().await?;
        let changed = async {
            let transaction = TransactionTrait::begin(&connection).await?;
            let changed = change(&transaction).await?;
            transaction.commit().await?;
            Ok(changed)
        };
        let changed = changed.await;
        if is_to_be_closed {
            // What was done is done, whatever becomes of the connection.
            let _ = connection.close().await;
        }
        changed
    }
}

#[async_trait]
impl<C: Connections> Migrations for PostgresMigrations<C> {
    async fn status(&self) -> Result<Vec<MigrationState>, StoreError> {
        let applied = patiently(|| reads(self.applied())).await?;
        let names: Vec<_> = Migrator::migrations().iter().map(|known| known.name().to_owned()).collect();
        if let Some(newer) = applied.iter().find(|name| !names.contains(name)) {
            let text =
                format!("the database has the migration {newer}, which this build of chatkeep does not know");
            return Err(to_store_error(Effect::Reads, DbErr::Migration(text)));
        }
        let state = |name: String| MigrationState::new(name.clone(), applied.contains(&name));
        Ok(names.into_iter().map(state).collect())
    }

    async fn up(&self, steps: Option<u32>) -> Result<Vec<String>, StoreError> {
        self.change(Change::Up(steps)).await
    }

    async fn down(&self, steps: u32) -> Result<Vec<String>, StoreError> {
        self.change(Change::Down(steps)).await
    }

    async fn fresh(&self) -> Result<(), StoreError> {
        self.change(Change::Fresh).await.map(drop)
    }

    async fn count_messages(&self) -> Result<u64, StoreError> {
        if self.status().await?.first().is_none_or(|first| !first.applied) {
            return Ok(0);
        }
        self.count_rows(Sql::new("SELECT COUNT(*) FROM chat_message")).await
    }

    async fn count_unindexed(&self) -> Result<u64, StoreError> {
        self.count(&format!("WHERE {}", reindex::stale())).await
    }

    async fn count_indexable(&self) -> Result<u64, StoreError> {
        self.count("").await
    }

    fn reindex(&self, all: bool) -> Box<dyn Reindex + '_> {
        Box::new(reindex::Batches::new(self, all))
    }
}

#[derive(Clone, Copy)]
enum Change {
    Up(Option<u32>),
    Down(u32),
    Fresh,
}

async fn applied(connection: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    let applied = Migrator::get_applied_migrations_read_only(connection).await?;
    Ok(applied.iter().map(|migration| migration.name().to_owned()).collect())
}
