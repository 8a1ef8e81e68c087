//! Times appends with the index and without, in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use chatkeep::{
    Append, Clock, IdGenerator, MessageRepository, NewMessage, NewThread, Role, Scope, SeaOrmRepository,
    SystemClock, ThreadId, ThreadRepository, UuidV7Generator,
};
use chatkeep_seaorm::{PostgresConfig, SqliteConfig};
use chatkeep_testkit::PgServer;

use crate::corpus::{MESSAGES, text};
use crate::generate::{org, user};

/// Rounds of each, after one that does not count.
const ROUNDS: usize = 7;

const ORGS: usize = 50;

/// One way to append, and where its messages go.
struct Way {
    store: SeaOrmRepository,
    threads: Vec<ThreadId>,
    written: AtomicU64,
}

pub(crate) async fn measure(server: &PgServer, seconds: u64) -> Result<()> {
    println!("\nAppends of one message a second, medians of {ROUNDS} rounds of {seconds} s, in turn:\n");
    println!("| store | callers | with the index | without | ratio (min – max) |");
    println!("|---|---|---|---|---|");
    let round = Duration::from_secs(seconds);
    for callers in [1, 16] {
        let with = Way::open(postgres(server, &format!("with_{callers}")).await?).await?;
        let without = postgres(server, &format!("without_{callers}")).await?.without_search();
        server.psql_in(
            &format!("without_{callers}"),
            "DROP INDEX chat_message_search; DROP INDEX chat_message_recent",
        )?;
        compare("PostgreSQL", callers, with, Way::open(without).await?, round).await?;
    }
    let folder = tempfile::tempdir()?;
    for callers in [1, 16] {
        let file = |name: &str| SqliteConfig::file(folder.path().join(format!("{name}_{callers}.db")));
        let with = Way::open(SeaOrmRepository::sqlite(file("with")).await?).await?;
        let without = SeaOrmRepository::sqlite(file("without")).await?.without_search();
        compare("SQLite", callers, with, Way::open(without).await?, round).await?;
    }
    Ok(())
}

async fn postgres(server: &PgServer, name: &str) -> Result<SeaOrmRepository> {
    server.create_database(name, None)?;
    let config = PostgresConfig::from_url(&server.url_of(name).into())?.auto_migrate(true).pool_size(16);
    Ok(SeaOrmRepository::postgres(config).await?)
}

async fn compare(store: &str, callers: usize, with: Way, without: Way, round: Duration) -> Result<()> {
    let ways = [Arc::new(with), Arc::new(without)];
    let mut rates: [Vec<f64>; 2] = Default::default();
    for number in 0..=ROUNDS {
        for (way, rates) in ways.iter().zip(&mut rates) {
            let rate = Arc::clone(way).run(callers, round).await?;
            if number > 0 {
                rates.push(rate);
            }
        }
    }
    let mut ratios: Vec<f64> = rates[0].iter().zip(&rates[1]).map(|(with, without)| with / without).collect();
    let [with, without] = rates.map(|mut rates| middle(&mut rates));
    let ratio = middle(&mut ratios);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    println!("| {store} | {callers} | {with:.0} | {without:.0} | {ratio:.2} ({least:.2} – {most:.2}) |");
    Ok(())
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Way {
    async fn open(store: SeaOrmRepository) -> Result<Self> {
        let mut threads = Vec::new();
        for number in 0..1_000 {
            let id = UuidV7Generator.thread_id();
            let org = org(number % ORGS);
            let new = NewThread::new(id, org.clone(), user(number), "a thread", SystemClock.now());
            store.create_thread(&Scope::org(org), new).await?;
            threads.push(id);
        }
        Ok(Self { store, threads, written: AtomicU64::new(0) })
    }

    /// Appends a second.
    async fn run(self: Arc<Self>, callers: usize, round: Duration) -> Result<f64> {
        let stop = Arc::new(AtomicBool::new(false));
        let before = self.written.load(Ordering::Relaxed);
        let start = Instant::now();
        let tasks: Vec<_> =
            (0..callers).map(|_| tokio::spawn(Arc::clone(&self).caller(Arc::clone(&stop)))).collect();
        tokio::time::sleep(round).await;
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await??;
        }
        let written = self.written.load(Ordering::Relaxed) - before;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        Ok(written as f64 / start.elapsed().as_secs_f64())
    }

    async fn caller(self: Arc<Self>, stop: Arc<AtomicBool>) -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let number = usize::try_from(self.written.fetch_add(1, Ordering::Relaxed))?;
            let at = number % self.threads.len();
            let (thread, scope) = (self.threads[at], Scope::user(org(at % ORGS), user(at)));
            let message = NewMessage::new(
                UuidV7Generator.message_id(),
                Role::User,
                text(number % MESSAGES),
                SystemClock.now(),
            );
            self.store.append(&scope, thread, Append::new([message])).await?;
        }
        Ok(())
    }
}
