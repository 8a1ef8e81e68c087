//! What takes long: the long forms of tests whose short forms are among the tests.

use std::env;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::outcome::{Outcome, summary};
use crate::servers::Server;
use crate::{cargo, run_shown, test};

/// Some tests, and the variables that make them long; or a program that takes long by itself.
struct Step {
    name: &'static str,
    what: &'static str,
    command: &'static [&'static str],
    /// A variable that the caller has set stays as it is.
    figures: &'static [(&'static str, &'static str)],
    packages: &'static [&'static str],
    /// For the test binaries: which targets, and what to run of them. For a program: its options.
    args: &'static [&'static str],
}

const TEST: &[&str] = &["test", "--all-features", "--no-fail-fast"];

const RUN: &[&str] = &["run", "--release"];

const ON_18: &[&str] = &["xtask", "test", "--postgres", "18"];

const STEPS: &[Step] = &[
    Step {
        name: "races",
        what: "the races of the contract, many times, on every store",
        command: TEST,
        figures: &[("CHATKEEP_CONTRACT_ROUNDS", "50")],
        packages: &["chatkeep-memory", "chatkeep-layers", "chatkeep-postgres", "chatkeep-sqlite"],
        args: &["--test", "contract", "--", "--include-ignored", "races::"],
    },
    Step {
        name: "ways",
        what: "the whole contract on every way to PostgreSQL",
        command: TEST,
        figures: &[("CHATKEEP_EVERY_WAY", "1")],
        packages: &["chatkeep-postgres"],
        args: &["--test", "contract", "--", "--include-ignored"],
    },
    Step {
        name: "postgres-18",
        what: "all tests of the store in PostgreSQL, and the whole contract on every way, on PostgreSQL 18",
        command: ON_18,
        figures: &[("CHATKEEP_EVERY_WAY", "1")],
        packages: &["chatkeep-postgres", "chatkeep-migration"],
        args: &[],
    },
    Step {
        name: "faults",
        what: "every faulty store, caught every time",
        command: TEST,
        figures: &[("CHATKEEP_FAULTY_ROUNDS", "50")],
        packages: &["chatkeep-contract"],
        args: &["--test", "faulty", "--", "each_faulty_store"],
    },
    Step {
        name: "kills",
        what: "a process that is killed while it writes, hundreds of times",
        command: TEST,
        figures: &[("CHATKEEP_KILLS", "300")],
        packages: &["chatkeep-tests"],
        args: &["--test", "kill", "--", "--include-ignored"],
    },
    Step {
        name: "restarts",
        what: "a server that stops and starts again under load",
        command: TEST,
        figures: &[("CHATKEEP_RESTARTS", "60")],
        packages: &["chatkeep-tests"],
        args: &["--test", "restart", "--", "--include-ignored"],
    },
    Step {
        name: "long",
        what: "work on a long thread, beside others who write in it",
        command: TEST,
        figures: &[("CHATKEEP_LONG", "500000")],
        packages: &["chatkeep-tests"],
        args: &["--test", "long", "--", "--include-ignored", "--nocapture", "--test-threads", "1"],
    },
    Step {
        name: "writes",
        what: "random writes, the same on every store",
        command: TEST,
        figures: &[("CHATKEEP_WRITES_CASES", "5000")],
        packages: &["chatkeep-tests"],
        args: &["--test", "writes", "--", "--include-ignored"],
    },
    Step {
        name: "model",
        what: "random calls, those of branches among them, on each store as on a plain model",
        command: TEST,
        figures: &[("CHATKEEP_MODEL_CASES", "5000")],
        packages: &["chatkeep-tests"],
        args: &["--test", "model", "--", "--include-ignored"],
    },
    Step {
        name: "differential",
        what: "random searches, the same on every store",
        command: TEST,
        figures: &[("CHATKEEP_DIFFERENTIAL_CASES", "100000")],
        packages: &["chatkeep-tests"],
        args: &["--test", "differential", "--", "--include-ignored"],
    },
    Step {
        name: "properties",
        what: "the properties of the domain, for many more random values",
        command: TEST,
        figures: &[("PROPTEST_CASES", "20000")],
        packages: &["chatkeep-domain"],
        args: &["--lib", "--test", "window"],
    },
    Step {
        name: "scale",
        what: "a large store on PostgreSQL and on SQLite: its figures beside their goals",
        command: RUN,
        figures: &[],
        packages: &["chatkeep-bench"],
        args: &["--", "--scenario", "scale"],
    },
];

#[derive(Debug, Args)]
#[command(after_help = listing())]
pub(crate) struct SoakArgs {
    /// Only this step.
    #[arg(long, value_parser = PossibleValuesParser::new(STEPS.iter().map(|step| step.name)))]
    step: Option<String>,
}

/// Each step with its figures: what `--help` shows.
fn listing() -> String {
    let line = |step: &Step| {
        let figures: Vec<_> = step.figures.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("  {:<14}{}\n  {:<14}{}\n", step.name, step.what, "", figures.join(" "))
    };
    let lines: String = STEPS.iter().map(line).collect();
    format!("Steps, with the variables that make them long. One that is set already stays as it is.\n{lines}")
}

impl Step {
    fn cargo_args(&self) -> Vec<&'static str> {
        let mut args = self.command.to_vec();
        args.extend(self.packages.iter().flat_map(|package| ["--package", package]));
        args.extend(self.args);
        args
    }

    fn run(&self, server: &Server) -> Result<()> {
        let mut command = cargo(&self.cargo_args());
        server.serve(&mut command);
        for (name, value) in self.figures {
            let value = env::var(name).unwrap_or_else(|_| (*value).to_owned());
            println!("{name}={value}");
            command.env(name, value);
        }
        if self.command != TEST {
            return run_shown(&mut command);
        }
        let counts = test::run_counted(&mut command).context("the tests cannot be run")?;
        ensure!(counts.passed > 0, "no test ran");
        ensure!(counts.is_success(), "{} tests failed", counts.failed);
        Ok(())
    }
}

/// Runs all steps, or the one that is asked for.
pub(crate) fn run(args: &SoakArgs) -> Result<()> {
    let server = Server::start(None)?;
    let asked = STEPS.iter().filter(|step| args.step.as_ref().is_none_or(|name| name == step.name));
    let outcomes: Vec<_> = asked.map(|step| Outcome::of(step.name, || step.run(&server))).collect();
    drop(server);
    summary(&outcomes)
}
