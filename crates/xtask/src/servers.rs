use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use chatkeep_testkit::{PG_BIN, PgOptions, PgServer, SHARED_POSTGRES, find_pgbouncer, find_postgres};

use crate::packages::install_missing;
use crate::postgres::Postgres;

/// Far from UTC, and on the other side of the date line from most: a test that leans on the machine's zone fails.
const TIME_ZONE: &str = "Pacific/Apia";

const ADVICE: &str = "the tests need {}: as root on Debian, `apt-get install --no-install-recommends {}`; elsewhere \
                      install them by other means, and set CHATKEEP_PG_BIN if PostgreSQL's programs are not found";

/// The PostgreSQL that all tests share.
pub(crate) struct Server {
    postgres: PgServer,
    /// Unless they are those that the tests find by themselves.
    programs: Option<PathBuf>,
}

impl Server {
    /// Starts it: of the version that is asked for, or what is there.
    pub(crate) fn start(version: Option<Postgres>) -> Result<Self> {
        if version.is_none() && env::var_os(PG_BIN).is_some() {
            // A wrong choice is to be mended, not to be installed around.
            find_postgres()?;
        }
        // Of PostgreSQL's package the account is needed also where the programs are others.
        install_missing(missing_packages, ADVICE)?;
        let programs = version.map(Postgres::install).transpose()?;
        let options = PgOptions::default().max_connections(300).set("timezone", TIME_ZONE);
        let options = programs.iter().fold(options, PgOptions::programs);
        let postgres = PgServer::start(options)?;
        println!("{} on 127.0.0.1:{}", postgres.version()?, postgres.port());
        Ok(Self { postgres, programs })
    }

    /// Has a command's tests use it, and start others of the same version.
    pub(crate) fn serve<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(folder) = &self.programs {
            command.env(PG_BIN, folder);
        }
        command.env(SHARED_POSTGRES, self.postgres.url()).env("TZ", TIME_ZONE)
    }
}

fn missing_packages() -> Vec<&'static str> {
    let found = [("postgresql", find_postgres().is_ok()), ("pgbouncer", find_pgbouncer().is_ok())];
    found.into_iter().filter(|(_, found)| !found).map(|(package, _)| package).collect()
}
