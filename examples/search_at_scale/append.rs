//! Times appends to PostgreSQL with the index and without, in turn. SQLite cannot do without it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use chatkeep::domain::{Append, MessageRepository, NewThread, ThreadRepository};
use chatkeep::{
    Clock, IdGenerator, NewMessage, PostgresRepository, Role, Scope, SystemClock, ThreadId, UuidV7Generator,
};
use chatkeep_postgres::PostgresConfig;
use chatkeep_testkit::PgServer;

use crate::corpus::{MESSAGES, text};
use crate::generate::{org, user};

/// Rounds of each, after one that does not count.
const ROUNDS: usize = 7;

const ORGS: usize = 50;

/// One way to append, and where its messages go.
struct Way {
    store: PostgresRepository,
    threads: Vec<ThreadId>,
    written: AtomicU64,
}

pub(crate) async fn measure(server: &PgServer, seconds: u64) -> Result<()> {
    println!(
        "\nAppends a second, of one message each: medians of {ROUNDS} rounds of {seconds} s, in turn:\n"
    );
    println!(
        "| callers | with search | without its index | with / without | without search | with / without |"
    );
    println!("|---|---|---|---|---|---|");
    let round = Duration::from_secs(seconds);
    for callers in [1, 16] {
        let with = postgres(server, &format!("with_{callers}"), "SELECT").await?;
        let index = "DROP INDEX chat_message_search";
        let without_index = postgres(server, &format!("without_index_{callers}"), index).await?;
        let both = "DROP INDEX chat_message_search; DROP INDEX chat_message_recent";
        let without = postgres(server, &format!("without_{callers}"), both).await?.without_search();
        compare(callers, [with, without_index, without], round).await?;
    }
    Ok(())
}

async fn postgres(server: &PgServer, name: &str, changes: &str) -> Result<PostgresRepository> {
    server.create_database(name, None)?;
    let config = PostgresConfig::from_url(&server.url_of(name).into())?.auto_migrate(true).pool_size(16);
    let store = PostgresRepository::open(config).await?;
    server.psql_in(name, changes)?;
    Ok(store)
}

/// The first of the stores against each of the others.
async fn compare(callers: usize, stores: [PostgresRepository; 3], round: Duration) -> Result<()> {
    let mut ways = Vec::new();
    for store in stores {
        ways.push((Arc::new(Way::open(store).await?), Vec::new()));
    }
    for number in 0..=ROUNDS {
        for (way, rates) in &mut ways {
            let rate = Arc::clone(way).run(callers, round).await?;
            if number > 0 {
                rates.push(rate);
            }
        }
    }
    let (_, with) = ways.remove(0);
    let mut row = format!("| {callers} | {:.0} |", middle(&with));
    for (_, rates) in ways {
        let ratios: Vec<f64> = with.iter().zip(&rates).map(|(with, without)| with / without).collect();
        let least = ratios.iter().copied().fold(f64::MAX, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        write!(row, " {:.0} | {:.2} ({least:.2} – {most:.2}) |", middle(&rates), middle(&ratios))?;
    }
    println!("{row}");
    Ok(())
}

fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Way {
    async fn open(store: PostgresRepository) -> Result<Self> {
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
