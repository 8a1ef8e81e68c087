//! The CLI as a process, against real databases.

use std::env;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;

use chatkeep::{DatabaseConfig, OrgId, Role, Scope, StateManager, UserId};
use chatkeep_testkit::{PgOptions, PgServer, StopMode};

/// The CLI, to be run in a folder. It knows nothing of the developer's own configuration.
fn command(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatkeep-migration"));
    command.current_dir(folder).env_clear().envs(env::var_os("TZ").map(|zone| ("TZ", zone)));
    // A server that refuses connections is waited for.
    command.args(arguments).env("DATABASE_URL", url).env("DB_ACQUIRE_TIMEOUT", "1");
    command
}

fn run(url: &str, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command(folder.path(), url, arguments).output().expect("the CLI runs");
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// `status` before and after `up`, twice; `down`; `fresh`; and `up` by two processes at once.
fn the_whole_life(url: &str) {
    let (code, out, _) = run(url, &["status"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("pending m2"), "{out}");

    let (code, out, error) = run(url, &["up"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("applied: m2"), "{out}");
    assert_eq!(run(url, &["up"]), (0, "nothing to do\n".to_owned(), String::new()));

    let (code, out, _) = run(url, &["status"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.lines().all(|line| line.starts_with("applied ")), "{out}");

    let (code, out, _) = run(url, &["down", "-n", "1000"]);
    assert!(code == 0 && out.starts_with("taken back: m2"), "{code} {out}");
    assert_eq!(run(url, &["status"]).0, 1);

    let folder = tempfile::tempdir().expect("a folder");
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut up = command(folder.path(), url, &["up"]);
            thread::spawn(move || up.output().expect("the CLI runs"))
        })
        .collect();
    let runs: Vec<Output> = runs.into_iter().map(|run| run.join().expect("a thread")).collect();
    for run in &runs {
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let applied = runs.iter().filter(|run| run.stdout.starts_with(b"applied: ")).count();
    assert_eq!(applied, 1, "one applies, the others find nothing to do");

    let (code, out, _) = run(url, &["fresh"]);
    assert_eq!((code, out.as_str()), (0, "the database is empty and up to date\n"));
    assert_eq!(run(url, &["status"]).0, 0);
}

#[test]
fn it_migrates_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    the_whole_life(&format!("sqlite://{}", folder.path().join("chat.db").display()));
}

/// The first moments of a file are where SQLite does not wait for locks by itself.
#[test]
fn processes_that_make_a_sqlite_file_together_all_succeed() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..25 {
        let url = format!("sqlite://{}", folder.path().join(format!("chat{round}.db")).display());
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let mut up = command(folder.path(), &url, &["up"]);
                thread::spawn(move || up.output().expect("the CLI runs"))
            })
            .collect();
        for run in runs {
            let run = run.join().expect("a thread");
            assert!(run.status.success(), "round {round}: {}", String::from_utf8_lossy(&run.stderr));
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn it_migrates_postgres_and_keeps_messages_until_told_otherwise() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    let url = server.url();
    the_whole_life(&url);

    server
        .psql(
            "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at)
             VALUES ('acme', gen_random_uuid(), 'ada', '', '{}', now(), now());
             INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at)
             SELECT 'acme', id, 1, gen_random_uuid(), 'user', '{}', now(), now() FROM chat_thread",
        )
        .expect("a message");
    for command in ["fresh", "down"] {
        let (code, _, error) = run(&url, &[command]);
        assert_eq!(code, 2);
        assert!(error.contains("1 message(s)") && error.contains("--yes"), "{error}");
    }
    assert_eq!(server.psql("SELECT count(*) FROM chat_message").expect("a count").trim(), "1");
    assert_eq!(run(&url, &["fresh", "--yes"]).0, 0);
    assert_eq!(server.psql("SELECT count(*) FROM chat_message").expect("a count").trim(), "0");
}

/// `reindex` of two messages that were written without the index, one of them corrupt. `sql` runs SQL in the database.
fn the_index_is_filled(url: &str, sql: impl Fn(&str)) {
    assert_eq!(run(url, &["reindex"]).0, 2, "a schema that is not migrated");
    assert_eq!(run(url, &["up"]).0, 0);
    sql("INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at)
         VALUES ('acme', ID, 'ada', 'A thread', '{}', NOW, NOW)");
    for (position, content) in [(1, r#"{"type":"text","text":"one"}"#), (2, "{")] {
        sql(&format!(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at)
             SELECT org_id, id, {position}, ID, 'user', '{content}', created_at, created_at FROM chat_thread"
        ));
    }
    assert_eq!(
        run(url, &["reindex", "--check"]),
        (1, "3 of 3 threads and messages are not indexed\n".to_owned(), String::new())
    );

    let (code, out, error) = run(url, &["reindex"]);
    assert_eq!((code, out.as_str()), (1, "indexed: 2 threads and messages, 1 left out as corrupt\n"));
    assert!(error.starts_with("left out: ") && error.lines().count() == 1, "{error}");
    sql(r#"UPDATE chat_message SET content = '{"type":"text","text":"two"}' WHERE position = 2"#);
    let (code, out, error) = run(url, &["reindex"]);
    assert_eq!((code, out.as_str(), error.as_str()), (0, "indexed: 1 threads and messages\n", ""));
    assert_eq!(run(url, &["reindex"]), (0, "nothing to do\n".to_owned(), String::new()));
    assert_eq!(run(url, &["reindex", "--check"]).0, 0);
    assert_eq!(run(url, &["reindex", "--all"]).1, "indexed: 3 threads and messages\n");
    assert_eq!(run(url, &["reindex", "--all", "--check"]).0, 2, "one or the other");
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn it_fills_the_index_of_postgres() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    the_index_is_filled(&server.url(), |sql| {
        let sql = sql.replace("ID,", "gen_random_uuid(),").replace("NOW", "now()");
        server.psql(&sql).expect("the statement runs");
    });
}

#[tokio::test]
async fn it_fills_the_index_of_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let url = format!("sqlite://{}", path.display());
    assert_eq!(run(&url, &["reindex"]).0, 2, "a file without tables");
    let config = DatabaseConfig::from_url(url.as_str()).expect("a URL");
    let (org, user) = (OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    let repository = chatkeep::create_repository(&config).await.expect("a store");
    let state = StateManager::new(repository.clone(), Scope::user(org, user));
    let thread = state.create_thread("A thread").await.expect("a thread");
    let chat = state.conversation(thread.id);
    for text in ["one", "two"] {
        chat.add_message(Role::User, text).await.expect("a message");
    }
    repository.close().await.expect("it closes");

    // As a process leaves it that is killed at once, and with a message that cannot be read.
    let sql = |text: &str| {
        let file = rusqlite::Connection::open(&path).expect("the file");
        file.execute_batch(text).expect("the statement runs");
    };
    sql("DELETE FROM chat_message_words; UPDATE chat_message SET pending = 1");
    sql("UPDATE chat_message SET content = '{' WHERE position = 2");
    let counted = "2 of 3 threads and messages are not indexed\n".to_owned();
    assert_eq!(run(&url, &["reindex", "--check"]), (1, counted, String::new()));
    let (code, out, error) = run(&url, &["reindex"]);
    assert_eq!((code, out.as_str()), (1, "indexed: 1 threads and messages, 1 left out as corrupt\n"));
    assert!(error.starts_with("left out: ") && error.lines().count() == 1, "{error}");

    sql(r#"UPDATE chat_message SET content = '{"type":"text","text":"two"}' WHERE position = 2"#);
    assert_eq!(run(&url, &["reindex"]), (0, "indexed: 1 threads and messages\n".to_owned(), String::new()));
    assert_eq!(run(&url, &["reindex"]), (0, "nothing to do\n".to_owned(), String::new()));
    assert_eq!(run(&url, &["reindex", "--check"]).0, 0);
    let indexed = "indexed: 3 threads and messages\n".to_owned();
    assert_eq!(run(&url, &["reindex", "--all"]), (0, indexed, String::new()));
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn a_reindex_that_is_interrupted_says_so() {
    let server = Arc::new(PgServer::start(PgOptions::default()).expect("a server"));
    let url = server.url();
    assert_eq!(run(&url, &["up"]).0, 0);
    let insert = "INSERT INTO chat_thread (org_id, id, user_id, name, metadata, created_at, updated_at)
                  VALUES ('acme', gen_random_uuid(), 'ada', '', '{}', now(), now())";
    server.psql(insert).expect("a thread");
    // It holds the lock for longer than the test takes; the server's end is its end.
    let other = server.clone();
    thread::spawn(move || {
        other.psql("BEGIN; LOCK TABLE chat_thread IN EXCLUSIVE MODE; SELECT pg_sleep(600)")
    });
    let wait_for = |granted: &str| {
        let locks =
            format!("SELECT count(*) FROM pg_locks WHERE relation = 'chat_thread'::regclass AND {granted}");
        while server.psql(&locks).expect("a count").trim() == "0" {
            thread::yield_now();
        }
    };
    wait_for("mode = 'ExclusiveLock' AND granted");
    let folder = tempfile::tempdir().expect("a folder");
    let mut reindex = command(folder.path(), &url, &["reindex"]);
    let running = reindex.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the CLI runs");
    wait_for("NOT granted");
    let signal = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
    assert!(signal.expect("a signal").success());
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let expected = "interrupted: 0 threads and messages are indexed, and stay so\n";
    assert_eq!(
        (text(output.stdout).as_str(), text(output.stderr).as_str()),
        (expected, "go on with `reindex`\n")
    );
    server.stop(StopMode::Immediate).expect("it stops");
}

#[test]
fn an_unusable_configuration_is_explained_and_shows_no_password() {
    let (code, _, error) = run("mysql://root:hunter2@localhost/chat", &["status"]);
    assert_eq!(code, 2);
    assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");

    let (code, _, error) = run("postgres://ada:hunter2@127.0.0.1:1/chat", &["status"]);
    assert_eq!(code, 2);
    assert!(error.contains("PostgreSQL") && !error.contains("hunter2"), "{error}");

    let (code, _, error) = run("memory:", &["up"]);
    assert_eq!(code, 2);
    assert!(error.contains("memory"), "{error}");
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn the_parts_of_the_environment_name_server_and_schema() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    let folder = tempfile::tempdir().expect("a folder");
    let port = server.port().to_string();
    let run = |settings: &[(&str, &str)]| {
        let mut command = command(folder.path(), "", &["up"]);
        command.env_remove("DATABASE_URL").envs([
            ("DB_HOST", "127.0.0.1"),
            ("DB_PORT", &port),
            ("DB_NAME", "postgres"),
        ]);
        let output = command.envs(settings.iter().copied()).output().expect("the CLI runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(run(&[("DB_BACKEND", "postgresql"), ("DB_SCHEMA", "my app")]), (Some(0), String::new()));
    let schemas = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'chat%'";
    assert_eq!(server.psql(schemas).expect("the schemas"), "my app");

    for (settings, part) in [
        (&[("DB_SCHEMA", "my app")][..], "DB_BACKEND must say which database DB_HOST is for"),
        (
            &[("DB_BACKEND", "postgresql"), ("PGSSLMODE", "requires")],
            "PGSSLMODE must be disable, allow, prefer",
        ),
        (&[("DB_BACKEND", "postgresql"), ("DB_SSLMODE", "require")], "does not support TLS"),
        (
            &[("DB_BACKEND", "postgresql"), ("DB_SSLMODE", "verify-full"), ("DB_SSLROOTCERT", "none.pem")],
            "DB_SSLROOTCERT must be a file that can be read (got none.pem: ",
        ),
    ] {
        let (code, error) = run(settings);
        assert!(code == Some(2) && error.contains(part), "{settings:?}: {error}");
    }
}
