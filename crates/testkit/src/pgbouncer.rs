use std::ffi::OsStr;
use std::fs;

use anyhow::{Result, ensure};

use crate::port::{START_ATTEMPTS, free_port};
use crate::postgres::PgServer;
use crate::process::wait_until;
use crate::programs::find_pgbouncer;
use crate::sandbox::Sandbox;

const LOG: &str = "pgbouncer.log";
const RUN_THEN_KILL: &str = r#""$2" "$1/pgbouncer.ini" & read -r _; kill -KILL $!"#;

/// For how long a client keeps the server connection that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// Until it disconnects.
    Session,
    /// For one transaction: nothing of the session (prepared statements, `SET`, advisory locks) survives it.
    Transaction,
    /// For one statement.
    Statement,
}

impl PoolMode {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Statement => "statement",
        }
    }
}

/// A pgbouncer on a port of its own in front of a [`PgServer`], for all its databases.
///
/// It trusts its clients, lets them ask its own database `pgbouncer` (`SHOW POOLS`), and takes their `extra_float_digits` for nothing, as every deployment behind which a Rust
/// or Java driver runs must.
#[derive(Debug)]
pub struct PgBouncer {
    sandbox: Sandbox,
    port: u16,
}

impl PgBouncer {
    /// Starts a pgbouncer; the server may be stopped and started behind it.
    ///
    /// # Errors
    ///
    /// When pgbouncer is not installed, or does not start: with the end of its log.
    pub fn start(server: &PgServer, mode: PoolMode) -> Result<Self> {
        Self::start_ignoring(server, mode, &[])
    }

    /// Starts a pgbouncer that also takes these parameters of its clients for nothing, instead of refusing them.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_ignoring(server: &PgServer, mode: PoolMode, ignored: &[&str]) -> Result<Self> {
        let program = find_pgbouncer()?;
        for attempt in 1.. {
            let sandbox = Sandbox::new("chatkeep-pgbouncer-")?;
            let mut pooler = Self { sandbox, port: free_port()? };
            match pooler.try_start(program.as_os_str(), server, mode, ignored) {
                Err(_) if attempt < START_ATTEMPTS && pooler.port_was_taken() => {}
                other => return other.map(|()| pooler),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// The URL of a database of the server behind the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn try_start(
        &mut self,
        program: &OsStr,
        server: &PgServer,
        mode: PoolMode,
        ignored: &[&str],
    ) -> Result<()> {
        let ignored = [&["extra_float_digits"], ignored].concat().join(", ");
        // The server's socket trusts everybody, so that no password is needed here.
        let ini = format!(
            "[databases]\n* = host={} port={} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = trust\nadmin_users = postgres\nauth_file = {dir}/users.txt\nlogfile = {dir}/{LOG}\n\
             pool_mode = {}\nmax_client_conn = 500\ndefault_pool_size = 20\n\
             ignore_startup_parameters = {ignored}\n",
            server.socket_folder(),
            server.port(),
            self.port,
            mode.name(),
            dir = self.sandbox.path().display(),
        );
        self.sandbox.write("pgbouncer.ini", &ini)?;
        self.sandbox.write("users.txt", "\"postgres\" \"\"\n")?;
        self.sandbox.write(LOG, "")?;
        self.sandbox.guard_with(RUN_THEN_KILL, program)?;
        // The log and not the port tells that it is ready: on the port somebody else may answer.
        let decided =
            wait_until("pgbouncer to start", || self.log_has("process up") || self.log_has("FATAL"));
        ensure!(
            decided.is_ok() && self.log_has("process up"),
            "pgbouncer does not start; its log ends:\n{}",
            self.sandbox.tail(LOG)
        );
        Ok(())
    }

    fn log_has(&self, text: &str) -> bool {
        fs::read_to_string(self.sandbox.path().join(LOG)).is_ok_and(|log| log.contains(text))
    }

    fn port_was_taken(&self) -> bool {
        self.log_has("Address already in use")
    }
}
