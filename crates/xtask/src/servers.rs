use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use chatkeep_testkit::{PgOptions, PgServer, find_pgbouncer, find_postgres};
use nix::unistd::geteuid;

use crate::run_shown;

/// Far from UTC, and on the other side of the date line from most: a test that leans on the machine's zone fails.
pub(crate) const TIME_ZONE: &str = "Pacific/Apia";

/// Starts the PostgreSQL that all tests share.
pub(crate) fn start_postgres() -> Result<PgServer> {
    install_missing()?;
    let options = PgOptions::default().max_connections(300).set("timezone", TIME_ZONE);
    let server = PgServer::start(options)?;
    println!("{} on 127.0.0.1:{}", server.version()?, server.port());
    Ok(server)
}

/// Installs the servers that the tests run and this machine lacks, where that is one command.
fn install_missing() -> Result<()> {
    if env::var_os("CHATKEEP_PG_BIN").is_some() {
        // A wrong choice is to be mended, not to be installed around.
        find_postgres()?;
    }
    let packages = missing_packages();
    if packages.is_empty() {
        return Ok(());
    }
    let advice = format!(
        "the tests need {0}: as root on Debian, `apt-get install --no-install-recommends {0}`; elsewhere install \
         them by other means, and set CHATKEEP_PG_BIN if PostgreSQL's programs are not found",
        packages.join(" ")
    );
    if !geteuid().is_root() || !has_apt() {
        bail!("{advice}");
    }
    println!("Installing what the tests need: {}", packages.join(" "));
    apt_get(&["update", "-q"]).and_then(|()| {
        let install = ["install", "-q", "-y", "--no-install-recommends"];
        apt_get(&[&install[..], &packages[..]].concat())
    })?;
    if !missing_packages().is_empty() {
        bail!("installed, and still not found; {advice}");
    }
    Ok(())
}

fn missing_packages() -> Vec<&'static str> {
    let found = [("postgresql", find_postgres().is_ok()), ("pgbouncer", find_pgbouncer().is_ok())];
    found.into_iter().filter(|(_, found)| !found).map(|(package, _)| package).collect()
}

fn has_apt() -> bool {
    Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
}

fn apt_get(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    run_shown(&mut command).context("the servers that the tests need cannot be installed")
}
