//! The whole contract, on every engine and every way to reach it.

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_contract::Repo;
use chatkeep_contract::damage::{Damage, Row};
use chatkeep_seaorm::SeaOrmRepository;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend};
use uuid::Uuid;

/// A connection of its own to the database of a store.
struct Raw(DatabaseConnection);

impl Raw {
    async fn open(url: &str) -> Self {
        Self(Database::connect(url).await.expect("a database"))
    }

    fn literal(&self, id: &Uuid) -> String {
        match self.0.get_database_backend() {
            DbBackend::Postgres => format!("'{id}'"),
            _ => format!("x'{}'", id.simple()),
        }
    }
}

#[async_trait]
impl Damage for Raw {
    async fn overwrite(&self, row: &Row, json: &str) {
        let key =
            |org, thread: &Uuid| format!("org_id = '{org}' AND chat_thread_id = {}", self.literal(thread));
        let sql = match row {
            Row::Thread(org, thread) => {
                let id = self.literal(thread.as_uuid());
                format!("UPDATE chat_thread SET metadata = '{json}' WHERE org_id = '{org}' AND id = {id}")
            }
            Row::Message(org, thread, id) => {
                let (key, id) = (key(org, thread.as_uuid()), self.literal(id.as_uuid()));
                format!("UPDATE chat_message SET content = '{json}' WHERE {key} AND id = {id}")
            }
            Row::Revisions(org, thread, id) => {
                let (key, id) = (key(org, thread.as_uuid()), self.literal(id.as_uuid()));
                format!(
                    "UPDATE chat_message_revision SET content = '{json}' WHERE {key} AND message_id = {id}"
                )
            }
            other => panic!("no such row: {other:?}"),
        };
        let done = self.0.execute_unprepared(&sql).await.expect("the row is written");
        assert!(done.rows_affected() > 0, "{row:?} is not there");
    }
}

#[cfg(feature = "sqlite")]
mod sqlite_in_memory {
    use super::{Arc, Repo, SeaOrmRepository};

    async fn make() -> Repo {
        let config = chatkeep_seaorm::SqliteConfig::in_memory();
        Arc::new(SeaOrmRepository::sqlite(config).await.expect("a database in memory"))
    }

    chatkeep_contract::contract!(make);
}

#[cfg(feature = "sqlite")]
mod sqlite_file {
    use std::path::PathBuf;
    use std::sync::LazyLock;

    use chatkeep_contract::damage::Damageable;

    use super::{Arc, Repo, SeaOrmRepository};

    /// Emptied at the start: a case cannot know when the last connection is closed, so files stay until the next run.
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    });

    async fn open(file: PathBuf) -> Repo {
        let config = chatkeep_seaorm::SqliteConfig::file(file);
        Arc::new(SeaOrmRepository::sqlite(config).await.expect("a file"))
    }

    fn file() -> PathBuf {
        tempfile::tempdir_in(&*FOLDER).expect("a folder").keep().join("chat.db")
    }

    async fn make() -> Repo {
        open(file()).await
    }

    async fn make_damageable() -> Damageable {
        let file = file();
        let repo = open(file.clone()).await;
        Damageable::new(repo, super::Raw::open(&format!("sqlite://{}", file.display())).await)
    }

    chatkeep_contract::contract!(make);
    chatkeep_contract::contract_of_corrupt_rows!(make_damageable);
}

#[cfg(feature = "postgres")]
async fn postgres(statement_cache_size: usize) -> Repo {
    // The cases bring organizations of their own, and share the database.
    let url = chatkeep_testkit::shared_postgres().expect("a server").into();
    let config = chatkeep_seaorm::PostgresConfig::from_url(&url).expect("a URL");
    let config = config.auto_migrate(true).statement_cache_size(statement_cache_size);
    Arc::new(SeaOrmRepository::postgres(config).await.expect("a database"))
}

#[cfg(feature = "postgres")]
async fn damageable(repo: Repo) -> chatkeep_contract::damage::Damageable {
    let url = chatkeep_testkit::shared_postgres().expect("a server");
    chatkeep_contract::damage::Damageable::new(repo, Raw::open(&url).await)
}

#[cfg(feature = "postgres")]
mod postgres_prepared {
    use chatkeep_contract::damage::Damageable;

    use super::Repo;

    async fn make() -> Repo {
        super::postgres(100).await
    }

    async fn make_damageable() -> Damageable {
        super::damageable(make().await).await
    }

    chatkeep_contract::contract!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make
    );
    chatkeep_contract::contract_of_corrupt_rows!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make_damageable
    );
}

#[cfg(feature = "postgres")]
mod postgres_as_behind_a_pooler {
    use chatkeep_contract::damage::Damageable;

    use super::Repo;

    async fn make() -> Repo {
        super::postgres(0).await
    }

    async fn make_damageable() -> Damageable {
        super::damageable(make().await).await
    }

    chatkeep_contract::contract!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make
    );
    chatkeep_contract::contract_of_corrupt_rows!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make_damageable
    );
}
