use chatkeep_testkit::{PgOptions, PgServer};

use crate::open;

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn an_ipv6_address_and_a_socket_are_hosts() {
    let options =
        PgOptions::default().set("listen_addresses", "127.0.0.1, ::1").set("unix_socket_permissions", "0777");
    let server = PgServer::start(options).expect("a server");
    let (port, folder) = (server.port(), server.socket_folder());
    let encoded = folder.replace('/', "%2F");
    for url in [
        format!("postgres://postgres@[::1]:{port}/postgres"),
        format!("postgres://postgres@/postgres?host=::1&port={port}"),
        format!("postgres://postgres@/postgres?hostaddr=::1&port={port}"),
        format!("postgres://postgres@{encoded}:{port}/postgres"),
        format!("postgres:///postgres?host={folder}&port={port}&user=postgres"),
        format!("postgres://postgres@localhost:1/postgres?host={encoded}&port={port}"),
    ] {
        open(&url).await.unwrap_or_else(|error| panic!("{url}: {}", crate::shown(&error)));
    }
}
