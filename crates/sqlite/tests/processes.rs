//! Several processes on one file: at the same time, in turn, and killed.

#![cfg(unix)]

mod common;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, ConversationRepository as _, MessageQuery, MessageRepository as _, Outcome, ThreadId,
    ThreadQuery, ThreadRepository as _,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use rusqlite::Connection;
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::common::{everything, found, message, number, open, say, scope, thread_of, until_none};

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

/// What the process is to do, and with which file: set for the children.
const PART: &str = "CHATKEEP_TEST_PART";
const FILE: &str = "CHATKEEP_TEST_FILE";

const TASKS: usize = 4;
const EACH: usize = 25;

/// Starts a process that plays a part with a file.
fn start(part: &str, path: &Path) -> Child {
    let mut child = Command::new(env::current_exe().expect("this program"));
    child.args(["--exact", "a_part_of_another_process", "--nocapture", "--include-ignored"]);
    child
        .env(PART, part)
        .env(FILE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a process")
}

fn end(mut child: Child) {
    let mut text = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut text).expect("a text");
    assert!(child.wait().expect("it has ended").success(), "{text}");
}

fn lines(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().expect("its output")).lines()
}

/// Not a test by itself: what the children do.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_another_process() {
    let (Ok(part), Some(path)) = (env::var(PART), env::var_os(FILE)) else { return };
    let path = PathBuf::from(path);
    match part.as_str() {
        "store comes and goes" => {
            let store = open(&path).await;
            let thread = the_thread(&store).await;
            say(&store, thread, [message("a guest", 1)]).await;
            store.close().await.expect("it is closed");
        }
        "program comes and goes" => {
            let raw = Connection::open(&path).expect("the file");
            raw.busy_timeout(Duration::from_secs(10)).expect("a timeout");
            raw.execute("UPDATE chat_analyzer SET version = version", []).expect("a write");
        }
        "believes to be alone" => {
            let raw = Connection::open(&path).expect("the file");
            raw.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).expect("the file has all");
            drop(raw);
            // As SQLite before 3.51 does when it closes a file that nobody else seems to use.
            let file = fs::OpenOptions::new().read(true).write(true).open(&path).expect("the file");
            if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                return println!("somebody has a lock");
            }
            println!("it is free");
            std::io::stdin().read_line(&mut String::new()).expect("a line");
            fs::remove_file(format!("{}-wal", path.display())).expect("the log is removed");
        }
        "appends" => append_in_tasks(&open(&path).await).await,
        "appends until it is killed" => {
            let store = open(&path).await;
            let thread = the_thread(&store).await;
            for n in 0.. {
                say(&store, thread, [message(format!("killed {n}"), n)]).await;
                println!("acknowledged {n}");
            }
        }
        other => panic!("no such part: {other}"),
    }
}

async fn the_thread(store: &SqliteRepository) -> ThreadId {
    store.list_threads(&scope(), &ThreadQuery::default()).await.expect("a page").items[0].id
}

async fn texts(store: &SqliteRepository, thread: ThreadId) -> Vec<String> {
    let (mut texts, mut query) = (Vec::new(), MessageQuery::first(1_000));
    loop {
        let page = store.list_messages(&scope(), thread, &query).await.expect("a page");
        texts.extend(page.items.iter().map(|message| message.content.as_text().expect("a text").to_owned()));
        let Some(next) = page.next else { return texts };
        query = query.behind(next);
    }
}

/// A copy of an open file drops the locks by which SQLite knows that somebody uses it: to another process nobody does, and it removes
/// the log when it closes the file. What was acknowledged is there all the same.
async fn copied_while_others_come_and_go(part: &'static str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("chat.db"), folder.path().join("copy.db"));
    let mut store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let is_over = Arc::new(AtomicBool::new(false));
    let guests = tokio::task::spawn_blocking({
        let (path, is_over) = (path.clone(), Arc::clone(&is_over));
        move || {
            for _ in 0..30 {
                fs::copy(&path, &copy).expect("a copy");
                end(start(part, &path));
            }
            is_over.store(true, Ordering::Relaxed);
        }
    });
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for n in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("host {n}");
        match store.append(&scope(), thread, Append::new([message(text.clone(), n)])).await {
            Ok(_) => acknowledged.push(text),
            Err(error) => {
                assert!(everything(&error).contains("replaced or removed"), "{error:?}");
                store.close().await.expect("it is closed");
                store = open(&path).await;
                refused += 1;
            }
        }
    }
    guests.await.expect("no panic");
    store.close().await.expect("it is closed");
    let store = open(&path).await;
    store.check().await.expect("it is whole");
    let stored = texts(&store, thread).await;
    let is_lost = |text: &&String| !stored.contains(text);
    let lost: Vec<_> = acknowledged.iter().filter(is_lost).collect();
    println!("{} acknowledged, {refused} refused", acknowledged.len());
    assert!(lost.is_empty(), "{} of {}: {lost:?}", lost.len(), acknowledged.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_copied_while_stores_come_and_go_loses_nothing() {
    copied_while_others_come_and_go("store comes and goes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_copied_while_programs_come_and_go_loses_nothing() {
    copied_while_others_come_and_go("program comes and goes").await;
}

/// The same in slow motion.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_while_another_process_removes_the_log_is_not_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, [message("one", 1)]).await;
    until_none(&path, PENDING).await;
    // The thread that writes takes the lock again with whatever it does.
    tokio::time::sleep(Duration::from_millis(500)).await;
    fs::copy(&path, folder.path().join("copy.db")).expect("a copy");
    let mut child = start("believes to be alone", &path);
    let mut output = lines(&mut child);
    while !output.next().expect("a line").expect("a line").contains("it is free") {}
    let append = async |store: &SqliteRepository| {
        store.append(&scope(), thread, Append::new([message("two", 2)])).await.expect_err("it may be lost")
    };
    assert!(everything(&append(&store).await).contains("log was replaced or removed"));
    child.stdin.take().expect("its input").write_all(b"\n").expect("a line");
    while output.next().is_some() {}
    assert!(child.wait().expect("it has ended").success());
    assert!(everything(&append(&store).await).contains("log was replaced or removed"));
    store.close().await.expect("it is closed");
    say(&open(&path).await, thread, [message("two", 2)]).await;
}

/// A store that is closed takes no lock from another on the same file: that one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_lock_stays_when_one_of_two_stores_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let (first, second) = (open(&path).await, open(&path).await);
    thread_of(&first, "ada").await;
    thread_of(&second, "ada").await;
    second.close().await.expect("it is closed");
    drop(second);
    let output = start("believes to be alone", &path).wait_with_output().expect("it has ended");
    assert!(String::from_utf8_lossy(&output.stdout).contains("somebody has a lock"), "{output:?}");
    thread_of(&first, "ada").await;
}

/// Each task appends to a thread of its own and to the one of all.
async fn append_in_tasks(store: &SqliteRepository) {
    let common = the_thread(store).await;
    let name = std::process::id();
    let tasks = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let own = thread_of(&store, "bob").await;
            for n in 0..EACH {
                let text = format!("p{name}t{task} {n}");
                say(&store, own, [message(text.clone(), 1)]).await;
                say(&store, common, [message(text, 1)]).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_append_together_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let children: Vec<_> = (0..4).map(|_| start("appends", &path)).collect();
    for child in children {
        tokio::task::spawn_blocking(|| end(child)).await.expect("no panic");
    }
    let stored = texts(&store, thread).await;
    assert_eq!(stored.len(), 4 * TASKS * EACH);
    let mut next: HashMap<&str, usize> = HashMap::new();
    for text in &stored {
        let (task, n) = text.split_once(' ').expect("a number");
        let next = next.entry(task).or_default();
        assert_eq!(n, next.to_string(), "the order of {task}");
        *next += 1;
    }
    for text in stored {
        assert_eq!(found(&store, &scope(), &format!("\"{text}\""), SearchOrder::Newest).await, [text]);
    }
    let bobs =
        "SELECT COUNT(*) FROM chat_message m JOIN chat_thread t ON t.key = m.thread WHERE user_id = 'bob'";
    assert_eq!(number(&path, bobs), i64::try_from(4 * TASKS * EACH).expect("a number"));
}

/// It had no time to take its words into the index.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_appended_is_found_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    store.close().await.expect("it is closed");
    for round in 0..5 {
        let mut child = start("appends until it is killed", &path);
        let mut output = lines(&mut child);
        let acknowledged =
            output.by_ref().map_while(Result::ok).filter(|line| line.contains("acknowledged "));
        assert_eq!(acknowledged.take(10 + 40 * round).count(), 10 + 40 * round, "it ended by itself");
        child.kill().expect("SIGKILL");
        let more = output.map_while(Result::ok).filter(|line| line.starts_with("acknowledged ")).count();
        child.wait().expect("it is gone");
        let all = 10 + 40 * round + more;

        let archive =
            SqliteRepository::open(SqliteConfig::file(&path).read_only()).await.expect("an archive");
        for n in [0, all / 2, all - 1] {
            let text = format!("killed {n}");
            assert_eq!(found(&archive, &scope(), &format!("\"{text}\""), SearchOrder::Newest).await[0], text);
        }
        archive.close().await.expect("it is closed");
        let store = open(&path).await;
        for _ in 0..2 {
            let last = format!("\"killed {}\"", all - 1);
            assert_eq!(found(&store, &scope(), &last, SearchOrder::Newest).await.len(), 1);
            until_none(&path, PENDING).await;
        }
        assert!(texts(&store, thread).await.len() >= all);
        store.clear_messages(&scope(), thread, common::at(1).into()).await.expect("it is cleared");
        store.close().await.expect("it is closed");
    }
}

/// Each call has its own time, also those that wait behind others.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_for_long_delays_writes_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let patient = open(&path).await;
    let impatient = SqliteConfig::file(&path).lock_timeout(Duration::from_secs(1));
    let impatient = SqliteRepository::open(impatient).await.expect("a file");
    let thread = thread_of(&patient, "ada").await;
    say(&patient, thread, [message("before", 1)]).await;
    until_none(&path, PENDING).await;
    let raw = Connection::open(&path).expect("the file");
    raw.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    raw.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let append = |store: &SqliteRepository, text: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            store.append(&scope(), thread, Append::new([message(text, 2)])).await.map(drop)
        })
    };
    let waiting: Vec<_> = (0..8).map(|_| append(&patient, "patient")).collect();
    let refused: Vec<_> = (0..8).map(|_| append(&impatient, "impatient")).collect();
    let start = std::time::Instant::now();
    // With 1 s for the impatient, and as much for slow machines.
    while start.elapsed() < Duration::from_secs(2) {
        let begun = std::time::Instant::now();
        for store in [&patient, &impatient] {
            assert_eq!(texts(store, thread).await, ["before"]);
            assert_eq!(found(store, &scope(), "before", SearchOrder::Newest).await, ["before"]);
        }
        assert!(begun.elapsed() < Duration::from_millis(900), "reads wait for nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for append in refused {
        assert!(append.is_finished(), "the time was up");
        let error = append.await.expect("no panic").expect_err("the lock is held");
        assert!(error.is_transient() && error.outcome() == Outcome::NotDone, "{error:?}");
        assert!(everything(&error).contains("chat.db"), "{error:?}");
    }
    let late = append(&impatient, "impatient");
    tokio::time::sleep(Duration::from_millis(100)).await;
    raw.execute_batch("COMMIT").expect("the lock is free");
    late.await.expect("no panic").expect("its time was not over");
    for append in waiting {
        append.await.expect("no panic").expect("an append");
    }
    append(&impatient, "at once").await.expect("no panic").expect("it goes on");
    let stored = texts(&patient, thread).await;
    assert_eq!((stored.len(), stored.last().map(String::as_str)), (11, Some("at once")));
    // A time without end is one.
    SqliteRepository::open(SqliteConfig::file(&path).lock_timeout(Duration::MAX)).await.expect("a file");
}
