//! What goes over the wire: counted by a proxy between us and a real PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatkeep_domain::{Append, MessageRepository};
use chatkeep_seaorm::{PostgresConfig, SeaOrmRepository};
use chatkeep_testkit::{PgOptions, PgServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::common::{create_thread, message, scope, thread_id};

/// The client's messages by their type byte.
#[derive(Debug, Default)]
struct Wire {
    parse: AtomicUsize,
    bind: AtomicUsize,
    query: AtomicUsize,
    /// Each ends a round trip.
    sync: AtomicUsize,
}

impl Wire {
    fn reset(&self) {
        for counter in [&self.parse, &self.bind, &self.query, &self.sync] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    fn count(&self, kind: u8) {
        let counter = match kind {
            b'P' => &self.parse,
            b'B' => &self.bind,
            b'Q' => &self.query,
            b'S' => &self.sync,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes one connection on, message by message.
    async fn pass(self: Arc<Self>, client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
        let (mut answers, mut requests) = TcpStream::connect(server).await?.into_split();
        let (mut from, mut to) = client.into_split();
        tokio::spawn(async move { copy(&mut answers, &mut to).await });
        // The first message has no type.
        let mut kind = None;
        loop {
            let length = from.read_u32().await?;
            let mut body = vec![0; length as usize - 4];
            from.read_exact(&mut body).await?;
            let mut whole: Vec<u8> = kind.into_iter().collect();
            whole.extend(length.to_be_bytes());
            whole.extend(body);
            requests.write_all(&whole).await?;
            let next = from.read_u8().await?;
            self.count(next);
            kind = Some(next);
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn an_append_of_any_length_is_one_round_trip_and_nothing_is_pinged_before_it() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    let wire = Arc::new(Wire::default());
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = proxy.local_addr().unwrap().port();
    let address = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let passing = wire.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = proxy.accept().await {
            tokio::spawn(passing.clone().pass(client, address));
        }
    });
    let url = server.url().replace(&format!(":{}", server.port()), &format!(":{port}"));
    let config = PostgresConfig::from_url(&format!("{url}?sslmode=disable").into()).unwrap();
    let repository =
        SeaOrmRepository::postgres(config.auto_migrate(true).pool_size(1).max_overflow(0)).await.unwrap();
    create_thread(&repository).await.unwrap();
    // Once to prepare it.
    repository.append(&scope(), thread_id(), Append::new([message(1, "x")])).await.unwrap();
    wire.reset();
    for number in 0..10 {
        let batch = (0..100).map(|index| message(1_000 + number * 100 + index, "x"));
        repository.append(&scope(), thread_id(), Append::new(batch)).await.unwrap();
    }
    let counted = [&wire.parse, &wire.query, &wire.bind].map(|counter| counter.load(Ordering::Relaxed));
    assert_eq!(counted, [0, 0, 10], "parses, plain queries, executed statements");
    // One each for the append, and one each behind it, with which the driver tests the connection that was given back.
    let syncs = wire.sync.load(Ordering::Relaxed);
    assert!((10..=21).contains(&syncs), "{syncs} round trips");
}
