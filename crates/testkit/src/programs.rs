use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// The variable that chooses the folder of PostgreSQL's programs.
pub const PG_BIN: &str = "CHATKEEP_PG_BIN";

/// What of PostgreSQL the testkit runs.
const POSTGRES_PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The folder of PostgreSQL's programs: `CHATKEEP_PG_BIN`, else what `pg_config --bindir` says, else the newest of
/// `/usr/lib/postgresql/*/bin`, else the one on `PATH`.
///
/// # Errors
///
/// When no such folder has all of them, or `CHATKEEP_PG_BIN` is set and lacks one.
pub fn find_postgres() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os(PG_BIN) {
        let chosen = PathBuf::from(chosen);
        return match missing_program(&chosen) {
            None => Ok(chosen),
            Some(program) => bail!("{PG_BIN} is {}, which has no {program}", chosen.display()),
        };
    }
    let candidates = configured_folder().into_iter().chain(debian_folders()).chain(path_folders());
    match candidates.into_iter().find(|folder| missing_program(folder).is_none()) {
        Some(folder) => Ok(folder),
        None => bail!(
            "PostgreSQL's programs ({}) were not found: install PostgreSQL (Debian: `apt-get install postgresql`) \
             or set {PG_BIN} to their folder",
            POSTGRES_PROGRAMS.join(", ")
        ),
    }
}

/// The pgbouncer program, on `PATH` or in `/usr/sbin`, which is not on every user's.
///
/// # Errors
///
/// When there is none.
pub fn find_pgbouncer() -> Result<PathBuf> {
    let folders = path_folders().into_iter().chain([PathBuf::from("/usr/sbin")]);
    match folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file()) {
        Some(program) => Ok(program),
        None => bail!("pgbouncer was not found: install it (Debian: `apt-get install pgbouncer`)"),
    }
}

fn missing_program(folder: &Path) -> Option<&'static str> {
    POSTGRES_PROGRAMS.into_iter().find(|program| !folder.join(program).is_file())
}

fn configured_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// Debian keeps each major version in a folder of its own and links only the clients to `/usr/bin`.
fn debian_folders() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}
