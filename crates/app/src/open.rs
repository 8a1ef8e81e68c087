//! From a configuration to a store.

use std::sync::Arc;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use chatkeep_domain::Migrations;
use chatkeep_domain::{ConversationRepository, Scope};
#[cfg(feature = "postgres")]
use chatkeep_layers::CoalescingConfig;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
use chatkeep_layers::{LayersConfig, layered};

use crate::config::{Backend, DatabaseConfig, StateConfig, Target};
use crate::error::Error;
use crate::state_manager::StateManager;

/// Opens the store that the configuration names, and puts its layers around it:
///
/// ```text
/// caller ── Traced ── Retry ── Coalescing ── store
/// ```
///
/// [`Traced`](crate::Traced) makes a span of each call, [`Retry`](crate::Retry) repeats it after transient errors until its
/// deadline, and [`Coalescing`](crate::Coalescing) lets appends that wait go together, where that is switched on for PostgreSQL:
/// the store on SQLite does that by itself. A store in memory needs spans alone. [`layered`](crate::layered) gives the same to a store that you have built.
///
/// ```
/// use chatkeep::config::DatabaseConfig;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let repository = chatkeep::create_repository(&DatabaseConfig::memory()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Config`] for a setting that cannot be used; [`Error::NotCompiledIn`] names the feature to enable;
/// [`Error::Store`] when the store cannot be opened, or lacks migrations.
pub async fn create_repository(config: &DatabaseConfig) -> Result<Arc<dyn ConversationRepository>, Error> {
    match Store::of(config)? {
        #[cfg(feature = "memory")]
        Store::Memory => {
            let store = Arc::new(chatkeep_memory::MemoryRepository::new());
            // A store in memory has no errors that pass.
            Ok(layered(store, &LayersConfig::default().deadline(None)))
        }
        #[cfg(feature = "sqlite")]
        Store::Sqlite(file) => {
            let store = Arc::new(chatkeep_sqlite::SqliteRepository::open(file).await?);
            // Its writer commits appends that wait together.
            Ok(layered(store, &LayersConfig::default().deadline(config.deadline)))
        }
        #[cfg(feature = "postgres")]
        Store::Postgres(server) => {
            let store = Arc::new(chatkeep_postgres::PostgresRepository::open(*server).await?);
            let together = config.coalesce_appends.then(CoalescingConfig::default);
            Ok(layered(store, &LayersConfig::default().deadline(config.deadline).coalescing(together)))
        }
    }
}

/// Connects to the database that the configuration names, whatever state its schema is in: to look at the schema, and
/// to change it.
///
/// # Errors
/// As [`create_repository`]; [`Error::NothingToMigrate`] for a store without a schema.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub async fn open_migrations(config: &DatabaseConfig) -> Result<Box<dyn Migrations>, Error> {
    match Store::of(config)? {
        #[cfg(feature = "memory")]
        Store::Memory => Err(Error::NothingToMigrate { backend: Backend::Memory }),
        #[cfg(feature = "sqlite")]
        Store::Sqlite(config) => Ok(Box::new(chatkeep_sqlite::SqliteMigrations::open(config).await?)),
        #[cfg(feature = "postgres")]
        Store::Postgres(config) => Ok(Box::new(chatkeep_postgres::PostgresMigrations::open(*config).await?)),
    }
}

/// Loads the configuration of this process ([`StateConfig::load`]) and opens its store for its default user.
///
/// # Errors
/// As [`create_repository`].
pub async fn open() -> Result<StateManager, Error> {
    StateManager::open(&StateConfig::load()?).await
}

impl StateManager {
    /// Opens the configured store for the configured user. Whether histories store their messages is remembered: see
    /// [`persistence_enabled`](Self::persistence_enabled).
    ///
    /// # Errors
    /// As [`create_repository`].
    pub async fn open(config: &StateConfig) -> Result<Self, Error> {
        let scope = Scope::user(config.org_id.clone(), config.user_id.clone());
        Ok(Self::connect(&config.database, scope).await?.with_persistence(config.enable_persistence))
    }

    /// Opens this store for this scope.
    ///
    /// # Errors
    /// As [`create_repository`].
    pub async fn connect(config: &DatabaseConfig, scope: Scope) -> Result<Self, Error> {
        Ok(Self::new(create_repository(config).await?, scope))
    }
}

/// What is to be opened, in the words of the adapter that opens it.
enum Store {
    #[cfg(feature = "memory")]
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(chatkeep_sqlite::SqliteConfig),
    #[cfg(feature = "postgres")]
    Postgres(Box<chatkeep_postgres::PostgresConfig>),
}

impl Store {
    fn of(config: &DatabaseConfig) -> Result<Self, Error> {
        config.validate()?;
        match Target::of(config)? {
            #[cfg(feature = "memory")]
            Target::Memory => Ok(Self::Memory),
            #[cfg(feature = "sqlite")]
            Target::SqliteInMemory => Ok(Self::sqlite(config, chatkeep_sqlite::SqliteConfig::in_memory())),
            #[cfg(feature = "sqlite")]
            Target::SqliteFile(path) => {
                let path = path.map_or_else(crate::config::default_path, Ok)?;
                Ok(Self::sqlite(config, chatkeep_sqlite::SqliteConfig::file(path)))
            }
            #[cfg(feature = "postgres")]
            Target::Postgres => Ok(Self::postgres(config, crate::config::server(config)?)),
            #[cfg(not(feature = "memory"))]
            Target::Memory => Err(left_out(Backend::Memory, "memory")),
            #[cfg(not(feature = "sqlite"))]
            Target::SqliteInMemory | Target::SqliteFile(_) => Err(left_out(Backend::Sqlite, "sqlite")),
            #[cfg(not(feature = "postgres"))]
            Target::Postgres => Err(left_out(Backend::Postgresql, "postgres")),
        }
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(config: &DatabaseConfig, file: chatkeep_sqlite::SqliteConfig) -> Self {
        let file = file
            .readers(config.pool_size.try_into().unwrap_or(usize::MAX))
            .lock_timeout(config.acquire_timeout)
            .timeout(
                config.statement_timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(config.deadline),
            );
        Self::Sqlite(match config.auto_migrate {
            Some(on) => file.auto_migrate(on),
            None => file,
        })
    }

    #[cfg(feature = "postgres")]
    fn postgres(config: &DatabaseConfig, server: chatkeep_postgres::PostgresConfig) -> Self {
        let server = server
            .pool_size(config.pool_size)
            .max_overflow(config.max_overflow)
            .acquire_timeout(config.acquire_timeout)
            .statement_timeout(config.statement_timeout.filter(|timeout| !timeout.is_zero()))
            .statement_cache_size(config.statement_cache_size);
        Self::Postgres(Box::new(match config.auto_migrate {
            Some(on) => server.auto_migrate(on),
            None => server,
        }))
    }
}

#[cfg(not(all(feature = "memory", feature = "sqlite", feature = "postgres")))]
fn left_out(backend: Backend, feature: &'static str) -> Error {
    Error::NotCompiledIn { backend, feature }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Backend;
    #[cfg(feature = "memory")]
    use crate::config::Sources;

    async fn answer(config: &DatabaseConfig) -> Result<(), Error> {
        let state = StateManager::new(create_repository(config).await?, crate::testing::scope());
        let thread = state.create_thread("x").await?;
        assert_eq!(state.get_thread(thread.id).await?, Some(thread));
        Ok(())
    }

    fn check(compiled_in: bool, backend: Backend, answer: Result<(), Error>) {
        if compiled_in {
            return answer.unwrap();
        }
        let text = answer.unwrap_err().to_string();
        assert!(
            text.starts_with(&format!("the {backend} backend is not compiled in: enable the feature")),
            "{text}"
        );
    }

    #[tokio::test]
    async fn each_backend_opens_or_names_its_feature() {
        check(cfg!(feature = "memory"), Backend::Memory, answer(&DatabaseConfig::memory()).await);
        let folder = tempfile::tempdir().unwrap();
        for sqlite in [
            DatabaseConfig::sqlite(folder.path().join("new").join("chat.db")),
            DatabaseConfig::from_url("sqlite::memory:").unwrap(),
        ] {
            check(cfg!(feature = "sqlite"), Backend::Sqlite, answer(&sqlite).await);
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[tokio::test]
    async fn a_missing_backend_names_its_feature() {
        let mut config = DatabaseConfig::memory();
        for url in [None, Some("postgres://h/d".into())] {
            (config.backend, config.url) = (Backend::Postgresql, url);
            assert_eq!(
                answer(&config).await.unwrap_err().to_string(),
                "the postgresql backend is not compiled in: enable the feature `postgres` of the crate `chatkeep`"
            );
        }
    }

    #[cfg(feature = "memory")]
    #[tokio::test]
    async fn the_scope_is_the_configured_user() {
        let sources = Sources::new().env([("DEFAULT_ORG_ID", "acme"), ("DB_BACKEND", "memory")]);
        let state = StateManager::open(&StateConfig::from_sources(sources).unwrap()).await.unwrap();
        let (org, user) = (state.scope().org_id().unwrap(), state.scope().user_id().unwrap());
        assert_eq!((org.as_str(), user.as_str()), ("acme", "default_user"));
    }

    #[cfg(feature = "memory")]
    #[tokio::test]
    async fn the_manager_remembers_whether_histories_persist() {
        for (sources, on) in [
            (Sources::new(), false),
            (Sources::new().env([("ENABLE_DB_PERSISTENCE", "true")]), true),
            (Sources::new().toml("chatkeep.toml", "enable_persistence = true"), true),
        ] {
            let config = StateConfig::from_sources(sources.env([("DB_BACKEND", "memory")])).unwrap();
            let state = StateManager::open(&config).await.unwrap();
            assert_eq!((state.persistence_enabled(), state.clone().persistence_enabled()), (on, on));
        }
        let by_hand =
            StateManager::connect(&DatabaseConfig::memory(), crate::testing::scope()).await.unwrap();
        assert!(!by_hand.persistence_enabled());
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn the_times_reach_the_adapter() {
        let store = |url: &str, statement: u64| {
            let mut config = DatabaseConfig::from_url(url).unwrap();
            config.deadline = std::time::Duration::from_secs(90);
            config.acquire_timeout = std::time::Duration::from_secs(7);
            config.statement_timeout = Some(std::time::Duration::from_secs(statement));
            match Store::of(&config).unwrap() {
                #[cfg(feature = "memory")]
                Store::Memory => unreachable!(),
                #[cfg(feature = "sqlite")]
                Store::Sqlite(config) => format!("{config:?}"),
                #[cfg(feature = "postgres")]
                Store::Postgres(config) => format!("{config:?}"),
            }
        };
        #[cfg(feature = "sqlite")]
        for (statement, shown) in [(8, " timeout: 8s"), (0, " timeout: 90s")] {
            let store = store("sqlite::memory:", statement);
            for part in ["lock_timeout: 7s", shown] {
                assert!(store.contains(part), "{store}");
            }
        }
        #[cfg(feature = "postgres")]
        for (statement, shown) in [(8, "statement_timeout: Some(8s)"), (0, "statement_timeout: None")] {
            let store = store("postgres://h/d", statement);
            for part in ["acquire_timeout: 7s", shown] {
                assert!(store.contains(part), "{store}");
            }
        }
    }

    #[tokio::test]
    async fn the_store_has_its_layers() {
        let shown = async |url: &str| {
            let config = DatabaseConfig::from_url(url).unwrap();
            let shown = format!("{:?}", create_repository(&config).await.unwrap());
            ["Traced", "Retry", "Coalescing"].map(|layer| shown.contains(&format!("{layer} {{")))
        };
        #[cfg(feature = "memory")]
        assert_eq!(shown("memory:").await, [true, false, false]);
        #[cfg(feature = "sqlite")]
        assert_eq!(shown("sqlite::memory:").await, [true, true, false]);
    }

    /// SQLite's driver panics at such a time, and PostgreSQL refuses it.
    #[tokio::test]
    async fn a_time_that_no_store_can_wait_reaches_none() {
        for mut config in [DatabaseConfig::memory(), DatabaseConfig::from_url("sqlite::memory:").unwrap()] {
            config.acquire_timeout = std::time::Duration::from_millis(2_147_483_648);
            let error = create_repository(&config).await.unwrap_err().to_string();
            assert!(error.starts_with("database.acquire_timeout must be"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_setting_that_cannot_be_used_is_refused_first() {
        let mut config = DatabaseConfig::memory();
        config.pool_size = 0;
        let error = create_repository(&config).await.unwrap_err();
        assert!(matches!(error, Error::Config(_)));
        assert!(error.to_string().starts_with("database.pool_size must be"), "{error}");
    }
}
