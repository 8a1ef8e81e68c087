//! Settings that cannot be used.

use std::io;
use std::path::PathBuf;

use chatkeep_domain::BoxError;

/// A setting, or a file of settings, that cannot be used. It names the variable or key, what is allowed, and the
/// value where it is no secret: a password or a URL is never shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value that is not allowed.
    #[error("{setting} {rule} (got {actual})")]
    #[non_exhaustive]
    Invalid {
        /// The variable, or the key and its file.
        setting: String,
        /// What is allowed, as the words after the setting's name.
        rule: String,
        /// What was given: the value, or of what kind it is.
        actual: String,
    },
    /// A key that no setting has.
    #[error("{key} in {file} is not a setting of chatkeep; the settings are {known}")]
    #[non_exhaustive]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        file: String,
        /// The keys that there are.
        known: String,
    },
    /// A file that does not follow its format.
    #[error("{file} cannot be read as {format}: {place}")]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: String,
        /// Its format.
        format: &'static str,
        /// Where it goes wrong, without the text there.
        place: String,
    },
    /// A file that is not there or cannot be read.
    #[error("{} cannot be read", file.display())]
    #[non_exhaustive]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite's file has no default place on this machine: name one by `DB_PATH`.
    #[error("this machine has no data directory for SQLite's file: name the file by DB_PATH")]
    #[non_exhaustive]
    NoDataDirectory {
        /// Why.
        source: BoxError,
    },
}

impl ConfigError {
    pub(crate) fn invalid(
        setting: impl Into<String>,
        rule: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self::Invalid { setting: setting.into(), rule: rule.into(), actual: actual.into() }
    }
}

/// A value for a text that people read: cut, quoted, and never one that may hold a password.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    if text.contains("://") || text.contains('@') {
        return "what looks like a URL".to_owned();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}
