//! What goes over the wire: counted by a proxy between us and a real PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatkeep_testkit::PgServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// The client's messages by their type.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    parse: AtomicU64,
    bind: AtomicU64,
    query: AtomicU64,
    sync: AtomicU64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Statements that were prepared.
    pub(crate) parses: u64,
    /// Prepared statements that were run.
    pub(crate) binds: u64,
    /// Each makes the client wait for an answer: a plain query, and what ends a run of other messages.
    pub(crate) round_trips: u64,
}

impl Wire {
    /// A proxy in front of the server: gives its counters, and the URL of a database through it.
    pub(crate) async fn tap(server: &PgServer, database: &str) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let address = SocketAddr::from(([127, 0, 0, 1], server.port()));
        let wire = Arc::new(Self::default());
        let passing = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(passing.clone().pass(client, address));
            }
        });
        (wire, format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable"))
    }

    /// Everything since it was last asked.
    pub(crate) fn take(&self) -> Sent {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let round_trips = take(&self.query) + take(&self.sync);
        Sent { parses: take(&self.parse), binds: take(&self.bind), round_trips }
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
        let server = TcpStream::connect(server).await?;
        // Or else each message waits for the answer to the one before it.
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let (mut answers, mut requests) = server.into_split();
        let (mut from, mut to) = client.into_split();
        tokio::spawn(async move { copy(&mut answers, &mut to).await });
        // The first message has no type.
        let mut kind = None;
        loop {
            let length = from.read_u32().await?;
            let mut body = vec![0; length as usize - 4];
            from.read_exact(&mut body).await?;
            // Before the server can answer.
            if let Some(kind) = kind {
                self.count(kind);
            }
            let mut whole: Vec<u8> = kind.into_iter().collect();
            whole.extend(length.to_be_bytes());
            whole.extend(body);
            requests.write_all(&whole).await?;
            kind = Some(from.read_u8().await?);
        }
    }
}
