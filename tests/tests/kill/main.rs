//! A process that is killed while it writes: what it was told is stored, is stored, and is found.

mod branches;
#[path = "../common/figures.rs"]
mod figures;
mod told;

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chatkeep::config::{Sources, StateConfig};
use chatkeep::{ChatMessage, MAX_PAGE_LEN, MessageId, Migrations as _, SearchQuery, StateManager, ThreadId};
use chatkeep_testkit::{PgOptions, PgServer};
use figures::figure;
use told::Told;

/// Starts a writer, and kills it as soon as so many lines were seen, or when one comes that begins like this. Gives the number of its
/// process, and all lines that came until it was gone.
fn write_and_kill(url: &str, thread: ThreadId, lines: usize, at: &str) -> (u32, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Command::new(env!("CARGO_BIN_EXE_writer"))
        .arg(thread.to_string())
        // It knows nothing of the developer's own configuration.
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", url)
        .envs(env::var_os("TZ").map(|zone| ("TZ", zone)))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let mut output = BufReader::new(writer.stdout.take().expect("its output")).lines();
    let mut told: Vec<String> = Vec::new();
    let is_due =
        |told: &[String]| told.len() >= lines && told.last().is_some_and(|line| line.starts_with(at));
    while !is_due(&told) {
        let line = output.next().expect("the writer ended by itself");
        told.push(line.expect("a line of text"));
    }
    writer.kill().expect("SIGKILL");
    told.extend(output.map(|line| line.expect("a line of text")));
    writer.wait().expect("the writer is gone");
    (writer.id(), told)
}

async fn open(url: &str) -> StateManager {
    let config =
        StateConfig::from_sources(Sources::new().env([("DATABASE_URL", url)])).expect("a configuration");
    StateManager::open(&config).await.expect("the store opens")
}

/// What is stored on a branch: in order, each message once, and what one task of one process wrote there from its first message on,
/// without a gap unless something was removed.
fn check_order(stored: &[ChatMessage], has_gaps: bool) {
    assert!(stored.windows(2).all(|pair| pair[0].position < pair[1].position), "positions increase strictly");
    let ids: HashSet<_> = stored.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), stored.len(), "a message is stored twice");
    let mut next: HashMap<&str, u64> = HashMap::new();
    for message in stored {
        let text = message.content.as_text().expect("text");
        let (task, number) = text.rsplit_once(' ').expect("a number");
        let (expected, number) = (next.entry(task).or_default(), number.parse::<u64>().expect("a number"));
        assert!(number == *expected || has_gaps && number > *expected, "{text} where {expected} is next");
        *expected = number + 1;
    }
}

/// The messages of the thread that are found by what each message of a writer begins with.
async fn find(state: &StateManager, thread: ThreadId, writer: u32) -> Vec<MessageId> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let query = SearchQuery::new(format!("\"{writer}\"")).thread(thread).limit(MAX_PAGE_LEN);
        let query = match cursor {
            Some(cursor) => query.behind(cursor),
            None => query,
        };
        let page = state.search(query).await.expect("a search");
        found.extend(page.items.into_iter().filter_map(|hit| {
            let of_writer = hit.message.content.as_text()?.split(' ').next() == Some(&writer.to_string());
            of_writer.then_some(hit.message.id)
        }));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// What the writer told of is found, each message once, on whichever branch.
async fn check_search(state: &StateManager, thread: ThreadId, writer: u32, told: &Told) {
    let found = find(state, thread, writer).await;
    let distinct: HashSet<_> = found.iter().copied().collect();
    assert_eq!(distinct.len(), found.len(), "a message is found twice");
    let lost: Vec<_> = told.stored().filter(|id| !distinct.contains(id)).collect();
    assert!(lost.is_empty(), "told of and not found: {lost:?}");
    let left: Vec<_> = told.removed().filter(|id| distinct.contains(id)).collect();
    assert!(left.is_empty(), "removed and found: {left:?}");
}

/// How often a thread's writers are killed before another thread takes its place: forks of a long one take long.
const KILLS_OF_A_THREAD: usize = 50;

async fn kill_and_check(url: &str) {
    let kills = figure("CHATKEEP_KILLS").unwrap_or(KILLS_OF_A_THREAD);
    for first in (0..kills).step_by(KILLS_OF_A_THREAD) {
        let state = open(url).await;
        let thread = state.create_thread("kill").await.expect("a new thread").id;
        let kills = first..kills.min(first + KILLS_OF_A_THREAD);
        kill_writers(url, thread, kills).await;
        assert!(state.delete_thread(thread).await.expect("it is deleted"));
    }
}

async fn kill_writers(url: &str, thread: ThreadId, kills: Range<usize>) {
    let (mut all, mut unfinished, mut forks) = (Told::default(), 0, 0);
    for kill in kills.clone() {
        let url = Arc::<str>::from(url);
        let seen = tokio::task::spawn_blocking({
            let url = url.clone();
            // From the very first line to well into the load, and in the middle of what takes long or takes away.
            let at = ["", "forking", "truncating", "deleting"][kill % 4];
            move || write_and_kill(&url, thread, 1 + (kill * kill) % 97, at)
        });
        let (writer, lines) = seen.await.expect("the writer runs");
        let mut told = Told::default();
        lines.iter().for_each(|line| told.hear(line));
        let state = open(&url).await;
        check_search(&state, thread, writer, &told).await;
        all.merge(told);
        let (left, begun) = branches::check(&state, thread, &mut all).await;
        (unfinished, forks) = (unfinished + left, forks + begun);
    }
    let (main, branches) = (all.main.len(), all.branches.len());
    assert!(main >= kills.len(), "{main} told of");
    println!(
        "kills {kills:?}: {main} messages of main, {branches} branches, {unfinished} of {forks} forks unfinished"
    );
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    kill_and_check(&format!("sqlite://{}", folder.path().join("kill.db").display())).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn nothing_acknowledged_is_lost_by_a_kill_on_postgres() {
    let server = PgServer::start(PgOptions::default().fsync(true)).expect("a server");
    let config = chatkeep_postgres::PostgresConfig::from_url(&server.url().into()).expect("a URL");
    chatkeep_postgres::PostgresMigrations::open(config)
        .await
        .expect("a server")
        .up(None)
        .await
        .expect("the schema");
    kill_and_check(&server.url()).await;
}
