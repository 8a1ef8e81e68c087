//! Where settings come from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use crate::config::error::ConfigError;
use crate::config::variables::VARIABLES;

const FILE: &str = "chatkeep.toml";
const FILE_VARIABLE: &str = "CHATKEEP_CONFIG";
const DOTENV: &str = ".env";

/// A file of settings: its name, for errors, and its bytes. `Debug` shows the name only.
#[derive(Clone)]
pub struct SourceFile {
    pub(super) name: String,
    bytes: Vec<u8>,
}

impl SourceFile {
    /// What it holds, without the mark that some editors write in front.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`] for UTF-16, of which nothing could be found.
    pub(super) fn bytes(&self) -> Result<&[u8], ConfigError> {
        if self.bytes.starts_with(&[0xff, 0xfe]) || self.bytes.starts_with(&[0xfe, 0xff]) {
            return Err(self.malformed("UTF-8", "it begins as UTF-16 does"));
        }
        Ok(self.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.bytes))
    }

    pub(super) fn malformed(&self, format: &'static str, place: impl Into<String>) -> ConfigError {
        ConfigError::Malformed { file: self.name.clone(), format, place: place.into() }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.name).finish()
    }
}

/// Where settings come from; later ones win. Tests give their own, and never touch the process's environment.
///
/// `Debug` shows no values.
#[derive(Clone, Default)]
pub struct Sources {
    pub(super) toml: Option<SourceFile>,
    pub(super) dotenv: Option<SourceFile>,
    pub(super) env: HashMap<String, String>,
}

impl Sources {
    /// None: only the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A TOML file's name and what it holds.
    #[must_use]
    pub fn toml(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.toml = Some(SourceFile { name: name.into(), bytes: text.into() });
        self
    }

    /// What a `.env` file holds. Lines that set no variable of chatkeep's are left alone, whatever they are.
    #[must_use]
    pub fn dotenv(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.dotenv = Some(SourceFile { name: DOTENV.to_owned(), bytes: text.into() });
        self
    }

    /// Environment variables; those that chatkeep does not know are left alone.
    #[must_use]
    pub fn env<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.env.extend(variables);
        self
    }

    /// The sources of this process: see the [module](crate::config).
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], or [`ConfigError::Invalid`] for a variable that is not Unicode.
    pub fn of_process() -> Result<Self, ConfigError> {
        let mut sources = Self::new();
        for variable in VARIABLES.iter().map(|(_, variable)| *variable).chain([FILE_VARIABLE]) {
            match env::var(variable) {
                Ok(value) => drop(sources.env.insert(variable.to_owned(), value)),
                Err(env::VarError::NotPresent) => {}
                Err(env::VarError::NotUnicode(_)) => {
                    return Err(ConfigError::invalid(variable, "must be Unicode", "other bytes"));
                }
            }
        }
        sources.with_files(Path::new(""))
    }

    /// Adds the files of a folder, and the one that `CHATKEEP_CONFIG` names.
    pub(super) fn with_files(mut self, folder: &Path) -> Result<Self, ConfigError> {
        if let Some(text) = read_if_there(&folder.join(DOTENV))? {
            self = self.dotenv(text);
        }
        let toml = match self.env.get(FILE_VARIABLE) {
            Some(name) if name.is_empty() => {
                return Err(ConfigError::invalid(FILE_VARIABLE, "must be a file's path", "\"\""));
            }
            Some(name) => {
                let path = PathBuf::from(name);
                let text = fs::read(&path).map_err(|source| unreadable(&path, source))?;
                Some((name.clone(), text))
            }
            None => read_if_there(&folder.join(FILE))?.map(|text| (FILE.to_owned(), text)),
        };
        if let Some((name, text)) = toml {
            self = self.toml(name, text);
        }
        Ok(self)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut variables: Vec<_> = self.env.keys().collect();
        variables.sort_unstable();
        f.debug_struct("Sources")
            .field("toml", &self.toml)
            .field("dotenv", &self.dotenv)
            .field("env", &variables)
            .finish()
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Unreadable { file: path.to_owned(), source }
}
