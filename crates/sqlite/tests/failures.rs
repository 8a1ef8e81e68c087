//! SQLite fails in the middle of a call, or of several that are committed together.

mod common;

use std::fs;
use std::path::Path;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, ConversationRepository as _, InvalidArgument, MessageQuery, MessageRepository as _,
    MessageSearch as _, NewMessage, Outcome, Role, SearchQuery, StoreError, ThreadAppend, ThreadId,
    ThreadQuery, ThreadRepository as _,
};
use chatkeep_sqlite::{SqliteConfig, SqliteError, SqliteRepository};
use rusqlite::Connection;

use crate::common::{everything, found, message, open, say, scope, thread_of, until_none};

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

/// Makes messages of a text fail in SQLite: `FAIL` ends the statement, `ROLLBACK` the whole transaction.
fn fail_at(path: &Path, how: &str) {
    let raw = Connection::open(path).expect("the file");
    let trigger = format!(
        "DROP TRIGGER IF EXISTS bad; CREATE TRIGGER bad BEFORE INSERT ON chat_message WHEN NEW.content LIKE '%bad%'
         BEGIN SELECT RAISE({how}, 'no'); END"
    );
    raw.execute_batch(&trigger).expect("a trigger");
}

fn append_of(thread: ThreadId, text: &str) -> ThreadAppend {
    ThreadAppend::new(scope(), thread, Append::new([message(text, 1)]))
}

/// A batch with an id twice, which is refused before SQLite sees it.
fn invalid(thread: ThreadId) -> ThreadAppend {
    let twice = message("twice", 1);
    ThreadAppend::new(
        scope(),
        thread,
        Append::new([twice.clone(), NewMessage::new(twice.id, Role::User, "x", twice.created_at)]),
    )
}

fn code(error: &StoreError) -> Option<i32> {
    let StoreError::Backend { source, .. } = error else { panic!("{error:?}") };
    source.downcast_ref::<SqliteError>().expect("SQLite's error").code()
}

async fn count(store: &SqliteRepository, thread: ThreadId) -> usize {
    store.list_messages(&scope(), thread, &MessageQuery::first(1_000)).await.expect("a page").items.len()
}

#[tokio::test]
async fn each_append_of_a_call_has_its_own_answer_when_sqlite_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let (one, two) = (thread_of(&store, "ada").await, thread_of(&store, "ada").await);
    fail_at(&path, "FAIL");
    let appends =
        [invalid(one), append_of(one, "good"), append_of(two, "bad"), append_of(two, "good"), invalid(two)];
    let answers = store.append_each(appends.into()).await;
    assert!(matches!(answers[0], Err(StoreError::InvalidArgument(InvalidArgument { .. }))), "{answers:?}");
    assert_eq!(answers[1].as_ref().expect("it is stored").messages.len(), 1);
    assert_eq!(code(answers[2].as_ref().expect_err("it failed")), Some(1_811), "SQLITE_CONSTRAINT_TRIGGER");
    assert_eq!(answers[3].as_ref().expect("it is stored").messages.len(), 1);
    assert!(matches!(answers[4], Err(StoreError::InvalidArgument(_))), "{answers:?}");
    assert_eq!((count(&store, one).await, count(&store, two).await), (1, 1));

    // The whole transaction is over: each is told why.
    fail_at(&path, "ROLLBACK");
    let appends = [append_of(one, "good"), invalid(one), append_of(two, "bad"), append_of(two, "good")];
    let answers = store.append_each(appends.into()).await;
    assert!(matches!(answers[1], Err(StoreError::InvalidArgument(_))), "{answers:?}");
    for answer in [0, 2, 3] {
        let error = answers[answer].as_ref().expect_err("nothing is stored");
        assert_eq!((code(error), error.outcome()), (Some(1_811), Outcome::NotDone));
        assert!(everything(error).contains("chat.db"), "{error:?}");
    }
    assert_eq!((count(&store, one).await, count(&store, two).await), (1, 1));
    assert_eq!(found(&store, &scope(), "good", SearchOrder::Newest).await.len(), 2);

    let raw = Connection::open(&path).expect("the file");
    raw.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let impatient = SqliteConfig::file(&path).lock_timeout(std::time::Duration::from_millis(100));
    let impatient = SqliteRepository::open(impatient).await.expect("opening needs no lock");
    let answers =
        impatient.append_each(vec![invalid(one), append_of(one, "good"), append_of(two, "good")]).await;
    assert!(matches!(answers[0], Err(StoreError::InvalidArgument(_))), "{answers:?}");
    for answer in &answers[1..] {
        let error = answer.as_ref().expect_err("the lock is held");
        assert!(error.is_transient() && everything(error).contains("holds the database's lock"), "{error:?}");
    }
}

/// What others of the same moment are told is what happened, and what is acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_for_anothers_sake_are_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    for (how, spared) in [("FAIL", true), ("ROLLBACK", false)] {
        fail_at(&path, how);
        let mut acknowledged = count(&store, thread).await;
        let calls = (0..200).map(|n| {
            let (store, is_bad) = (store.clone(), n % 10 == 0);
            let text = if is_bad { "bad" } else { "good" };
            let append = async move { store.append(&scope(), thread, Append::new([message(text, 1)])).await };
            (is_bad, tokio::spawn(append))
        });
        for (is_bad, call) in calls.collect::<Vec<_>>() {
            match call.await.expect("no panic") {
                Ok(_) => {
                    assert!(!is_bad);
                    acknowledged += 1;
                }
                Err(error) => {
                    assert!(is_bad || !spared, "{error:?}");
                    assert_eq!(code(&error), Some(1_811), "{error:?}");
                }
            }
        }
        assert_eq!(count(&store, thread).await, acknowledged, "{how}");
    }
}

/// When the first task is done, no other is far behind.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_starves_among_many_who_write() {
    const EACH: usize = 100;
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    let thread = thread_of(&store, "ada").await;
    let done: std::sync::Arc<[_; 64]> =
        std::array::from_fn(|_| std::sync::atomic::AtomicUsize::new(0)).into();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..done.len() {
        let (store, done) = (store.clone(), std::sync::Arc::clone(&done));
        tasks.spawn(async move {
            for n in 0..EACH {
                say(&store, thread, [message(format!("{task} {n}"), 1)]).await;
                done[task].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
    }
    tasks.join_next().await.expect("a task").expect("no panic");
    let least = done.iter().map(|done| done.load(std::sync::atomic::Ordering::Relaxed)).min();
    assert!(least.expect("a task") >= EACH / 4, "{least:?}");
    while let Some(task) = tasks.join_next().await {
        task.expect("no panic");
    }
    assert_eq!(store.get_thread(&scope(), thread).await.expect("a thread").head.get(), 64 * 100);
}

/// Every page in turn is overwritten while the file is closed. Each call answers as ever, or says that the file is damaged; none
/// panics, and what can be read is not invented.
#[tokio::test]
async fn a_damaged_page_anywhere_is_named_or_does_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let other = thread_of(&store, "ada").await;
    let said =
        say(&store, thread, (0..200).map(|n| message(format!("stone {n} {}", "x".repeat(200)), n))).await;
    say(&store, other, [message("another stone", 500)]).await;
    until_none(&path, PENDING).await;
    store.close().await.expect("it is closed");
    let whole = fs::read(&path).expect("the file");
    let pages = whole.len() / 4_096;
    assert!(pages > 30, "{pages}");
    let mut named = [0; 6];
    for page in 0..pages {
        for fill in [0x00, 0x5A, 0xFF] {
            let mut bytes = whole.clone();
            bytes[page * 4_096..][..4_096].fill(fill);
            fs::write(&path, bytes).expect("the file is damaged");
            let opened = SqliteRepository::open(SqliteConfig::file(&path)).await;
            let Some(store) = noted(opened, &mut named[0]) else { continue };
            let is_damaged = noted(store.check().await, &mut named[1]).is_none();
            assert!(is_damaged || fill == 0x00, "page {page} with {fill}");
            let listed = store.list_messages(&scope(), thread, &MessageQuery::first(1_000)).await;
            if let Some(listed) = noted(listed, &mut named[2]) {
                assert!(listed.items.iter().all(|message| said.contains(message)), "page {page} with {fill}");
            }
            let query = SearchQuery::new("another stone").order(SearchOrder::Newest);
            noted(store.search_messages(&scope(), &query).await, &mut named[3]);
            noted(store.list_threads(&scope(), &ThreadQuery::default()).await, &mut named[4]);
            let appended = store.append(&scope(), other, Append::new([message("more", 600)])).await;
            if noted(appended, &mut named[5]).is_some() {
                let page = store.list_messages(&scope(), other, &MessageQuery::newest(1)).await;
                assert_eq!(page.expect("what was acknowledged").items[0].content.as_text(), Some("more"));
            }
            store.close().await.expect("it is closed");
            for left in ["chat.db-wal", "chat.db-shm"] {
                let _ = fs::remove_file(folder.path().join(left));
            }
        }
    }
    assert!(named.iter().all(|named| *named > 0), "{named:?}");
}

/// `None` for an error, which says that the file is damaged, or which row.
fn noted<T>(answer: Result<T, StoreError>, named: &mut usize) -> Option<T> {
    let error = match answer {
        Ok(answer) => return Some(answer),
        Err(error) => error,
    };
    *named += 1;
    let text = everything(&error);
    let says = ["the file is damaged", "no SQLite database", "cannot be decoded"];
    assert!(says.iter().any(|says| text.contains(says)), "{error:?}");
    None
}
