use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{Append, Outcome, StoreError};
use chatkeep_domain::{MessageRepository as _, ThreadRepository as _};
use chatkeep_layers::{LayersConfig, layered};
use chatkeep_postgres::{Connections as _, PostgresRepository};
use chatkeep_testkit::PgServer;
use sea_orm::TransactionSession as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::common::{create_thread, message, scope, thread_id};
use crate::{config, open, server};

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_server_that_takes_writes_again_is_found_at_once() {
    let server = server();
    let url = server.create_database("chat", None).expect("a database");
    create_thread(&open(&url).await.expect("the store opens")).await.expect("a thread");
    for cache in [100, 0] {
        server.psql("ALTER DATABASE chat SET default_transaction_read_only = on").expect("the setting");
        let store =
            PostgresRepository::open(config(&url).statement_cache_size(cache)).await.expect("it reads");
        let append = || Append::new([message(cache as u128 + 1, "x")]);
        let error = store.append(&scope(), thread_id(), append()).await.unwrap_err();
        assert!(error.is_transient() && error.outcome() == Outcome::NotDone, "{error:?}");

        // Six connections that rest, and will take no writes.
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(store.connections().begin().await.expect("a connection"));
        }
        for transaction in held {
            transaction.commit().await.expect("it ends");
        }
        server.psql("ALTER DATABASE chat RESET default_transaction_read_only").expect("the setting");
        let mut failures = 0;
        while let Err(error) = store.append(&scope(), thread_id(), append()).await {
            assert!(error.is_transient(), "{error:?}");
            failures += 1;
        }
        // The first one closes all that rest.
        assert_eq!(failures, 1);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn the_layers_wait_until_a_server_takes_writes_again() {
    let server = server();
    let url = server.create_database("chat", None).expect("a database");
    create_thread(&open(&url).await.expect("the store opens")).await.expect("a thread");
    server.psql("ALTER DATABASE chat SET default_transaction_read_only = on").expect("the setting");
    let store = layered(Arc::new(open(&url).await.expect("it reads")), &LayersConfig::default());
    let appending = tokio::spawn({
        let store = store.clone();
        async move { store.append(&scope(), thread_id(), Append::new([message(1, "x")])).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!appending.is_finished());
    server.psql("ALTER DATABASE chat RESET default_transaction_read_only").expect("the setting");
    let done = tokio::time::timeout(Duration::from_secs(5), appending).await.expect("soon");
    done.expect("no panic").expect("it is written");
}

/// A way to the server that can be cut: a task that passes on what is sent.
async fn wire(server: &PgServer) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let address = ("127.0.0.1", server.port());
    let passing = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut server = TcpStream::connect(address).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (format!("postgres://postgres@127.0.0.1:{port}/postgres"), passing)
}

/// What a caller finds who looks for the cause.
fn io_cause(error: &StoreError) -> Option<ErrorKind> {
    let mut causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind)
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn what_broke_a_connection_is_among_the_causes() {
    let server = server();
    let (url, wire) = wire(&server).await;
    let store = open(&url).await.expect("the store opens");
    create_thread(&store).await.expect("a thread");
    wire.abort();
    assert!(wire.await.is_err(), "it is cut");
    let error = store.get_thread(&scope(), thread_id()).await.unwrap_err();
    let broken = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(io_cause(&error).is_some_and(|kind| broken.contains(&kind)), "{error:?}");
    let error = store.append(&scope(), thread_id(), Append::new([message(1, "x")])).await.unwrap_err();
    assert_eq!((io_cause(&error), error.outcome()), (Some(ErrorKind::ConnectionRefused), Outcome::NotDone));
    let layers = LayersConfig::default().deadline(Duration::from_millis(100));
    let error = layered(Arc::new(store), &layers).get_thread(&scope(), thread_id()).await.unwrap_err();
    assert_eq!(io_cause(&error), Some(ErrorKind::ConnectionRefused), "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_is_among_the_causes() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = config(&format!("postgres://ada@127.0.0.1:{port}/chat"));
    let config = config.acquire_timeout(Duration::from_millis(100));
    let error = PostgresRepository::open(config).await.unwrap_err();
    assert_eq!(io_cause(&error), Some(ErrorKind::ConnectionRefused), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
}
