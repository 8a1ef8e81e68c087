//! A database of a PostgreSQL of its own.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use chatkeep::DatabaseConfig;
use chatkeep_testkit::PgServer;
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::{Log, Place, Sizes};
use crate::load::postgres::{options, set_fsync};
use crate::load::sqlite::folder;
use crate::scenario::scale::Store;
use crate::scenario::scale::figures::Times;
use crate::scenario::scale::plan::Thread;

const DATABASE: &str = "scale";

/// Tables, what they keep outside their rows, and indexes, each with all its bytes.
const SHARES: &str = "
    WITH of_ours AS (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT relname, pg_relation_size(oid), 'tables' FROM of_ours WHERE relkind IN ('r', 'm')
    UNION ALL
    SELECT relname || '_toast', pg_table_size(oid) - pg_relation_size(oid), 'tables' FROM of_ours WHERE relkind IN ('r', 'm')
    UNION ALL
    SELECT relname, pg_table_size(oid), 'indexes' FROM of_ours WHERE relkind = 'i'
    ORDER BY 2 DESC, 1";

const LOG: &str = "SELECT pg_current_wal_lsn() - '0/0', wal_fpi FROM pg_stat_wal";

/// What PostgreSQL writes to its log at a time, and to how large a file, which it overwrites.
const PAGE: usize = 8_192;
const PAGES: usize = 2_048;

pub(in super::super) struct PostgresPlace {
    server: PgServer,
    folder: TempDir,
}

impl PostgresPlace {
    /// Autovacuum is off: nobody but [`Place::analyze`] makes statistics, and nothing else runs beside what is measured.
    pub(in super::super) async fn new() -> Result<Self> {
        let server = PgServer::start(options().set("autovacuum", "off"))?;
        // Loading need not wait for the disk.
        set_fsync(&server, false).await?;
        server.create_database(DATABASE, None)?;
        Ok(Self { server, folder: folder()? })
    }

    fn rows(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        let rows = block_in_place(|| self.server.psql_in(DATABASE, sql))?;
        Ok(rows.lines().map(|row| row.split('|').map(str::to_owned).collect()).collect())
    }
}

#[async_trait]
impl Place for PostgresPlace {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn worst_append(&self) -> f64 {
        500.0
    }

    async fn open(&self, connections: Option<u32>) -> Result<Store> {
        let mut config = DatabaseConfig::from_url(self.server.url_of(DATABASE))?;
        config.auto_migrate = Some(true);
        if let Some(connections) = connections {
            (config.pool_size, config.max_overflow) = (connections, 0);
        }
        Ok(Box::pin(chatkeep::create_repository(&config)).await?)
    }

    /// What waits is found too, but slower: the store has it put into the index within a second or so.
    async fn indexed(&self) -> Result<()> {
        self.rows("SELECT chatkeep_clean_search()").map(drop)
    }

    async fn loaded(&self) -> Result<()> {
        set_fsync(&self.server, true).await?;
        self.rows("CHECKPOINT").map(drop)
    }

    fn analyze(&self) -> Result<()> {
        self.rows("VACUUM (ANALYZE)").map(drop)
    }

    /// A user's database has them: autovacuum makes them.
    fn forget_statistics(&self) -> Result<()> {
        Ok(())
    }

    fn sizes(&self) -> Result<Sizes> {
        let (mut parts, mut shares) = ([("tables", 0), ("indexes", 0)], Vec::new());
        for row in self.rows(SHARES)? {
            let [name, bytes, of] = <[String; 3]>::try_from(row).ok().context("not three columns")?;
            let bytes = bytes.parse()?;
            parts.iter_mut().filter(|part| part.0 == of).for_each(|part| part.1 += bytes);
            shares.push((name, bytes));
        }
        Ok(Sizes { parts: parts.to_vec(), shares })
    }

    fn log(&self) -> Result<Option<Log>> {
        let rows = self.rows(LOG)?;
        let [bytes, pages] = rows.first().map(Vec::as_slice).context("no row")? else {
            anyhow::bail!("not two columns");
        };
        Ok(Some(Log { bytes: bytes.parse()?, pages: pages.parse()? }))
    }

    /// Pages one behind the other into a file that is there already, each followed by `fdatasync`: what the log's writer does.
    fn disk(&self, name: &str, groups: usize) -> Result<Times> {
        let file = File::create(self.folder.path().join(name))?;
        let page = [b'x'; PAGE];
        let write = |number: usize| {
            let start = Instant::now();
            file.write_all_at(&page, (number % PAGES * PAGE) as u64)?;
            file.sync_data()?;
            Ok(start.elapsed())
        };
        block_in_place(|| {
            file.write_all_at(&page.repeat(PAGES), 0)?;
            file.sync_all()?;
            let times: Result<Vec<_>> = (0..groups).map(write).collect();
            Ok(Times::of(times?))
        })
    }

    /// Looks for messages alone: of the other rows there are few.
    fn is_gone(&self, thread: &Thread) -> Result<bool> {
        let (org, id) = (thread.org_name(), thread.id());
        let of_thread = format!("FROM chat_message WHERE org_id = '{org}' AND chat_thread_id = '{id}'");
        let rows = self.rows(&format!("SELECT EXISTS (SELECT 1 {of_thread})"))?;
        Ok(rows.concat() == ["f"])
    }
}
