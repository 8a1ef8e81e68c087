//! What the developers of chatkeep do daily: `cargo xtask test` and `cargo xtask ci`.

mod ci;
mod instructions;
mod modules;
mod msrv;
mod outcome;
mod packages;
mod postgres;
mod servers;
mod soak;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about)]
enum Xtask {
    /// Runs all tests, those too that need servers, which it starts.
    Test(test::TestArgs),
    /// Counts the instructions of the hot paths, and compares them with what is recorded.
    Instructions(instructions::InstructionsArgs),
    /// Looks for circles of modules, and for imports from a crate's root.
    Modules,
    /// Runs what CI runs.
    Ci {
        /// Only this step.
        #[arg(long)]
        step: Option<ci::Step>,
    },
    /// Runs the long forms of what the tests do in short.
    Soak(soak::SoakArgs),
}

fn main() -> ExitCode {
    let outcome = match Xtask::parse() {
        Xtask::Test(args) => test::run(&args),
        Xtask::Instructions(args) => instructions::run(&args),
        Xtask::Modules => modules::run(),
        Xtask::Ci { step } => ci::run(step),
        Xtask::Soak(args) => soak::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    // Asked when it runs: a target folder that two clones share keeps the path of one of them in the program.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("../..")
}

/// A cargo command at the root of the workspace.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root()).stdin(Stdio::null());
    // What cargo tells this program of its own package. A build script that asks for one of these, as ring's does, would run again,
    // and all that is behind it would be built again, whenever cargo is called here and then by a person.
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(name);
        }
    }
    command
}

/// Shows a command, runs it, and fails when it does.
fn run_shown(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    ensure!(status.success(), "{}: {status}", shown(command));
    Ok(())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = [program].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
