//! A process that is killed while it writes: what it was told is stored, is stored, and is found.

#[path = "common/figures.rs"]
mod figures;

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use chatkeep::config::{Sources, StateConfig};
use chatkeep::{ChatMessage, MAX_PAGE_LEN, Migrations as _, SearchQuery, StateManager, ThreadId};
use chatkeep_testkit::{PgOptions, PgServer};
use figures::figure;

/// Starts a writer, kills it as soon as `acknowledgements` were seen. Gives the number of its process, and all that came until it
/// was gone.
fn write_and_kill(url: &str, thread: ThreadId, acknowledgements: usize) -> (u32, Vec<String>) {
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
    let mut lines = BufReader::new(writer.stdout.take().expect("its output")).lines();
    let mut acknowledged = Vec::new();
    for line in lines.by_ref().take(acknowledgements) {
        acknowledged.push(line.expect("a line of text"));
    }
    assert_eq!(acknowledged.len(), acknowledgements, "the writer ended by itself");
    writer.kill().expect("SIGKILL");
    acknowledged.extend(lines.map(|line| line.expect("a line of text")));
    writer.wait().expect("the writer is gone");
    (writer.id(), acknowledged)
}

async fn open(url: &str) -> StateManager {
    let config =
        StateConfig::from_sources(Sources::new().env([("DATABASE_URL", url)])).expect("a configuration");
    StateManager::open(&config).await.expect("the store opens")
}

fn check(stored: &[ChatMessage], acknowledged: &HashSet<String>) {
    assert!(stored.windows(2).all(|pair| pair[0].position < pair[1].position), "positions increase strictly");
    let ids: HashSet<String> = stored.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(ids.len(), stored.len(), "a message is stored twice");
    let lost: Vec<_> = acknowledged.difference(&ids).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");

    // What one task of one process wrote is there from its first message on, without a gap, in order.
    let mut next: HashMap<&str, u64> = HashMap::new();
    for message in stored {
        let text = message.content.as_text().expect("text");
        let (task, number) = text.rsplit_once(' ').expect("a number");
        let expected = next.entry(task).or_default();
        assert_eq!(number.parse::<u64>().expect("a number"), *expected, "the order of task {task}");
        *expected += 1;
    }
}

/// The messages that are found by what each message of a writer begins with.
async fn find(state: &StateManager, writer: u32) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let query = SearchQuery::new(format!("\"{writer}\"")).limit(MAX_PAGE_LEN);
        let query = match cursor {
            Some(cursor) => query.behind(cursor),
            None => query,
        };
        let page = state.search(query).await.expect("a search");
        found.extend(page.items.into_iter().filter_map(|hit| {
            let of_writer = hit.message.content.as_text()?.split(' ').next() == Some(&writer.to_string());
            of_writer.then(|| hit.message.id.to_string())
        }));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

async fn kill_and_check(url: &str) {
    let thread = open(url).await.create_thread("kill").await.expect("a new thread").id;
    let mut acknowledged = HashSet::new();
    let kills = figure("CHATKEEP_KILLS").unwrap_or(20);
    for kill in 0..kills {
        let url = Arc::<str>::from(url);
        let seen = tokio::task::spawn_blocking({
            let url = url.clone();
            // From the very first message to well into the load.
            move || write_and_kill(&url, thread, 1 + (kill * kill) % 97)
        });
        let (writer, seen) = seen.await.expect("the writer runs");
        let state = open(&url).await;
        let found = find(&state, writer).await;
        let distinct: HashSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "a message is found twice");
        let lost: Vec<_> = seen.iter().filter(|id| !distinct.contains(id)).collect();
        assert!(lost.is_empty(), "acknowledged and not found: {lost:?}");
        acknowledged.extend(seen);
        let chat = state.conversation(thread);
        let stored = chat.get_messages().await.expect("the thread is there");
        check(&stored, &acknowledged);
    }
    assert!(acknowledged.len() >= kills, "{} acknowledged", acknowledged.len());
    println!("{} messages acknowledged over {kills} kills", acknowledged.len());
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
