//! Times searches: ours, and the same SQL by hand.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use chatkeep::domain::MessageSearch;
use chatkeep::{ConversationRepository, PostgresRepository, Scope, SearchQuery, UserId};
use chatkeep_postgres::PostgresConfig;
use chatkeep_testkit::PgServer;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use crate::corpus::SEARCHES;
use crate::generate::{fill, org, user};

const PAGE: usize = 20;

/// What chatkeep sends for the newest hits of an organization, typed by hand. The last condition has it planned with its
/// values.
const IN_ORG: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
           m.org_id, t.name
    FROM (SELECT * FROM chat_message m
          WHERE m.search @@ CAST($1::text AS tsquery) AND m.org_id = $2
            AND ($4::bool OR (SELECT COUNT(*) FROM chat_message) + (SELECT COUNT(*) FROM generate_series(1, 1000000)) < 0)
          ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC LIMIT $3) m
    JOIN chat_thread t ON t.org_id = m.org_id AND t.id = m.chat_thread_id
    ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC";

/// The searches as PostgreSQL has them; "?" stands for the letter that each word of an organization begins with.
const BY_HAND: [&str; 3] =
    ["'?quarterly'", "'?invoice' & '?overdue'", "'?signed' <-> '?the' <-> '?contract'"];

struct Database {
    store: PostgresRepository,
    by_hand: Client,
    orgs: usize,
}

/// Medians of one search in one database.
struct Times {
    ours: Duration,
    by_hand: Duration,
}

pub(crate) async fn measure(server: &PgServer, orgs: usize, runs: usize) -> Result<()> {
    let sizes = [(orgs / 10).max(1), orgs];
    let small = database(server, "small", sizes[0]).await?;
    let large = database(server, "large", sizes[1]).await?;
    println!("\nThe first {PAGE} newest hits, medians of {runs} runs each, in turn:\n");
    println!("| search | hits | messages | ours | by hand | ours / by hand | large / small |");
    println!("|---|---|---|---|---|---|---|");
    for ((name, text, hits), by_hand) in SEARCHES.into_iter().zip(BY_HAND) {
        for ada in [None, Some(user(0))] {
            let hits = if ada.is_some() { hits / 2 } else { hits };
            let [small_times, large_times] =
                time([&small, &large], text, by_hand, ada.as_ref(), runs, hits).await?;
            let whose = if ada.is_some() { ", one user's" } else { "" };
            let mut before: Option<Duration> = None;
            for (times, orgs) in [(small_times, sizes[0]), (large_times, sizes[1])] {
                let growth =
                    before.map_or(String::new(), |before| format!("{:.2}", ratio(times.ours, before)));
                before = Some(times.ours);
                println!(
                    "| {name}{whose} | {hits} | {} | {:.3} ms | {:.3} ms | {:.2} | {growth} |",
                    orgs * 1_000,
                    millis(times.ours),
                    millis(times.by_hand),
                    ratio(times.ours, times.by_hand),
                );
            }
        }
    }
    Ok(())
}

async fn database(server: &PgServer, name: &str, orgs: usize) -> Result<Database> {
    server.create_database(name, None)?;
    let url = server.url_of(name);
    let config = PostgresConfig::from_url(&url.clone().into())?.auto_migrate(true);
    let store = PostgresRepository::open(config.clone()).await?;
    println!("{name}: {orgs} organizations");
    fill(&store, orgs).await?;
    store.close().await?;
    // One connection each: a server process that has just answered answers faster than one of a pool's many.
    let store = PostgresRepository::open(config.pool_size(1).max_overflow(0)).await?;
    let (by_hand, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    // What autovacuum does in time, also with the index's list of what is new.
    by_hand.batch_execute("VACUUM (ANALYZE)").await?;
    let sizes = "SELECT format('%s: table %s, search index %s', current_database(),
                     pg_size_pretty(pg_table_size('chat_message')),
                     pg_size_pretty(pg_relation_size('chat_message_search')))";
    println!("{}", by_hand.query_one(sizes, &[]).await?.get::<_, String>(0));
    Ok(Database { store, by_hand, orgs })
}

/// All four in turn, each run in another organization.
async fn time(
    databases: [&Database; 2],
    text: &str,
    by_hand: &str,
    of_user: Option<&UserId>,
    runs: usize,
    hits: usize,
) -> Result<[Times; 2]> {
    let mut times: [[Vec<Duration>; 2]; 2] = Default::default();
    let mut statements = Vec::new();
    for database in databases {
        statements.push(database.by_hand.prepare(IN_ORG).await?);
    }
    // The first runs fill caches, and let the server settle on its plans.
    for run in 0..runs + 50 {
        for (at, database) in databases.into_iter().enumerate() {
            let number = run * 7 % database.orgs;
            let ours = ours(database, number, text, of_user, run == 0, hits);
            let hand = by_hand_once(database, &statements[at], number, by_hand, of_user);
            // Each goes first as often as the other.
            let (ours, hand) = if run % 2 == 0 {
                let ours = ours.await?;
                (ours, hand.await?)
            } else {
                let hand = hand.await?;
                (ours.await?, hand)
            };
            if run >= 50 {
                times[at][0].push(ours);
                times[at][1].push(hand);
            }
        }
    }
    Ok(times.map(|[ours, by_hand]| Times { ours: median(ours), by_hand: median(by_hand) }))
}

async fn ours(
    database: &Database,
    number: usize,
    text: &str,
    of_user: Option<&UserId>,
    check: bool,
    hits: usize,
) -> Result<Duration> {
    let scope = match of_user {
        Some(user) => Scope::user(org(number), user.clone()),
        None => Scope::org(org(number)),
    };
    if check {
        let query = SearchQuery::new(text).limit(1_000);
        let found = database.store.search_messages(&scope, &query).await?.items.len();
        ensure!(found == hits, "{found} hits, not {hits}");
    }
    let query = SearchQuery::new(text).limit(PAGE);
    let start = Instant::now();
    let page = database.store.search_messages(&scope, &query).await?;
    let time = start.elapsed();
    ensure!(page.items.len() == PAGE.min(hits), "{} hits of the first page", page.items.len());
    Ok(time)
}

async fn by_hand_once(
    database: &Database,
    statement: &Statement,
    number: usize,
    question: &str,
    of_user: Option<&UserId>,
) -> Result<Duration> {
    let (org, limit) = (org(number), i64::try_from(PAGE + 1)?);
    let of_user = of_user.map_or_else(String::new, |user| format!("'?=u{user}@{org}' & "));
    let question = format!("{of_user}({question})").replace('?', letter(org.as_str()));
    let start = Instant::now();
    let rows = database.by_hand.query(statement, &[&question, &org.as_str(), &limit, &true]).await?;
    let read: Vec<_> = rows.iter().map(decode).collect();
    let time = start.elapsed();
    read.first().context("no hits")?;
    Ok(time)
}

/// The letter of an organization, as chatkeep gives it.
fn letter(org: &str) -> &'static str {
    const LETTERS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
    let at = crc32fast::hash(org.as_bytes()) as usize % LETTERS.len();
    &LETTERS[at..=at]
}

/// A row as a program would read it.
struct Hit {
    _ids: (Uuid, Uuid, i64),
    _said: (Option<String>, String, String),
    _at: (SystemTime, SystemTime),
    _thread: (String, String),
}

fn decode(row: &Row) -> Hit {
    Hit {
        _ids: (row.get(0), row.get(1), row.get(2)),
        _said: (row.get(3), row.get(4), row.get(5)),
        _at: (row.get(6), row.get(7)),
        _thread: (row.get(8), row.get(9)),
    }
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
