//! Counts the instructions of the hot paths by callgrind, and compares them with what is recorded.
//!
//! Not by `gungraun`: it wants its runner, of the very same version, from `cargo install`, its limits are written into the
//! program by hand, and it says nothing of a limit that has become too wide. What is left is one call of valgrind.

mod limits;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use self::limits::{Limits, Verdict, judge};
use crate::packages::install_missing;
use crate::{cargo, shown};

const PACKAGE: &str = "chatkeep-instructions";

/// The function within which callgrind counts.
const COUNTED: &str = "chatkeep_instructions::counted*";

const ADVICE: &str = "counting instructions needs {}: as root on Debian, `apt-get install {}`; elsewhere install it by \
                      other means";

#[derive(Debug, Default, Args)]
pub(crate) struct InstructionsArgs {
    /// Writes what was counted into bench/instructions/limits.toml, instead of comparing.
    #[arg(long)]
    record: bool,
}

/// Counts every case. Fails when one needs more than its limit, and tells when one needs far less.
pub(crate) fn run(args: &InstructionsArgs) -> Result<()> {
    install_missing(|| if has_valgrind() { Vec::new() } else { vec!["valgrind"] }, ADVICE)?;
    let program = build()?;
    let counted = count_all(&program)?;
    if args.record {
        return Limits::new(counted)?.write();
    }
    compare(&counted, &Limits::read()?)
}

fn compare(counted: &BTreeMap<String, u64>, limits: &Limits) -> Result<()> {
    let mut failed = Vec::new();
    let mut roomy = Vec::new();
    for name in limits.instructions.keys().filter(|name| !counted.contains_key(*name)) {
        println!("{name:<18} {:>10}  FAILED: it is recorded, and there is no such case", "-");
        failed.push(name.as_str());
    }
    for (name, count) in counted {
        let verdict = judge(*count, limits.instructions.get(name).copied());
        println!("{name:<18} {count:>10}  {verdict}");
        match verdict {
            Verdict::Within(_) => {}
            Verdict::Less(_) => roomy.push(name.as_str()),
            Verdict::More(_) | Verdict::Unknown => failed.push(name.as_str()),
        }
    }
    if !roomy.is_empty() {
        println!("note: {} can be held to less: `cargo xtask instructions --record`", roomy.join(", "));
    }
    let advice = "`callgrind_annotate` shows where, in target/instructions/callgrind.CASE.out; if it is worth it, \
                  `cargo xtask instructions --record`";
    ensure!(failed.is_empty(), "instructions: {}; {}{advice}", failed.join(", "), limits.made_elsewhere()?);
    Ok(())
}

fn has_valgrind() -> bool {
    let status = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn build() -> Result<PathBuf> {
    // By itself, so that no other package chooses features for it.
    let mut build = cargo(&["build", "--locked", "--profile", "instructions", "--package", PACKAGE]);
    build.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    println!("$ {}", shown(&build));
    let output = build.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo build: {}", output.status);
    let messages = String::from_utf8(output.stdout)?;
    let executable =
        |line| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    messages.lines().rev().find_map(executable).context("cargo build: no program was built")
}

fn count_all(program: &Path) -> Result<BTreeMap<String, u64>> {
    let output = Command::new(program).output().context("cannot run the cases")?;
    ensure!(output.status.success(), "{PACKAGE}: {}", output.status);
    let list = String::from_utf8(output.stdout)?;
    let count = |line: &str| {
        let (name, operations) = line.split_once(' ').context("a case without a number of operations")?;
        let operations: u64 = operations.parse()?;
        let all = count_case(program, name).with_context(|| format!("case {name}"))?;
        Ok((name.to_owned(), all.div_ceil(operations)))
    };
    list.lines().map(count).collect()
}

/// All instructions that a case executes in what is counted of it.
fn count_case(program: &Path, name: &str) -> Result<u64> {
    let profile = program.with_file_name(format!("callgrind.{name}.out"));
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(&profile);
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--toggle-collect={COUNTED}")).arg(out);
    // The environment lies on the stack, and its size moves what is behind it.
    let path = std::env::var_os("PATH").unwrap_or_default();
    valgrind.arg(program).arg(name).env_clear().env("PATH", path).stdin(Stdio::null());
    let output = valgrind.output().context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {}\n{said}", output.status);
    let profile = fs::read_to_string(&profile).context("callgrind's profile")?;
    let total = total(&profile).context("callgrind's profile has no total")?;
    ensure!(total > 0, "nothing was counted: {COUNTED} was not called");
    Ok(total)
}

/// The line `totals: 123`.
fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_profile_is_found() {
        assert_eq!(total("events: Ir\nsummary: 7\n\nfn=(1)\n3 4\ntotals: 123\n"), Some(123));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn more_or_another_case_fails_and_less_does_not() {
        let counts = |pairs: &[(&str, u64)]| -> BTreeMap<String, u64> {
            pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        let limits = Limits::new(counts(&[("append", 1_000)])).unwrap();
        assert!(compare(&counts(&[("append", 1_050)]), &limits).is_ok());
        assert!(compare(&counts(&[("append", 100)]), &limits).is_ok());
        assert!(compare(&counts(&[("append", 1_051)]), &limits).is_err());
        assert!(compare(&counts(&[("append", 1_000), ("new", 1)]), &limits).is_err());
        assert!(compare(&counts(&[]), &limits).is_err());
    }
}
