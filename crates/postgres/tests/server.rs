//! Where a URL leads: hosts of every kind, schemas, TLS. Against real servers.

#[expect(dead_code, reason = "shared with the other tests, which use more of it")]
mod common;
mod server {
    mod hosts;
    mod schema;
    mod tls;
}

use chatkeep_domain::StoreError;
use chatkeep_postgres::{PostgresConfig, PostgresRepository};

fn config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(&url.to_owned().into()).expect("a URL").auto_migrate(true)
}

async fn open(url: &str) -> Result<PostgresRepository, StoreError> {
    PostgresRepository::open(config(url)).await
}

/// The error with its sources.
fn shown(error: &StoreError) -> String {
    let error: &dyn std::error::Error = error;
    let all = std::iter::successors(Some(error), |error| (*error).source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
