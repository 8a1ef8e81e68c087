//! The settings that there are.

/// Every setting: its TOML key and its variable.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("enable_persistence", "ENABLE_DB_PERSISTENCE"),
    ("user_id", "DEFAULT_USER_ID"),
    ("org_id", "DEFAULT_ORG_ID"),
    ("database.url", "DATABASE_URL"),
    ("database.backend", "DB_BACKEND"),
    ("database.host", "DB_HOST"),
    ("database.port", "DB_PORT"),
    ("database.name", "DB_NAME"),
    ("database.user", "DB_USER"),
    ("database.password", "DB_PASSWORD"),
    ("database.schema", "DB_SCHEMA"),
    ("database.sslmode", "DB_SSLMODE"),
    ("database.sslrootcert", "DB_SSLROOTCERT"),
    ("database.path", "DB_PATH"),
    ("database.pool_size", "DB_POOL_SIZE"),
    ("database.max_overflow", "DB_MAX_OVERFLOW"),
    ("database.acquire_timeout", "DB_ACQUIRE_TIMEOUT"),
    ("database.statement_timeout", "DB_STATEMENT_TIMEOUT"),
    ("database.deadline", "DB_DEADLINE"),
    ("database.statement_cache_size", "DB_STATEMENT_CACHE_SIZE"),
    ("database.coalesce_appends", "DB_COALESCE_APPENDS"),
    ("database.auto_migrate", "DB_AUTO_MIGRATE"),
];
