//! What is logged, at the finest level, by us and by everything below: ids, and neither content nor a password, nor
//! what is searched for. And what errors say.

use std::error::Error;
use std::io;
use std::iter;
use std::sync::{Arc, Mutex, PoisonError};

use chatkeep::config::DatabaseConfig;
use chatkeep::{
    Conversation, MessageFilter, Metadata, MetadataFilter, OrgId, Role, Scope, SearchOrder, SearchQuery,
    StateManager, ThreadQuery, UserId,
};
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

fn postgres(url: String) -> DatabaseConfig {
    let mut config = DatabaseConfig::from_url(url).expect("a URL");
    config.auto_migrate = Some(true);
    config
}

async fn open(config: &DatabaseConfig) -> StateManager {
    let scope = Scope::user(OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    StateManager::connect(config, scope).await.expect("the store opens")
}

fn metadata() -> Metadata {
    iter::once(("tier".to_owned(), "secret-tier".into())).collect()
}

fn assert_says_no_secret(error: &chatkeep::Error) {
    let error: &dyn Error = error;
    for error in iter::successors(Some(error), |error| (*error).source()) {
        assert!(!format!("{error} {error:?}").contains("secret"), "{error} {error:?}");
    }
}

/// Every kind of call, some of which fail. Gives the thread's id.
async fn use_it(config: &DatabaseConfig) -> String {
    let state = open(config).await;
    let thread = state.create_thread("secret-name").metadata(metadata()).await.expect("a thread");
    let chat = state.conversation(thread.id);
    let said = chat.add_message(Role::User, "secret-content").metadata(metadata()).await.expect("a message");
    chat.add_message(Role::User, "secret-content").id(said.id).await.expect("a retry");
    chat.message(said.id).edit("secret-content, edited").await.expect("an edit");
    chat.get_messages().await.expect("a list");
    chat.rename("secret-name, new").metadata(metadata()).await.expect("an update");
    look_for_it(&chat).await;
    refuse_it(&state).await;
    let conflict = chat
        .add_message(Role::User, "secret-content")
        .expect_head(chatkeep::Position::ZERO)
        .await
        .expect_err("a conflict");
    assert_says_no_secret(&conflict);
    chat.clear().await.expect("a clear");
    chat.delete().await.expect("a deletion");
    thread.id.to_string()
}

/// Every kind of search and of filter.
async fn look_for_it(chat: &Conversation) {
    let state = chat.state_manager();
    let tier = MetadataFilter::new("/tier", "secret-tier").expect("a filter");
    let threads = ThreadQuery::default().name_contains("SECRET-n").metadata(tier.clone());
    assert_eq!(state.list_threads(&threads).await.expect("a list").items.len(), 1);
    let of_tier = MessageFilter::new().metadata(tier);
    let messages = chat.get_messages().filter(of_tier.clone());
    assert_eq!(messages.await.expect("a list").len(), 0, "the edit left the metadata out");
    for text in ["secret", "\"secret content\" edi*", "secret OR secrets -\"a secret\""] {
        for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
            let found = state.search(SearchQuery::new(text).order(order)).await.expect("a search");
            assert_eq!(found.items.len(), 1, "{text}");
        }
        let found = chat.search(SearchQuery::new(text).filter(of_tier.clone())).await;
        assert_eq!(found.expect("a search").items.len(), 0, "{text}");
    }
}

/// Searches and filters that are refused.
async fn refuse_it(state: &StateManager) {
    let long = "secret ".repeat(1_000);
    let absent = "0198c0de-0000-7000-8000-000000000001".parse().expect("an id");
    let searches = [state.search(&long).await, state.conversation(absent).search("secret").await];
    for search in searches {
        assert_says_no_secret(&search.expect_err("a search that is refused"));
    }
    for (path, value) in [("secret", "secret-tier"), ("/tier", &long)] {
        assert_says_no_secret(
            &MetadataFilter::new(path, value).expect_err("a filter that is refused").into(),
        );
    }
    let named = ThreadQuery::default().name_contains(&long);
    assert_says_no_secret(&state.list_threads(&named).await.expect_err("a long name"));
    assert_says_no_secret(&state.create_thread(long.repeat(100)).await.expect_err("a long name"));
}

/// Makes the server say in an error what it was asked to search for.
const REFUSE_SEARCHES: &str = "
    CREATE FUNCTION public.refuse(tsvector, tsquery) RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'cannot look for %', $2 USING ERRCODE = '22023'; END $$;
    CREATE OPERATOR public.@@ (LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = public.refuse);
    ALTER ROLE postgres SET search_path = public, pg_catalog;";

/// A search that the server refuses.
async fn be_refused_by(server: &PgServer) {
    server.psql(REFUSE_SEARCHES).expect("an operator");
    let state = open(&postgres(server.url())).await;
    let thread = state.create_thread("secret-name").await.expect("a thread");
    let chat = state.conversation(thread.id);
    chat.add_message(Role::User, "secret-content").await.expect("a message");
    let refused = state.search("secret").await.expect_err("a search that is refused");
    assert!(format!("{refused:?}").contains("22023"), "{refused:?}");
    assert_says_no_secret(&refused);
}

// One test in this binary: the subscriber is the process's, so that it hears the drivers' own threads too.
#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn logs_and_errors_show_ids_and_neither_content_nor_searches_nor_passwords() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let server = PgServer::start(PgOptions::default().password("secret-password")).expect("a server");
    let folder = tempfile::tempdir().expect("a folder");
    let mut threads = vec![use_it(&DatabaseConfig::sqlite(folder.path().join("chat.db"))).await];
    threads.push(use_it(&postgres(server.url())).await);
    let wrong = postgres(server.url().replace("secret-password", "secret-but-wrong"));
    let refused = chatkeep::create_repository(&wrong).await.expect_err("a wrong password");
    assert_says_no_secret(&refused);
    be_refused_by(&server).await;

    let log = String::from_utf8(log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8");
    for expected in threads.iter().map(String::as_str).chain([
        "db.message.append",
        "db.thread.delete",
        "db.message.search",
    ]) {
        assert!(log.contains(expected), "the log was listened to: {expected}");
    }
    let shown: Vec<_> = log.lines().filter(|line| line.contains("secret")).collect();
    assert!(shown.is_empty(), "{shown:#?}");
}
