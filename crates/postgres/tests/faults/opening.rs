use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{ConversationRepository as _, StoreError};
use chatkeep_postgres::PostgresRepository;
use chatkeep_testkit::{PgOptions, PgServer, StopMode};

use crate::common::everything_shown;
use crate::{callers, config, open, server};

/// Longer than a server takes to start, and shorter than anyone waits for what cannot succeed.
const AT_ONCE: Duration = Duration::from_secs(5);
const PATIENT: Duration = Duration::from_mins(1);

async fn open_patiently(url: &str) -> Result<PostgresRepository, StoreError> {
    PostgresRepository::open(config(url).acquire_timeout(PATIENT)).await
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_server_that_is_started_later_is_waited_for() {
    let server = server();
    server.stop(StopMode::Fast).expect("it stops");
    let url = server.url();
    let opening = tokio::spawn(async move { open_patiently(&url).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!opening.is_finished());
    server.start_again().expect("it starts");
    opening.await.expect("no panic").expect("it waits");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_server_that_restarts_is_waited_for() {
    let server = Arc::new(server());
    open(&server.url()).await.expect("it migrates");
    // Until the last client has left, the server answers the others that it takes no connections (57P03).
    let client = callers(&server.url()).await;
    let restarting = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || server.restart(StopMode::Smart)
    });
    let brief = || config(&server.url()).acquire_timeout(Duration::from_millis(200));
    let said = async {
        loop {
            match PostgresRepository::open(brief()).await {
                Err(error) if everything_shown(&error).contains("shutting down") => break error,
                _ => {}
            }
        }
    };
    let said = tokio::time::timeout(PATIENT, said).await.expect("it shuts down");
    assert!(said.is_transient() && said.to_string().contains("starting up"), "{said:?}");
    let url = server.url();
    let opening = tokio::spawn(async move { open_patiently(&url).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!opening.is_finished());
    client.close().await.expect("it leaves");
    opening.await.expect("no panic").expect("it waits");
    restarting.await.expect("no panic").expect("the server starts again");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_free_connection_is_waited_for() {
    let server = server();
    let roles = "CREATE EXTENSION btree_gin; CREATE ROLE small LOGIN CONNECTION LIMIT 1; GRANT CREATE ON SCHEMA public TO small";
    server.psql(roles).expect("a role");
    let url = server.url().replace("postgres@", "small@");
    let taken = callers(&url).await;
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        taken.close().await.expect("it leaves");
    };
    let (opened, ()) = tokio::join!(open_patiently(&url), leaving);
    // It migrates with its one connection.
    opened.expect("it waits").close().await.expect("it closes");
    open_patiently(&url).await.expect("it opens again");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn what_stays_wrong_is_not_waited_for() {
    let server = PgServer::start(PgOptions::default().password("right")).expect("a server");
    let url = server.url();
    for (url, said) in [
        (url.replace(":right@", ":wrong@"), "password authentication failed"),
        (url.replace(":right@", "@"), "password"),
        (url.replace("postgres:right@", "nobody:right@"), "password authentication failed"),
        (server.url_of("nowhere"), "database \"nowhere\" does not exist"),
        (format!("{url}?sslmode=require"), "TLS"),
        (format!("{url}?options=-c%20nothing%3D1"), "\"nothing\""),
    ] {
        let shown = is_refused_at_once(&url, said).await;
        assert!(!shown.contains("right") && !shown.contains("wrong"), "{shown}");
    }
    open(&url).await.expect("the store opens");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_certificate_that_is_refused_is_not_waited_for_by_opening() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let options = PgOptions::default().tls(certified.cert.pem(), certified.signing_key.serialize_pem());
    let server = PgServer::start(options).expect("a server");
    is_refused_at_once(&format!("{}?sslmode=verify-full", server.url()), "certificate").await;
}

/// Gives all that is shown.
async fn is_refused_at_once(url: &str, said: &str) -> String {
    let opening = tokio::time::timeout(AT_ONCE, open_patiently(url));
    let error = opening.await.unwrap_or_else(|_| panic!("{url} is waited for")).unwrap_err();
    let shown = everything_shown(&error);
    assert!(matches!(error, StoreError::Backend { .. }) && shown.contains(said), "{url}: {shown}");
    shown
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn no_character_of_a_password_is_shown() {
    let server = PgServer::start(PgOptions::default().password("right")).expect("a server");
    for (encoded, shown_of_it) in [
        ("zq%F0%9F%98%80zq", ["zq", "😀", "1f600"]),
        ("zq%07zq", ["zq", "\\u{7}", "\u{7}"]),
        ("zq%EE%80%80zq", ["zq", "\u{e000}", "e000"]),
        ("zq%D7%90zq", ["zq", "א", "5d0"]),
    ] {
        let url = server.url().replace(":right@", &format!(":{encoded}@"));
        let config = config(&url);
        let error = PostgresRepository::open(config.clone()).await.unwrap_err();
        let shown = format!("{} {config:?} {config:#?}", everything_shown(&error));
        assert!(matches!(error, StoreError::Backend { .. }) && shown.contains("password"), "{shown}");
        for text in shown_of_it {
            assert!(!shown.contains(text), "{encoded}: {shown}");
        }
    }
}
