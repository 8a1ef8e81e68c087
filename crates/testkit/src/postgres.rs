//! A PostgreSQL cluster of one's own. Crates that start a PostgreSQL for tests exist, but none stops, kills and
//! starts the same cluster again, which the restart and durability tests are about; `initdb` and `pg_ctl` do.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use nix::unistd::Pid;

use crate::port::{START_ATTEMPTS, free_port};
use crate::process::kill_family;
use crate::programs::find_postgres;
use crate::sandbox::{Sandbox, output_of};

const SUPERUSER: &str = "postgres";
const LOG: &str = "server.log";
const STOP: &str = r#"read -r _; "$2" stop -D "$1/data" -m immediate"#;

/// How a [`PgServer`] is set up. The default is for functional tests: fast, and not safe against a power cut.
#[derive(Debug, Clone)]
#[must_use]
pub struct PgOptions {
    fsync: bool,
    max_connections: u32,
    password: Option<String>,
    tls: Option<(String, String)>,
    programs: Option<PathBuf>,
    settings: Vec<(String, String)>,
}

impl Default for PgOptions {
    fn default() -> Self {
        Self {
            fsync: false,
            max_connections: 100,
            password: None,
            tls: None,
            programs: None,
            settings: Vec::new(),
        }
    }
}

impl PgOptions {
    /// Whether commits reach the disk. Off by default; durability tests and measurements turn it on.
    pub fn fsync(mut self, on: bool) -> Self {
        self.fsync = on;
        self
    }

    /// How many connections the server takes; 100 by default.
    pub fn max_connections(mut self, limit: u32) -> Self {
        self.max_connections = limit;
        self
    }

    /// Asks every client on TCP for this password (SCRAM-SHA-256). Without it the server trusts them all.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Offers TLS with this certificate and its key, both PEM. Without it the server has none.
    pub fn tls(mut self, certificate: impl Into<String>, key: impl Into<String>) -> Self {
        self.tls = Some((certificate.into(), key.into()));
        self
    }

    /// The folder of PostgreSQL's programs, in the place of what [`find_postgres`] says.
    pub fn programs(mut self, folder: impl Into<PathBuf>) -> Self {
        self.programs = Some(folder.into());
        self
    }

    /// Any other setting of `postgresql.conf`; it wins over what the other options set.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    fn configuration(&self, socket_folder: &str) -> String {
        let on_off = if self.fsync { "on" } else { "off" };
        let max_connections = self.max_connections.to_string();
        let tls = if self.tls.is_some() { "on" } else { "off" };
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", socket_folder),
            ("max_connections", max_connections.as_str()),
            ("ssl", tls),
            ("fsync", on_off),
            ("full_page_writes", on_off),
            // In the cluster's own folder: /dev/shm is small in containers, and a killed server would leave its there.
            ("dynamic_shared_memory_type", "mmap"),
        ];
        let extra = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.into_iter().chain(extra).fold(String::new(), |mut text, (name, value)| {
            let value = value.replace('\\', r"\\").replace('\'', "''");
            let _ = writeln!(text, "{name} = '{value}'");
            text
        })
    }
}

/// How [`PgServer::stop`] treats the clients that are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Waits until they leave, at most a minute.
    Smart,
    /// Rolls their transactions back and disconnects them.
    Fast,
    /// Drops everything, as in a crash: the next start recovers from the log.
    Immediate,
}

impl StopMode {
    fn name(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// A fresh PostgreSQL cluster in a temporary directory, on a port of its own, with one superuser `postgres`.
#[derive(Debug)]
pub struct PgServer {
    sandbox: Sandbox,
    programs: PathBuf,
    port: u16,
    options: PgOptions,
}

impl PgServer {
    /// Makes a cluster and starts its server.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed, or does not start: with what it says, and the end of its log.
    pub fn start(options: PgOptions) -> Result<Self> {
        let programs = options.programs.clone().map_or_else(find_postgres, Ok)?;
        let mut sandbox = Sandbox::new("chatkeep-pg-")?;
        sandbox.guard_with(STOP, programs.join("pg_ctl").as_os_str())?;
        let mut server = Self { sandbox, programs, port: 0, options };
        server.make_cluster()?;
        for attempt in 1.. {
            server.port = free_port()?;
            match server.start_again() {
                Err(error) if attempt < START_ATTEMPTS && port_was_taken(&error) => {}
                other => return other.map(|()| server),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Stops the server; its port and its data stay its own.
    ///
    /// # Errors
    ///
    /// When it does not run, or is still running after a minute.
    pub fn stop(&self, mode: StopMode) -> Result<()> {
        self.pg_ctl(&["stop", "-m", mode.name(), "-t", "60"])
    }

    /// Starts the server that was stopped or killed, on the same port and data, and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// When it runs already, or does not start: with what it says, and the end of its log.
    pub fn start_again(&self) -> Result<()> {
        let port = format!("-p {}", self.port);
        self.pg_ctl(&["start", "-w", "-t", "60", "-l", LOG, "-o", port.as_str()])
            .with_context(|| format!("PostgreSQL does not start; its log ends:\n{}", self.sandbox.tail(LOG)))
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop) and [`start_again`](Self::start_again).
    pub fn restart(&self, mode: StopMode) -> Result<()> {
        self.stop(mode)?;
        self.start_again()
    }

    /// Kills the server and all its processes with SIGKILL, and returns when none of them runs.
    ///
    /// # Errors
    ///
    /// When it does not run, or cannot be killed.
    pub fn kill9(&self) -> Result<()> {
        let pid_file = self.sandbox.path().join("data/postmaster.pid");
        let text = fs::read_to_string(&pid_file).context("the server does not run")?;
        let pid =
            text.lines().next().unwrap_or_default().parse().context("the server's pid file is damaged")?;
        kill_family(Pid::from_raw(pid))?;
        // As long as the pid in them exists, be it a zombie's or a stranger's, these keep the server from starting.
        let socket_lock = self.sandbox.path().join(format!(".s.PGSQL.{}.lock", self.port));
        for lock in [pid_file, socket_lock] {
            fs::remove_file(&lock).with_context(|| format!("cannot remove {}", lock.display()))?;
        }
        Ok(())
    }

    /// Whether the server runs.
    pub fn is_running(&self) -> bool {
        self.pg_ctl(&["status"]).is_ok()
    }

    /// The URL of the database `postgres`: `postgres://user[:password]@127.0.0.1:port/postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database.
    pub fn url_of(&self, database: &str) -> String {
        let password = self
            .options
            .password
            .as_deref()
            .map(|it| format!(":{}", percent_encoded(it)))
            .unwrap_or_default();
        let database = percent_encoded(database);
        format!("postgres://{SUPERUSER}{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1; it stays the same over stops and starts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database, empty or as a copy of `template`, and returns its URL.
    ///
    /// # Errors
    ///
    /// When it exists already, or somebody is connected to the template.
    pub fn create_database(&self, name: &str, template: Option<&str>) -> Result<String> {
        let template = quoted(template.unwrap_or("template1"));
        self.psql(&format!("CREATE DATABASE {} TEMPLATE {template}", quoted(name)))?;
        Ok(self.url_of(name))
    }

    /// What the server says it is: `PostgreSQL 15.18 (Debian 15.18-0+deb12u1)`.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn version(&self) -> Result<String> {
        Ok(format!("PostgreSQL {}", self.psql("SHOW server_version")?))
    }

    /// Runs SQL in the database `postgres`; see [`psql_in`](Self::psql_in).
    ///
    /// # Errors
    ///
    /// When a statement fails, with the server's message.
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.psql_in("postgres", sql)
    }

    /// Runs SQL as the superuser and returns the rows, one a line, their columns separated by `|`.
    ///
    /// # Errors
    ///
    /// When a statement fails, with the server's message.
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = self.sandbox.command(self.programs.join("psql"));
        psql.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            SUPERUSER,
            "-d",
            database,
            "-c",
            sql,
        ]);
        psql.args(["-p", self.port.to_string().as_str()]).arg("-h").arg(self.sandbox.path());
        output_of(&mut psql)
    }

    /// The folder of the server's socket, where it trusts every client.
    pub fn socket_folder(&self) -> String {
        self.sandbox.path().display().to_string()
    }

    fn make_cluster(&self) -> Result<()> {
        let mut initdb = self.sandbox.command(self.programs.join("initdb"));
        initdb.args(["-D", "data", "-U", SUPERUSER, "--encoding=UTF8", "--locale=C", "--auth-local=trust"]);
        match &self.options.password {
            None => initdb.arg("--auth-host=trust"),
            Some(password) => {
                self.sandbox.write("password", password)?;
                initdb.args(["--auth-host=scram-sha-256", "--pwfile=password"])
            }
        };
        if !self.options.fsync {
            initdb.arg("--no-sync");
        }
        output_of(&mut initdb).context("PostgreSQL makes no cluster")?;
        if let Some((certificate, key)) = &self.options.tls {
            self.sandbox.write("data/server.crt", certificate)?;
            self.sandbox.write("data/server.key", key)?;
        }
        let mut file =
            OpenOptions::new().append(true).open(self.sandbox.path().join("data/postgresql.conf"))?;
        file.write_all(self.options.configuration(&self.socket_folder()).as_bytes())?;
        Ok(())
    }

    fn pg_ctl(&self, args: &[&str]) -> Result<()> {
        let mut pg_ctl = self.sandbox.command(self.programs.join("pg_ctl"));
        pg_ctl.args(["-D", "data"]).args(args.iter().map(OsStr::new));
        output_of(&mut pg_ctl).map(drop)
    }
}

fn port_was_taken(error: &anyhow::Error) -> bool {
    error.to_string().contains("Address already in use")
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_any_characters_fits_a_url() {
        assert_eq!(percent_encoded("p@ss/w:rd% ü"), "p%40ss%2Fw%3Ard%25%20%C3%BC");
    }

    #[test]
    fn settings_come_last_and_quoted() {
        let text = PgOptions::default().set("search_path", r"it's\here").configuration("/s");
        assert!(text.ends_with("search_path = 'it''s\\\\here'\n"), "{text}");
    }
}
