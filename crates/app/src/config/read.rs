//! Reads settings out of the merged sources, each with the name under which it was given.

use std::collections::HashMap;
use std::time::Duration;

use chatkeep_domain::InvalidArgument;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider};
use secrecy::SecretString;

use crate::config::dotenv::{self, Assigned};
use crate::config::error::{ConfigError, shown};
use crate::config::source::{SourceFile, Sources};
use crate::config::variables::VARIABLES;

const SECRETS: [&str; 2] = ["database.password", "database.url"];

/// One source, as figment takes it. Its metadata says how to name a setting that came from it: by variable or by
/// key, and in which file.
struct Layer {
    by: &'static str,
    file: String,
    data: Dict,
}

const BY_VARIABLE: &str = "variable";
const BY_KEY: &str = "key";

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::from(self.by, figment::Source::Custom(self.file.clone()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.data.clone()))
    }
}

pub(super) struct Reader {
    figment: Figment,
    /// In which lines of `.env` its variables stand.
    lines: HashMap<&'static str, usize>,
}

impl Reader {
    pub(super) fn new(sources: Sources) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        let mut lines = HashMap::new();
        if let Some(file) = sources.toml {
            figment = figment.merge(toml_layer(file)?);
        }
        if let Some(file) = sources.dotenv {
            let variables = dotenv::read(&file)?;
            lines = variables.iter().map(|(variable, assigned)| (*variable, assigned.line)).collect();
            let value = |variable: &str| variables.get(variable).map(|Assigned { value, .. }| value.clone());
            figment = figment.merge(variable_layer(value, file.name));
        }
        let value = |variable: &str| sources.env.get(variable).cloned();
        Ok(Self { figment: figment.merge(variable_layer(value, String::new())), lines })
    }

    /// The name under which a setting was given: `DB_PORT`, `DB_PORT in line 3 of .env`, or
    /// `database.port in chatkeep.toml`.
    pub(super) fn name(&self, key: &str) -> String {
        let variable = VARIABLES.iter().find(|(known, _)| *known == key).map_or(key, |(_, name)| name);
        let Some(metadata) = self.figment.find_metadata(key) else {
            return variable.to_owned();
        };
        let file = metadata.source.as_ref().and_then(figment::Source::custom).filter(|file| !file.is_empty());
        match (file, self.lines.get(variable)) {
            (None, _) => variable.to_owned(),
            (Some(file), Some(line)) if metadata.name == BY_VARIABLE => {
                format!("{variable} in line {line} of {file}")
            }
            (Some(file), _) => format!("{key} in {file}"),
        }
    }

    /// Whether a setting was given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.figment.find_value(key).ok()
    }

    fn bad<T>(&self, key: &str, rule: &str, value: &Value) -> Result<T, ConfigError> {
        let actual = match value {
            _ if SECRETS.contains(&key) => "another value".to_owned(),
            Value::String(_, text) => shown(text),
            Value::Num(_, Num::F32(number)) => number.to_string(),
            Value::Num(_, Num::F64(number)) => number.to_string(),
            Value::Num(_, number) => {
                number.to_i128().map_or("a number".to_owned(), |number| number.to_string())
            }
            Value::Bool(_, value) => value.to_string(),
            _ => "a table or list".to_owned(),
        };
        Err(ConfigError::invalid(self.name(key), rule, actual))
    }

    /// A rule that another check found broken, under the setting's own name.
    pub(super) fn refuse(&self, key: &str, error: InvalidArgument) -> ConfigError {
        ConfigError::invalid(self.name(key), error.rule, error.actual)
    }

    /// The same for an error that names the key.
    pub(super) fn rename(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::Invalid { setting, rule, actual } => {
                ConfigError::invalid(self.name(&setting), rule, actual)
            }
            other => other,
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(_, text)) => Ok(Some(text)),
            Some(other) => self.bad(key, "must be text in quotes", &other),
        }
    }

    pub(super) fn secret(&self, key: &str) -> Result<Option<SecretString>, ConfigError> {
        Ok(self.text(key)?.map(SecretString::from))
    }

    pub(super) fn whole<T: TryFrom<i128>>(&self, key: &str, rule: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = match &value {
            Value::String(_, text) => text.trim().parse().ok(),
            Value::Num(_, number) => number.to_i128().or_else(|| number.to_u128()?.try_into().ok()),
            _ => None,
        };
        match number.and_then(|number: i128| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => self.bad(key, rule, &value),
        }
    }

    pub(super) fn seconds(&self, key: &str, rule: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let seconds = match &value {
            Value::String(_, text) => text.trim().parse().ok(),
            Value::Num(_, number) => number.to_f64().or_else(|| {
                let whole: u32 = number.to_i128()?.try_into().ok()?;
                Some(whole.into())
            }),
            _ => None,
        };
        let duration = seconds.and_then(|seconds: f64| {
            // What is no whole nanosecond must not become 0, which may mean no limit.
            Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero() || seconds == 0.0)
        });
        match duration {
            Some(duration) => Ok(Some(duration)),
            None => self.bad(key, rule, &value),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let word = match &value {
            Value::Bool(_, flag) => return Ok(Some(*flag)),
            Value::String(_, text) => text.trim().to_ascii_lowercase(),
            Value::Num(_, number) => number.to_i128().map_or(String::new(), |number| number.to_string()),
            _ => String::new(),
        };
        match word.as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => self.bad(key, "must be true, false, 1, 0, yes, no, on or off", &value),
        }
    }
}

/// Values stay the text that they are: figment's own environment provider would read `12345` as a number.
fn variable_layer(value: impl Fn(&str) -> Option<String>, file: String) -> Layer {
    let mut data = Dict::new();
    let mut database = Dict::new();
    for (key, variable) in VARIABLES {
        let Some(value) = value(variable) else { continue };
        match key.strip_prefix("database.") {
            Some(key) => database.insert(key.to_owned(), value.into()),
            None => data.insert((*key).to_owned(), value.into()),
        };
    }
    data.insert("database".to_owned(), database.into());
    Layer { by: BY_VARIABLE, file, data }
}

/// Refuses a key that no setting has: most likely it is misspelt.
fn toml_layer(file: SourceFile) -> Result<Layer, ConfigError> {
    let text = str::from_utf8(file.bytes()?).map_err(|_| file.malformed("UTF-8", "it holds other bytes"))?;
    let data: Dict = Toml::from_str(text).map_err(|error| {
        // The parser's own text repeats the line, which may hold a password; its first line says only where.
        let shown = error.to_string();
        let place = shown.lines().next().and_then(|line| line.strip_prefix("TOML parse error "));
        let place = place.unwrap_or("it does not follow the format");
        let key = error.span().and_then(|span| key_at(text, span.start));
        let key = key.map(|key| format!(", in `{key}`")).unwrap_or_default();
        file.malformed("TOML", format!("{place}{key}: {}", error.message().replace('\n', ", ")))
    })?;
    for (key, value) in &data {
        let keys = match value {
            Value::Dict(_, inner) if key == "database" => {
                inner.keys().map(|inner| format!("{key}.{inner}")).collect()
            }
            _ => vec![key.clone()],
        };
        for key in keys {
            if !VARIABLES.iter().any(|(known, _)| *known == key) {
                let known: Vec<_> = VARIABLES.iter().map(|(known, _)| *known).collect();
                return Err(ConfigError::UnknownKey {
                    key: shown(&key),
                    file: file.name,
                    known: known.join(", "),
                });
            }
        }
    }
    Ok(Layer { by: BY_KEY, file: file.name, data })
}

/// The setting in whose line a place is.
fn key_at(text: &str, place: usize) -> Option<&'static str> {
    let line = text.get(..place)?.rsplit('\n').next()?;
    let name = line.split('=').next()?.trim().trim_matches(['"', '\'']);
    let is_it = |key: &str| key == name || key.strip_prefix("database.") == Some(name);
    VARIABLES.iter().map(|(key, _)| *key).find(|key| is_it(key))
}
