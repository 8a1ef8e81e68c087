//! What is logged, at the finest level, by us and by everything below: ids, and neither content nor a password.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use chatkeep::config::DatabaseConfig;
use chatkeep::{OrgId, Role, Scope, StateManager, UserId};
use chatkeep_testkit::{PgOptions, PgServer};
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every kind of call, some of which fail. Gives the thread's id.
async fn use_it(config: &DatabaseConfig) -> String {
    let scope = Scope::user(OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    let state = StateManager::connect(config, scope).await.expect("the store opens");
    let thread = state.create_thread("secret-name").await.expect("a thread");
    let said = state.add_message(Role::User, "secret-content").await.expect("a message");
    state.add_message(Role::User, "secret-content").id(said.id).await.expect("a retry");
    state.message(said.id).edit("secret-content, edited").await.expect("an edit");
    state.get_messages().await.expect("a list");
    state
        .add_message(Role::User, "secret-content")
        .expect_head(chatkeep::Position::ZERO)
        .await
        .expect_err("a conflict");
    state.clear_thread(None).await.expect("a clear");
    state.delete_thread(None).await.expect("a deletion");
    thread.id.to_string()
}

// One test in this binary: the subscriber is the process's, so that it hears the drivers' own threads too.
#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn logs_show_ids_and_neither_content_nor_passwords() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let server = PgServer::start(PgOptions::default().password("secret-password")).expect("a server");
    let postgres = |url: String| {
        let mut config = DatabaseConfig::from_url(url).expect("a URL");
        config.auto_migrate = Some(true);
        config
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut threads = vec![use_it(&DatabaseConfig::sqlite(folder.path().join("chat.db"))).await];
    threads.push(use_it(&postgres(server.url())).await);
    let wrong = postgres(server.url().replace("secret-password", "secret-but-wrong"));
    let refused = chatkeep::create_repository(&wrong).await.expect_err("a wrong password");
    assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");

    let log = String::from_utf8(log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8");
    for expected in threads.iter().map(String::as_str).chain(["db.message.append", "db.thread.delete"]) {
        assert!(log.contains(expected), "the log was listened to: {expected}");
    }
    let shown: Vec<_> = log.lines().filter(|line| line.contains("secret")).collect();
    assert!(shown.is_empty(), "{shown:#?}");
}
