//! Two databases of one PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use chatkeep::{ConversationRepository, DatabaseConfig, PostgresRepository};
use chatkeep_postgres::PostgresConfig;
use chatkeep_testkit::{PgOptions, PgServer};

use super::{SEED, fill_corpus, seed};
use crate::data::{LISTED, Shape, USERS, thread};
use crate::floor::Pair;
use crate::floor::pgbench::Pgbench;
use crate::floor::postgres::{Known, PostgresFloor};

/// A server that commits to the disk. What is set beside only keeps checkpoints out of the rounds.
pub(crate) fn start() -> Result<PgServer> {
    PgServer::start(options())
}

pub(crate) fn options() -> PgOptions {
    PgOptions::default()
        .fsync(true)
        .max_connections(200)
        .set("shared_buffers", "1GB")
        .set("max_wal_size", "4GB")
        .set("checkpoint_timeout", "30min")
}

/// The databases `ours` and `floor`, copies of `loaded`.
pub(crate) struct PostgresPair {
    server: Arc<PgServer>,
    shape: Shape,
    known: Known,
}

/// Boxed: what connects is a large future.
async fn open(config: PostgresConfig) -> Result<Arc<dyn ConversationRepository>> {
    Ok(Arc::new(Box::pin(PostgresRepository::open(config)).await?))
}

/// Loading need not wait for the disk. Returns when the server has changed over.
pub(crate) async fn set_fsync(server: &PgServer, on: bool) -> Result<()> {
    let wanted = if on { "on" } else { "off" };
    server.psql(&format!("ALTER SYSTEM SET fsync = {wanted}"))?;
    server.psql("SELECT pg_reload_conf()")?;
    for _ in 0..100 {
        if server.psql("SHOW fsync")? == wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the server does not turn fsync {wanted}")
}

async fn make(server: &PgServer, shape: Shape) -> Result<Known> {
    server.psql("DROP DATABASE IF EXISTS loaded WITH (FORCE)")?;
    let url = server.create_database("loaded", None)?;
    let config = PostgresConfig::from_url(&url.into())?.auto_migrate(true);
    let store = open(config).await?;
    if let Shape::Corpus(orgs) = shape {
        fill_corpus(&store, orgs).await?;
    } else {
        seed(&store, USERS).await?;
    }
    store.close().await?;
    let column = |sql: &str| -> Result<Vec<String>> {
        Ok(server.psql_in("loaded", sql)?.lines().map(str::to_owned).collect())
    };
    let known = if let Shape::Corpus(_) = shape {
        Known::default()
    } else {
        // The seed's messages are of all users in turn, each in a thread of its own: the mark of it is taken out.
        let vectors =
            column("SELECT array_to_tsvector(array_agg(w)) FROM (SELECT chat_thread_id, unnest(tsvector_to_array(search)) w
                    FROM chat_message) m WHERE w NOT LIKE '^%' GROUP BY chat_thread_id ORDER BY chat_thread_id")?;
        ensure!(vectors.len() == USERS, "{} vectors", vectors.len());
        fill(server, shape)?;
        let mark = "'^'".to_owned();
        Known { vectors: vectors.into_iter().map(|vector| format!("{vector} {mark}")).collect(), mark }
    };
    server.psql_in("loaded", "SELECT chatkeep_clean_search()")?;
    server.psql_in("loaded", "VACUUM (ANALYZE)")?;
    Ok(known)
}

/// What is not on the disk yet when it returns, the first round waits for, which does not count.
async fn copy(server: &PgServer) -> Result<()> {
    set_fsync(server, false).await?;
    for name in ["ours", "floor"] {
        server.psql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        server.create_database(name, Some("loaded"))?;
    }
    set_fsync(server, true).await?;
    server.psql("CHECKPOINT")?;
    Ok(())
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
        "loaded",
        &format!(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at, folded_name,
                                      search_version)
             SELECT org_id, ('{prefix}' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || {owner}, name, metadata,
                    created_at + n * interval '1 ms', updated_at + n * interval '1 ms', folded_name, search_version
             FROM generate_series(0, {threads} - 1) n, (SELECT * FROM chat_thread ORDER BY id LIMIT 1) seed"
        ),
    )?;
    if let Shape::Messages(count) = shape {
        server.psql_in(
            "loaded",
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
        server.psql_in(
            "loaded",
            &format!(
                "UPDATE chat_thread SET head = {count}, next_position = {count} + 1, message_count = {count}"
            ),
        )?;
    }
    server.psql_in("loaded", &format!("DELETE FROM chat_thread WHERE id >= '{}'", thread(SEED)))?;
    Ok(())
}

impl PostgresPair {
    fn config(&self, connections: Option<u32>) -> Result<DatabaseConfig> {
        let mut config = DatabaseConfig::from_url(self.server.url_of("ours"))?;
        if let Some(connections) = connections {
            (config.pool_size, config.max_overflow) = (connections, 0);
        }
        Ok(config)
    }
}

impl Pair for PostgresPair {
    type Floor = PostgresFloor;

    type Server = Arc<PgServer>;

    const BACKEND: &'static str = "postgres";

    async fn load(server: &Arc<PgServer>, shape: Shape) -> Result<Self> {
        set_fsync(server, false).await?;
        let known = make(server, shape).await?;
        if !shape.is_written() {
            copy(server).await?;
        }
        Ok(Self { server: Arc::clone(server), shape, known })
    }

    async fn renew(&mut self) -> Result<()> {
        if self.shape.is_written() { copy(&self.server).await } else { Ok(()) }
    }

    async fn ours(&self, connections: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        Ok(Box::pin(chatkeep::create_repository(&self.config(connections)?)).await?)
    }

    async fn uncoalesced(&self, connections: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        let mut config = self.config(connections)?;
        config.coalesce_appends = false;
        Ok(Box::pin(chatkeep::create_repository(&config)).await?)
    }

    async fn floor(&self, clients: usize) -> Result<PostgresFloor> {
        PostgresFloor::open(&self.server.url_of("floor"), clients, self.known.clone()).await
    }

    fn pgbench(&self, callers: usize) -> Result<Pgbench> {
        let vector = self.known.vectors.first().context("there are no vectors")?;
        Pgbench::new(self.server.url_of("floor"), self.shape.threads(), vector, callers)
    }
}
