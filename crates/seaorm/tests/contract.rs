//! The whole contract, on every engine and every way to reach it.

use std::sync::Arc;

use chatkeep_contract::Repo;
use chatkeep_seaorm::SeaOrmRepository;

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

    use super::{Arc, Repo, SeaOrmRepository};

    /// Emptied at the start: a case cannot know when the last connection is closed, so files stay until the next run.
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    });

    async fn make() -> Repo {
        let folder = tempfile::tempdir_in(&*FOLDER).expect("a folder").keep();
        let config = chatkeep_seaorm::SqliteConfig::file(folder.join("chat.db"));
        Arc::new(SeaOrmRepository::sqlite(config).await.expect("a file"))
    }

    chatkeep_contract::contract!(make);
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
mod postgres_prepared {
    use super::Repo;

    async fn make() -> Repo {
        super::postgres(100).await
    }

    chatkeep_contract::contract!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make
    );
}

#[cfg(feature = "postgres")]
mod postgres_as_behind_a_pooler {
    use super::Repo;

    async fn make() -> Repo {
        super::postgres(0).await
    }

    chatkeep_contract::contract!(
        #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
        make
    );
}
