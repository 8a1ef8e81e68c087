//! Two databases of one PostgreSQL.

use std::sync::Arc;

use anyhow::{Result, ensure};
use chatkeep::{ConversationRepository, SeaOrmRepository};
use chatkeep_seaorm::PostgresConfig;
use chatkeep_testkit::{PgOptions, PgServer};

use super::{SEED, seed};
use crate::data::{LISTED, Shape, USERS, thread};
use crate::floor::Pair;
use crate::floor::postgres::PostgresFloor;

/// A server that commits to the disk. What is set beside only keeps checkpoints out of the rounds.
pub(crate) fn start() -> Result<PgServer> {
    let options = PgOptions::default()
        .fsync(true)
        .max_connections(200)
        .set("shared_buffers", "1GB")
        .set("max_wal_size", "4GB")
        .set("checkpoint_timeout", "30min");
    PgServer::start(options)
}

/// The databases `ours` and `floor`, made anew.
pub(crate) struct PostgresPair<'a> {
    server: &'a PgServer,
    vectors: Vec<String>,
}

impl<'a> PostgresPair<'a> {
    pub(crate) async fn load(server: &'a PgServer, shape: Shape) -> Result<Self> {
        for name in ["ours", "floor"] {
            server.psql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        }
        let url = server.create_database("ours", None)?;
        let config = PostgresConfig::from_url(&url.into())?.auto_migrate(true);
        let store: Arc<dyn ConversationRepository> = Arc::new(SeaOrmRepository::postgres(config).await?);
        seed(&store, USERS).await?;
        store.close().await?;
        let vectors = "SELECT search FROM chat_message ORDER BY chat_thread_id";
        let vectors: Vec<_> = server.psql_in("ours", vectors)?.lines().map(str::to_owned).collect();
        ensure!(vectors.len() == USERS, "{} vectors", vectors.len());
        fill(server, shape)?;
        server.psql_in("ours", "VACUUM (ANALYZE)")?;
        server.create_database("floor", Some("ours"))?;
        server.psql_in("floor", "VACUUM (ANALYZE)")?;
        server.psql("CHECKPOINT")?;
        Ok(Self { server, vectors })
    }

    pub(crate) fn server(&self) -> &PgServer {
        self.server
    }
}

/// Copies of what ours has stored.
fn fill(server: &PgServer, shape: Shape) -> Result<()> {
    let prefix = thread(0).to_string();
    let prefix = &prefix[..prefix.len() - 12];
    let owner = match shape {
        Shape::List(_) => format!("CASE WHEN n < {LISTED} THEN 0 ELSE 1 + n % ({USERS} - 1) END"),
        _ => format!("n % {USERS}"),
    };
    let threads = shape.threads();
    server.psql_in(
        "ours",
        &format!(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, next_position, created_at, updated_at,
                                      folded_name, search_version)
             SELECT org_id, ('{prefix}' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || {owner}, name, metadata, 1,
                    created_at + n * interval '1 ms', updated_at + n * interval '1 ms', folded_name, search_version
             FROM generate_series(0, {threads} - 1) n, (SELECT * FROM chat_thread ORDER BY id LIMIT 1) seed"
        ),
    )?;
    if let Shape::Messages(count) = shape {
        server.psql_in(
            "ours",
            &format!(
                "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content,
                                           created_at, updated_at, search, search_version)
                 SELECT org_id, '{}', n, ('{prefix}' || lpad(to_hex(n), 12, '0'))::uuid, sender_id, sender_role, content,
                        created_at + n * interval '1 ms', updated_at + n * interval '1 ms', search, search_version
                 FROM generate_series(1, {count}) n,
                      (SELECT * FROM chat_message WHERE chat_thread_id = '{}') seed",
                thread(0),
                thread(SEED)
            ),
        )?;
        server.psql_in("ours", &format!("UPDATE chat_thread SET next_position = {count} + 1"))?;
    }
    server.psql_in("ours", &format!("DELETE FROM chat_thread WHERE id >= '{}'", thread(SEED)))?;
    Ok(())
}

impl Pair for PostgresPair<'_> {
    type Floor = PostgresFloor;

    const BACKEND: &'static str = "postgres";

    async fn ours(&self, connections: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        let config = PostgresConfig::from_url(&self.server.url_of("ours").into())?;
        let config = match connections {
            Some(connections) => config.pool_size(connections).max_overflow(0),
            None => config,
        };
        Ok(Arc::new(SeaOrmRepository::postgres(config).await?))
    }

    async fn floor(&self, clients: usize) -> Result<PostgresFloor> {
        PostgresFloor::open(&self.server.url_of("floor"), clients, self.vectors.clone()).await
    }
}
