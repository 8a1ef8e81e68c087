use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::outcome::{Outcome, summary};
use crate::{cargo, instructions, modules, msrv, run_shown, test};

/// The steps of CI, in their order.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Step {
    /// The formatting.
    Fmt,
    /// The lints, warnings denied.
    Clippy,
    /// Every combination of features of every published crate builds, without a warning.
    Features,
    /// The documentation builds without a warning.
    Doc,
    /// The licenses, sources and bans of deny.toml.
    Deny,
    /// No dependency asks for a newer Rust than the workspace does. The workspace's own code is held to it by a lint.
    Msrv,
    /// No crate depends on what its layer must not know.
    Layers,
    /// No circle of modules, and no import from a crate's own root.
    Modules,
    /// All tests, against real servers.
    Test,
    /// The hot paths need no more instructions than recorded.
    Instructions,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Fmt => run_shown(&mut cargo(&["fmt", "--all", "--check"])),
            Self::Clippy => run_shown(&mut cargo(&[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ])),
            Self::Features => features(),
            Self::Doc => {
                let mut doc = cargo(&["doc", "--locked", "--workspace", "--no-deps", "--all-features"]);
                run_shown(doc.env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Deny => deny(),
            Self::Msrv => msrv::run(),
            Self::Layers => LAYERS.iter().try_for_each(Layer::check),
            Self::Modules => modules::run(),
            Self::Test => test::run(&test::TestArgs::default()),
            Self::Instructions => instructions::run(&instructions::InstructionsArgs::default()),
        }
    }
}

/// Runs all steps, or the one that is asked for.
pub(crate) fn run(only: Option<Step>) -> Result<()> {
    let steps = only.map_or_else(|| Step::value_variants().to_vec(), |step| vec![step]);
    let outcomes: Vec<_> = steps.into_iter().map(|step| Outcome::of(step.name(), || step.run())).collect();
    summary(&outcomes)
}

/// The package that is nothing without a database.
const ON_DATABASES: &str = "chatkeep-migration";

/// What follows clippy's own arguments: our packages' warnings are errors, those of their dependencies stay hidden.
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

fn features() -> Result<()> {
    ensure_tool("hack", "0.6.46")?;
    // Clippy, not rustc with RUSTFLAGS: those would build every dependency anew.
    // `default` is one of the combinations under another name, and so is not built once more.
    let powerset = ["hack", "clippy", "--feature-powerset", "--exclude-features", "default", "--no-dev-deps"];
    let mut rest = cargo(&powerset);
    rest.args(["--workspace", "--ignore-private", "--exclude", ON_DATABASES]);
    run_shown(rest.args(DENY_WARNINGS))?;
    let mut on_databases = cargo(&powerset);
    on_databases.args(["--package", ON_DATABASES, "--at-least-one-of", "postgres,sqlite"]);
    run_shown(on_databases.args(DENY_WARNINGS))
}

fn deny() -> Result<()> {
    ensure_tool("deny", "0.20.2")?;
    // The lock file names crates for other platforms too, which maybe no build here has fetched.
    let known = cargo(&["metadata", "--locked", "--offline", "--format-version", "1", "--all-features"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !known.is_ok_and(|status| status.success()) {
        run_shown(&mut cargo(&["fetch", "--locked"]))?;
    }
    run_shown(&mut cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

/// Installs a tool that is not there, in the version that this was written with. Optimized, it would be built for longer than
/// it runs.
fn ensure_tool(name: &str, version: &str) -> Result<()> {
    let found = cargo(&[name, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let mut install = cargo(&["install", "--locked", "--debug", &format!("cargo-{name}@{version}")]);
    run_shown(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

/// What a package must not depend on, directly or not, when it is built with these features.
struct Layer {
    package: &'static str,
    features: &'static [&'static str],
    forbidden: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        package: "chatkeep-domain",
        features: &["--all-features"],
        forbidden: &["tokio", "sea-orm", "sqlx", "rusqlite", "libsqlite3-sys", "chatkeep"],
    },
    Layer {
        package: "chatkeep-memory",
        features: &["--all-features"],
        forbidden: &[
            "sea-orm",
            "sqlx",
            "rusqlite",
            "libsqlite3-sys",
            "chatkeep",
            "chatkeep-postgres",
            "chatkeep-sqlite",
        ],
    },
    Layer {
        package: "chatkeep-postgres",
        features: &["--all-features"],
        forbidden: &[
            "sqlx-sqlite",
            "rusqlite",
            "libsqlite3-sys",
            "chatkeep",
            "chatkeep-memory",
            "chatkeep-sqlite",
        ],
    },
    Layer {
        package: "chatkeep-sqlite",
        features: &["--all-features"],
        forbidden: &["sea-orm", "sqlx", "chatkeep", "chatkeep-memory", "chatkeep-postgres"],
    },
    Layer {
        package: "chatkeep-layers",
        features: &["--all-features"],
        forbidden: &[
            "sea-orm",
            "sqlx",
            "rusqlite",
            "libsqlite3-sys",
            "chatkeep",
            "chatkeep-contract",
            "chatkeep-memory",
            "chatkeep-postgres",
            "chatkeep-sqlite",
        ],
    },
    Layer {
        package: "chatkeep-contract",
        features: &["--all-features"],
        forbidden: &[
            "sea-orm",
            "sqlx",
            "rusqlite",
            "libsqlite3-sys",
            "chatkeep",
            "chatkeep-memory",
            "chatkeep-postgres",
            "chatkeep-sqlite",
        ],
    },
    Layer { package: "chatkeep", features: &[], forbidden: &["sea-orm", "sqlx", "chatkeep-postgres"] },
    Layer {
        package: "chatkeep",
        features: &["--no-default-features", "--features", "memory"],
        forbidden: &["sea-orm", "sqlx", "rusqlite", "libsqlite3-sys", "chatkeep-postgres", "chatkeep-sqlite"],
    },
    Layer {
        package: "chatkeep",
        features: &["--no-default-features", "--features", "sqlite"],
        forbidden: &["sea-orm", "sqlx", "chatkeep-memory", "chatkeep-postgres"],
    },
    Layer {
        package: "chatkeep",
        features: &["--no-default-features", "--features", "postgres"],
        forbidden: &["rusqlite", "libsqlite3-sys", "sqlx-sqlite", "chatkeep-memory", "chatkeep-sqlite"],
    },
];

impl Layer {
    fn check(&self) -> Result<()> {
        let mut tree = cargo(&["tree", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"]);
        let output =
            tree.args(["-p", self.package]).args(self.features).output().context("cannot run cargo")?;
        ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout)?;
        // The first line is the package itself.
        let dependencies = tree.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        let shown = [&[self.package], self.features].concat().join(" ");
        if let Some(found) = dependencies.into_iter().find(|name| self.forbids(name)) {
            bail!(
                "{shown} depends on {found}: `cargo tree -p {shown} -e normal -i {found}` shows through what"
            );
        }
        println!("{shown}: none of {}", self.forbidden.join(", "));
        Ok(())
    }

    /// A family of crates is forbidden by its first name: `sqlx` forbids `sqlx-core`. Our own are meant one by one.
    fn forbids(&self, dependency: &str) -> bool {
        self.forbidden.iter().any(|forbidden| {
            let rest = dependency.strip_prefix(forbidden);
            rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('-') && *forbidden != "chatkeep"))
        })
    }
}
