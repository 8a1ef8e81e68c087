//! PostgreSQL's own benchmark, with the statement that ours sends.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chatkeep_testkit::find_postgres;
use tempfile::NamedTempFile;
use tokio::task::block_in_place;

use super::postgres_sql::APPEND;
use crate::data::{ORG, USERS, content, thread, user};
use crate::measure::Side;

pub(crate) struct Pgbench {
    program: PathBuf,
    script: NamedTempFile,
    url: String,
    callers: usize,
}

/// Where it is: among the server's programs, or on `PATH`.
pub(crate) fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = find_postgres().ok().into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join("pgbench")).find(|program| program.is_file())
}

impl Pgbench {
    /// `vector` is what the search column holds of the first user.
    pub(crate) fn new(url: String, threads: usize, vector: &str, callers: usize) -> Result<Self> {
        let script = NamedTempFile::new()?;
        std::fs::write(script.path(), statement(threads, vector)?)?;
        Ok(Self { program: find().context("there is no pgbench")?, script, url, callers })
    }
}

/// The append, with ids that grow with time, as UUIDv7 does. pgbench takes a colon for the beginning of a variable.
fn statement(threads: usize, vector: &str) -> Result<String> {
    let prefix = thread(0).to_string();
    let prefix = &prefix[..prefix.len() - 12];
    let id = format!("('{prefix}' || lpad(to_hex(:at::bigint), 12, '0'))::uuid");
    let owner = format!("'user-' || (:at::bigint % {USERS})");
    let new_id = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
            || lpad(to_hex(:a::bigint), 3, '0') || '8' || lpad(to_hex(:b::bigint), 15, '0'))::uuid";
    let vector = vector.replace('\'', "''").replace(':', "~");
    let vector = format!("replace(translate('{vector}', '~', chr(58)), '{}@', {owner} || '@')", user(0));
    let content = content()?.replace('\'', "''").replace(':', "~");
    let values = [
        format!("'{ORG}'"),
        id,
        owner,
        "NULL".to_owned(),
        new_id.to_owned(),
        "NULL".to_owned(),
        "'user'".to_owned(),
        format!("translate('{content}', '~', chr(58))"),
        "now()".to_owned(),
        format!("({vector})"),
        "1".to_owned(),
        "NULL".to_owned(),
        "NULL".to_owned(),
    ];
    // What stands behind `--` is no statement, and may hold a colon.
    let append: String =
        APPEND.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    // From the last on: `$1` is also how `$11` begins.
    let append = values
        .iter()
        .enumerate()
        .rev()
        .fold(append, |sql, (at, value)| sql.replace(&format!("${}", at + 1), value));
    Ok(format!(
        r"\set at random(0, {threads} - 1)
\set a random(0, 4095)
\set b random(0, 281474976710655)
{append};
"
    ))
}

impl Side for Pgbench {
    /// It counts in whole seconds.
    async fn round(&mut self, round: Duration) -> Result<f64> {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command.arg(format!("--client={}", self.callers));
        command.arg(format!("--time={}", round.as_secs().max(1)));
        command.arg("--file").arg(self.script.path()).arg(&self.url);
        if self.callers == 1 {
            command.arg("--jobs=1");
        }
        let output = block_in_place(|| command.output()).context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {said}");
        let rate = String::from_utf8_lossy(&output.stdout)
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.with_context(|| format!("pgbench says no rate: {said}"))
    }
}
