//! SQLite's paths and URLs.

use std::path::{Path, PathBuf};

use super::super::{DatabaseConfig, Target};
use super::env;

fn path_of(config: &DatabaseConfig) -> Option<PathBuf> {
    match Target::of(config).unwrap() {
        Target::SqliteFile(path) => path,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_is_percent_decoded() {
    for (url, path) in [
        ("sqlite://my%20chats.db", "my chats.db"),
        ("sqlite:///srv/a%3Fb%23c%25.db", "/srv/a?b#c%.db"),
        ("sqlite:///srv/caf%C3%A9.db?mode=rwc", "/srv/café.db"),
        ("sqlite://a+b.db", "a+b.db"),
        ("sqlite://a%2Fb.db", "a/b.db"),
        ("sqlite:chat.db", "chat.db"),
        ("sqlite://./chat.db", "./chat.db"),
        ("sqlite:////srv/chat.db", "/srv/chat.db"),
    ] {
        let config = DatabaseConfig::from_url(url).unwrap();
        assert_eq!(path_of(&config), Some(PathBuf::from(path)), "{url}");
    }
}

#[test]
fn a_url_that_cannot_be_meant_is_refused() {
    for (url, part) in [
        ("sqlite://chat.db%00", "U+0000"),
        ("sqlite://100%.db", "%25"),
        ("sqlite://%ff.db", "UTF-8"),
        ("sqlite://chat#1.db", "%23"),
        ("sqlite://", "a URL without a path"),
        ("sqlite:///", "a URL without a path"),
        ("sqlite://chats/", "a folder"),
        ("sqlite://chat.db?mode=ro", "`mode`"),
        ("sqlite://chat.db?mode=memory", "`mode`"),
        ("sqlite://chat.db?immutable=1", "`immutable`"),
        ("sqlite://chat.db?mode=rwc&cache=shared", "`cache`"),
        ("sqlite:file:chat.db", "file:"),
        ("sqlite::memory:?cache=shared", "`cache`"),
        ("file:./dev.db", "sqlite://"),
        ("sqlite+aiosqlite://chat.db", "sqlite://"),
    ] {
        let error = env([("DATABASE_URL", url)]).expect_err(url).to_string();
        assert!(error.starts_with("DATABASE_URL must") && error.contains(part), "{url}: {error}");
    }
}

#[test]
fn a_file_directly_under_the_root_is_asked_for_by_its_path_alone() {
    for url in ["sqlite:///chat.db", "sqlite:////chat.db", "sqlite:///:memory:", "sqlite:/chat.db"] {
        let error = env([("DATABASE_URL", url)]).expect_err(url).to_string();
        for part in ["DATABASE_URL", "sqlite://chat.db", "sqlite:///folder/chat.db", "DB_PATH"] {
            assert!(error.contains(part), "{url}: {error}");
        }
    }
    let config = env([("DB_PATH", "/chat.db")]).unwrap().database;
    assert_eq!(path_of(&config), Some(PathBuf::from("/chat.db")));
}

#[test]
fn a_tilde_is_the_home_folder() {
    let home = etcetera::home_dir().unwrap();
    let by_path = env([("DB_PATH", "~/chats/chat.db")]).unwrap().database;
    let by_url = env([("DATABASE_URL", "sqlite://~/chats/chat.db")]).unwrap().database;
    let by_toml = super::toml("[database]\npath = '~/chats/chat.db'").unwrap().database;
    let by_hand = DatabaseConfig::sqlite("~/chats/chat.db");
    for config in [by_path, by_url, by_toml, by_hand] {
        config.validate().unwrap();
        assert_eq!(path_of(&config), Some(home.join("chats/chat.db")));
    }
    let config = DatabaseConfig::sqlite("./~/chat.db");
    assert_eq!(path_of(&config), Some(PathBuf::from("./~/chat.db")));
}

#[test]
fn what_only_a_shell_or_a_uri_expands_makes_no_folder_of_that_name() {
    for path in ["~", "~ada/chat.db", "$HOME/chat.db", "${HOME}/chat.db", "file:chat.db", "sqlite://chat.db"]
    {
        let error = env([("DB_PATH", path)]).expect_err(path).to_string();
        assert!(error.starts_with("DB_PATH must"), "{path}: {error}");
        assert!(DatabaseConfig::sqlite(path).validate().is_err(), "{path}");
    }
    for url in ["sqlite://~", "sqlite://~ada/chat.db", "sqlite://$HOME/chat.db"] {
        let error = env([("DATABASE_URL", url)]).expect_err(url).to_string();
        assert!(error.starts_with("DATABASE_URL must"), "{url}: {error}");
    }
}

#[test]
fn memory_has_its_forms() {
    for url in ["sqlite::memory:", "sqlite://:memory:"] {
        let config = DatabaseConfig::from_url(url).unwrap();
        assert!(matches!(Target::of(&config).unwrap(), Target::SqliteInMemory), "{url}");
        assert_eq!(config.path.as_deref(), Some(Path::new(":memory:")));
    }
}
