//! PostgreSQL stopped and started in the middle of a load.

#[path = "common/figures.rs"]
mod figures;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chatkeep::domain::{Append, ConversationRepositoryExt as _, NewThread};
use chatkeep::{
    Clock as _, ConversationRepository, IdGenerator as _, LayersConfig, MessageId, MessageQuery, NewMessage,
    OrgId, Role, Scope, SystemClock, ThreadId, UserId, UuidV7Generator, layered,
};
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use chatkeep_testkit::{PgOptions, PgServer, StopMode};
use figures::figure;

const WRITERS: usize = 16;

/// Long enough that a call which hangs is told from one that waits for its deadline.
const HANGS: Duration = Duration::from_mins(2);

fn scope() -> Scope {
    Scope::user(OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"))
}

fn config(server: &PgServer) -> PostgresConfig {
    PostgresConfig::from_url(&server.url().into()).expect("a URL").auto_migrate(true)
}

async fn open(config: PostgresConfig, layers: &LayersConfig) -> Arc<dyn ConversationRepository> {
    layered(Arc::new(PostgresRepository::open(config).await.expect("the store opens")), layers)
}

/// What the writers share.
#[derive(Debug, Default)]
struct Load {
    over: AtomicBool,
    transient: AtomicUsize,
    written: AtomicUsize,
}

/// Appends until the load is over; the same message again and again until it is acknowledged.
async fn write(
    repository: Arc<dyn ConversationRepository>,
    thread: ThreadId,
    load: Arc<Load>,
) -> Vec<MessageId> {
    let mut acknowledged = Vec::new();
    while !load.over.load(Ordering::Relaxed) {
        let message = NewMessage::new(UuidV7Generator.message_id(), Role::User, "x", SystemClock.now());
        loop {
            let append = Append::new([message.clone()]);
            let scope = scope();
            let call = repository.append(&scope, thread, append);
            match tokio::time::timeout(HANGS, call).await.expect("a call ends within its deadline") {
                Ok(_) => break,
                Err(error) if error.is_transient() => {
                    load.transient.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => panic!("not transient: {error:?}"),
            }
        }
        load.written.fetch_add(1, Ordering::Relaxed);
        acknowledged.push(message.id);
    }
    acknowledged
}

/// Waits until so many more messages were acknowledged: the load is under way, or has recovered.
async fn progress(load: &Load, count: usize) {
    let goal = load.written.load(Ordering::Relaxed) + count;
    let reached = async {
        while load.written.load(Ordering::Relaxed) < goal {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(HANGS, reached).await.expect("the writers recover by themselves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn writers_survive_a_server_that_stops_and_starts() {
    let server = Arc::new(PgServer::start(PgOptions::default().fsync(true)).expect("a server"));
    let patient = open(config(&server), &LayersConfig::default()).await;
    let short = Duration::from_millis(200);
    let hasty = open(config(&server).acquire_timeout(short), &LayersConfig::default().deadline(short)).await;
    let new = NewThread::new(
        UuidV7Generator.thread_id(),
        OrgId::new("acme").expect("an id"),
        UserId::new("ada").expect("an id"),
        "restart",
        SystemClock.now(),
    );
    let thread = patient.create_thread(&scope(), new).await.expect("a new thread").id;

    let (waiting, giving_up) = (Arc::new(Load::default()), Arc::new(Load::default()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| match writer % 2 {
            0 => tokio::spawn(write(patient.clone(), thread, waiting.clone())),
            _ => tokio::spawn(write(hasty.clone(), thread, giving_up.clone())),
        })
        .collect();
    let restarts = figure("CHATKEEP_RESTARTS").unwrap_or(3);
    for mode in [StopMode::Fast, StopMode::Immediate].into_iter().cycle().take(restarts) {
        progress(&waiting, 100).await;
        progress(&giving_up, 100).await;
        let (down, server) = (giving_up.transient.load(Ordering::Relaxed), server.clone());
        let stopped = server.clone();
        tokio::task::spawn_blocking(move || stopped.stop(mode)).await.expect("a thread").expect("it stops");
        // Down for so long that those who do not wait have heard of it.
        let heard = async {
            while giving_up.transient.load(Ordering::Relaxed) < down + WRITERS / 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(HANGS, heard).await.expect("a transient error within the deadline");
        tokio::task::spawn_blocking(move || server.start_again())
            .await
            .expect("a thread")
            .expect("it starts");
    }
    progress(&waiting, 100).await;
    progress(&giving_up, 100).await;
    waiting.over.store(true, Ordering::Relaxed);
    giving_up.over.store(true, Ordering::Relaxed);

    let mut acknowledged = HashSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("no writer saw a permanent error"));
    }
    assert_eq!(waiting.transient.load(Ordering::Relaxed), 0, "those who wait see no error at all");
    let stored =
        patient.read_messages(&scope(), thread, MessageQuery::default(), None).await.expect("the thread");
    assert!(stored.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(stored.len(), acknowledged.len(), "each message is there once");
    assert_eq!(stored.iter().map(|message| message.id).collect::<HashSet<_>>(), acknowledged);
    println!(
        "{} messages by {WRITERS} writers over {restarts} restarts; {} transient errors",
        stored.len(),
        giving_up.transient.load(Ordering::Relaxed)
    );
}
