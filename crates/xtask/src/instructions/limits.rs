//! What is recorded, and how a count is judged by it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::root;

const HEAD: &str =
    "# Instructions an operation, by callgrind. Written by `cargo xtask instructions --record`.\n\n";

/// How much more than recorded is allowed, and how much less is worth a note, in hundredths. The counts of one program
/// differ by less than one from run to run, and that only where the standard library's hashes are seeded at random.
const TOLERANCE: u64 = 5;

/// The file `bench/instructions/limits.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// The compiler: another one makes another program.
    rustc: String,
    /// An operation's instructions, by the case's name.
    pub(super) instructions: BTreeMap<String, u64>,
}

impl Limits {
    /// These counts, by the compiler that is used here.
    pub(super) fn new(instructions: BTreeMap<String, u64>) -> Result<Self> {
        Ok(Self { rustc: rustc()?, instructions })
    }

    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(path()).context("the recorded counts")?;
        toml::from_str(&text).context("the recorded counts")
    }

    pub(super) fn write(&self) -> Result<()> {
        let text = format!("{HEAD}{}", toml::to_string(self)?);
        fs::write(path(), &text).context("the recorded counts")?;
        print!("{text}");
        Ok(())
    }

    /// For the message of a failure: whether another compiler may be why.
    pub(super) fn made_elsewhere(&self) -> Result<String> {
        let here = rustc()?;
        if here == self.rustc {
            return Ok(String::new());
        }
        Ok(format!("recorded with {}, while this is {here}, which may be why; ", self.rustc))
    }
}

fn path() -> PathBuf {
    root().join("bench/instructions/limits.toml")
}

/// The compiler's version and what it compiles for, such as `1.95.0 x86_64-unknown-linux-gnu`.
fn rustc() -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).arg("-vV").output().context("cannot run rustc")?;
    ensure!(output.status.success(), "rustc: {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let line = |name| text.lines().find_map(|line: &str| line.strip_prefix(name));
    let words = [line("release: "), line("host: ")].map(|word| word.context("rustc -vV says too little"));
    Ok(words.into_iter().collect::<Result<Vec<_>>>()?.join(" "))
}

/// What a count says, with what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Within(Change),
    More(Change),
    Less(Change),
    /// Nothing is recorded.
    Unknown,
}

/// From what is recorded to what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    recorded: u64,
    counted: u64,
}

/// Judges a count by what is recorded.
pub(super) fn judge(counted: u64, recorded: Option<u64>) -> Verdict {
    let Some(recorded) = recorded else { return Verdict::Unknown };
    let change = Change { recorded, counted };
    if counted * 100 > recorded * (100 + TOLERANCE) {
        Verdict::More(change)
    } else if counted * 100 < recorded * (100 - TOLERANCE) {
        Verdict::Less(change)
    } else {
        Verdict::Within(change)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recorded, counted } = *self;
        let sign = if counted < recorded { '-' } else { '+' };
        let tenths = counted.abs_diff(recorded) * 1_000 / recorded.max(1);
        write!(f, "{sign}{}.{} % of {recorded}", tenths / 10, tenths % 10)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(change) => write!(f, "ok: {change}"),
            Self::More(change) => write!(f, "FAILED: {change}; {TOLERANCE} % more is allowed"),
            Self::Less(change) => write!(f, "less: {change}"),
            Self::Unknown => f.write_str("FAILED: nothing is recorded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_in_tenths() {
        assert_eq!(judge(1_061, Some(1_000)).to_string(), "FAILED: +6.1 % of 1000; 5 % more is allowed");
        assert_eq!(judge(1_000, Some(1_000)).to_string(), "ok: +0.0 % of 1000");
        assert_eq!(judge(949, Some(1_000)).to_string(), "less: -5.1 % of 1000");
        assert_eq!(judge(950, Some(1_000)).to_string(), "ok: -5.0 % of 1000");
    }
}
