use std::env;

use anyhow::Result;
use chatkeep_testkit::{PgOptions, PgServer, find_pgbouncer, find_postgres};

use crate::packages::install_missing;

/// Far from UTC, and on the other side of the date line from most: a test that leans on the machine's zone fails.
pub(crate) const TIME_ZONE: &str = "Pacific/Apia";

const ADVICE: &str = "the tests need {}: as root on Debian, `apt-get install --no-install-recommends {}`; elsewhere \
                      install them by other means, and set CHATKEEP_PG_BIN if PostgreSQL's programs are not found";

/// Starts the PostgreSQL that all tests share.
pub(crate) fn start_postgres() -> Result<PgServer> {
    if env::var_os("CHATKEEP_PG_BIN").is_some() {
        // A wrong choice is to be mended, not to be installed around.
        find_postgres()?;
    }
    install_missing(missing_packages, ADVICE)?;
    let options = PgOptions::default().max_connections(300).set("timezone", TIME_ZONE);
    let server = PgServer::start(options)?;
    println!("{} on 127.0.0.1:{}", server.version()?, server.port());
    Ok(server)
}

fn missing_packages() -> Vec<&'static str> {
    let found = [("postgresql", find_postgres().is_ok()), ("pgbouncer", find_pgbouncer().is_ok())];
    found.into_iter().filter(|(_, found)| !found).map(|(package, _)| package).collect()
}
