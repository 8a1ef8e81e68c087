//! What goes over a whole long thread holds nobody up: others write in it meanwhile, and nothing of theirs is lost.
//! `CHATKEEP_LONG` says how many messages a branch has. How long the slowest of the others' appends took is printed: that is
//! measured, and not asserted.

mod common;
#[path = "common/figures.rs"]
mod figures;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chatkeep_contract::Repo;
use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRepository, Fork, MessageId, MessageQuery, NewBranch, NewMessage,
    NewThread, OrgId, Position, Removal, RequestId, Role, Scope, ThreadId, ThreadQuery, UserId, next_message,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use common::at;
use figures::figure;
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

const MAIN: BranchId = BranchId::MAIN;

const LONG: &str = "CHATKEEP_LONG";

/// The messages of an append.
const BATCH: u64 = 500;

struct Talk {
    store: Repo,
    scope: Scope,
    id: ThreadId,
}

/// What others did meanwhile.
struct Meanwhile {
    ids: Vec<MessageId>,
    slowest: Duration,
}

fn owner() -> (OrgId, UserId) {
    (OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"))
}

fn message(number: u64) -> NewMessage {
    let text = format!("message {number} of a long thread, as long as people write");
    NewMessage::new(Uuid::from_u128(u128::from(number)).into(), Role::User, text, at(0))
}

impl Talk {
    async fn begin(store: &Repo, number: u128) -> Self {
        let (org, user) = owner();
        let talk = Self {
            store: Arc::clone(store),
            scope: Scope::user(org.clone(), user.clone()),
            id: Uuid::from_u128(number).into(),
        };
        let new = NewThread::new(talk.id, org, user, "long", at(0));
        talk.store.create_thread(&talk.scope, new).await.expect("a thread");
        talk
    }

    fn branches(&self) -> &dyn BranchRepository {
        self.store.branches().expect("the store has branches")
    }

    /// Gives the position of the last one.
    async fn fill(&self, branch: BranchId, first: u64, count: u64) -> Position {
        let mut head = Position::ZERO;
        for begin in (first..first + count).step_by(usize::try_from(BATCH).expect("it is small")) {
            let messages = (begin..(begin + BATCH).min(first + count)).map(message);
            let append = Append::new(messages).branch(branch);
            head = self.store.append(&self.scope, self.id, append).await.expect("an append").head;
        }
        head
    }

    async fn count(&self) -> u64 {
        let page = self.store.list_threads(&self.scope, &ThreadQuery::first(10).with_preview()).await;
        let threads = page.expect("a list").items;
        let thread = threads.into_iter().find(|thread| thread.id == self.id).expect("the thread");
        thread.preview.expect("a preview").message_count
    }

    async fn shown(&self, branch: BranchId) -> Vec<MessageId> {
        let query = MessageQuery::first(1_000).branch(branch);
        let mut stream = self.store.stream_messages(&self.scope, self.id, query);
        let mut ids = Vec::new();
        while let Some(message) = next_message(&mut stream).await {
            ids.push(message.expect("a message").id);
        }
        ids
    }

    /// Does this while another task appends to the main branch, one message after the other, from that number on.
    async fn beside<T>(&self, first: u64, work: impl Future<Output = T>) -> (T, Meanwhile) {
        let is_done = Arc::new(AtomicBool::new(false));
        let (store, scope, id, stop) =
            (Arc::clone(&self.store), self.scope.clone(), self.id, Arc::clone(&is_done));
        let others = tokio::spawn(async move {
            let mut meanwhile = Meanwhile { ids: Vec::new(), slowest: Duration::ZERO };
            for number in first.. {
                if stop.load(Ordering::Relaxed) && meanwhile.ids.len() >= 3 {
                    break;
                }
                let begun = Instant::now();
                let appended = store.append(&scope, id, Append::new([message(number)])).await;
                meanwhile.ids.push(appended.expect("an append").messages[0].id);
                meanwhile.slowest = meanwhile.slowest.max(begun.elapsed());
            }
            meanwhile
        });
        let done = work.await;
        is_done.store(true, Ordering::Relaxed);
        (done, others.await.expect("the others end"))
    }
}

/// Before each work it waits until the store has `settled` from the one before.
async fn long_work_holds_nobody_up(name: &str, store: Repo, settled: impl AsyncFn()) {
    let count: u64 = figure(LONG).unwrap_or(5_000);
    let talk = Talk::begin(&store, 1).await;
    talk.fill(MAIN, 1, count).await;
    let end = talk.store.get_thread(&talk.scope, talk.id).await.expect("the thread").head;
    let from = BranchPoint::new(MAIN, Position::new(1).expect("a position"));
    let new = NewBranch::new(RequestId::from(Uuid::from_u128(1)), from, at(1));
    let branch = talk.branches().create_branch(&talk.scope, talk.id, new).await.expect("a branch").id;
    let mut next = 2 * count + 1;
    let mut kept: Vec<MessageId> = Vec::new();
    let mut report = |what: &str, begun: Instant, meanwhile: Meanwhile| {
        let Meanwhile { ids, slowest } = meanwhile;
        println!(
            "{name}: {what} of {count} messages took {:?}; meanwhile {} appends, the slowest {slowest:?}",
            begun.elapsed(),
            ids.len()
        );
        next += ids.len() as u64;
        (ids, next)
    };

    // What the rest is compared with: others who only append.
    settled().await;
    let begun = Instant::now();
    let filling = async {
        let half = talk.fill(branch, count + 1, count / 2).await;
        talk.fill(branch, count + 1 + count / 2, count - count / 2).await;
        half
    };
    let (half, others) = talk.beside(2 * count + 1, filling).await;
    let (ids, next) = report("appending, 500 at once,", begun, others);
    kept.extend(ids);

    let (org, user) = owner();
    let new = NewThread::new(Uuid::from_u128(2).into(), org, user, "fork", at(2));
    let fork = Fork::new(new, BranchPoint::new(MAIN, end));
    settled().await;
    let begun = Instant::now();
    let forking = talk.branches().fork_thread(&talk.scope, talk.id, fork);
    let (forked, others) = talk.beside(next, forking).await;
    let (ids, next) = report("a fork", begun, others);
    kept.extend(ids);
    let copy = Talk { id: forked.expect("a fork").id, store: Arc::clone(&store), scope: talk.scope.clone() };
    let originals: Vec<_> =
        (1..=count).map(|number| MessageId::from(Uuid::from_u128(number.into()))).collect();
    assert_eq!(copy.shown(MAIN).await, originals);
    assert_eq!(copy.count().await, count);

    settled().await;
    let begun = Instant::now();
    let truncating = talk.branches().truncate_branch(&talk.scope, talk.id, branch, half, Removal::new(at(3)));
    let (removed, others) = talk.beside(next, truncating).await;
    let (ids, next) = report("a truncation behind half", begun, others);
    kept.extend(ids);
    assert_eq!(removed.expect("it is truncated"), count - count / 2);
    assert_eq!(talk.shown(branch).await.len() as u64, 1 + count / 2);

    settled().await;
    let begun = Instant::now();
    let deleting = talk.branches().delete_branch(&talk.scope, talk.id, branch, Removal::new(at(4)));
    let (removed, others) = talk.beside(next, deleting).await;
    let (ids, next) = report("a deletion of a branch with half", begun, others);
    kept.extend(ids);
    assert_eq!(removed.expect("it is deleted"), count / 2);

    assert_eq!(talk.shown(MAIN).await, [originals, kept].concat(), "what others said meanwhile is lost");
    let before = talk.count().await;
    settled().await;
    let begun = Instant::now();
    let clearing = talk.store.clear_messages(&talk.scope, talk.id, Removal::new(at(5)));
    let (removed, others) = talk.beside(next, clearing).await;
    let (meanwhile, _) = report("a clear", begun, others);
    // What came before it began is gone with it; what came later stays.
    let removed = removed.expect("it is cleared");
    let gone = usize::try_from(removed - before).expect("it removes what was there");
    assert_eq!(talk.shown(MAIN).await, meanwhile[gone..]);
    assert_eq!(talk.count().await, (meanwhile.len() - gone) as u64);
    assert_eq!(copy.count().await, count, "the fork stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory() {
    long_work_holds_nobody_up("memory", common::memory(), async || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_in_memory() {
    long_work_holds_nobody_up("SQLite in memory", common::sqlite().await, async || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteConfig::file(folder.path().join("chat.db"));
    let store = SqliteRepository::open(file).await.expect("a file");
    long_work_holds_nobody_up("SQLite", Arc::new(store), async || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn on_postgres() {
    let server = common::postgres::server().await;
    // Autovacuum and a checkpoint bring to the disk what the last work left, and commits wait for that. It is not the next
    // work's doing.
    let settled = async || {
        if figure::<u64>(LONG).is_some() {
            tokio::time::sleep(Duration::from_secs(20)).await;
            server.execute_unprepared("CHECKPOINT").await.expect("a checkpoint");
        }
    };
    long_work_holds_nobody_up("PostgreSQL", common::postgres().await, settled).await;
}
