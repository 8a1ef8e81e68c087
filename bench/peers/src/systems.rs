//! The systems, and how their processes start.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::options::Options;

/// The first system, which the others are compared with.
pub(crate) const CHATKEEP: &str = "chatkeep";

/// Where a system keeps conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
    Memory,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::Sqlite, Self::Memory];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite file",
            Self::Memory => "memory",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Own,
    /// A program of its own, from the package in this folder.
    Rust(&'static str),
    Python,
}

/// A system that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) stores: &'static [Kind],
    start: Start,
}

const ALL: [System; 9] = [
    System { name: CHATKEEP, stores: &Kind::ALL, start: Start::Own },
    System { name: "adk-session", stores: &Kind::ALL, start: Start::Rust("adk") },
    System {
        name: "data-connector",
        stores: &[Kind::Postgres, Kind::Memory],
        start: Start::Rust("data-connector"),
    },
    System { name: "rig-memory", stores: &Kind::ALL, start: Start::Rust("rig") },
    System { name: "openai-agents", stores: &Kind::ALL, start: Start::Python },
    System { name: "langchain-postgres", stores: &[Kind::Postgres, Kind::Memory], start: Start::Python },
    System { name: "llama-index", stores: &[Kind::Postgres, Kind::Memory], start: Start::Python },
    System { name: "google-adk", stores: &Kind::ALL, start: Start::Python },
    System { name: "fluxibly", stores: &[Kind::Memory], start: Start::Python },
];

/// The systems that were asked for.
///
/// # Errors
/// When a name is none of theirs.
pub(crate) fn chosen(options: &Options) -> Result<Vec<System>> {
    for name in &options.only {
        let known = ALL.iter().fold(String::new(), |mut text, it| {
            let _ = write!(text, " {}", it.name);
            text
        });
        ensure!(ALL.iter().any(|it| it.name == name), "there is no {name}; there are{known}");
    }
    let wanted = |it: &&System| {
        it.start == Start::Own || options.only.is_empty() || options.only.iter().any(|name| name == it.name)
    };
    Ok(ALL.iter().filter(wanted).copied().collect())
}

/// How the processes of the systems start; what is needed is made here, once.
pub(crate) struct Starter {
    own: PathBuf,
    rust: BTreeMap<&'static str, Result<PathBuf, String>>,
    python: Result<PathBuf, String>,
}

impl Starter {
    /// Builds the other Rust programs and makes the Python environment, as far as the systems need them.
    ///
    /// # Errors
    /// Only when this program cannot find itself: a system that cannot be built is reported when it starts.
    pub(crate) fn prepare(systems: &[System]) -> Result<Self> {
        let own = env::current_exe()?;
        // <target>/release/chatkeep-bench-peers
        let target = own.ancestors().nth(2).context("this program is not in a target folder")?.to_owned();
        let said = |error| format!("{error:#}");
        let mut rust = BTreeMap::new();
        for system in systems {
            if let Start::Rust(name) = system.start {
                rust.insert(name, build(&target, name).map_err(said));
            }
        }
        let python = if systems.iter().any(|it| it.start == Start::Python) {
            make_venv(&target).map_err(said)
        } else {
            Ok(PathBuf::new())
        };
        Ok(Self { own, rust, python })
    }

    /// The command that runs a system's process.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub(crate) fn command(&self, system: System) -> Result<Command> {
        let program = |made: &Result<PathBuf, String>| made.clone().map_err(anyhow::Error::msg);
        Ok(match system.start {
            Start::Own => {
                let mut command = Command::new(&self.own);
                command.arg(crate::WORKER);
                command
            }
            Start::Rust(name) => Command::new(program(self.rust.get(name).context("it was not built")?)?),
            Start::Python => {
                let mut command = Command::new(program(&self.python)?);
                command.arg(folder().join("peers.py")).arg(system.name);
                // fluxibly imports LiteLLM, which otherwise asks the network for prices.
                command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
        })
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the program of a folder, which has a lock file of its own.
fn build(target: &Path, name: &str) -> Result<PathBuf> {
    let (target, package) = (target.join(name), format!("peers-{name}"));
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Not every peer admits to building with the compiler that chatkeep asks for.
    cargo.args(["build", "--release", "--locked", "--ignore-rust-version", "--manifest-path"]);
    cargo.arg(folder().join(name).join("Cargo.toml")).arg("--target-dir").arg(&target);
    run(&mut cargo).with_context(|| format!("{package} was not built"))?;
    Ok(target.join("release").join(format!("{package}{}", env::consts::EXE_SUFFIX)))
}

/// Made again when the requirements change: they are copied beside it once all of them are there.
fn make_venv(target: &Path) -> Result<PathBuf> {
    let (venv, requirements) = (target.join("peers-venv"), folder().join("requirements.txt"));
    let (python, done) = (venv.join("bin/python"), venv.join("requirements.txt"));
    let wanted = std::fs::read(&requirements)?;
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).context("python3 makes no environment")?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    run(pip.arg(&requirements)).context("pip installs no requirements.txt")?;
    std::fs::write(done, wanted)?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    eprintln!("running {}", command.get_program().display());
    let output = command.output().context("it does not start")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed"));
    }
    Ok(())
}
