//! The whole contract, on every engine and every way to reach it.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_contract::damage::{Damage, Row};
use chatkeep_contract::{Fixture, Suite};
use chatkeep_seaorm::SeaOrmRepository;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend};
use uuid::Uuid;

/// Damages rows over a connection of its own to the database at this URL.
struct Raw(String);

/// An id, as it stands in a statement.
fn literal(backend: DbBackend, id: &Uuid) -> String {
    match backend {
        DbBackend::Postgres => format!("'{id}'"),
        _ => format!("x'{}'", id.simple()),
    }
}

#[async_trait]
impl Damage for Raw {
    async fn overwrite(&self, row: &Row, json: &str) {
        let database: DatabaseConnection = Database::connect(&self.0).await.expect("a database");
        let literal = |id: &Uuid| literal(database.get_database_backend(), id);
        let key = |org, thread: &Uuid| format!("org_id = '{org}' AND chat_thread_id = {}", literal(thread));
        let sql = match row {
            Row::Thread(org, thread) => {
                let id = literal(thread.as_uuid());
                format!("UPDATE chat_thread SET metadata = '{json}' WHERE org_id = '{org}' AND id = {id}")
            }
            Row::Message(org, thread, id) => {
                let (key, id) = (key(org, thread.as_uuid()), literal(id.as_uuid()));
                format!("UPDATE chat_message SET content = '{json}' WHERE {key} AND id = {id}")
            }
            Row::Revisions(org, thread, id) => {
                let (key, id) = (key(org, thread.as_uuid()), literal(id.as_uuid()));
                format!(
                    "UPDATE chat_message_revision SET content = '{json}' WHERE {key} AND message_id = {id}"
                )
            }
            other => panic!("no such row: {other:?}"),
        };
        let done = database.execute_unprepared(&sql).await.expect("the row is written");
        database.close().await.expect("the connection is closed");
        assert!(done.rows_affected() > 0, "{row:?} is not there");
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::{Path, PathBuf};
    use std::sync::LazyLock;

    use chatkeep_contract::Repo;
    use chatkeep_layers::{CoalescingConfig, LayersConfig};
    use chatkeep_seaorm::SqliteConfig;

    use super::{Arc, Fixture, Raw, SeaOrmRepository};

    /// Emptied at the start: a case cannot know when the last connection is closed, so files stay until the next run.
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    });

    pub(super) async fn in_memory() -> Repo {
        Arc::new(SeaOrmRepository::sqlite(SqliteConfig::in_memory()).await.expect("a database in memory"))
    }

    async fn open(file: &Path) -> Repo {
        Arc::new(SeaOrmRepository::sqlite(SqliteConfig::file(file)).await.expect("a file"))
    }

    /// As the application opens it.
    pub(super) async fn layered() -> Repo {
        let one_writer = CoalescingConfig::default().max_in_flight(1);
        chatkeep_layers::layered(in_memory().await, &LayersConfig::default().coalescing(one_writer))
    }

    pub(super) async fn file() -> Fixture {
        let file = tempfile::tempdir_in(&*FOLDER).expect("a folder").keep().join("chat.db");
        let repo = open(&file).await;
        let raw = Raw(format!("sqlite://{}", file.display()));
        Fixture::new(repo).with_other(open(&file).await).with_damage(raw)
    }
}

/// The cases bring organizations of their own, and share the database.
#[cfg(feature = "postgres")]
async fn postgres(statement_cache_size: usize) -> Fixture {
    let url = chatkeep_testkit::shared_postgres().expect("a server");
    let config = chatkeep_seaorm::PostgresConfig::from_url(&url.as_str().into()).expect("a URL");
    let config = config.statement_cache_size(statement_cache_size);
    let repo = SeaOrmRepository::postgres(config.clone().auto_migrate(true)).await.expect("a database");
    let other = SeaOrmRepository::postgres(config).await.expect("a database");
    Fixture::new(Arc::new(repo)).with_other(Arc::new(other)).with_damage(Raw(url))
}

fn main() -> ExitCode {
    let mut suites = Vec::new();
    #[cfg(feature = "sqlite")]
    suites.extend([
        Suite::new("sqlite_in_memory", sqlite::in_memory),
        Suite::new("sqlite_layered", sqlite::layered),
        Suite::new("sqlite_file", sqlite::file).with_damage(),
    ]);
    #[cfg(feature = "postgres")]
    suites.extend(
        [
            Suite::new("postgres_prepared", async || postgres(100).await),
            Suite::new("postgres_as_behind_a_pooler", async || postgres(0).await),
        ]
        .map(|suite| {
            let has_server = std::env::var_os(chatkeep_testkit::SHARED_POSTGRES).is_some();
            suite.with_damage().ignored_unless(has_server, "needs PostgreSQL: run `cargo xtask test`")
        }),
    );
    chatkeep_contract::main(suites)
}
