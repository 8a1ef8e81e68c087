//! SQLite's paths, and the URLs that name them.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::config::error::{ConfigError, shown};
use crate::config::target::{RULE, Target};

const IN_MEMORY: &str = ":memory:";
const IN_ROOT: &str = "must not name a file directly under `/`: `sqlite://chat.db` is chat.db in the working directory, \
                       `sqlite:///folder/chat.db` a full path, `sqlite::memory:` a database in memory, and DB_PATH takes \
                       any path";
const PARAMETERS: &str =
    "must have no parameter but mode=rwc: the file is made where it is missing, and written to";

/// What follows `sqlite:`.
pub(super) fn of_url(rest: &str) -> Result<Target, ConfigError> {
    let bad = |rule: &str, actual: &str| Err(ConfigError::invalid("database.url", rule, actual));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if rest.contains('#') {
        return bad(RULE, "a `#`, which is written %23");
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        // The mode in which other libraries are told to make the file; here it always is.
        if !["mode=rwc", "cache=private"].contains(&parameter) {
            return bad(PARAMETERS, &shown_name(parameter));
        }
    }
    let path = decoded(path.strip_prefix("//").unwrap_or(path))?;
    // Four slashes are how Python writes a full path.
    let path = if path.starts_with("//") { format!("/{}", path.trim_start_matches('/')) } else { path };
    match path.as_str() {
        IN_MEMORY => return Ok(Target::SqliteInMemory),
        "" | "/" => return bad(RULE, "a URL without a path"),
        path if path.ends_with('/') => return bad(RULE, "the path of a folder"),
        _ => {}
    }
    if Path::new(&path).parent() == Some(Path::new("/")) {
        return bad(IN_ROOT, "a file directly under /");
    }
    file("database.url", Path::new(&path), "a path that no file is meant by")
        .map(|path| Target::SqliteFile(Some(path)))
}

/// What a path means that was given as a path.
pub(super) fn of_path(path: &Path) -> Result<Target, ConfigError> {
    if path == Path::new(IN_MEMORY) {
        return Ok(Target::SqliteInMemory);
    }
    let actual = shown(&path.to_string_lossy());
    file("database.path", path, &actual).map(|path| Target::SqliteFile(Some(path)))
}

/// The file of a path, whose `~/` is the home folder. Refuses what would become a folder or file of that very name, where
/// a shell or SQLite's own URIs have another meaning for it.
fn file(setting: &str, path: &Path, actual: &str) -> Result<PathBuf, ConfigError> {
    let bad = |rule: &str| Err(ConfigError::invalid(setting, rule, actual));
    let Some(text) = path.to_str() else { return Ok(path.to_owned()) };
    if text.contains('\0') {
        return bad("must not hold the character U+0000");
    }
    if let Some(rest) = text.strip_prefix("~/") {
        let home = etcetera::home_dir().or_else(|_| bad_home(setting))?;
        return Ok(home.join(rest.trim_start_matches('/')));
    }
    if text.starts_with('~') {
        return bad(
            "must be a file's path: `~/` is the home folder, and a name with `~` in front is written ./~name",
        );
    }
    if text.starts_with('$') {
        return bad(
            "must be a path in full, because no variable is put in the place of `$`: a name with `$` in front is \
                    written ./$name",
        );
    }
    if text.starts_with("file:") || text.contains("://") {
        return bad(
            "must be a path without `file:` or another scheme: a URL such as sqlite://chat.db is for DATABASE_URL",
        );
    }
    Ok(path.to_owned())
}

fn bad_home(setting: &str) -> Result<PathBuf, ConfigError> {
    let rule = "must be a path in full, because this machine says of no home folder";
    Err(ConfigError::invalid(setting, rule, "`~/`"))
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    let bad = |actual: &str| ConfigError::invalid("database.url", RULE, actual);
    let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' && !(is_hex(bytes.next()) && is_hex(bytes.next())) {
            return Err(bad("a `%` without two hex digits; the sign itself is written %25"));
        }
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| bad("other text than UTF-8"))?;
    if text.contains('\0') { Err(bad("the character U+0000")) } else { Ok(text.into_owned()) }
}

/// The name of a parameter, where it looks like one.
fn shown_name(parameter: &str) -> String {
    let name = parameter.split('=').next().unwrap_or_default();
    let is_name = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name && !name.is_empty() { format!("`{name}`") } else { "another".to_owned() }
}
