//! The plans of the statements that are really sent.
//!
//! PostgreSQL explains each statement itself, by `auto_explain`, with the plan that it has just run, a generic one
//! included; it tells them to the client as notices, which a proxy between the two reads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// What was overheard, in order. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn add(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Everything since it was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A proxy in front of the PostgreSQL of this URL: gives its own URL, and the plans that pass through it.
pub(crate) async fn explaining_proxy(url: &str) -> (String, Heard) {
    let (user, rest) = url.split_once('@').expect("a URL with a user");
    let (server, name) = rest.split_once('/').expect("a URL with a database");
    let server: SocketAddr =
        server.replace("localhost", "127.0.0.1").parse().expect("an address with a port");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let heard = Heard::default();
    let plans = heard.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, server, plans.clone()));
        }
    });
    (format!("{user}@{address}/{name}?sslmode=disable"), heard)
}

/// Passes one connection on, the server's answers message by message: a type, a length, the rest.
async fn pass(client: TcpStream, server: SocketAddr, plans: Heard) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    // Or else each message waits for the answer to the one before it.
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut answers, mut requests) = server.into_split();
    let (mut from, mut to) = client.into_split();
    tokio::spawn(async move { copy(&mut from, &mut requests).await });
    loop {
        let kind = answers.read_u8().await?;
        let length = answers.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        answers.read_exact(&mut body).await?;
        if kind == b'N' {
            // Before the answer that it belongs to reaches the client.
            plans.add(message_of(&body));
        }
        let mut whole = vec![kind];
        whole.extend(length.to_be_bytes());
        whole.extend(body);
        to.write_all(&whole).await?;
    }
}

/// A notice's fields each begin with their type; `M` is the text.
fn message_of(notice: &[u8]) -> String {
    let text = notice.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
    String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
}
